"""Accuracy and error rate: the pairs that just one model gets right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdfast.comparison.difference import Difference, Setting
from holdfast.comparison.families.scored import Scored, by_clusters, by_formula
from holdfast.core.predictions import Predictions
from holdfast.metrics import Metric
from holdfast.stats.influence import mean_influence
from holdfast.stats.interval import paired_proportions
from holdfast.stats.paired import mcnemar


def scored(metric: Metric, aligned: Sequence[Predictions]) -> Scored:
    """The share of right rows, or less the share of wrong ones for an error rate."""
    right = _right(aligned).astype(np.float64)
    weight = aligned[0].weight
    values = np.average(right, axis=1, weights=weight) - (0.0 if metric.greater_is_better else 1.0)
    return Scored.of_rows(values, mean_influence(right, weight), aligned[0].group_codes)


def differences(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    """Exact McNemar with Tango's score interval; linearised when rows are weighted or clustered."""
    if aligned[0].group_codes is not None:
        return by_clusters(scored(metric, aligned), pairs, setting, "paired t")
    if aligned[0].weight is not None:
        return by_formula(
            scored(metric, aligned), pairs, setting, "weighted paired t", df=len(aligned[0]) - 1
        )
    right = _right(aligned)
    return [_mcnemar(right[i], right[j], setting.level) for i, j in pairs]


def _right(aligned: Sequence[Predictions]) -> np.ndarray:
    return np.stack([p.target_codes == p.prediction_codes for p in aligned])


def _mcnemar(first: np.ndarray, second: np.ndarray, level: float) -> Difference:
    n = len(first)
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(second & ~first))
    exact, mid = mcnemar(only_first, only_second)
    discordant, value = (only_first + only_second) / n, (only_second - only_first) / n
    return Difference(
        value=value,
        interval=paired_proportions(only_first, only_second, n, level),
        p=exact,
        error=float(np.sqrt(max(discordant - value**2, 0.0) / n)),
        test=f"exact McNemar, {only_second:,} won and {only_first:,} lost, mid-p {mid:.3g}",
        method="Tango's score interval",
        discordant=discordant,
    )
