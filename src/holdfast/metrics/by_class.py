"""Metrics of each class against the rest."""

from __future__ import annotations

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import PredictionsError
from holdfast.metrics.areas import class_auc
from holdfast.metrics.names import resolve
from holdfast.metrics.setting import Setting
from holdfast.metrics.tables import Score, score_estimates


def per_class(p: Predictions, *, level: float = 0.95, seed: int = 0) -> dict[str, dict[str, Estimate]]:
    """Precision, recall, F1 and AUC of each class against the rest, by class and name.

    >>> p = Predictions.of(example=range(4), target=["y", "n", "y", "n"], prediction=["y", "n", "n", "n"])
    >>> per_class(p)["n"]["recall"].value
    1.0
    """
    if p.header.task is not Task.CLASSIFICATION:
        raise PredictionsError("Only classification has metrics per class; these predictions are numbers.")
    setting, known = Setting(level, seed), p.known
    names = ("precision", "recall", "f1")
    scores = [Score(resolve(name, p), label) for label in p.header.classes for name in names]
    made = iter(score_estimates(scores, p, setting))
    return {
        label: {name: next(made) for name in names} | {"auc": class_auc(known, label, setting)}
        for label in p.header.classes
    }
