"""The baseline that every model must beat: the same prediction for every row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdfast.core.plan import Option
from holdfast.core.task import Task
from holdfast.models.tabular.losses import LOSSES, Loss, parse_loss, row_weights
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.trees import Link, finished_graph


def fit(train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting) -> Weights:
    """The classes' shares, or the value that minimises the loss over all training rows."""
    from onnx import helper

    del validation, options
    loss = parse_loss(setting.loss, setting.task)
    if setting.task is Task.CLASSIFICATION:
        balanced = loss.name == "balanced"
        weight = row_weights(train.y, train.weight, setting.classes) if balanced else train.weight
        count = np.bincount(train.y, weights=weight, minlength=setting.classes) + 1 / setting.classes
        base = count / count.sum()
    else:
        base = np.array([_best_value(train.y, train.weight, loss)])
    nodes = [
        helper.make_node("Shape", ["X"], ["rows"], start=0, end=1),
        helper.make_node("Concat", ["rows", "outputs"], ["shape"], axis=0),
        helper.make_node("ConstantOfShape", ["shape"], ["sums"]),
    ]
    setting.progress(1.0)
    link: Link = "shares" if setting.task is Task.CLASSIFICATION else "identity"
    constants = {"outputs": np.array([len(base)])}
    return Weights(finished_graph(nodes, constants, base, link, train.X.shape[1]))


def _best_value(y: np.ndarray, weight: np.ndarray | None, loss: Loss) -> float:
    if loss.name in ("squared", "poisson"):
        return float(np.average(y, weights=weight))
    own = np.ones(len(y)) if weight is None else weight
    order = np.argsort(y)
    reached = np.cumsum(own[order])
    return float(y[order][np.searchsorted(reached, loss.quantile * reached[-1])])


CONSTANT = Algorithm(
    fit,
    {Task.CLASSIFICATION: {}, Task.REGRESSION: {}},
    (*LOSSES[Task.CLASSIFICATION], *LOSSES[Task.REGRESSION]),
)
