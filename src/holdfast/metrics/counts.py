"""Metrics that are functions of the confusion table, for many tables at once.

Each takes counts of shape (..., K, K) (`counts[..., i, j]`: class i predicted as j, weights
allowed), the classes and the positive class (None: the mean over classes), and gives values
of shape (...), nan where undefined. Macro means go over the classes that occur in the target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


def accuracy(counts: np.ndarray, _classes: Sequence[str], _positive: str | None) -> np.ndarray:
    """The share of rows predicted right.

    >>> float(accuracy(np.array([[8, 2], [1, 9]]), ("no", "yes"), "yes"))
    0.85
    """
    return _ratio(_right(counts).sum(axis=-1), counts.sum(axis=(-2, -1)))


def error_rate(counts: np.ndarray, classes: Sequence[str], positive: str | None) -> np.ndarray:
    """The share of rows predicted wrong."""
    return 1 - accuracy(counts, classes, positive)


def class_precision(counts: np.ndarray) -> np.ndarray:
    """The share of right ones among the rows predicted to be of each class, shape (..., K)."""
    return _ratio(_right(counts), counts.sum(axis=-2))


def class_recall(counts: np.ndarray) -> np.ndarray:
    """The share of each class's rows that are predicted to be of it, shape (..., K)."""
    return _ratio(_right(counts), counts.sum(axis=-1))


def class_f1(counts: np.ndarray) -> np.ndarray:
    """The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN), shape (..., K)."""
    return _ratio(2 * _right(counts), counts.sum(axis=-1) + counts.sum(axis=-2))


@dataclass(frozen=True, slots=True)
class Averaged:
    """One number from one per class: the positive class's, or a mean over classes.

    >>> recall = Averaged(class_recall, "positive")
    >>> float(recall(np.array([[8, 2], [1, 9]]), ("no", "yes"), "yes"))
    0.9
    """

    of_class: Callable[[np.ndarray], np.ndarray]
    average: Literal["positive", "macro", "weighted"]

    def __call__(self, counts: np.ndarray, classes: Sequence[str], positive: str | None) -> np.ndarray:
        """Values of shape (...); "positive" without a positive class is the macro mean."""
        values = self.of_class(counts)
        if self.average == "positive" and positive is not None:
            return np.asarray(values[..., list(classes).index(positive)])
        rows = counts.sum(axis=-1)
        if self.average == "weighted":
            return _ratio(np.where(rows > 0, values * rows, 0).sum(axis=-1), rows.sum(axis=-1))
        occurring = (rows > 0).sum(axis=-1)
        macro = _ratio(np.where(rows > 0, values, 0).sum(axis=-1), occurring)
        return np.asarray(np.where(occurring > 1, macro, np.nan))


def mcc(counts: np.ndarray, _classes: Sequence[str], _positive: str | None) -> np.ndarray:
    """Matthews' correlation of target and prediction in [-1, 1] (for K classes Gorodkin 2004).

    >>> mcc(np.array([[8, 2], [1, 9]]), ("no", "yes"), "yes").round(3).item()
    0.704
    """
    total = counts.sum(axis=(-2, -1))
    target, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    covariance = _right(counts).sum(axis=-1) * total - (target * predicted).sum(axis=-1)
    spread = (total**2 - (predicted**2).sum(axis=-1)) * (total**2 - (target**2).sum(axis=-1))
    return _ratio(covariance, np.sqrt(np.maximum(spread, 0)))


def _right(counts: np.ndarray) -> np.ndarray:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, part / whole, np.nan))
