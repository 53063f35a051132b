"""Any scikit-learn classifier or regressor as a learner, where it can be expressed in ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.core.plan import Option
from holdfast.core.task import Task
from holdfast.errors import PlanError
from holdfast.models.tabular.losses import row_weights
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.trees import finished_graph

_OPSETS = {"": 18, "ai.onnx.ml": 3}


@dataclass(frozen=True, slots=True, eq=False)
class EstimatorFit:
    """Fits a clone of the estimator; missing cells become the column's median first."""

    estimator: Any

    def __call__(
        self, train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting, /
    ) -> Weights:
        """Fit on `train`; `validation` is not looked at."""
        from sklearn.base import clone
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline

        del validation, options
        last = clone(self.estimator)
        if "random_state" in last.get_params(deep=False):
            last.set_params(random_state=setting.seed % 2**31)
        pipeline = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), last)
        weight = train.weight
        if setting.loss == "balanced":
            weight = row_weights(train.y, weight, setting.classes)
        named = {} if weight is None else {f"{pipeline.steps[-1][0]}__sample_weight": weight}
        pipeline.fit(train.X, train.y, **named)
        setting.progress(1.0)
        return Weights(_graph(pipeline, setting, train.X.shape[1]))


def estimator_algorithm(estimator: object, task: Task) -> Algorithm:
    """The estimator as a learner of this task; PlanError where it is of another kind."""
    from sklearn.base import is_classifier, is_regressor

    fits = is_classifier(estimator) if task is Task.CLASSIFICATION else is_regressor(estimator)
    probabilities = task is Task.REGRESSION or hasattr(estimator, "predict_proba")
    if not fits or not probabilities:
        wanted = "a classifier with predict_proba" if task is Task.CLASSIFICATION else "a regressor"
        raise PlanError(f"{task.capitalize()} needs {wanted}, not {type(estimator).__name__}.")
    losses = ("log_loss", "balanced") if task is Task.CLASSIFICATION else ("squared",)
    return Algorithm(EstimatorFit(estimator), {task: {}}, losses)


def _graph(pipeline: Any, setting: Setting, features: int) -> bytes:
    from onnx import helper, numpy_helper
    from skl2onnx import to_onnx

    last = pipeline.steps[-1][1]
    classify = setting.task is Task.CLASSIFICATION
    try:
        options = {id(last): {"zipmap": False}} if classify else None
        model = to_onnx(pipeline, np.zeros((1, features), np.float32), options=options, target_opset=_OPSETS)
    except Exception as error:  # skl2onnx raises many kinds for what it does not know
        raise PlanError(f"{type(last).__name__} cannot be expressed in ONNX: {error}") from error
    output = model.graph.output[-1].name
    nodes = list(model.graph.node)
    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    if classify:
        # classes that no training row has get probability 0
        places = np.zeros((len(last.classes_), setting.classes), dtype=np.float32)
        places[np.arange(len(last.classes_)), np.asarray(last.classes_, dtype=int)] = 1
        constants["places of classes"] = places
        nodes.append(helper.make_node("MatMul", [output, "places of classes"], ["sums"]))
    else:
        constants["one column"] = np.array([-1, 1])
        nodes.append(helper.make_node("Reshape", [output, "one column"], ["sums"]))
    columns = setting.classes if classify else 1
    return finished_graph(nodes, constants, np.zeros(columns), "identity", features, _OPSETS["ai.onnx.ml"])
