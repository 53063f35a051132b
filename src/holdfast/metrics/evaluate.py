"""Predictions -> Estimates."""

from __future__ import annotations

from typing import overload

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.metrics.absence import why_undefined
from holdfast.metrics.areas import auc_estimate, average_precision_estimate
from holdfast.metrics.by_class import of_class
from holdfast.metrics.intervals import (
    accuracy_estimate,
    mean_estimate,
    r2_estimate,
    rmse_estimate,
    rows_estimate,
)
from holdfast.metrics.metric import Metric
from holdfast.metrics.names import AnyMetric, metrics_of, names, resolve
from holdfast.metrics.setting import Setting
from holdfast.metrics.tables import Score, score_estimates

_OF_FAMILY = {
    "accuracy": accuracy_estimate,
    "auc": auc_estimate,
    "average_precision": average_precision_estimate,
    "mean": mean_estimate,
    "rmse": rmse_estimate,
    "r2": r2_estimate,
    "rows": rows_estimate,
}


@overload
def evaluate(
    p: Predictions, metric: None = None, *, level: float = 0.95, seed: int = 0
) -> dict[str, Estimate]: ...
@overload
def evaluate(p: Predictions, metric: AnyMetric, *, level: float = 0.95, seed: int = 0) -> Estimate: ...
def evaluate(
    p: Predictions, metric: AnyMetric | None = None, *, level: float = 0.95, seed: int = 0
) -> Estimate | dict[str, Estimate]:
    """The metric's Estimate; without a metric all of the task's, by name.

    `precision_<class>`, `recall_<class>`, `f1_<class>` and `auc_<class>` are of one class against the rest.
    Rows whose target or prediction is unknown are left out, and `n` says how many
    remain. What is undefined is an absent Estimate with the reason. Weights are
    respected, and intervals are clustered when rows have groups.

    >>> p = Predictions.of(example=range(4), target=["y", "n", "y", "n"], prediction=["y", "n", "n", "n"])
    >>> print(evaluate(p, "accuracy"))
    0.75 [0.30, 0.95]
    >>> print(evaluate(p, "auc"))
    absent: there are no probabilities
    """
    setting = Setting(level, seed)
    if isinstance(metric, str) and metric.strip().lower() not in names(p.header.task):
        one = of_class(metric, p, setting)
        if one is not None:
            return one
    wanted = metrics_of(p.header.task) if metric is None else (resolve(metric, p),)
    found = _estimates(wanted, p, setting)
    return (
        {name: found[name] for name in (m.name for m in wanted)} if metric is None else found[wanted[0].name]
    )


def _estimates(metrics: tuple[Metric, ...], p: Predictions, setting: Setting) -> dict[str, Estimate]:
    found = {m.name: _of_rows(m, p, setting) for m in metrics if m.family != "confusion"}
    scores = [Score(m, p.header.positive) for m in metrics if m.family == "confusion"]
    if scores:
        found |= dict(zip((s.metric.name for s in scores), score_estimates(scores, p, setting), strict=True))
    return found


def _of_rows(metric: Metric, p: Predictions, setting: Setting) -> Estimate:
    known = p.known
    # A ranking is too dear to be made once for the value and once for the interval.
    ranked = metric.family in ("auc", "average_precision") and len(known)
    if ranked or not np.isnan(metric.value(known)):
        estimate = _OF_FAMILY[metric.family](metric, known, setting)
        if estimate.known:
            return estimate
    return Estimate.absent(why_undefined(metric, p), n=len(known), level=setting.level)
