"""Tables without any fault, and predictions that are right about their own chances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from toy_probe import dataset_of

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Finding
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Role

Kinds = Callable[[Dataset, Predictions], tuple[Finding, ...]]


def columns(rng: np.random.Generator, n: int) -> dict[str, object]:
    """Columns of many shapes that have nothing to do with each other, nor with any target."""
    gap = rng.random(n) < 0.1
    return {
        "normal": rng.normal(size=n),
        "waiting": pl.Series(np.where(gap, np.nan, rng.exponential(size=n))).fill_nan(None),
        "heavy": rng.standard_t(3, size=n),
        "skewed": rng.lognormal(size=n),
        "count": rng.integers(0, 6, n).astype(float),
        "level": rng.choice(list("abcdef"), n, p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01]),
        "word": rng.zipf(1.6, n).clip(0, 300).astype(str),
        "flag": rng.random(n) < 0.3,
        "group": rng.choice(list("vwxyz"), n, p=[0.7, 0.15, 0.1, 0.04, 0.01]),
        "opened": days(rng.integers(0, 900, n), "2018-01-01"),
        "when": days(rng.integers(0, 900, n), "2020-01-01"),
    }


def days(after: np.ndarray, start: str) -> pl.Series:
    """Dates, so many days after a start."""
    return pl.Series(np.datetime64(start) + after.astype("timedelta64[D]")).cast(pl.Datetime("us"))


def table(made: dict[str, object], target: np.ndarray) -> Dataset:
    """The columns as a dataset with a sensitive group and a time."""
    return dataset_of({**made, "y": target}, roles={"group": Role.SENSITIVE, "when": Role.TIME})


def binary(
    dataset: Dataset, chance: np.ndarray, outcome: np.ndarray, *, group: object = None, **more: float
) -> Predictions:
    """Predictions of the chance of "yes"."""
    target = np.where(outcome, "yes", "no")
    return Predictions.of(
        example=dataset.example, target=target, probability=chance, positive="yes",
        classes=["no", "yes"], group=group, **more,
    )  # fmt: skip


def honest(rng: np.random.Generator, n: int, chance: np.ndarray) -> tuple[Dataset, Predictions]:
    """A table without a fault, and outcomes as likely as their predictions say."""
    outcome = rng.random(n) < chance
    dataset = table(columns(rng, n), np.where(outcome, "yes", "no"))
    return dataset, binary(dataset, chance, outcome)


def clusters_of(rng: np.random.Generator, customers: int, each: int) -> tuple[Dataset, Predictions]:
    """The same, but every customer's rows share all cells and the outcome."""
    chance, row = rng.beta(1, 2, customers), np.repeat(np.arange(customers), each)
    outcome = (rng.random(customers) < chance)[row]
    made = {name: pl.Series(cells).gather(row) for name, cells in columns(rng, customers).items()}
    dataset = table({**made, "noise": rng.normal(size=len(row))}, np.where(outcome, "yes", "no"))
    return dataset, binary(dataset, chance[row], outcome, group=row.astype(str))


def false_rates(
    look: Kinds, make: Callable[[np.random.Generator], tuple[Dataset, Predictions]], trials: int
) -> dict[str, float]:
    """How often each kind is found where there is nothing, by kind."""
    hits: dict[str, int] = {}
    for seed in range(trials):
        for kind in {one.kind for one in look(*make(np.random.default_rng(seed)))}:
            hits[kind] = hits.get(kind, 0) + 1
    return {kind: count / trials for kind, count in hits.items()}


def bar(trials: int, rate: float = 0.05) -> float:
    """The rate and two binomial standard errors."""
    return rate + 2 * float(np.sqrt(rate * (1 - rate) / trials))
