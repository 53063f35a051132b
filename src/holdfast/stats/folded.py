"""The mean of |Z| for a normal Z."""

from __future__ import annotations

import numpy as np
from scipy.special import erf


def folded_normal_mean(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """E|Z| for Z normal with this mean and standard deviation, elementwise.

    >>> folded_normal_mean(np.array([0.0, 5.0, -2.0]), np.array([1.0, 1.0, 0.0])).round(3).tolist()
    [0.798, 5.0, 2.0]
    """
    spread = np.where(sd > 0, sd, 1.0)
    ratio = mean / spread
    folded = spread * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + mean * erf(ratio / np.sqrt(2))
    return np.asarray(np.where(sd > 0, folded, np.abs(mean)))
