"""What a metric is: its direction, its scale, and how it sees the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import PlanError, PredictionsError
from holdfast.metrics.ranking import ranking
from holdfast.metrics.rows import Rows, predictions_of
from holdfast.stats.auc import auc
from holdfast.stats.ranking import average_precision

Family = Literal["accuracy", "confusion", "auc", "average_precision", "mean", "rmse", "r2", "rows"]

OfCounts = Callable[[np.ndarray, Sequence[str], str | None], np.ndarray]
"""Confusion tables of shape (..., K, K), the classes and the positive class -> values of shape (...)."""

PerRow = Callable[[Rows], np.ndarray]
"""Predictions -> float64 of shape (n,), nan where the row cannot be judged."""

Summary = Callable[[np.ndarray, np.ndarray | None], float]
"""Values of shape (n,) and their weights (or None) -> one number."""


def _no_counts(_counts: np.ndarray, _classes: Sequence[str], _positive: str | None) -> np.ndarray:
    raise PlanError("This metric is not a function of the confusion matrix.")


def _no_rows(_p: Rows) -> np.ndarray:
    raise PlanError("This metric is not made of one number per row.")


def mean(values: np.ndarray, weight: np.ndarray | None) -> float:
    """The weighted mean; nan without any weight.

    >>> mean(np.array([1.0, 4.0]), np.array([3.0, 1.0]))
    1.75
    """
    if weight is None:
        return float(values.mean()) if len(values) else float("nan")
    total = weight.sum()
    return float(values @ weight / total) if total > 0 else float("nan")


def varies(values: np.ndarray) -> bool:
    """Whether numbers of shape (n,) differ by more than rounding does.

    >>> varies(np.array([0.1, 0.1 + 1e-17])), varies(np.array([1e9, 1e9 + 1e-3])), varies(np.zeros(0))
    (False, True, False)
    """
    if not len(values):
        return False
    low, high = float(values.min()), float(values.max())
    return high - low > _ROUNDING * max(abs(low), abs(high))


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to score predictions; `family` says how it sees the rows.

    | family | is a function of | has |
    |---|---|---|
    | accuracy, confusion | the (weighted) confusion table | `of_counts` |
    | auc, average_precision | the ranking of the rows; the mean over classes with more than two | |
    | mean | the mean of one number per row | `per_row` |
    | rmse | the root of the mean of squared errors | `per_row` |
    | r2 | squared errors and the target's variance | `per_row` |
    | rows | all of one number per row | `per_row`, `summary` |

    `task` is None when any predictions will do. `unit_scale` says that a hundredth is
    a sensible step (scores up to 1), where losses and errors have a unit of their own.
    `bounds` are the least and the greatest value that there can be.
    """

    name: str
    task: Task | None
    family: Family
    greater_is_better: bool
    unit_scale: bool = False
    of_counts: OfCounts = _no_counts
    per_row: PerRow = _no_rows
    summary: Summary = mean
    bounds: tuple[float, float] = (-math.inf, math.inf)

    @classmethod
    def custom(
        cls, name: str, per_row: Callable[[Predictions], np.ndarray], *, greater_is_better: bool
    ) -> Metric:
        """A metric of your own: the mean of what `per_row` gives for each row of Predictions.

        >>> above = lambda p: p.prediction_values > p.target_values
        >>> too_high = Metric.custom("too high", above, greater_is_better=False)
        >>> too_high.value(Predictions.of(example=["a", "b"], target=[1.0, 2.0], prediction=[3.0, 1.0]))
        0.5
        """
        return cls(name, None, "mean", greater_is_better, per_row=_Checked(name, per_row))

    def value(self, p: Rows) -> float:
        """The metric's value on the rows that can be judged, weights respected; nan when undefined."""
        p = p.known
        if not len(p):
            return float("nan")
        match self.family:
            case "accuracy" | "confusion":
                return float(self.of_counts(confusion_table(p), p.header.classes, p.header.positive))
            case "auc":
                return ranking(p, auc)[0]
            case "average_precision":
                return ranking(p, average_precision)[0]
            case "rmse":
                return math.sqrt(mean(self.per_row(p), p.weight))
            case "r2":
                return _explained(self.per_row(p), p.target_values, p.weight)
            case _:
                return self.summary(self.per_row(p), p.weight)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A caller's function of rows, held to its promise."""

    name: str
    function: Callable[[Predictions], np.ndarray]

    def __call__(self, p: Rows) -> np.ndarray:
        values = np.asarray(self.function(p if isinstance(p, Predictions) else predictions_of(p)))
        if values.shape != (len(p),) or values.dtype.kind not in "biuf":
            raise PredictionsError(
                f"The metric {self.name!r} should give one number per row, shape ({len(p)},), "
                f"but gave {values.dtype} of shape {values.shape}."
            )
        return values.astype(np.float64)


def confusion_table(p: Rows) -> np.ndarray:
    """Weighted counts of shape (K, K): row i is class i's targets, column j what was predicted.

    >>> p = Predictions.of(example=[1, 2, 3], target=["a", "b", "b"], prediction=["a", "a", "b"])
    >>> confusion_table(p).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    check_classes(p)
    p, size = p.known, len(p.header.classes)
    flat = np.bincount(p.target_codes * size + p.prediction_codes, weights=p.weight, minlength=size**2)
    return flat.reshape(size, size).astype(np.float64)


def check_classes(p: Rows) -> None:
    """PredictionsError when there are too many classes for a confusion table."""
    if len(p.header.classes) > _MOST_CLASSES:
        raise PredictionsError(
            f"{len(p.header.classes):,} classes are too many for a confusion matrix (at most "
            f"{_MOST_CLASSES:,}). If the target is a number, pass numbers: then it is regression."
        )


_MOST_CLASSES = 1_000
_ROUNDING = 8 * float(np.finfo(np.float64).eps)


def _explained(squared: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> float:
    if not varies(target if weight is None else target[weight > 0]):
        return float("nan")
    variance = mean((target - mean(target, weight)) ** 2, weight)
    return 1 - mean(squared, weight) / variance if variance > 0 else float("nan")
