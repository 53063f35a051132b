"""The metrics of classification."""

from __future__ import annotations

import math

import numpy as np

from holdfast.core.assemble import log_loss
from holdfast.core.task import Task
from holdfast.metrics.counts import (
    Averaged,
    accuracy,
    class_f1,
    class_precision,
    class_recall,
    error_rate,
    mcc,
)
from holdfast.metrics.metric import Family, Metric, OfCounts, PerRow
from holdfast.metrics.rows import Rows


def right(p: Rows) -> np.ndarray:
    """1 where the prediction is the target, else 0; nan where either is unknown."""
    known = (p.target_codes >= 0) & (p.prediction_codes >= 0)
    return np.where(known, p.target_codes == p.prediction_codes, np.nan)


def wrong(p: Rows) -> np.ndarray:
    """1 where the prediction is not the target, else 0; nan where either is unknown."""
    return 1 - right(p)


def row_log_loss(p: Rows) -> np.ndarray:
    """Minus the log of the probability given to the target, in nats; nan without probabilities."""
    return np.full(len(p), np.nan) if p.probability is None else log_loss(p.target_codes, p.probability)


def row_brier(p: Rows) -> np.ndarray:
    """Squared distance of the probabilities from the truth, in [0, 1] for two classes, else [0, 2]."""
    if p.probability is None:
        return np.full(len(p), np.nan)
    of_target = p.probability[np.arange(len(p)), np.maximum(p.target_codes, 0)].astype(np.float64)
    squares = np.einsum("ij,ij->i", p.probability, p.probability, dtype=np.float64)
    # Two classes: both are off by as much, and by convention one of them counts.
    scores = (1 - of_target) ** 2 if p.probability.shape[1] == 2 else squares + 1 - 2 * of_target
    return np.where(p.target_codes >= 0, scores, np.nan)


def _score(name: str, of_counts: OfCounts, *, least: float = 0.0) -> Metric:
    task, bounds = Task.CLASSIFICATION, (least, 1.0)
    return Metric(name, task, "confusion", True, unit_scale=True, of_counts=of_counts, bounds=bounds)


def _share(name: str, of_counts: OfCounts, per_row: PerRow, *, greater_is_better: bool) -> Metric:
    task = Task.CLASSIFICATION
    return Metric(
        name, task, "accuracy", greater_is_better, unit_scale=True, of_counts=of_counts, per_row=per_row,
        bounds=(0.0, 1.0),
    )  # fmt: skip


def _ranking(name: str, family: Family) -> Metric:
    return Metric(name, Task.CLASSIFICATION, family, True, unit_scale=True, bounds=(0.0, 1.0))


CLASSIFICATION = (
    Metric("log_loss", Task.CLASSIFICATION, "mean", False, per_row=row_log_loss, bounds=(0.0, math.inf)),
    Metric("brier", Task.CLASSIFICATION, "mean", False, per_row=row_brier, bounds=(0.0, 2.0)),
    _share("accuracy", accuracy, right, greater_is_better=True),
    _share("error_rate", error_rate, wrong, greater_is_better=False),
    _score("balanced_accuracy", Averaged(class_recall, "macro")),
    _ranking("auc", "auc"),
    _ranking("average_precision", "average_precision"),
    _score("mcc", mcc, least=-1.0),
    _score("precision", Averaged(class_precision, "positive")),
    _score("recall", Averaged(class_recall, "positive")),
    _score("f1", Averaged(class_f1, "positive")),
    _score("precision_macro", Averaged(class_precision, "macro")),
    _score("recall_macro", Averaged(class_recall, "macro")),
    _score("f1_macro", Averaged(class_f1, "macro")),
    _score("precision_weighted", Averaged(class_precision, "weighted")),
    _score("recall_weighted", Averaged(class_recall, "weighted")),
    _score("f1_weighted", Averaged(class_f1, "weighted")),
)
"""All metrics of classification; precision, recall and F1 are of the positive class, or macro means."""
