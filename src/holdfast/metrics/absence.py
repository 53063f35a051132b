"""Why a metric has no value."""

from __future__ import annotations

import numpy as np

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import some
from holdfast.metrics.metric import Metric


def why_undefined(metric: Metric, p: Predictions) -> str:
    """The reason for a value of nan, for whoever reads the report."""
    known = p.known
    if not len(known):
        what = "loss" if p.header.task is None else "target and prediction"
        return "there are no rows" if not len(p) else f"no row has a known {what}"
    if known.weight is not None and not known.weight.sum() > 0:
        return "all weights are 0"
    if p.header.task is Task.CLASSIFICATION:
        return _of_classes(metric, known)
    if metric.name == "mape":
        zeros = int((known.target_values == 0).sum())
        return f"{zeros:,} of {len(known):,} targets are 0, which has no percentage error"
    if metric.family == "r2":
        return f"every known target is {known.target_values[0]:g}, so there is no variance to explain"
    return f"{metric.name} gave no number on some of the rows"


def _of_classes(metric: Metric, p: Predictions) -> str:
    if metric.family in ("mean", "rows"):
        return "there are no probabilities" if p.probability is None else f"{metric.name} gave no number"
    if metric.family in ("auc", "average_precision") and p.probability is None:
        return "there are no probabilities"
    classes = np.array(p.header.classes, dtype=object)
    present, predicted = np.unique(p.target_codes), np.unique(p.prediction_codes)
    if len(present) < 2:
        return f"every known target is {classes[present[0]]!r}"
    never = [str(name) for name in classes[np.setdiff1d(present, predicted)]]
    return f"no row is predicted to be {some(never)}" if never else f"{metric.name} gave no number"
