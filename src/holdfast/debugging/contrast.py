"""A mean in some rows, and against the others: what statistical findings about rows rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.stats.influence import mean_influence, standard_error, units_of
from holdfast.stats.interval import normal
from holdfast.stats.multiplicity import benjamini_hochberg
from holdfast.stats.tails import standardised, two_sided

# What search finds at this false discovery rate is worth a confirmation; it proves nothing yet.
_PROMISING = 0.2
_FEWEST_UNITS = 20


@dataclass(frozen=True, slots=True)
class Contrast:
    """A number with its standard error, degrees of freedom, and the rows behind it."""

    value: float
    error: float
    df: int
    rows: int

    def p(self, sign: float = 1.0) -> float:
        """One-sided: that the number is not above 0 (sign 1), or not below it (sign -1)."""
        if self.df < _FEWEST_UNITS - 1:
            return 1.0
        statistic = float(standardised(self.value * sign, self.error))
        half = float(two_sided(statistic, self.df)) / 2
        return half if statistic > 0 else 1 - half

    def estimate(self, method: str, level: float = 0.95) -> Estimate:
        """With Student's interval; without one where there are too few units."""
        if self.df < _FEWEST_UNITS - 1:
            nan = float("nan")
            return Estimate(self.value, nan, nan, level, self.rows, f"none: fewer than {_FEWEST_UNITS} units")
        interval = normal(self.value, self.error, level, df=self.df)
        return Estimate(self.value, interval.low, interval.high, level, self.rows, method)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One number per row, float64 of shape (n,), with weights and cluster codes (or None)."""

    values: np.ndarray
    weight: np.ndarray
    clusters: np.ndarray | None = None

    def at(self, rows: np.ndarray) -> Measured:
        """The rows of a mask."""
        clusters = self.clusters
        if clusters is not None:
            clusters = np.unique(clusters[rows], return_inverse=True)[1]
        return Measured(self.values[rows], self.weight[rows], clusters)

    def mean(self, inside: np.ndarray) -> Contrast:
        """The mean in the rows of a mask (n,)."""
        if not self.weight[inside].sum() > 0:
            return Contrast(float("nan"), float("nan"), 0, 0)
        influence = np.zeros(len(self.values))
        influence[inside] = mean_influence(self.values[inside], self.weight[inside])
        value = float(np.average(self.values[inside], weights=self.weight[inside]))
        units = self._units(inside)
        return Contrast(value, standard_error(influence, self.clusters), units - 1, int(inside.sum()))

    def against_rest(self, inside: np.ndarray) -> Contrast:
        """The mean in the rows of a mask (n,) minus the mean in all others: Welch's t."""
        if not self.weight[inside].sum() > 0 or not self.weight[~inside].sum() > 0:
            return Contrast(float("nan"), float("nan"), 0, 0)
        influence = np.zeros(len(self.values))
        influence[inside] = mean_influence(self.values[inside], self.weight[inside])
        influence[~inside] = -mean_influence(self.values[~inside], self.weight[~inside])
        means = [np.average(self.values[side], weights=self.weight[side]) for side in (inside, ~inside)]
        units = min(self._units(inside), self._units(~inside))
        error = standard_error(influence, self.clusters)
        return Contrast(float(means[0] - means[1]), error, units - 1, int(inside.sum()))

    def _units(self, rows: np.ndarray) -> int:
        count = int(rows.sum())
        return count if self.clusters is None else units_of(count, self.clusters[rows])


def counted(value: float, n: int) -> Estimate:
    """A plain fact about n rows: counted, so without an interval."""
    return Estimate(value, float("nan"), float("nan"), n=n, method="counted")


def promising(p: np.ndarray) -> np.ndarray:
    """The positions, by rising p, of what search rows show well enough to ask the confirm rows.

    p-values of shape (m,); those with a false discovery rate up to 0.2 are worth it.
    """
    if not len(p):
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(p, kind="stable")
    return np.asarray(order[benjamini_hochberg(p)[order] <= _PROMISING])
