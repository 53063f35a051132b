"""How well several raters agree beyond chance: Krippendorff's alpha (Krippendorff 2011).

Ratings come in long form: `unit` (int64 of shape (r,), codes 0..U-1) says what was rated and
`value` (shape (r,)) how. Units with a single rating say nothing of agreement and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdfast.stats.bootstrap import blocks_of, bootstrap_sums
from holdfast.stats.influence import cluster_totals
from holdfast.stats.interval import UNKNOWN, Interval, wilson
from holdfast.stats.quantiles import percentile_bounds

Scale = Literal["nominal", "ordinal", "interval"]

_REPLICATES = 2_000
_BLOCKS = 1_000
_FEWEST_UNITS = 10
_SMALL = 1e-12


@dataclass(frozen=True, slots=True)
class Agreement:
    """Alpha, in (-1, 1]: 1 is perfect agreement, 0 what chance gives; nan without two ratings of a unit.

    `units` and `ratings` are those that alpha rests on.
    """

    alpha: float
    interval: Interval
    units: int
    ratings: int


def krippendorff(
    unit: np.ndarray,
    value: np.ndarray,
    scale: Scale = "nominal",
    *,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Agreement:
    """Krippendorff's alpha with a bootstrap interval over units.

    alpha = 1 - D_o / D_e: the mean squared distance of two ratings of one unit over that of
    any two ratings. "nominal" values are equal or not, "interval" values are numbers, and
    "ordinal" ones are ordered codes whose distance is how many ratings lie between them (held
    as observed while units are drawn). Ratings that are all the same have alpha 1 by convention
    and no interval; neither have fewer than 10 units. Where nobody disagrees, `low` is what
    Wilson's bound on the share of units with a disagreement leaves.

    >>> unit, value = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 0, 1])
    >>> round(krippendorff(unit, value, rng=np.random.default_rng(0)).alpha, 4)
    0.4444
    """
    unit, value = _rated_twice(unit, value)
    units = int(unit.max()) + 1 if len(unit) else 0
    if not units:
        return Agreement(np.nan, UNKNOWN, 0, 0)
    coded = _midranks(value) if scale == "ordinal" else value.astype(np.float64)
    columns = _sums(unit, coded, scale)
    alpha = float(_alpha(columns.sum(axis=1), scale))
    if units < _FEWEST_UNITS or np.ptp(coded) == 0:
        return Agreement(alpha, UNKNOWN, units, len(unit))
    if columns[1].any():
        interval = _drawn(columns, scale, level, rng)
    else:
        share = wilson(0, units, level).high
        interval = Interval(max(-1.0, 1 - share * _widest(columns, coded, scale)), 1.0)
    return Agreement(alpha, interval, units, len(unit))


def disagreements(unit: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each nominal rating: the share of its unit's other ratings that differ, and of all others.

    Both are float64 of shape (r,), nan where a unit has no other rating; one less the ratio of
    their means over any set of ratings (those of one rater, of one label) is its alpha, and
    over all ratings it is Krippendorff's.
    """
    size = np.bincount(unit)[unit]
    observed, expected = np.full((2, len(unit)), np.nan)
    paired = size > 1
    _, code = np.unique(value[paired], return_inverse=True)
    classes, total = int(code.max(initial=0)) + 1, len(code)
    alike = _counted(unit[paired] * classes + code)
    observed[paired] = 1 - (alike - 1) / (size[paired] - 1)
    expected[paired] = 1 - (_counted(code) - 1) / max(total - 1, 1)
    return observed, expected


def _counted(code: np.ndarray) -> np.ndarray:
    """How many share each one's code, shape (r,)."""
    _, place, count = np.unique(code, return_inverse=True, return_counts=True)
    return np.asarray(count[place])


def _rated_twice(unit: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ratings of units that have two or more, with units numbered anew from 0."""
    kept = np.bincount(unit)[unit] > 1 if len(unit) else np.zeros(0, dtype=bool)
    _, code = np.unique(unit[kept], return_inverse=True)
    return code, value[kept]


def _midranks(value: np.ndarray) -> np.ndarray:
    """Each ordinal value as the ratings below it and half of those equal to it."""
    _, code, count = np.unique(value, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - count / 2)[code])


def _sums(unit: np.ndarray, value: np.ndarray, scale: Scale) -> np.ndarray:
    """What alpha is a function of, by block of units, (c, blocks): ratings, disagreement, moments.

    A unit's disagreement is the sum of squared distances of its pairs over m - 1, in closed form.
    """
    units = int(unit.max()) + 1
    size = np.bincount(unit).astype(np.float64)
    block = blocks_of(units, np.random.default_rng(0), blocks=_BLOCKS)
    if scale == "nominal":
        _, code = np.unique(value, return_inverse=True)
        classes = int(code.max()) + 1
        pair, count = np.unique(unit * classes + code, return_counts=True)
        alike = np.bincount(pair // classes, weights=count.astype(np.float64) ** 2, minlength=units)
        own = (size**2 - alike) / (size - 1)
        blocks = int(block.max()) + 1
        joint = np.bincount(code * blocks + block[unit], minlength=classes * blocks)
        moments = joint.reshape(classes, blocks).astype(np.float64)
    else:
        centred = value - value.mean()
        first, second = (np.bincount(unit, weights=centred**k) for k in (1, 2))
        own = 2 * (size * second - first**2) / (size - 1)
        own[own < _SMALL * max(float(second.max()), _SMALL)] = 0.0  # rounding, not disagreement
        moments = cluster_totals(np.stack([first, second]), block)
    return np.concatenate([cluster_totals(np.stack([size, own]), block), moments])


def _alpha(sums: np.ndarray, scale: Scale) -> np.ndarray:
    """Alpha of sums of shape (c, ...); 1 where all ratings are the same."""
    ratings, own = sums[0], sums[1]
    apart = _apart(sums, scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(apart > 0, 1 - own * (ratings - 1) / apart, 1.0)


def _apart(sums: np.ndarray, scale: Scale) -> np.ndarray:
    """The sum of squared distances of all pairs of ratings, in closed form."""
    ratings, moments = sums[0], sums[2:]
    if scale == "nominal":
        return np.asarray(ratings**2 - (moments**2).sum(axis=0))
    return np.asarray(2 * (ratings * moments[1] - moments[0] ** 2))


def _drawn(columns: np.ndarray, scale: Scale, level: float, rng: np.random.Generator) -> Interval:
    replicates = _alpha(bootstrap_sums(columns, replicates=_REPLICATES, rng=rng), scale)
    low, high = percentile_bounds(replicates, level, units=columns.shape[1])
    return Interval(float(low), float(high))


def _widest(columns: np.ndarray, value: np.ndarray, scale: Scale) -> float:
    """The largest squared distance of two ratings in units of the mean one."""
    sums = columns.sum(axis=1)
    mean = _apart(sums, scale) / (sums[0] * (sums[0] - 1))
    return float((1.0 if scale == "nominal" else np.ptp(value) ** 2) / mean)
