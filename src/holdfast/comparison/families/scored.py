"""Scores of several models on the same rows, linearised, and what follows for their differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.comparison.difference import Difference, Setting
from holdfast.stats.bootstrap import bootstrap_sums
from holdfast.stats.influence import MANY_CLUSTERS, cluster_totals
from holdfast.stats.interval import Interval, normal
from holdfast.stats.paired import sign_flip
from holdfast.stats.quantiles import cluster_bounds
from holdfast.stats.tails import standardised, two_sided


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores (m,) of m models, higher = better, and influences (m, u) of the u independent units.

    A unit is a row, or a cluster of rows. See `stats.influence`.
    """

    values: np.ndarray
    influence: np.ndarray

    @staticmethod
    def of_rows(values: np.ndarray, influence: np.ndarray, groups: np.ndarray | None) -> Scored:
        """From influences (m, n) of rows; `groups` are their clusters (n,), if any."""
        return Scored(values, influence if groups is None else cluster_totals(influence, groups))

    @property
    def units(self) -> int:
        """How many independent units there are."""
        return int(self.influence.shape[1])

    def error(self, first: int, second: int) -> float:
        """The standard error of the difference of two models' scores; nan of a single unit."""
        if self.units < 2:
            return float("nan")
        moved = self.influence[second] - self.influence[first]
        return float(np.sqrt(moved @ moved * self.units / (self.units - 1)))


def by_formula(
    scored: Scored, pairs: np.ndarray, setting: Setting, test: str, *, df: float | None
) -> list[Difference]:
    """The difference of each pair (P, 2) with Student's interval, or a normal one without `df`."""
    found = []
    for i, j in pairs:
        value, error = float(scored.values[j] - scored.values[i]), scored.error(i, j)
        if not np.isfinite(value):
            found.append(Difference.absent(test))
            continue
        p = float(two_sided(standardised(value, error), df))
        interval = normal(value, error, setting.level, df)
        found.append(Difference(value, interval, p, error, test, test))
    return found


def by_clusters(scored: Scored, pairs: np.ndarray, setting: Setting, test: str) -> list[Difference]:
    """The difference of each pair when the units of `scored` are clusters of rows.

    From 40 clusters on Student's t with one degree of freedom less than there are
    clusters; below, whole clusters are drawn and their signs flipped.
    """
    if scored.units >= MANY_CLUSTERS:
        return by_formula(scored, pairs, setting, f"{test}, {scored.units:,} clusters", df=scored.units - 1)
    name = f"sign flips of {scored.units} clusters"
    moved = scored.influence[pairs[:, 1]] - scored.influence[pairs[:, 0]]
    values = scored.values[pairs[:, 1]] - scored.values[pairs[:, 0]]
    replicates = values + bootstrap_sums(moved, replicates=setting.replicates, rng=setting.rng()).T
    low, high = cluster_bounds(replicates, values, setting.level, clusters=scored.units)
    # A cluster's own score, up to terms of second order: what is swapped between the two models.
    own = scored.influence + scored.values[:, np.newaxis] / scored.units
    p = sign_flip(own, pairs, rng=setting.rng(), replicates=setting.replicates - 1)
    found = []
    for k, (i, j) in enumerate(pairs):
        if not np.isfinite(values[k]):
            found.append(Difference.absent(name))
            continue
        interval = Interval(float(low[k]), float(high[k]))
        error = scored.error(i, j)
        found.append(Difference(float(values[k]), interval, float(p[k]), error, name, "cluster bootstrap"))
    return found
