"""The metrics of regression, and the mean loss that any predictions have."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdfast.core.task import Task
from holdfast.errors import PlanError
from holdfast.metrics.metric import Family, Metric, PerRow, Summary, mean
from holdfast.metrics.rows import Rows


def squared_error(p: Rows) -> np.ndarray:
    """(target - prediction)^2; nan where either is unknown."""
    return np.asarray((p.target_values - p.prediction_values) ** 2)


def absolute_error(p: Rows) -> np.ndarray:
    """|target - prediction|; nan where either is unknown."""
    return np.asarray(np.abs(p.target_values - p.prediction_values))


def percentage_error(p: Rows) -> np.ndarray:
    """|target - prediction| / |target| (1 = 100 %); nan where the target is 0, too."""
    size = np.abs(p.target_values)
    return np.asarray(absolute_error(p) / np.where(size > 0, size, np.nan))


def weighted_median(values: np.ndarray, weight: np.ndarray | None) -> float:
    """The value with half of the weight on either side, midway where two share it.

    >>> weighted_median(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 2.0]))
    5.5
    """
    if weight is None:
        return float(np.median(values)) if len(values) else float("nan")
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    if not below[-1] > 0:
        return float("nan")
    half = below[-1] / 2
    lower = np.searchsorted(below, half * (1 - 1e-12))
    upper = np.searchsorted(below, half * (1 + 1e-12))
    return float((values[order[lower]] + values[order[upper]]) / 2)


@dataclass(frozen=True, slots=True)
class Pinball:
    """The loss of a predicted quantile: q per unit that the target lies above, 1 - q per unit below."""

    quantile: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 < self.quantile < 1.0:
            raise PlanError(f"A quantile lies between 0 and 1, not {self.quantile!r}; e.g. 'pinball:0.9'.")

    def __call__(self, p: Rows) -> np.ndarray:
        """The loss of each row, shape (n,)."""
        above = p.target_values - p.prediction_values
        return np.asarray(np.maximum(self.quantile * above, (self.quantile - 1) * above))


def pinball(quantile: float) -> Metric:
    """The pinball loss of predictions of this quantile.

    >>> pinball(0.9).name
    'pinball:0.9'
    """
    return _error(f"pinball:{quantile:g}", "mean", Pinball(quantile))


def _error(name: str, family: Family, per_row: PerRow, summary: Summary = mean) -> Metric:
    task, bounds = Task.REGRESSION, (0.0, math.inf)
    return Metric(name, task, family, False, per_row=per_row, summary=summary, bounds=bounds)


def _row_loss(p: Rows) -> np.ndarray:
    return p.loss


REGRESSION = (
    _error("rmse", "rmse", squared_error),
    _error("mae", "mean", absolute_error),
    Metric(
        "r2", Task.REGRESSION, "r2", True, unit_scale=True, per_row=squared_error, bounds=(-math.inf, 1.0)
    ),
    _error("mse", "mean", squared_error),
    _error("mape", "mean", percentage_error),
    _error("median_absolute_error", "rows", absolute_error, weighted_median),
    _error("pinball", "mean", Pinball()),
)
"""All metrics of regression; "pinball" is of the median, "pinball:Q" of another quantile."""

LOSS = Metric("loss", None, "mean", False, per_row=_row_loss)
"""The mean of the rows' losses, whatever they are."""
