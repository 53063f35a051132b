"""AUC by DeLong; average precision by the stratified bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdfast.comparison.difference import Difference, Setting
from holdfast.comparison.families.scored import Scored, by_clusters, by_formula
from holdfast.core.predictions import Predictions
from holdfast.metrics import Metric
from holdfast.metrics.ranking import ranking
from holdfast.stats.auc import auc
from holdfast.stats.interval import Interval
from holdfast.stats.paired import sign_flip
from holdfast.stats.quantiles import percentile_bounds
from holdfast.stats.ranking import average_precision, bootstrap_average_precision

# From here on the linearised average precision is as good as its bootstrap, and far cheaper.
_MANY_ROWS = 5_000
_REPLICATES = 2_000


def scored(metric: Metric, aligned: Sequence[Predictions]) -> Scored:
    """Each model's area with its influences, from one sort per model (and class)."""
    area = auc if metric.family == "auc" else average_precision
    values, influence = zip(*(ranking(p, area) for p in aligned), strict=True)
    return Scored.of_rows(np.array(values), np.stack(influence), aligned[0].group_codes)


def differences(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    """DeLong's z, or for average precision sign flips and the stratified bootstrap up to 5,000 rows."""
    found = scored(metric, aligned)
    test = "DeLong" if metric.family == "auc" else "linearised z"
    if aligned[0].group_codes is not None:
        return by_clusters(found, pairs, setting, f"{test}, clustered")
    binary = aligned[0].header.positive is not None
    if metric.family == "auc" or len(aligned[0]) >= _MANY_ROWS or not binary:
        return by_formula(found, pairs, setting, test, t=False)
    return _resampled(found, aligned, pairs, setting)


def _resampled(
    found: Scored, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    if not np.isfinite(found.values).all():
        return [Difference.absent("sign flips")] * len(pairs)
    positive = aligned[0].target_codes == aligned[0].header.classes.index(str(aligned[0].header.positive))
    replicates = bootstrap_average_precision(
        positive,
        np.stack([np.asarray(p.positive_probability) for p in aligned]),
        replicates=_REPLICATES,
        rng=setting.rng(),
        weight=aligned[0].weight,
    )
    low, high = percentile_bounds(
        (replicates[pairs[:, 1]] - replicates[pairs[:, 0]]).T, setting.level, units=int(positive.sum())
    )
    # A row's own score, up to terms of second order: what is swapped between the two models.
    own = found.influence + found.values[:, np.newaxis] / found.units
    p = sign_flip(own, pairs, rng=setting.rng(), replicates=setting.replicates - 1)
    return [
        Difference(
            value=float(found.values[j] - found.values[i]),
            interval=Interval(float(low[k]), float(high[k])),
            p=float(p[k]),
            error=found.error(i, j),
            test="sign flips",
            method="stratified bootstrap",
        )
        for k, (i, j) in enumerate(pairs)
    ]
