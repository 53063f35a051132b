"""P-values corrected for how many were looked at."""

from __future__ import annotations

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values, shape (m,).

    Rejecting those at most alpha keeps the familywise error rate at alpha.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    m = len(p)
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, (m - np.arange(m)) * p[order])
    adjusted = np.empty(m)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's q-values, shape (m,).

    Rejecting those at most q keeps the false discovery rate at q.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(10).tolist()
    [0.03, 0.04, 0.04]
    """
    m = len(p)
    order = np.argsort(p, kind="stable")[::-1]
    stepped = np.minimum(1.0, m * p[order] / np.arange(m, 0, -1))
    adjusted = np.empty(m)
    adjusted[order] = np.minimum.accumulate(stepped)
    return adjusted
