"""Intervals from bootstrap replicates."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from holdfast.stats.tails import critical, standardised, two_sided

# Fewer replicates than this beyond 0 do not measure how rare it is.
_RARE = 10


def percentile_bounds(
    replicates: np.ndarray, level: float, *, units: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bounds of replicates of shape (B, ...), each of shape (...).

    With `units` (independent rows or clusters) the percentiles are moved outward so that
    the interval of a mean is as wide as Student's (Hesterberg 2015, "expanded percentile").
    Replicates that are nan are left out.
    """
    tail = _tail(level, units)
    low, high = np.nanquantile(replicates, [tail, 1 - tail], axis=0)
    return low, high


def percentile_p(replicates: np.ndarray, *, units: int) -> float:
    """The two-sided p-value of 0 by replicates of shape (B,): 1 less the level whose bounds reach 0.

    Where hardly a replicate lies beyond 0, the tail of Student's t at as many standard
    errors from 0, so that p is not floored by B.
    """
    if units < 2:
        return 1.0
    known = replicates[~np.isnan(replicates)]
    beyond = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    if beyond >= _RARE:
        distance = -ndtri(min((beyond + 1) / (len(known) + 1), 0.5))
    else:
        distance = standardised(known.mean(), known.std())
    return float(two_sided(distance * np.sqrt((units - 1) / units), df=units - 1))


def cluster_bounds(
    replicates: np.ndarray, value: np.ndarray | float, level: float, *, clusters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds from replicates (B, ...) that drew whole clusters: percentiles, and no narrower than t.

    Few clusters cannot be drawn further out than they lie; Student's t with the
    replicates' spread knows that. Unknown (nan) with one cluster.
    """
    if clusters < 2:
        return np.full(np.shape(value), np.nan), np.full(np.shape(value), np.nan)
    low, high = percentile_bounds(replicates, level, units=clusters)
    error = np.nanstd(replicates, axis=0) * np.sqrt(clusters / (clusters - 1))
    half = critical(level, df=clusters - 1) * error
    return np.minimum(low, value - half), np.maximum(high, value + half)


def bca_bounds(
    replicates: np.ndarray,
    value: np.ndarray,
    acceleration: np.ndarray,
    level: float,
    *,
    units: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Bias-corrected and accelerated bounds (Efron 1987) of replicates of shape (B, ...).

    `value` and `acceleration` have shape (...). Replicates that are nan are left out;
    replicates without spread give the value itself.
    """
    known = np.count_nonzero(~np.isnan(replicates), axis=0)
    below = (replicates < value).sum(axis=0) + (replicates == value).sum(axis=0) / 2
    # A value beyond every replicate is as far out as B replicates can tell.
    share = np.clip(below / np.maximum(known, 1), 0.5 / np.maximum(known, 1), 1 - 0.5 / np.maximum(known, 1))
    bias = ndtri(share)
    tail = _tail(level, units)
    ordered = np.sort(replicates, axis=0)  # nan goes last
    bounds = []
    for z in (ndtri(tail), -ndtri(tail)):
        moved = bias + (bias + z) / (1 - acceleration * (bias + z))
        bounds.append(_at(ordered, ndtr(moved), known))
    return bounds[0], bounds[1]


def acceleration(influence: np.ndarray, count: np.ndarray | None = None) -> np.ndarray:
    """BCa's acceleration from influences of shape (..., J), each held by `count` (J,) rows."""
    times = 1 if count is None else count
    spread = (times * influence**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        skew = (times * influence**3).sum(axis=-1) / (6 * spread**1.5)
    return np.where(spread > 0, skew, 0.0)


def _tail(level: float, units: int | None) -> float:
    if units is None or units < 2:
        return (1 - level) / 2
    return float(ndtr(-critical(level, df=units - 1) * np.sqrt(units / (units - 1))))


def _at(ordered: np.ndarray, share: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Linear interpolation at a share of its own in each column of sorted (B, ...) replicates."""
    place = np.clip(share, 0, 1) * (np.maximum(known, 1) - 1)
    lower = np.floor(place).astype(np.int64)
    upper = np.minimum(lower + 1, np.maximum(known, 1) - 1)
    first = np.take_along_axis(ordered, lower[np.newaxis], axis=0)[0]
    second = np.take_along_axis(ordered, upper[np.newaxis], axis=0)[0]
    return np.asarray(first + (second - first) * (place - lower))
