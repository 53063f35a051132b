"""The interval of a mean of few and skewed numbers, as losses are."""

from __future__ import annotations

import numpy as np

from holdfast.stats.bootstrap import bootstrap_sums
from holdfast.stats.influence import mean_influence
from holdfast.stats.interval import UNKNOWN, Interval, mean_t
from holdfast.stats.quantiles import acceleration, bca_bounds

# From here on Student's interval alone is as good.
MANY = 1_000

# Below, no interval of a skewed mean covers as it says.
FEWEST = 20

_REPLICATES = 2_000


def mean_interval(
    values: np.ndarray, level: float, rng: np.random.Generator, *, fewest: int = FEWEST
) -> tuple[Interval, str]:
    """An interval for the mean of independent values of shape (n,), and its method.

    Student's for n >= 1,000. Below: BCa (Efron 1987), but no narrower on either side than
    Student's and the bootstrap t (Hall 1992), which keep their level where the values
    are skewed. Unknown for n < `fewest`.
    """
    n = len(values)
    if n < fewest:
        return UNKNOWN, f"none: fewer than {fewest} independent values"
    student = mean_t(values, level)
    if n >= MANY:
        return student, "Student's t"
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(n))
    if error <= 1e-12 * abs(mean):
        return student, "Student's t"
    sums = bootstrap_sums(np.stack([values - mean, (values - mean) ** 2]), replicates=_REPLICATES, rng=rng)
    moved, second = sums / n
    skew = acceleration(mean_influence(values))
    bca = bca_bounds(moved, np.zeros(()), skew, level, units=n)
    spread = np.sqrt(np.maximum(second - moved**2, 0) / (n - 1))
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        high_t, low_t = np.nanquantile(np.where(spread > 0, moved / spread, np.nan), [1 - tail, tail])
    low = min(student.low, mean + float(bca[0]), mean - high_t * error)
    high = max(student.high, mean + float(bca[1]), mean - low_t * error)
    return Interval(float(low), float(high)), "BCa"


def linear_interval(
    value: float,
    influence: np.ndarray,
    level: float,
    rng: np.random.Generator,
    *,
    fewest: int = FEWEST,
) -> tuple[Interval, str]:
    """`mean_interval` for any linearised estimate, from the influences (u,) of independent units.

    The estimate is then the mean of u numbers that vary as the units' influences do.
    """
    centred = influence - influence.mean()
    return mean_interval(value + len(centred) * centred, level, rng, fewest=fewest)
