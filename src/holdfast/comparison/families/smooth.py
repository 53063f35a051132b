"""Means of per-row losses, RMSE and R2: smooth functions of sums over rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdfast.comparison.difference import MANY_ROWS, Difference, Setting
from holdfast.comparison.families.scored import Scored, by_clusters, by_formula
from holdfast.core.predictions import Predictions
from holdfast.errors import PredictionsError
from holdfast.metrics import Metric
from holdfast.stats.bootstrap import Smooth, bootstrap_sums, smooth_influence
from holdfast.stats.interval import Interval
from holdfast.stats.paired import sign_flip
from holdfast.stats.quantiles import acceleration, bca_bounds

# A mean of which one row holds more than this share is shown with that row's doings.
_HEAVY = 0.05
_WINSOR = 0.01


def scored(metric: Metric, aligned: Sequence[Predictions]) -> Scored:
    """The scores by the delta method on the sums that they are functions of."""
    columns, statistic = _columns(metric, aligned)
    values = statistic(columns.sum(axis=1, keepdims=True))[:, 0]
    return Scored.of_rows(values, smooth_influence(columns, statistic), aligned[0].group_codes)


def differences(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    """Paired t from 1,000 rows on (by the delta method for RMSE and R2), below it BCa and sign flips."""
    test = "paired t" if metric.family == "mean" else "paired t, delta method"
    if aligned[0].group_codes is not None:
        return by_clusters(scored(metric, aligned), pairs, setting, test)
    if len(aligned[0]) >= MANY_ROWS:
        return by_formula(scored(metric, aligned), pairs, setting, test)
    return _resampled(metric, aligned, pairs, setting)


def _columns(metric: Metric, aligned: Sequence[Predictions]) -> tuple[np.ndarray, Smooth]:
    """Columns (c, n) whose sums determine every model's score: the weights, then what they weigh."""
    weight = aligned[0].weight
    own = np.ones(len(aligned[0])) if weight is None else weight
    rows = [own]
    if metric.family == "r2":
        target = aligned[0].target_values
        centred = target - np.average(target, weights=weight)
        rows += [own * centred, own * centred**2]
    rows += [own * _per_row(metric, p) for p in aligned]
    statistic = {"r2": _explained, "rmse": _root}.get(metric.family)
    return np.stack(rows), statistic or (_mean if metric.greater_is_better else _negative_mean)


def _per_row(metric: Metric, p: Predictions) -> np.ndarray:
    values = np.asarray(metric.per_row(p), dtype=np.float64)
    if np.isnan(values).any():
        raise PredictionsError(
            f"{metric.name} is unknown for {int(np.isnan(values).sum()):,} of the {len(values):,} rows "
            f"of {p.header.model or 'one of the models'!r}."
        )
    return values


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


def _resampled(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    columns, statistic = _columns(metric, aligned)
    first, second = pairs.T
    n = columns.shape[1]
    values = statistic(columns.sum(axis=1, keepdims=True))[:, 0]
    replicates = statistic(bootstrap_sums(columns, replicates=setting.replicates, rng=setting.rng()))
    influence = smooth_influence(columns, statistic)
    moved = influence[second] - influence[first]
    gain = values[second] - values[first]
    low, high = bca_bounds(
        (replicates[second] - replicates[first]).T, gain, acceleration(moved), setting.level, units=n
    )
    p = sign_flip(columns[-len(aligned) :], pairs, rng=setting.rng(), replicates=setting.replicates - 1)
    errors = np.sqrt((moved**2).sum(axis=1) * n / max(n - 1, 1))
    found = []
    for k in range(len(pairs)):
        if not np.isfinite(gain[k]):
            found.append(Difference.absent("sign flips"))
            continue
        interval = Interval(float(low[k]), float(high[k]))
        found.append(
            Difference(
                float(gain[k]), interval, float(p[k]), float(errors[k]), "sign flips", "bootstrap, BCa"
            )
        )
    return found
