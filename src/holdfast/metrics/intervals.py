"""The intervals of means, of functions of means, and of medians."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.metrics.metric import Metric, mean
from holdfast.metrics.setting import FEWEST_GROUPS, Setting
from holdfast.stats.bootstrap import smooth_influence
from holdfast.stats.influence import (
    cluster_totals,
    few_groups_error,
    mean_influence,
    standard_error,
    units_of,
)
from holdfast.stats.interval import UNKNOWN, Interval, effective_size, normal, wilson
from holdfast.stats.mean import FEWEST, linear_interval, mean_interval
from holdfast.stats.tails import critical

# A row that holds more than this share of the sum is told of, where there are enough
# rows that none should.
_LARGE_SHARE = 0.05
_ENOUGH_ROWS = 200
_TRIMMED = 0.99


def accuracy_estimate(metric: Metric, p: Predictions, setting: Setting) -> Estimate:
    """Wilson's interval of a share of rows; with weights or groups, of the effective number of rows."""
    value, n, groups = metric.value(p), len(p), p.group_codes
    if p.weight is None and groups is None:
        return setting.estimate(value, wilson(value * n, n, setting.level), p, "Wilson")
    units = max(units_of(n, groups), 2)
    error = standard_error(mean_influence(metric.per_row(p), p.weight), groups)
    alike = float(n) if p.weight is None else effective_size(p.weight)
    size = value * (1 - value) / error**2 if error > 0 else min(alike, units)
    size *= (critical(setting.level) / critical(setting.level, df=units - 1)) ** 2
    return setting.estimate(value, wilson(value * size, size, setting.level), p, "Wilson, effective n")


def mean_estimate(metric: Metric, p: Predictions, setting: Setting) -> Estimate:
    """Student's t, or BCa below 1,000 rows (or groups); told when one row holds much of the sum."""
    rows, value = metric.per_row(p), metric.value(p)
    if p.weight is None and p.group_codes is None:
        interval, method = mean_interval(rows, setting.level, setting.rng())
    else:
        interval, method = _linear(value, mean_influence(rows, p.weight), p, setting)
    if metric.task is not None:
        interval = Interval(np.maximum(interval.low, 0.0), interval.high)
    return setting.estimate(value, interval, p, method + _winsorised(rows, p, setting))


def rmse_estimate(metric: Metric, p: Predictions, setting: Setting) -> Estimate:
    """The square root of the mean squared error's interval."""
    squared = mean_estimate(replace(metric, family="mean"), p, setting)
    low, high = np.sqrt([squared.low, squared.high])
    return replace(
        squared, value=metric.value(p), low=float(low), high=float(high), method=f"root of {squared.method}"
    )


def r2_estimate(metric: Metric, p: Predictions, setting: Setting) -> Estimate:
    """The delta method on squared error and variance jointly, with Student's t.

    On the scale of log(1 - R2), the log of their ratio, which is the more nearly normal.
    """
    target = p.target_values
    weight = p.weights
    centred = (target - mean(target, p.weight)) / target.std()
    columns = np.stack([metric.per_row(p) / target.var(), centred, centred**2, np.ones(len(p))]) * weight
    value = metric.value(p)
    if value == 1:
        return setting.estimate(value, UNKNOWN, p, "none: without any error there is no spread")
    log_rest, influence = float(np.log(1 - value)), smooth_influence(columns, _log_unexplained)
    interval, method = _satterthwaite(log_rest, influence, p, setting)
    low, high = 1 - np.exp([interval.high, interval.low])
    return setting.estimate(value, Interval(float(low), float(high)), p, f"delta method, {method}")


def rows_estimate(metric: Metric, p: Predictions, setting: Setting) -> Estimate:
    """Bounds of a median by Woodruff (1952): the interval of the share of rows below it, read back."""
    rows, value, n = metric.per_row(p), metric.value(p), len(p)
    units = units_of(n, p.group_codes)
    error = standard_error(mean_influence((rows <= value).astype(np.float64), p.weight), p.group_codes)
    half = critical(setting.level, df=max(units - 1, 1)) * error
    order = np.argsort(rows)
    weight = p.weights[order]
    share = np.cumsum(weight) / weight.sum()
    # Outward to the next order statistic, since the share moves in steps.
    first, last = np.searchsorted(share, 0.5 - half) - 1, np.searchsorted(share, 0.5 + half) + 1
    if first < 0 or last >= n:
        return setting.estimate(value, UNKNOWN, p, f"none: only {n} rows")
    interval = Interval(float(rows[order[first]]), float(rows[order[last]]))
    return setting.estimate(value, interval, p, "order statistics (Woodruff)")


def _log_unexplained(sums: np.ndarray) -> np.ndarray:
    squared, total, square, n = sums
    return np.asarray(np.log(squared / (square - total**2 / n)))


def _satterthwaite(
    value: float, influence: np.ndarray, p: Predictions, setting: Setting
) -> tuple[Interval, str]:
    """Student's t with as many degrees of freedom as the influences' spread is known by (Satterthwaite 1946).

    With errors of heavy or skewed tails the standard error itself is uncertain. In simulation
    (200 to 500 rows; normal, t5 and exponential errors) this keeps its level where BCa does not.
    """
    groups = p.group_codes
    totals = influence if groups is None else cluster_totals(influence, groups)
    units, fewest = len(totals), FEWEST if groups is None else FEWEST_GROUPS
    if units < fewest:
        return UNKNOWN, f"none: fewer than {fewest} independent values"
    kurtosis = float((totals**4).mean() / (totals**2).mean() ** 2)
    df = min(units - 1.0, 2 * units / (kurtosis - 1)) if kurtosis > 1 else units - 1.0
    return normal(
        value, few_groups_error(influence, groups), setting.level, df
    ), "Student's t (Satterthwaite)"


def _linear(value: float, influence: np.ndarray, p: Predictions, setting: Setting) -> tuple[Interval, str]:
    if p.group_codes is None:
        return linear_interval(value, influence, setting.level, setting.rng())
    totals = cluster_totals(influence, p.group_codes)
    return linear_interval(value, totals, setting.level, setting.rng(), fewest=FEWEST_GROUPS)


def _winsorised(rows: np.ndarray, p: Predictions, setting: Setting) -> str:
    """A remark with the mean whose largest rows are pulled in, when one row holds much of the sum."""
    held = np.abs(rows) if p.weight is None else np.abs(rows) * p.weight
    total = held.sum()
    if len(rows) < _ENOUGH_ROWS or not held.max() > _LARGE_SHARE * total:
        return ""
    limit = np.quantile(np.abs(rows), _TRIMMED)
    pulled = np.clip(rows, -limit, limit)
    value = mean(pulled, p.weight)
    error = standard_error(mean_influence(pulled, p.weight), p.group_codes)
    half = critical(setting.level) * error
    shown = Estimate(value, value - half, value + half, setting.level)
    return f"; one row holds {held.max() / total:.0%} of the sum, with the top 1 % winsorised {shown}"
