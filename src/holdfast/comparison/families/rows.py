"""Medians, quantiles and other summaries of one number per row: the bootstrap by rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from holdfast.comparison.difference import Difference, Setting
from holdfast.comparison.families.scored import Scored, by_formula
from holdfast.core.predictions import Predictions
from holdfast.metrics import Metric
from holdfast.stats.bootstrap import block_influence, blocks_of, draw_rows
from holdfast.stats.influence import units_of
from holdfast.stats.interval import Interval
from holdfast.stats.paired import permutation_p
from holdfast.stats.quantiles import cluster_bounds, percentile_bounds

# Beyond, blocks of rows are left out instead of drawing all rows anew.
_MANY_ROWS = 5_000
_REPLICATES = 2_000


def scored(metric: Metric, aligned: Sequence[Predictions]) -> Scored:
    """Each model's summary with the influences of up to 200 blocks of rows, clusters kept whole."""
    weight = aligned[0].weight
    block = blocks_of(len(aligned[0]), np.random.default_rng(0), groups=aligned[0].group_codes)
    values, influence = [], []
    for p in aligned:
        rows = metric.per_row(p)
        values.append(_summary(metric, rows, weight, slice(None)))
        influence.append(block_influence(partial(_summary, metric, rows, weight), block))
    return Scored(np.array(values), np.stack(influence))


def differences(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    """Bootstrap by rows (or whole clusters) with permutation up to 5,000 rows, then the block jackknife."""
    if len(aligned[0]) >= _MANY_ROWS:
        found = scored(metric, aligned)
        return by_formula(found, pairs, setting, "block jackknife t", df=found.units - 1)
    values = np.stack([metric.per_row(p) for p in aligned])
    weight, groups = aligned[0].weight, aligned[0].group_codes
    drawn = draw_rows(values.shape[1], _REPLICATES, setting.rng(), groups)
    replicates = np.array([[_summary(metric, rows, weight, picked) for rows in values] for picked in drawn])
    return [
        _of_pair(
            metric, (values[i], values[j]), (weight, groups), replicates[:, j] - replicates[:, i], setting
        )
        for i, j in pairs
    ]


def _of_pair(
    metric: Metric,
    rows: tuple[np.ndarray, np.ndarray],
    design: tuple[np.ndarray | None, np.ndarray | None],
    replicates: np.ndarray,
    setting: Setting,
) -> Difference:
    weight, groups = design
    everything = slice(None)
    gain = _summary(metric, rows[1], weight, everything) - _summary(metric, rows[0], weight, everything)
    if not np.isfinite(gain):
        return Difference.absent("permutation")
    units = units_of(len(rows[0]), groups)
    if groups is None:
        low, high = percentile_bounds(replicates, setting.level, units=units)
    else:
        low, high = cluster_bounds(replicates, gain, setting.level, clusters=units)
    permuted = []
    rng = setting.rng()
    for _ in range(_REPLICATES - 1):
        swap = rng.integers(0, 2, size=units).astype(bool)
        moved = swap if groups is None else swap[groups]
        first, second = np.where(moved, rows[1], rows[0]), np.where(moved, rows[0], rows[1])
        permuted.append(
            _summary(metric, second, weight, everything) - _summary(metric, first, weight, everything)
        )
    p = permutation_p(np.array(permuted), gain)
    interval = Interval(float(low), float(high))
    return Difference(gain, interval, p, float(replicates.std()), "permutation", "bootstrap by rows")


def _summary(
    metric: Metric, rows: np.ndarray, weight: np.ndarray | None, picked: np.ndarray | slice
) -> float:
    """The summary of the picked rows, oriented so that higher is better."""
    value = metric.summary(rows[picked], None if weight is None else weight[picked])
    return value if metric.greater_is_better else -value
