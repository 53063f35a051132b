"""The intervals of functions of the confusion table, many functions from one set of replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.metrics.absence import why_undefined
from holdfast.metrics.counts import Averaged, class_precision
from holdfast.metrics.metric import Metric, check_classes
from holdfast.metrics.setting import Setting
from holdfast.stats.cells import (
    Cells,
    bootstrap,
    cells_of,
    gradient,
    row_influence,
    tables,
    with_mean_weights,
)
from holdfast.stats.influence import MANY_CLUSTERS, standard_error, units_of
from holdfast.stats.interval import Interval, on_logit_scale, wilson
from holdfast.stats.quantiles import acceleration, bca_bounds, percentile_bounds
from holdfast.stats.tails import critical

_REPLICATES = 2_000

# BCa's acceleration asks for one more table per cell; beyond, the plain percentiles do.
_BCA_ROWS = 20_000
_FEW_CELLS = 400

# More distinct weights than this would make more cells than they save.
_FEW_WEIGHTS = 64

# An interval from the replicates that have a value is honest only if nearly all do.
_MOST_UNDEFINED = 0.05

# With many classes the added half rows would weigh, and means over classes hardly meet an edge.
_JEFFREYS_CLASSES = 10

_LINEARISED = "linearised, logit scale"


@dataclass(frozen=True, slots=True)
class Score:
    """A metric of the confusion table, seen from one class (`positive`) or from none."""

    metric: Metric
    positive: str | None

    @property
    def least(self) -> float:
        """The lowest value that the score can have; the highest is 1."""
        return -1.0 if self.metric.name == "mcc" else 0.0


def score_estimates(scores: Sequence[Score], p: Predictions, setting: Setting) -> list[Estimate]:
    """An Estimate per score, absent with the reason where undefined."""
    known = p.known
    if not len(known) or (known.weight is not None and not known.weight.sum() > 0):
        reason = why_undefined(scores[0].metric, p)
        return [Estimate.absent(reason, n=len(known), level=setting.level)] * len(scores)
    return [
        estimate if estimate.known else Estimate.absent(_why(score, known), n=len(known), level=setting.level)
        for score, estimate in zip(scores, _estimates(scores, known, setting), strict=True)
    ]


def _why(score: Score, known: Predictions) -> str:
    of_counts = score.metric.of_counts
    if isinstance(of_counts, Averaged) and of_counts.average == "positive" and score.positive is not None:
        seen = "row is predicted to be" if of_counts.of_class is class_precision else "known target is"
        return f"no {seen} {score.positive!r}"
    return why_undefined(score.metric, known)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Cell counts of shape (b, J) -> the scores' values, (m, b)."""

    scores: tuple[Score, ...]
    classes: tuple[str, ...]
    cells: Cells

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        target, prediction = self.cells.codes.T
        return self.of_tables(tables(counts, target, prediction, len(self.classes)))

    def of_tables(self, made: np.ndarray) -> np.ndarray:
        return np.stack([s.metric.of_counts(made, self.classes, s.positive) for s in self.scores])

    @property
    def width(self) -> int:
        return max(len(self.classes) ** 2, len(self.scores))


def _estimates(scores: Sequence[Score], p: Predictions, setting: Setting) -> list[Estimate]:
    """An Estimate per score, whose value is nan where it is undefined.

    The multinomial bootstrap over cells (BCa), or over whole groups. Its bounds are no
    narrower than those of a second method that knows that a class without an error seen
    may still have some: draws with half a row more on either side of each class (Jeffreys),
    or with weights or groups the linearised score on the logit scale. That one stands
    alone with 40 groups or more, and with weights of very many sizes.
    """
    check_classes(p)
    weight, groups = p.weight, p.group_codes
    many_weights = weight is not None and len(np.unique(weight)) > _FEW_WEIGHTS
    cells = cells_of(p.target_codes, p.prediction_codes, weight=None if many_weights else weight)
    if weight is not None and many_weights:
        cells = with_mean_weights(cells, weight)
    table = _Table(tuple(scores), p.header.classes, cells)
    values = table(cells.total[np.newaxis])[:, 0]
    if many_weights or (groups is not None and units_of(len(p), groups) >= MANY_CLUSTERS):
        (low, high), methods = _linearised(table, values, p, setting), [_LINEARISED] * len(values)
    else:
        low, high, methods = _resampled(table, values, p, setting)
    bounds = [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    bounds = [_with_width(*each, p, setting) for each in zip(scores, values, bounds, strict=True)]
    undefined = "none: undefined in too many replicates"
    return [
        setting.estimate(float(value), bound, p, undefined if np.isnan(bound.low) else method)
        for value, bound, method in zip(values, bounds, methods, strict=True)
    ]


def _resampled(
    table: _Table, values: np.ndarray, p: Predictions, setting: Setting
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    cells, groups, rng = table.cells, p.group_codes, setting.rng()
    replicates = bootstrap(cells, table, replicates=_REPLICATES, rng=rng, groups=groups, width=table.width).T
    units, few_cells = units_of(len(p), groups), len(cells.count) <= _FEW_CELLS
    low, high = _percentiles(replicates, setting, units)
    method = "multinomial bootstrap" if groups is None else "cluster bootstrap"
    if groups is None and few_cells and len(p) <= _BCA_ROWS:
        skew = acceleration(gradient(cells, table, width=table.width) * cells.weight, cells.count)
        low, high = bca_bounds(replicates, values, skew, setting.level, units=units)
        method += ", BCa"
    undefined = np.isnan(replicates).mean(axis=0) > _MOST_UNDEFINED
    low, high = np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)
    if groups is None and p.weight is None and len(table.classes) <= _JEFFREYS_CLASSES:
        others, other = _jeffreys(table, setting), "Jeffreys draws"
    elif few_cells:
        others, other = _linearised(table, np.where(undefined, np.nan, values), p, setting), _LINEARISED
    else:
        return low, high, [method] * len(values)
    # Draws that miss the edge where the value lies are stretched to it.
    low, high = np.fmin(low, others[0]), np.fmax(high, others[1])
    methods = [other if alone else method for alone in undefined]
    return np.minimum(low, values), np.maximum(high, values), methods


def _percentiles(replicates: np.ndarray, setting: Setting, units: int) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.isnan(replicates).all(axis=0)
    low, high = percentile_bounds(np.where(nothing, 0.0, replicates), setting.level, units=units)
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)


def _jeffreys(table: _Table, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    target, prediction = table.cells.codes.T
    counts = tables(table.cells.total, target, prediction, len(table.classes))
    rows, columns = counts.sum(axis=1) > 0, (counts.sum(axis=0) > 0) | (counts.sum(axis=1) > 0)
    others = max(int(columns.sum()) - 1, 1)
    prior = np.where(np.eye(len(counts), dtype=bool), 0.5, 0.5 / others)
    alpha = np.where(rows[:, np.newaxis] & columns, counts + prior, 0.0)
    # Shares of rows would be these over their sum, which no score depends on.
    drawn = setting.rng().standard_gamma(alpha, size=(_REPLICATES, *alpha.shape))
    return _percentiles(table.of_tables(drawn).T, setting, units=0)


def _linearised(
    table: _Table, values: np.ndarray, p: Predictions, setting: Setting
) -> tuple[np.ndarray, np.ndarray]:
    slopes = gradient(table.cells, table, width=table.width)
    units = units_of(len(p), p.group_codes)
    wider = critical(setting.level, df=max(units - 1, 1)) / critical(setting.level)
    bounds = np.full((2, len(values)), np.nan)
    for k in np.flatnonzero(~np.isnan(values)):
        influence = row_influence(table.cells, slopes[k], p.weight)
        error = standard_error(influence - influence.mean(), p.group_codes) * wider
        least = table.scores[k].least
        share = (values[k] - least) / (1 - least)
        bound = on_logit_scale(share, error / (1 - least), setting.level, units=_fewest(p))
        bounds[:, k] = least + (1 - least) * np.array([bound.low, bound.high])
    return bounds[0], bounds[1]


def _with_width(score: Score, value: float, bound: Interval, p: Predictions, setting: Setting) -> Interval:
    """Wilson's bound, from the rarest class's rows, where resampling shows no spread at all."""
    if np.isnan(bound.low) or bound.high - bound.low > 1e-9:
        return bound
    span, units = 1 - score.least, _fewest(p)
    other = wilson((value - score.least) / span * units, units, setting.level)
    return Interval(min(value, score.least + span * other.low), max(value, score.least + span * other.high))


def _fewest(p: Predictions) -> int:
    """Rows of the rarest class that occurs, or groups if there are fewer of those."""
    rows = np.bincount(p.target_codes)
    return min(int(rows[rows > 0].min()), units_of(len(p), p.group_codes))
