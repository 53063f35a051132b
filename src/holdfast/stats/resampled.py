"""Comparing means over cross-validation splits, whose training sets overlap."""

from __future__ import annotations

import math

import numpy as np

from holdfast.stats.interval import UNKNOWN, Interval, normal
from holdfast.stats.tails import two_sided


def corrected_t(
    differences: np.ndarray, test_to_train: float, level: float = 0.95
) -> tuple[float, Interval, float]:
    """Mean, interval and two-sided p of score differences (J,) over J train/test splits.

    Nadeau and Bengio's correction (2003): the variance of the mean is
    (1/J + test_to_train) s^2, with J - 1 degrees of freedom. k folds have
    test_to_train = 1 / (k - 1). With 5 to 8 folds the power is low. Splits that all differ
    by the same amount say nothing of the spread: the interval is unknown and p is 1.

    >>> mean, interval, p = corrected_t(np.array([0.02, 0.01, 0.03, 0.02, 0.02]), 1 / 4)
    >>> round(mean, 3), round(p, 3)
    (0.02, 0.014)
    """
    J = len(differences)
    mean = float(differences.mean()) if J else math.nan
    spread = float(differences.std(ddof=1)) if J > 1 else 0.0
    if spread <= 1e-12 * abs(mean):
        return mean, UNKNOWN, 1.0
    error = math.sqrt(1 / J + test_to_train) * spread
    return mean, normal(mean, error, level, df=J - 1), float(two_sided(mean / error, df=J - 1))
