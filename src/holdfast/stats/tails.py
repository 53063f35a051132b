"""Critical values and two-sided tail probabilities of the normal and Student distributions."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit


def critical(level: float, df: float | None = None) -> float:
    """The number of standard errors on each side of a two-sided interval at `level`.

    Normal without `df`, Student's t with it.

    >>> round(critical(0.95), 3), round(critical(0.95, df=9), 3)
    (1.96, 2.262)
    """
    tail = (1 + level) / 2
    return float(ndtri(tail) if df is None else stdtrit(df, tail))


def two_sided(statistic: np.ndarray | float, df: float | None = None) -> np.ndarray:
    """P(|Z| >= |statistic|), elementwise; Student's t with `df`. A nan statistic gives 1.

    >>> float(two_sided(1.959964).round(4)), float(two_sided(float("nan")))
    (0.05, 1.0)
    """
    size = -np.abs(np.asarray(statistic, dtype=np.float64))
    p = 2 * (ndtr(size) if df is None else stdtr(df, size))
    return np.where(np.isnan(p), 1.0, p)


def standardised(difference: np.ndarray | float, standard_error: np.ndarray | float) -> np.ndarray:
    """difference / standard error, elementwise; 0 where both are 0, infinite where only the error is."""
    value, error = np.asarray(difference, dtype=np.float64), np.asarray(standard_error, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(value == 0, 0.0, value / error)
