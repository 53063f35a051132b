"""How far two samples of one column lie apart, and whether that is more than chance."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc


def population_stability(
    reference: np.ndarray, current: np.ndarray, *, units: tuple[float, float] | None = None
) -> tuple[float, float]:
    """The population stability index (0: alike, no upper bound) of two counts (B,), and its p-value.

    Sum of (r - c) ln(r / c) over the bins' smoothed shares r and c, (count + 1/2) / (n + B/2);
    bins that are empty in both are left out. Without any drift PSI / (1/n + 1/m) is about
    chi-squared with B - 1 degrees of freedom (Yurdakul and Naranjo 2020), so what a given
    PSI means depends on the rows: the usual 0.1 is noise for hundreds. `units` are the
    independent units of both samples where those are fewer than the rows. Bins should
    hold ten rows or more of both samples together.

    >>> psi, p = population_stability(np.array([50, 50]), np.array([40, 60]))
    >>> round(psi, 3), round(p, 3)
    (0.04, 0.159)
    """
    filled = (reference + current) > 0
    first, second = _shares(reference[filled]), _shares(current[filled])
    n, m = units or (reference.sum(), current.sum())
    if filled.sum() < 2 or not min(n, m) > 0:
        return 0.0, 1.0
    psi = float(((first - second) * np.log(first / second)).sum())
    return psi, float(chdtrc(filled.sum() - 1, psi / (1 / n + 1 / m)))


def jensen_shannon(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Jensen and Shannon's distance in [0, 1] of counts (..., B): 0 alike, 1 without a common bin.

    The root of the divergence in bits (Endres and Schindelin 2003); nan without rows.

    >>> float(jensen_shannon(np.array([3, 1]), np.array([1, 3])).round(3))
    0.434
    """
    with np.errstate(invalid="ignore"):
        first = reference / reference.sum(axis=-1, keepdims=True)
        second = current / current.sum(axis=-1, keepdims=True)
    middle = (first + second) / 2
    divergence = (_relative(first, middle) + _relative(second, middle)) / 2
    return np.asarray(np.sqrt(np.clip(divergence, 0.0, 1.0)))


def wasserstein(reference: np.ndarray, current: np.ndarray) -> float:
    """The mean distance that values (n,) must move to become those of (m,), in standard deviations.

    Wasserstein's first distance over the reference's standard deviation; nan without values,
    infinite where the reference does not vary and the other differs.

    >>> wasserstein(np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])).__round__(3)
    0.894
    """
    if not len(reference) or not len(current):
        return float("nan")
    first, second = np.sort(reference), np.sort(current)
    values = np.sort(np.concatenate([first, second]))
    below = values[:-1]
    apart = np.abs(
        np.searchsorted(first, below, side="right") / len(first)
        - np.searchsorted(second, below, side="right") / len(second)
    )
    moved, spread = float(apart @ np.diff(values)), float(first.std())
    return moved / spread if spread > 0 else (0.0 if moved == 0 else float("inf"))


def _shares(counts: np.ndarray) -> np.ndarray:
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))


def _relative(share: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Relative entropy in bits; nothing for what never happens."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(share == 0, 0.0, share * np.log2(share / middle)).sum(axis=-1))
