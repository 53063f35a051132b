"""AUC by DeLong; average precision by the stratified bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from holdfast.comparison.difference import Difference, Setting
from holdfast.comparison.families.scored import Scored, by_clusters, by_formula
from holdfast.comparison.families.unseen import stretched
from holdfast.core.predictions import Predictions
from holdfast.metrics import Metric
from holdfast.metrics.ranking import ranking
from holdfast.stats.auc import auc
from holdfast.stats.influence import units_of
from holdfast.stats.interval import Interval, wilson
from holdfast.stats.quantiles import cluster_bounds, percentile_bounds, percentile_p
from holdfast.stats.ranking import average_precision, bootstrap_average_precision
from holdfast.stats.tails import critical

# From here on the linearised average precision is as good as its bootstrap, and far cheaper.
_MANY_ROWS = 5_000
_REPLICATES = 2_000

# Fewer rows than this of a class, and the normal distribution is too narrow.
_ENOUGH_RARE = 20


def scored(metric: Metric, aligned: Sequence[Predictions]) -> Scored:
    """Each model's area with its influences, from one sort per model (and class)."""
    area = auc if metric.family == "auc" else average_precision
    values, influence = np.empty(len(aligned)), np.empty((len(aligned), len(aligned[0])))
    for k, p in enumerate(aligned):
        values[k], influence[k] = ranking(p, area)
    return Scored.of_rows(values, influence, aligned[0].group_codes)


def differences(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    """DeLong's z; for average precision the stratified bootstrap, linearised from 5,000 rows on."""
    found, first = scored(metric, aligned), aligned[0]
    if metric.family == "average_precision" and len(first) * len(first.header.classes) < 2 * _MANY_ROWS:
        return _with_unseen(_resampled(found.values, aligned, pairs, setting), found, aligned, pairs, setting)
    test = "DeLong" if metric.family == "auc" else "linearised z"
    if first.group_codes is not None:
        return by_clusters(found, pairs, setting, f"{test}, clustered")
    made = _by_formula(found, first.target_codes, pairs, setting, test)
    return _with_unseen(made, found, aligned, pairs, setting)


def _with_unseen(
    made: Sequence[Difference],
    found: Scored,
    aligned: Sequence[Predictions],
    pairs: np.ndarray,
    setting: Setting,
) -> list[Difference]:
    """See `unseen`: a row may move a score by as much as lies between the influences of any two.

    A row differs that moves the score by half of what rows do on the average (rms) or more,
    since one that changes its place shifts all others a little.
    """
    if aligned[0].group_codes is not None:
        return list(made)
    stretches = []
    for each, (i, j) in zip(made, pairs, strict=True):
        moved = found.influence[j] - found.influence[i]
        far = np.abs(moved) > max(np.sqrt(np.mean(moved**2)) / 2, np.finfo(np.float64).tiny)
        seen = int(np.count_nonzero(far & (moved > 0))), int(np.count_nonzero(far & (moved < 0)))
        moves = max(np.abs(moved).max(), np.ptp(found.influence[[i, j]]))
        stretches.append(stretched(each, seen, len(moved), float(moves), setting.level))
    return stretches


def _by_formula(
    found: Scored, codes: np.ndarray, pairs: np.ndarray, setting: Setting, test: str
) -> list[Difference]:
    """Normal with 20 rows in the rarest class, else Student's; two perfect rankings keep a width."""
    rare = rarest(codes)
    made = by_formula(found, pairs, setting, test, df=None if rare >= _ENOUGH_RARE else rare - 1)
    half = wilson(0, rare, setting.level).high
    perfect = np.isin(found.values, (0.0, 1.0))
    return [
        replace(
            each,
            interval=Interval(each.value - half, each.value + half),
            p=min(1.0, 2.0 ** (1 - rare)) if each.value else 1.0,
            error=half / critical(setting.level),
        )
        if perfect[i] and perfect[j]
        else each
        for each, (i, j) in zip(made, pairs, strict=True)
    ]


def rarest(codes: np.ndarray) -> int:
    """Rows of the rarest class that occurs among codes of shape (n,)."""
    rows = np.bincount(codes)
    return int(rows[rows > 0].min())


def _resampled(
    values: np.ndarray, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    if not np.isfinite(values).all():
        return [Difference.absent("bootstrap")] * len(pairs)
    groups = aligned[0].group_codes
    units = rarest(aligned[0].target_codes) if groups is None else units_of(len(groups), groups)
    replicates = _replicates(aligned, setting)
    method = "stratified bootstrap" if groups is None else "cluster bootstrap"
    found = []
    for i, j in pairs:
        value, moved = float(values[j] - values[i]), replicates[j] - replicates[i]
        p = percentile_p(moved, units=units)
        if groups is None:
            low, high = percentile_bounds(moved, setting.level, units=max(units, 2))
            interval = Interval(min(float(low), value), max(float(high), value))
        else:
            low, high = cluster_bounds(moved, value, setting.level, clusters=units)
            interval = Interval(float(low), float(high))
        error = float(np.nanstd(moved))
        found.append(Difference(value, interval, p, error, "bootstrap", method))
    return found


def _replicates(aligned: Sequence[Predictions], setting: Setting) -> np.ndarray:
    """Average precision of each model in each replicate, (m, B); the mean over classes if more than two."""
    first, classes = aligned[0], aligned[0].header.classes
    codes = [classes.index(first.header.positive)] if first.header.positive else np.unique(first.target_codes)
    parts = [
        bootstrap_average_precision(
            first.target_codes == code,
            np.stack([np.asarray(p.probability)[:, code] for p in aligned]),
            replicates=_REPLICATES,
            rng=setting.rng(),
            weight=first.weight,
            groups=first.group_codes,
        )
        for code in codes
    ]
    return np.asarray(np.mean(parts, axis=0))
