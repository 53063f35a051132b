"""Means of per-row losses, RMSE and R2: smooth functions of sums over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from holdfast.comparison.difference import MANY_ROWS, Difference, Setting
from holdfast.comparison.families.scored import Scored, by_clusters, by_formula
from holdfast.comparison.families.unseen import ENOUGH, stretched
from holdfast.core.predictions import Predictions
from holdfast.metrics import Metric
from holdfast.metrics.metric import varies
from holdfast.stats.bootstrap import Smooth, smooth_influence
from holdfast.stats.paired import sign_flip

# One row's share of all differences that is told of, where no row should have it.
_LARGE_SHARE = 0.05
_ENOUGH_ROWS = 200

# Rows whose losses differ by less of all losses' range than this are alike: it is rounding.
_ALIKE = 1e-6


def scored(metric: Metric, aligned: Sequence[Predictions]) -> Scored:
    """The scores by the delta method on the sums that they are functions of."""
    columns, statistic = _columns(metric, aligned)
    values = statistic(columns.sum(axis=1, keepdims=True))[:, 0]
    return Scored.of_rows(values, smooth_influence(columns, statistic), aligned[0].group_codes)


def differences(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    """Student's interval (by the delta method for RMSE and R2) with its p, or sign flips below 1,000 rows.

    Differences of paired losses are near symmetric but heavy-tailed. There Student's
    interval covers what it says from 50 rows on, and BCa (and the bootstrap t) too little.
    """
    test = "paired t" if metric.family == "mean" else "paired t, delta method"
    if aligned[0].group_codes is not None:
        return by_clusters(scored(metric, aligned), pairs, setting, test)
    found = by_formula(scored(metric, aligned), pairs, setting, test, df=len(aligned[0]) - 1)
    columns, statistic = _columns(metric, aligned)
    rows = columns[-len(aligned) :]
    found = [
        replace(each, method=each.method + _heaviest(rows[j] - rows[i]))
        for each, (i, j) in zip(found, pairs, strict=True)
    ]
    if len(aligned[0]) < MANY_ROWS:
        p = sign_flip(rows, pairs, rng=setting.rng(), replicates=setting.replicates - 1)
        found = [
            replace(each, p=float(of_pair), test="sign flips") if each.known else each
            for each, of_pair in zip(found, p, strict=True)
        ]
    better = 1 if metric.family == "mean" and metric.greater_is_better else -1
    return [
        _with_unseen(each, better * rows[[i, j]], columns, statistic, setting.level)
        for each, (i, j) in zip(found, pairs, strict=True)
    ]


def _with_unseen(
    each: Difference, pair: np.ndarray, columns: np.ndarray, statistic: Smooth, level: float
) -> Difference:
    """See `unseen`: a row may differ by as much as one was seen to; if none was, by all that rows lose."""
    gain, span = pair[1] - pair[0], np.ptp(pair)
    far = np.abs(gain) > _ALIKE * span
    seen = int(np.count_nonzero(far & (gain > 0))), int(np.count_nonzero(far & (gain < 0)))
    if sum(seen) >= ENOUGH:
        return each
    step = np.zeros((len(columns), 1))
    step[-1] = np.abs(gain).max() if sum(seen) else span
    sums = columns.sum(axis=1, keepdims=True)
    moves = float(np.abs(statistic(sums + step) - statistic(sums))[-1, 0])
    return stretched(each, seen, len(gain), moves, level)


def _heaviest(moved: np.ndarray) -> str:
    """A remark when one of very many rows makes much of the difference; there t is not to be trusted."""
    size = np.abs(moved)
    share = size.max() / max(size.sum(), np.finfo(np.float64).tiny)
    heavy = len(moved) >= _ENOUGH_ROWS and share > _LARGE_SHARE
    return f"; one row makes {share:.0%} of all differences" if heavy else ""


def _columns(metric: Metric, aligned: Sequence[Predictions]) -> tuple[np.ndarray, Smooth]:
    """Columns (c, n) whose sums determine every model's score: the weights, then what they weigh."""
    weight = aligned[0].weight
    own = np.ones(len(aligned[0])) if weight is None else weight
    rows = [own]
    if metric.family == "r2":
        target = aligned[0].target_values
        # A target that does not vary has no R2: the zeros make it nan, where rounding would make it huge.
        centred = (target - np.average(target, weights=weight)) * varies(target[own > 0])
        rows += [own * centred, own * centred**2]
    rows += [own * metric.per_row(p) for p in aligned]
    statistic = {"r2": _explained, "rmse": _root}.get(metric.family)
    return np.stack(rows), statistic or (_mean if metric.greater_is_better else _negative_mean)


def _mean(sums: np.ndarray) -> np.ndarray:
    return np.asarray(sums[1:] / sums[0])


def _negative_mean(sums: np.ndarray) -> np.ndarray:
    return -_mean(sums)


def _root(sums: np.ndarray) -> np.ndarray:
    return np.asarray(-np.sqrt(sums[1:] / sums[0]))


def _explained(sums: np.ndarray) -> np.ndarray:
    spread = sums[2] - sums[1] ** 2 / sums[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(spread > 0, 1 - sums[3:] / spread, np.nan))
