"""How each family of metrics is compared: one file per family, each with the same two functions.

`scored` gives every model's score with its influences, `differences` the interval and the
test of each pair. Both take models on the same rows (see `comparison.align`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from holdfast.comparison.difference import Difference, Setting
from holdfast.comparison.families import accuracy, confusion, ranking, rows, smooth
from holdfast.comparison.families.scored import Scored
from holdfast.core.predictions import Predictions
from holdfast.metrics import Metric
from holdfast.metrics.absence import why_undefined


class _Family(Protocol):
    def scored(self, metric: Metric, aligned: Sequence[Predictions]) -> Scored: ...

    def differences(
        self, metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
    ) -> list[Difference]: ...


_FAMILIES: dict[str, _Family] = {
    "accuracy": accuracy,
    "confusion": confusion,
    "auc": ranking,
    "average_precision": ranking,
    "mean": smooth,
    "rmse": smooth,
    "r2": smooth,
    "rows": rows,
}


def scored(metric: Metric, aligned: Sequence[Predictions]) -> Scored:
    """Every model's score, higher = better, with the influences of the independent units."""
    return _FAMILIES[metric.family].scored(metric, aligned)


def differences(
    metric: Metric, aligned: Sequence[Predictions], pairs: np.ndarray, setting: Setting
) -> list[Difference]:
    """Second minus first of each pair of models, int (P, 2), by the family's valid test."""
    found = _FAMILIES[metric.family].differences(metric, aligned, pairs, setting)
    return [
        each if each.known else replace(each, reason=_why(metric, aligned[i], aligned[j]))
        for each, (i, j) in zip(found, pairs, strict=True)
    ]


def _why(metric: Metric, first: Predictions, second: Predictions) -> str:
    silent = second if math.isfinite(metric.value(first)) else first
    return f"{silent.header.model or 'one model'}: {why_undefined(metric, silent)}"
