"""The mean of a number that is known cheaply for all rows, and exactly for a random few.

Prediction-powered inference (Angelopoulos et al. 2023), with the cheap numbers as they are and
the random few drawn within strata, so that the rows that are likely to differ may be
looked at more often: mean of the cheap ones plus, stratum by stratum, the mean correction.
"""

from __future__ import annotations

import numpy as np

from holdfast.stats.influence import mean_influence, standard_error


def rectified_mean(
    cheap: np.ndarray,
    exact: np.ndarray,
    stratum: np.ndarray,
    groups: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> tuple[float, float]:
    """The (weighted) mean of the exact numbers over all rows, and its standard error.

    `cheap` and `exact` are float64 of shape (n,), `exact` nan where nobody looked;
    `stratum` are codes 0..S-1 of shape (n,), each with at least two looked-at rows drawn
    at random, whatever they weigh. `groups` are clusters of rows, `weight` float64 of shape (n,).
    Both sources of error count: the rows that there are (as if all were looked at), and
    the ones among them that were drawn.

    >>> cheap, exact = np.array([1.0, 1.0, 1.0, 1.0]), np.array([1.0, 2.0, np.nan, np.nan])
    >>> rectified_mean(cheap, exact, np.zeros(4, dtype=int))[0]
    1.5
    """
    n = len(cheap)
    own = np.ones(n) if weight is None else weight / weight.mean()
    seen = ~np.isnan(exact)
    correction = np.where(seen, own * (exact - cheap), 0.0)
    drawn = _strata(stratum, seen)
    value = float(np.average(cheap, weights=weight))
    value += sum(share * float(correction[rows].mean()) for rows, share, _ in drawn)
    sampling = sum(
        share**2 * left * float(correction[rows].var(ddof=1)) / len(rows)
        for rows, share, left in drawn
        if left
    )
    # the spread of the exact numbers, and what clusters add to it as they do to the cheap ones
    moved = (own * (exact - value)) ** 2
    spread = sum(share * float(moved[rows].mean()) for rows, share, _ in drawn)
    influence = mean_influence(cheap, weight)
    plain = standard_error(influence)
    design = (standard_error(influence, groups) / plain) ** 2 if groups is not None and plain > 0 else 1.0
    return value, float(np.sqrt(spread / n * design + sampling))


def _strata(stratum: np.ndarray, seen: np.ndarray) -> list[tuple[np.ndarray, float, float]]:
    """Of each stratum: its looked-at rows, its share of all rows, the share of it left unseen."""
    found = []
    for code in range(int(stratum.max()) + 1):
        inside = stratum == code
        rows = np.flatnonzero(inside & seen)
        found.append((rows, float(inside.mean()), 1 - len(rows) / int(inside.sum())))
    return found
