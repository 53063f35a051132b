"""The intervals of AUC and average precision."""

from __future__ import annotations

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.metrics.metric import Metric
from holdfast.metrics.ranking import one_against_rest, ranking
from holdfast.metrics.setting import Setting
from holdfast.stats.area import auc_interval, lacking
from holdfast.stats.auc import auc
from holdfast.stats.influence import few_groups_error, units_of
from holdfast.stats.interval import UNKNOWN, Interval, on_logit_scale
from holdfast.stats.quantiles import percentile_bounds
from holdfast.stats.ranking import average_precision, bootstrap_average_precision
from holdfast.stats.tails import critical

# From here on the linearised average precision is as good as its bootstrap.
_BOOTSTRAP_ROWS = 5_000
_REPLICATES = 2_000


def auc_estimate(_metric: Metric, p: Predictions, setting: Setting) -> Estimate:
    """DeLong on the logit scale; the value is nan where undefined."""
    found = ranking(p, auc)
    if p.header.positive is None and len(np.unique(p.target_codes)) > 2:
        return _mean_auc(found, p, setting)
    return _auc(found, _rarest(p), p, setting)


def class_auc(p: Predictions, label: str, setting: Setting) -> Estimate:
    """AUC of one class against the rest; absent when no row or every row is of it."""
    absent = _absence(p, label)
    if absent:
        return Estimate.absent(absent, n=len(p), level=setting.level)
    return _auc(one_against_rest(p, label, auc), _rarer(p, label), p, setting)


def class_average_precision(p: Predictions, label: str, setting: Setting) -> Estimate:
    """Average precision of one class against the rest; absent when no row or every row is of it."""
    absent = _absence(p, label)
    if absent:
        return Estimate.absent(absent, n=len(p), level=setting.level)
    found = one_against_rest(p, label, average_precision)
    return _on_logit_scale(found, _rarer(p, label), p, setting)


def average_precision_estimate(_metric: Metric, p: Predictions, setting: Setting) -> Estimate:
    """Linearised on the logit scale; up to 5,000 rows no narrower than the stratified bootstrap.

    The value is nan where undefined.
    """
    found = ranking(p, average_precision)
    estimate = _on_logit_scale(found, _rarest(p), p, setting)
    score = p.positive_probability
    if score is None or p.group_codes is not None or len(p) > _BOOTSTRAP_ROWS or np.isnan(estimate.low):
        return estimate
    positive = p.target_codes == p.header.classes.index(str(p.header.positive))
    replicates = bootstrap_average_precision(
        positive, score[np.newaxis], replicates=_REPLICATES, rng=setting.rng(), weight=p.weight
    )
    low, high = percentile_bounds(replicates[0], setting.level, units=int(positive.sum()))
    interval = Interval(min(estimate.low, float(low)), max(estimate.high, float(high)))
    return setting.estimate(estimate.value, interval, p, "stratified bootstrap")


def _auc(found: tuple[float, np.ndarray], rare: int, p: Predictions, setting: Setting) -> Estimate:
    value, influence = found
    if np.isnan(value):
        return setting.estimate(value, UNKNOWN, p, "none")
    units = rare if p.group_codes is None else min(rare, units_of(len(p), p.group_codes))
    error = few_groups_error(influence, p.group_codes)
    interval = auc_interval(value, error, rare, len(p) - rare, setting.level, units=units)
    return setting.estimate(value, interval, p, "DeLong, logit scale")


def _mean_auc(found: tuple[float, np.ndarray], p: Predictions, setting: Setting) -> Estimate:
    """The mean over classes: a class of few rows widens it by no more than its share.

    The critical value is Student's with Welch and Satterthwaite's degrees of freedom, from what
    the rows of each class add to the variance; what DeLong's width lacks in each class is
    added to the mean's, squared and over the squared number of classes.
    """
    value, influence = found
    if np.isnan(value):
        return setting.estimate(value, UNKNOWN, p, "none")
    rows = np.bincount(p.target_codes)
    df = _welch(np.bincount(p.target_codes, weights=influence**2), rows)
    if p.group_codes is not None:
        df = min(df, units_of(len(p), p.group_codes) - 1)
    wider = critical(setting.level, df=max(df, 1.0)) / critical(setting.level)
    error = few_groups_error(influence, p.group_codes) * wider
    interval = on_logit_scale(value, error, setting.level, units=max(df, 1.0) + 1)
    lacks = np.zeros(2)
    for code in np.flatnonzero(rows):
        area, part = one_against_rest(p, p.header.classes[code], auc)
        own = few_groups_error(part, p.group_codes)
        lacks += lacking(area, own, int(rows[code]), int(len(p) - rows[code]), setting.level)
    below, above = np.sqrt(
        np.square([value - interval.low, interval.high - value]) + lacks / (rows > 0).sum() ** 2
    )
    wide = Interval(max(value - float(below), 0.0), min(value + float(above), 1.0))
    return setting.estimate(value, wide, p, "DeLong, logit scale")


def _welch(squares: np.ndarray, rows: np.ndarray) -> float:
    """Degrees of freedom of a variance that is the sum of several, each known from so many rows."""
    total, known = squares.sum(), rows > 0
    parts = squares[known] ** 2 / np.maximum(rows[known] - 1, 1)
    return float(total**2 / parts.sum()) if total > 0 else float(rows[known].min() - 1)


def _on_logit_scale(found: tuple[float, np.ndarray], rare: int, p: Predictions, setting: Setting) -> Estimate:
    value, influence = found
    if np.isnan(value):
        return setting.estimate(value, UNKNOWN, p, "none")
    units = rare if p.group_codes is None else min(rare, units_of(len(p), p.group_codes))
    if units < 2:
        return setting.estimate(value, UNKNOWN, p, "none: only one row of the rarer class")
    wider = critical(setting.level, df=units - 1) / critical(setting.level)
    error = few_groups_error(influence, p.group_codes)
    interval = on_logit_scale(value, error * wider, setting.level, units=units)
    return setting.estimate(value, interval, p, "linearised, logit scale")


def _absence(p: Predictions, label: str) -> str:
    if p.probability is None:
        return "there are no probabilities"
    of_class = p.target_codes == p.header.classes.index(label)
    if not of_class.any():
        return f"no known target is {label!r}"
    return f"every known target is {label!r}" if of_class.all() else ""


def _rarer(p: Predictions, label: str) -> int:
    rows = int((p.target_codes == p.header.classes.index(label)).sum())
    return min(rows, len(p) - rows)


def _rarest(p: Predictions) -> int:
    """Rows of the rarest class that occurs in the target."""
    counts = np.bincount(p.target_codes)
    return int(counts[counts > 0].min())
