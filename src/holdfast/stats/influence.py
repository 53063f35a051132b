"""Linearised statistics: what each row moves an estimate by.

An estimate close to its truth moves like a sum over rows, `estimate - truth ~ sum of
influences`. Influences of shape (n,) give its variance with or without clusters, the
covariance of several estimates on the same rows, and hence the variance of any difference.
"""

from __future__ import annotations

import numpy as np

# Below this many clusters the sandwich is too small: draw whole clusters instead.
MANY_CLUSTERS = 40


def mean_influence(values: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Influences of shape (..., n) on the (weighted) means of values of shape (..., n).

    >>> mean_influence(np.array([1.0, 2.0, 6.0])).round(3).tolist()
    [-0.667, -0.333, 1.0]
    """
    mean = np.average(values, axis=-1, weights=weight)
    centred = values - np.expand_dims(mean, -1)
    return np.asarray(centred / values.shape[-1] if weight is None else centred * (weight / weight.sum()))


def cluster_totals(rows: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Sums of rows of shape (..., n) over clusters with codes 0..C-1 of shape (n,): (..., C)."""
    clusters = int(groups.max()) + 1
    flat = rows.reshape(-1, rows.shape[-1])
    totals = np.stack([np.bincount(groups, weights=row, minlength=clusters) for row in flat])
    return totals.reshape(*rows.shape[:-1], clusters)


def covariance(influence: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """Covariance of shape (r, r) of r estimates with influences of shape (r, n).

    With `groups` influences are summed over whole clusters first (the sandwich with
    C / (C - 1)); without, every row is a unit of its own.
    """
    totals = influence if groups is None else cluster_totals(influence, groups)
    units = totals.shape[-1]
    return np.asarray(totals @ totals.T) * (units / (units - 1) if units > 1 else np.nan)


def standard_error(influence: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Standard error of one estimate with influences of shape (n,); see `covariance`."""
    return float(np.sqrt(covariance(influence[np.newaxis], groups)[0, 0]))


def few_groups_error(influence: np.ndarray, groups: np.ndarray | None) -> float:
    """`standard_error` of a ratio of sums, such as an area or R2, not too small with few groups.

    The sums that it is divided by (two classes and the whole) are estimated from the same
    G groups, so that the linearised error is short of the jackknife's by about G / (G - 3).
    """
    error = standard_error(influence, groups)
    if groups is None:
        return error
    units = units_of(len(influence), groups)
    return error * units / max(units - 3, 1)


def units_of(n: int, groups: np.ndarray | None) -> int:
    """How many independent units there are: clusters when there are any, else rows."""
    return n if groups is None else int(np.count_nonzero(np.bincount(groups)))
