"""Intervals of differences cover, and equal models are called different no oftener than alpha.

Simulated with 200 rows or more, 20 of them in the rarer class.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from holdfast.comparison.difference import Setting
from holdfast.comparison.families import differences
from holdfast.comparison.paired import compare
from holdfast.core.predictions import Predictions
from holdfast.metrics import resolve

Pair = tuple[Predictions, Predictions]
Sample = Callable[[int, np.random.Generator], Pair]

CLASSIFIED = ("accuracy", "balanced_accuracy", "f1", "mcc", "precision", "recall", "auc", "average_precision")
LOSSES = ("log_loss", "brier")
REGRESSED = ("rmse", "mae", "r2")


def binary(share: float, gap: float, clusters: int | None = None) -> Sample:
    """Two classifiers that share part of their errors; the second separates the classes by `gap` more."""

    def sample(n: int, rng: np.random.Generator) -> Pair:
        target = (np.arange(n) < round(share * n)).astype(int)
        group = None if clusters is None else rng.permutation(n) % (clusters if n < 10_000 else n // 8)
        common = 0.8 * rng.normal(size=n)
        pair = []
        for pull in (1.5, 1.5 + gap):
            own = 0.6 * rng.normal(size=n)
            if group is not None:
                own += 0.5 * rng.normal(size=group.max() + 1)[group]
            score = 1 / (1 + np.exp(-1.2 * (pull * target - 1.8 + common + own)))
            pair.append(
                Predictions.of(
                    example=np.arange(n), target=target, probability=score, classes=[0, 1], group=group
                )
            )
        return pair[0], pair[1]

    return sample


def three(gap: float) -> Sample:
    def sample(n: int, rng: np.random.Generator) -> Pair:
        target = rng.choice(3, n, p=[0.6, 0.25, 0.15])
        common = 0.7 * rng.normal(size=(n, 3))
        pair = []
        for pull in (1.5, 1.5 + gap):
            score = np.exp(common + 0.7 * rng.normal(size=(n, 3)) + pull * np.eye(3)[target])
            score /= score.sum(axis=1, keepdims=True)
            pair.append(
                Predictions.of(example=np.arange(n), target=target, probability=score, classes=[0, 1, 2])
            )
        return pair[0], pair[1]

    return sample


def numbers(gap: float) -> Sample:
    def sample(n: int, rng: np.random.Generator) -> Pair:
        target, common = rng.gamma(2, 2, n), rng.normal(size=n)
        pair = [
            Predictions.of(
                example=np.arange(n),
                target=target,
                prediction=target + 0.8 * common + spread * rng.normal(size=n),
            )
            for spread in (0.6, 0.6 - gap)
        ]
        return pair[0], pair[1]

    return sample


def weighted(sample: Sample) -> Sample:
    """The same truth, from rows with weights that say nothing of the rest."""

    def with_weights(n: int, rng: np.random.Generator) -> Pair:
        pair, weight = sample(n, rng), rng.choice([0.5, 1.0, 2.0], n)
        return tuple(Predictions(p.table.with_columns(weight=weight), p.header) for p in pair)  # type: ignore[return-value]

    return with_weights


CASES = {
    "equal": (binary(0.1, 0.0), 200, CLASSIFIED + LOSSES),
    "unequal": (binary(0.1, 0.5), 200, CLASSIFIED + LOSSES),
    "weighted": (weighted(binary(0.2, 0.0)), 250, CLASSIFIED + LOSSES),
    "10 clusters": (binary(0.3, 0.0, 10), 300, ("accuracy", "f1", "auc", "average_precision", "log_loss")),
    "60 clusters": (binary(0.2, 0.0, 60), 300, ("accuracy", "f1", "auc", "average_precision", "log_loss")),
    "three classes": (three(0.0), 200, ("f1_macro", "balanced_accuracy", "mcc", "auc", "log_loss")),
    "equal numbers": (numbers(0.0), 200, REGRESSED),
    "unequal numbers": (numbers(0.2), 200, REGRESSED),
    "equal medians": (numbers(0.0), 200, ("median_absolute_error",)),
    "unequal medians": (numbers(0.2), 200, ("median_absolute_error",)),
}
QUICK = [name for name in CASES if "medians" not in name]


def simulate(name: str, trials: int) -> dict[str, tuple[float, float]]:
    """For each metric: the share of intervals that hold the truth, and of p-values of at most 0.05."""
    sample, n, metrics = CASES[name]
    truth = dict.fromkeys(metrics, 0.0)
    if name.startswith("unequal"):
        a, b = sample(400_000, np.random.default_rng(99))
        for metric in metrics:
            found = resolve(metric, a)
            truth[metric] = (found.value(b) - found.value(a)) * (1 if found.greater_is_better else -1)
    held, rejected = dict.fromkeys(metrics, 0), dict.fromkeys(metrics, 0)
    for trial in range(trials):
        pair = sample(n, np.random.default_rng(5_000 + trial))
        for metric in metrics:
            setting = Setting(seed=trial, replicates=2_000)
            [found] = differences(resolve(metric, pair[0]), pair, np.array([[0, 1]]), setting)
            held[metric] += found.interval.low <= truth[metric] <= found.interval.high
            rejected[metric] += found.p <= 0.05
    return {metric: (held[metric] / trials, rejected[metric] / trials) for metric in metrics}


def check(name: str, trials: int, errors: int) -> None:
    """Within so many binomial standard errors of what is promised."""
    for metric, (held, rejected) in simulate(name, trials).items():
        assert held >= 0.935 - errors * np.sqrt(0.935 * 0.065 / trials), f"{metric} covers {held:.3f}"
        if not name.startswith("unequal"):
            most = 0.05 + errors * np.sqrt(0.05 * 0.95 / trials)
            assert rejected <= most, f"{metric} rejects {rejected:.3f}"


@pytest.mark.parametrize("name", QUICK)
def test_intervals_cover_and_equal_models_are_equal(name):
    check(name, 20, errors=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_cover_and_equal_models_are_equal_in_many_trials(name):
    check(name, 1_000, errors=2)


def test_more_rows_make_narrower_intervals_of_the_same_truth():
    for metric in ("f1", "auc", "log_loss"):
        widths = []
        for n in (300, 1_200, 4_800):
            pair = binary(0.3, 0.3)(n, np.random.default_rng(0))
            [found] = differences(resolve(metric, pair[0]), pair, np.array([[0, 1]]), Setting())
            widths.append(found.interval.high - found.interval.low)
        assert widths[0] / widths[1] == pytest.approx(2, rel=0.25)
        assert widths[1] / widths[2] == pytest.approx(2, rel=0.25)


def hardly_differing(n: int, rng: np.random.Generator) -> Pair:
    """Two classifiers with equal probabilities but for 1 % of the rows, which the first has quite wrong."""
    target = rng.integers(0, 2, n)
    score = 1 / (1 + np.exp(-1.5 * (1.5 * (target - 0.5) + rng.normal(size=n))))
    wrong = np.where(rng.random(n) < 0.01, np.where(target == 1, 0.01, 0.99), score)
    first, second = (
        Predictions.of(example=range(n), target=target, probability=p, classes=[0, 1]) for p in (wrong, score)
    )
    return first, second


def hardly_differing_losses(n: int, rng: np.random.Generator) -> Pair:
    """Two systems with equal losses but for 1 % of the rows, where the first loses 2 more: 0.02 in all."""
    loss = rng.exponential(0.4, n)
    more = (rng.random(n) < 0.01) * rng.normal(2, 0.3, n)
    return Predictions.of(example=range(n), loss=loss + more), Predictions.of(example=range(n), loss=loss)


def check_hardly_differing(name: str, trials: int, slack: float) -> None:
    rng, sample = np.random.default_rng(3), hardly_differing_losses if name == "loss" else hardly_differing
    margin = 0.009 if name == "loss" else 0.008  # less than the truth, so that "equivalent" is false
    truth = 0.02
    if name != "loss":
        first, second = hardly_differing(200_000, rng)
        metric = resolve(name, first)
        truth = abs(metric.value(second) - metric.value(first))
    assert truth > margin
    verdicts = [compare(*sample(200, rng), metric=name, margin=margin) for _ in range(trials)]
    covered = np.mean([v.difference.low <= truth <= v.difference.high for v in verdicts])
    assert covered >= 0.935 - slack
    assert np.mean([v.outcome == "equivalent" for v in verdicts]) <= 0.05 + slack


@pytest.mark.parametrize("name", ["loss", "log_loss", "auc", "average_precision"])
def test_models_that_hardly_differ_are_not_called_equivalent_for_want_of_a_difference_seen(name):
    check_hardly_differing(name, 60, slack=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["loss", "log_loss", "auc", "average_precision"])
def test_models_that_hardly_differ_are_not_called_equivalent_in_many_trials(name):
    check_hardly_differing(name, 600, slack=0.0)
