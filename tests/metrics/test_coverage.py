"""Intervals cover: 95 % ones hold the truth in at least 93.5 % of simulated samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from holdfast.core.predictions import Predictions
from holdfast.metrics import evaluate

Sample = Callable[[int, np.random.Generator], Predictions]

_TRUTH_ROWS = 1_000_000


def binary(share: float, shift: float) -> Sample:
    """Rows of two classes whose log odds are normal; `share` is about that of the positive class."""

    def sample(n: int, rng: np.random.Generator) -> Predictions:
        positive = rng.random(n) < share
        logit = rng.normal(size=n) + shift * (positive - 0.5) + np.log(share / (1 - share))
        score = 1 / (1 + np.exp(-logit))
        return Predictions.of(
            example=np.arange(n), target=positive.astype(int), probability=score, classes=[0, 1]
        )

    return sample


def three(n: int, rng: np.random.Generator) -> Predictions:
    target = rng.choice(3, n, p=[0.6, 0.25, 0.15])
    logits = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[target]
    probability = np.exp(logits)
    probability /= probability.sum(axis=1, keepdims=True)
    return Predictions.of(example=np.arange(n), target=target, probability=probability, classes=[0, 1, 2])


def numbers(n: int, rng: np.random.Generator) -> Predictions:
    size = rng.lognormal(2, 0.4, n)
    return Predictions.of(example=np.arange(n), target=size * rng.lognormal(0, 0.25, n), prediction=size)


def explained(share: float, error: Callable[[np.random.Generator, int], np.ndarray]) -> Sample:
    """Rows of which the predictions explain this share; `error` draws what is left, of variance 1."""

    def sample(n: int, rng: np.random.Generator) -> Predictions:
        # far from 0, where a percentage error has no mean to cover
        known = rng.normal(100, np.sqrt(share / (1 - share)), n)
        return Predictions.of(example=np.arange(n), target=known + error(rng, n), prediction=known)

    return sample


def heavy(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.standard_t(5, n) / np.sqrt(5 / 3)


def skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.exponential(size=n) - 1


def weighted(sample: Sample) -> Sample:
    """The same truth, from rows with weights that say nothing of the rest."""

    def with_weights(n: int, rng: np.random.Generator) -> Predictions:
        p = sample(n, rng)
        return Predictions(p.table.with_columns(weight=rng.choice([0.5, 1.0, 3.0], n)), p.header)

    return with_weights


def clustered(groups: int) -> Sample:
    """Rows of groups of uneven sizes, which share much of what makes them hard."""

    def sample(n: int, rng: np.random.Generator) -> Predictions:
        many = groups if n < _TRUTH_ROWS else n // 8
        size = rng.integers(4, 13, many)
        group = np.repeat(np.arange(many), size)
        rows = len(group)
        positive = rng.random(rows) < 0.4
        skill = np.repeat(rng.normal(1.5, 1.0, many), size)
        score = 1 / (1 + np.exp(-(rng.normal(size=rows) + skill * (positive - 0.5))))
        return Predictions.of(
            example=np.arange(rows),
            target=positive.astype(int),
            probability=score,
            classes=[0, 1],
            group=group,
        )

    return sample


CASES = {
    "200 rows, 20 positive": (binary(0.1, 2.0), 200),
    "200 rows, 20 positive, easy": (binary(0.1, 4.0), 200),
    "300 rows, even": (binary(0.5, 1.5), 300),
    "2,000 rows, rare": (binary(0.03, 2.5), 2_000),
    "three classes": (three, 250),
    "numbers": (numbers, 250),
    "many numbers": (numbers, 1_500),
    "weighted": (weighted(binary(0.3, 2.0)), 400),
    "weighted numbers": (weighted(numbers), 400),
    "15 groups": (clustered(15), 0),
    "60 groups": (clustered(60), 0),
}


def coverage(name: str, samples: int) -> dict[str, float]:
    """The share of samples whose interval holds the truth or is absent, by metric."""
    sample, n = CASES[name]
    truth = evaluate(sample(_TRUTH_ROWS, np.random.default_rng(10**6)))
    held: dict[str, list[bool]] = {metric: [] for metric in truth}
    for seed in range(samples):
        for metric, e in evaluate(sample(n, np.random.default_rng(seed)), seed=seed).items():
            held[metric].append(np.isnan(e.low) or bool(e.low <= truth[metric].value <= e.high))
    return {metric: float(np.mean(values)) for metric, values in held.items()}


@pytest.mark.parametrize("name", ["200 rows, 20 positive, easy", "numbers", "15 groups"])
def test_intervals_cover_in_short(name: str) -> None:
    """60 samples: a true 95 % falls below 86.7 % once in a few hundred times."""
    found = coverage(name, 60)
    assert min(found.values()) >= 52 / 60, found


@pytest.mark.slow
@pytest.mark.parametrize("error", [heavy, skewed])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_r2_covers_whatever_the_errors(share: float, error: Callable[..., np.ndarray]) -> None:
    """4,000 samples of 200 rows, where the truth is known exactly: 93.5 % less two standard errors."""
    rng = np.random.default_rng(0)
    found = [evaluate(explained(share, error)(200, rng), "r2") for _ in range(4_000)]
    held = np.mean([e.low <= share <= e.high for e in found])
    assert held >= 0.935 - 2 * np.sqrt(0.935 * 0.065 / 4_000), held


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", CASES)
def test_intervals_cover(name: str) -> None:
    """800 samples: 93.5 % less what chance takes from it (two standard errors)."""
    found = coverage(name, 800)
    assert min(found.values()) >= 0.935 - 2 * np.sqrt(0.935 * 0.065 / 800), found
