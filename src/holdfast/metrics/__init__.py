"""Predictions -> Estimate: every metric with its interval, and the pictures of one model."""

from holdfast.metrics.by_class import per_class
from holdfast.metrics.evaluate import evaluate
from holdfast.metrics.metric import Metric, confusion_table
from holdfast.metrics.names import (
    AnyMetric,
    default_metric,
    metrics_of,
    named,
    named_or_default,
    names,
    resolve,
)
from holdfast.metrics.scorer import scorer

__all__ = [
    "AnyMetric",
    "Metric",
    "confusion_table",
    "default_metric",
    "evaluate",
    "metrics_of",
    "named",
    "named_or_default",
    "names",
    "per_class",
    "resolve",
    "scorer",
]
