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

_OF_TABLE = ("precision", "recall", "f1")


def per_class(p: Predictions, *, level: float = 0.95, seed: int = 0) -> dict[str, dict[str, Estimate]]:
    """Precision, recall, F1 and AUC of each class against the rest, by class and name.

    >>> p = Predictions.of(example=range(4), target=["y", "n", "y", "n"], prediction=["y", "n", "n", "n"])
    >>> per_class(p)["n"]["recall"].value
    1.0
    """
    if p.header.task is not Task.CLASSIFICATION:
        raise PredictionsError("Only classification has metrics per class; these predictions are numbers.")
    setting, known = Setting(level, seed), p.known
    scores = [Score(resolve(name, p), label) for label in p.header.classes for name in _OF_TABLE]
    made = iter(score_estimates(scores, p, setting))
    return {
        label: {name: next(made) for name in _OF_TABLE} | {"auc": class_auc(known, label, setting)}
        for label in p.header.classes
    }


def by_class_name(p: Predictions, *, level: float = 0.95, seed: int = 0) -> dict[str, Estimate]:
    """`per_class` by names such as `recall_<class>`, which `evaluate` knows too."""
    found = per_class(p, level=level, seed=seed)
    return {f"{name}_{label}": estimate for label, by in found.items() for name, estimate in by.items()}


def of_class(name: str, p: Predictions, setting: Setting) -> Estimate | None:
    """The Estimate that `<metric>_<class>` names; None where it names none.

    >>> p = Predictions.of(example=range(4), target=["y", "n", "y", "n"], prediction=["y", "n", "n", "n"])
    >>> of_class("recall_n", p, Setting()).value, of_class("recall_macro", p, Setting())
    (1.0, None)
    """
    stem, _, label = name.strip().partition("_")
    metric = stem.lower()
    if metric not in (*_OF_TABLE, "auc") or label not in p.header.classes:
        return None
    if metric == "auc":
        return class_auc(p.known, label, setting)
    return score_estimates([Score(resolve(metric, p), label)], p, setting)[0]
