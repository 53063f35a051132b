"""A mean in some rows, against the others, and before against after: with interval and p.

Weights and groups are respected. As everywhere, what is said holds for the models as they were
fitted: another draw of rows would move a number within its interval, another training is not in
it unless it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.metrics.setting import FEWEST_GROUPS
from holdfast.stats.influence import cluster_totals, mean_influence, standard_error, units_of
from holdfast.stats.interval import normal
from holdfast.stats.mean import linear_interval
from holdfast.stats.tails import standardised, two_sided

_FEWEST = 20  # units, on each side of a comparison
_LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """A mean, a difference of two means, or what is linear in such: with its standard error.

    `units` (rows, or groups of them) are independent; of two sides those on the smaller
    one. Below `fewest` nothing is tested and no interval given. `influence`, float64 of shape
    (rows,), is what each row moves the value by, `clusters` its group; two sides have none.
    """

    value: float
    error: float
    units: int
    rows: int
    fewest: int = _FEWEST
    influence: np.ndarray | None = field(default=None, repr=False)
    clusters: np.ndarray | None = field(default=None, repr=False)
    aside: str = ""

    @property
    def enough(self) -> bool:
        """Whether there is enough to test."""
        return self.units >= self.fewest

    def p_above(self, bound: float = 0.0) -> float:
        """One-sided p-value of the hypothesis that the truth is at most `bound` (Student's t)."""
        return self._p(self.value - bound)

    def p_below(self, bound: float = 0.0) -> float:
        """One-sided p-value of the hypothesis that the truth is at least `bound`."""
        return self._p(bound - self.value)

    def _p(self, distance: float) -> float:
        if not self.enough:
            return 1.0
        t = float(standardised(distance, self.error))
        half = float(two_sided(t, df=self.units - 1)) / 2
        return half if t > 0 else 1 - half

    def estimate(self, on: str = "", *, seed: int = 0) -> Estimate:
        """With `mean_interval`'s interval; between two sides with Welch's, by the smaller one's units.

        `on` names the rows that were looked at, where those are not all.
        """
        if np.isnan(self.value):
            return Estimate.absent("there are no rows to take the mean of", n=self.rows)
        if not self.enough:
            nan, unit = float("nan"), "rows" if self.clusters is None else "groups"
            why = f"none: {self.units} independent {unit}, {self.fewest} are needed"
            return Estimate(self.value, nan, nan, _LEVEL, self.rows, why)
        if self.influence is None:
            interval, method = normal(self.value, self.error, _LEVEL, df=self.units - 1), "Welch's t"
        else:
            rng = np.random.default_rng(seed)
            interval, method = linear_interval(self.value, self._totals(), _LEVEL, rng, fewest=self.fewest)
        told = f"{method}{self.aside}{f', {on}' if on else ''}"
        return Estimate(self.value, interval.low, interval.high, _LEVEL, self.rows, told)

    def _totals(self) -> np.ndarray:
        assert self.influence is not None
        if self.clusters is None:
            return self.influence
        return np.asarray(cluster_totals(self.influence, self.clusters)[np.bincount(self.clusters) > 0])


NOTHING = Effect(float("nan"), float("nan"), 0, 0)


def linear(value: float, influence: np.ndarray, clusters: np.ndarray | None = None) -> Effect:
    """Any linearised estimate, from the influences (n,) of rows on it and their groups."""
    units = units_of(len(influence), clusters)
    aside = "" if clusters is None else f", clustered by {units:,} groups"
    fewest = _FEWEST if clusters is None else FEWEST_GROUPS
    error = standard_error(influence, clusters)
    return Effect(value, error, units, len(influence), fewest, influence, clusters, aside)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One number per row, float64 of shape (n,), with weights and cluster codes (or None)."""

    values: np.ndarray
    weight: np.ndarray
    clusters: np.ndarray | None = None

    @staticmethod
    def of(values: np.ndarray, judged: Predictions) -> Measured:
        """With the weights and groups of the rows that were judged."""
        return Measured(values, judged.weights, judged.group_codes)

    def at(self, rows: np.ndarray) -> Measured:
        """The rows of a mask."""
        clusters = self.clusters
        if clusters is not None:
            clusters = np.unique(clusters[rows], return_inverse=True)[1]
        return Measured(self.values[rows], self.weight[rows], clusters)

    def mean(self, inside: np.ndarray | None = None) -> Effect:
        """The mean, of all rows or of those of a mask (n,)."""
        rows = slice(None) if inside is None else inside
        values, weight = self.values[rows], self.weight[rows]
        if not weight.sum() > 0:
            return NOTHING
        clusters = None if self.clusters is None else self.clusters[rows]
        return linear(float(np.average(values, weights=weight)), mean_influence(values, weight), clusters)

    def against_rest(self, inside: np.ndarray) -> Effect:
        """The mean in the rows of a mask (n,) less the mean in all others: Welch's t.

        The smaller side gives the degrees of freedom, which is cautious.
        """
        if not self.weight[inside].sum() > 0 or not self.weight[~inside].sum() > 0:
            return NOTHING
        influence = np.zeros(len(self.values))
        influence[inside] = mean_influence(self.values[inside], self.weight[inside])
        influence[~inside] = -mean_influence(self.values[~inside], self.weight[~inside])
        means = [np.average(self.values[side], weights=self.weight[side]) for side in (inside, ~inside)]
        units = min(self._units(inside), self._units(~inside))
        error = standard_error(influence, self.clusters)
        aside = "" if self.clusters is None else ", clustered by group"
        return Effect(float(means[0] - means[1]), error, units, int(inside.sum()), aside=aside)

    def _units(self, rows: np.ndarray) -> int:
        return units_of(int(rows.sum()), None if self.clusters is None else self.clusters[rows])


def mean_of(values: np.ndarray, judged: Predictions) -> Effect:
    """The mean of one number per row, float64 of shape (n,), such as a difference of losses."""
    return Measured.of(values, judged).mean()


def loss_rise(before: Predictions, after: Predictions, judged: Predictions) -> Effect:
    """How much the mean loss rises from `before` to `after`: paired, the same rows in the same order."""
    return mean_of(after.loss - before.loss, judged)


def counted(value: float, n: int) -> Estimate:
    """A plain fact about n rows: counted, so without an interval."""
    return Estimate(value, float("nan"), float("nan"), n=n, method="counted")
