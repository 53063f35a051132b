"""The area under the ROC curve by DeLong's structural components, from one sort."""

from __future__ import annotations

import numpy as np


def auc(
    positive: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """The area under the ROC curve, and its influences of shape (n,).

    `positive` is bool and `score` a number (higher = more positive), each of shape (n,);
    ties count one half. The area is nan when a class is absent. `influence.covariance` of
    the influences is DeLong's covariance (DeLong et al. 1988; midranks as in Sun and Xu
    2014), and its clustered form Obuchowski's (1997). With weights both are weighted.

    >>> value, influence = auc(np.array([False, True, True]), np.array([0.2, 0.1, 0.7]))
    >>> value
    0.5
    """
    n = len(score)
    order = np.argsort(score)
    flag, ordered = positive[order], score[order]
    mass = np.ones(n) if weight is None else weight[order].astype(np.float64)
    of_positive, of_negative = np.where(flag, mass, 0.0), np.where(flag, 0.0, mass)
    m, q = of_positive.sum(), of_negative.sum()
    if m <= 0 or q <= 0:
        return float("nan"), np.full(n, np.nan)
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    size = np.diff(np.append(first, n))
    # A positive counts the negatives below it, a negative the positives above it.
    component = np.where(
        flag,
        np.repeat(_below(of_negative, first), size) / q,
        1 - np.repeat(_below(of_positive, first), size) / m,
    )
    value = float((of_positive * component).sum() / m)
    share = np.where(flag, of_positive * _unbiased(flag) / m, of_negative * _unbiased(~flag) / q)
    influence = np.empty(n)
    influence[order] = share * (component - value) * np.sqrt((n - 1) / n)
    return value, influence


def _below(mass: np.ndarray, first: np.ndarray) -> np.ndarray:
    """For each group of tied scores: the mass below it and half of its own."""
    own = np.add.reduceat(mass, first)
    return np.asarray(np.cumsum(own) - own / 2)


def _unbiased(flag: np.ndarray) -> float:
    """DeLong divides by m - 1 within a class; `covariance` by n - 1 over all rows."""
    m = int(np.count_nonzero(flag))
    return float(np.sqrt(m / (m - 1))) if m > 1 else 1.0
