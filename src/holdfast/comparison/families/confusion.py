"""Metrics of the confusion table: the bootstrap over joint cells, swaps within cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from holdfast.comparison.difference import Difference, Setting
from holdfast.comparison.families.scored import Scored, by_clusters, by_formula
from holdfast.core.predictions import Predictions
from holdfast.metrics import Metric
from holdfast.stats.cells import (
    Cells,
    bootstrap,
    cells_of,
    gradient,
    row_influence,
    swap_within_cells,
    tables,
    with_cells,
    with_mean_weights,
)
from holdfast.stats.influence import MANY_CLUSTERS, units_of
from holdfast.stats.interval import UNKNOWN, Interval, wilson
from holdfast.stats.paired import permutation_p
from holdfast.stats.quantiles import cluster_bounds, percentile_bounds
from holdfast.stats.tails import critical

# More distinct weights than this would make more cells than they save.
_FEW_WEIGHTS = 64

_QUARTER = 0.25

# An interval from the replicates that have a value is honest only if nearly all do.
_MOST_UNDEFINED = 0.05


@dataclass(frozen=True, slots=True)
class _Score:
    """A metric as a function of cell counts, oriented so that higher is better."""

    metric: Metric
    classes: tuple[str, ...]
    positive: str | None

    @property
    def width(self) -> int:
        return len(self.classes) ** 2

    def __call__(self, counts: np.ndarray, target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        made = tables(counts, target, prediction, len(self.classes))
        value = self.metric.of_counts(made, self.classes, self.positive)
        return value if self.metric.greater_is_better else -value

    def gain(
        self, counts: np.ndarray, target: np.ndarray, first: np.ndarray, second: np.ndarray
    ) -> np.ndarray:
        """The score of the second predictions less that of the first."""
        return np.asarray(self(counts, target, second) - self(counts, target, first))


def scored(metric: Metric, aligned: Sequence[Predictions]) -> Scored:
    """Each model's metric with the influence of its cells, spread over their rows."""
    score, weight = _score(metric, aligned[0]), aligned[0].weight
    values, influence = [], []
    for p in aligned:
        cells = cells_of(p.target_codes, p.prediction_codes)
        cells = cells if weight is None else with_mean_weights(cells, weight)
        of_one = partial(score, target=cells.codes[:, 0], prediction=cells.codes[:, 1])
        values.append(float(of_one(cells.total)))
        influence.append(row_influence(cells, gradient(cells, of_one, width=score.width), weight))
    return Scored.of_rows(np.array(values), np.stack(influence), aligned[0].group_codes)


def differences(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    """Multinomial bootstrap over the joint cells of two models, permutation within cells.

    Linearised when there are 40 clusters or more, or weights of very many sizes.
    """
    groups, weight = aligned[0].group_codes, aligned[0].weight
    many_weights = weight is not None and len(np.unique(weight)) > _FEW_WEIGHTS
    if groups is not None and (many_weights or units_of(len(groups), groups) >= MANY_CLUSTERS):
        return by_clusters(scored(metric, aligned), pairs, setting, "linearised t")
    if many_weights:
        return by_formula(
            scored(metric, aligned), pairs, setting, "linearised t, weighted", df=len(aligned[0]) - 1
        )
    score = _score(metric, aligned[0])
    return [_of_pair(score, aligned[i], aligned[j], setting) for i, j in pairs]


def _score(metric: Metric, p: Predictions) -> _Score:
    return _Score(metric, p.header.classes, p.header.positive)


def _of_pair(score: _Score, a: Predictions, b: Predictions, setting: Setting) -> Difference:
    cells = cells_of(a.target_codes, a.prediction_codes, b.prediction_codes, weight=a.weight)
    target, first, second = cells.codes.T
    gain = partial(score.gain, target=target, first=first, second=second)
    value = float(gain(cells.total))
    if not np.isfinite(value):
        return Difference.absent("permutation within cells")
    if (first == second).all():
        half = _unseen(a.target_codes, setting.level)
        error, test = half / critical(setting.level), "identical on every row"
        return Difference(0.0, Interval(-half, half), 1.0, error, test, "Wilson, mean over classes")
    interval, error, method = _interval(score, cells, value, a, setting)
    p = _permutation(score, cells, value, a.group_codes, setting)
    return Difference(value, interval, p, error, "permutation within cells", method)


def _interval(
    score: _Score, cells: Cells, value: float, p: Predictions, setting: Setting
) -> tuple[Interval, float, str]:
    """Bounds, standard error and method."""
    groups, rows = p.group_codes, np.bincount(p.target_codes)
    rows = rows[rows > 0]
    drawn = cells if groups is not None else _with_unseen(cells, len(score.classes))
    target, first, second = drawn.codes.T
    replicates = bootstrap(
        drawn,
        partial(score.gain, target=target, first=first, second=second),
        replicates=setting.replicates,
        rng=setting.rng(),
        groups=groups,
        width=score.width,
    )
    if np.isnan(replicates).mean() > _MOST_UNDEFINED:
        return UNKNOWN, float("nan"), "none: undefined in too many replicates"
    error = float(np.nanstd(replicates))
    if groups is not None:
        clusters = units_of(len(p), groups)
        low, high = cluster_bounds(replicates, value, setting.level, clusters=clusters)
        return Interval(float(low), float(high)), error, "cluster bootstrap"
    low, high = percentile_bounds(replicates, setting.level, units=max(int(rows.min()), 2))
    return Interval(min(float(low), value), max(float(high), value)), error, "multinomial bootstrap"


def _with_unseen(cells: Cells, classes: int) -> Cells:
    """One imagined row per class, a quarter each for: both right, either one right, none right.

    With few rows in a class what was not seen among them may still happen, and replicates
    of the seen rows alone are too narrow (as Agresti and Min 2005 found of paired shares).
    """
    present = np.unique(cells.codes[:, 0])
    other = (present + 1) % classes
    patterns = [
        (present, present, present),
        (present, present, other),
        (present, other, present),
        (present, other, other),
    ]
    return with_cells(cells, np.concatenate([np.stack(each, axis=1) for each in patterns]), _QUARTER)


def _permutation(
    score: _Score, cells: Cells, value: float, groups: np.ndarray | None, setting: Setting
) -> float:
    target, first, second = cells.codes.T
    # The rows that stay, then those whose two predictions change places.
    swapped = partial(
        score.gain,
        target=np.append(target, target),
        first=np.append(first, second),
        second=np.append(second, first),
    )
    permuted = swap_within_cells(
        cells,
        swapped,
        replicates=setting.replicates - 1,
        rng=setting.rng(),
        groups=groups,
        width=score.width,
    )
    return permutation_p(permuted, value)


def _unseen(codes: np.ndarray, level: float) -> float:
    """How far two models that agree on every row may still differ: Wilson's bound, mean over classes."""
    rows = np.bincount(codes)
    return float(np.mean([wilson(0, n, level).high for n in rows[rows > 0]]))
