"""The mean of a number that is known cheaply for all rows, and exactly for a random few.

Prediction-powered inference (Angelopoulos et al. 2023), with the cheap numbers as they are and
the random few drawn within strata, so that the rows that are likely to differ may be
looked at more often: mean of the cheap ones plus, stratum by stratum, the mean correction.
"""

from __future__ import annotations

import numpy as np

from holdfast.stats.influence import mean_influence, standard_error


def rectified_mean(
    cheap: np.ndarray, exact: np.ndarray, stratum: np.ndarray, groups: np.ndarray | None = None
) -> tuple[float, float]:
    """The mean of the exact numbers over all rows, and its standard error.

    `cheap` and `exact` are float64 of shape (n,), `exact` nan where nobody looked;
    `stratum` are codes 0..S-1 of shape (n,), each with at least two looked-at rows drawn
    at random. `groups` are clusters of rows. Both sources of error count: the rows that there are
    (as if all were looked at), and the ones among them that were drawn.

    >>> cheap, exact = np.array([1.0, 1.0, 1.0, 1.0]), np.array([1.0, 2.0, np.nan, np.nan])
    >>> rectified_mean(cheap, exact, np.zeros(4, dtype=int))[0]
    1.5
    """
    n = len(cheap)
    seen = ~np.isnan(exact)
    correction = np.where(seen, exact - cheap, 0.0)
    value, drawn, square = float(cheap.mean()), 0.0, 0.0
    for code in range(int(stratum.max()) + 1):
        inside = stratum == code
        rows, looked = int(inside.sum()), int((inside & seen).sum())
        moved, share = correction[inside & seen], rows / n
        value += share * float(moved.mean())
        drawn += share**2 * (1 - looked / rows) * float(moved.var(ddof=1)) / looked
        square += share * float((exact[inside & seen] ** 2).mean())
    # the spread of the exact numbers, and what clusters add to it as they do to the cheap ones
    influence = mean_influence(cheap)
    plain = standard_error(influence)
    design = (standard_error(influence, groups) / plain) ** 2 if groups is not None and plain > 0 else 1.0
    population = max(square - value**2, 0.0) / n * design
    return value, float(np.sqrt(population + drawn))
