"""Any scikit-learn classifier or regressor as a learner, where it can be expressed in ONNX."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import numpy as np

from holdfast.core.fingerprint import fingerprint
from holdfast.core.plan import Option
from holdfast.core.task import Task
from holdfast.errors import PlanError
from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.hist_boosting import hist_boosting_graph
from holdfast.models.tabular.losses import row_weights
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.trees import finished_graph

_OPSETS = {"": 18, "ai.onnx.ml": 3}
# So many training rows are tried, and of these so large a share may differ by more than the
# tolerance, a probability or a share of the predictions' deviation.
_TRIED, _TOLERANCE, _MOST_APART = 1000, 1e-3, 0.01


@dataclass(frozen=True, slots=True, eq=False)
class EstimatorFit:
    """Fits a clone of the estimator; where it takes no missing cells, they become the column's median first.

    Random states that the estimator leaves open are the fold's seed. What is exported is
    tried on the training rows against the estimator itself.
    """

    estimator: Any

    def __call__(
        self, train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting, /
    ) -> Weights:
        """Fit on `train`; `validation` is not looked at."""
        from threadpoolctl import threadpool_limits

        del validation, options
        pipeline = _pipeline(self.estimator, setting.seed % 2**31)
        with threadpool_limits(1):  # other folds have the other cores
            pipeline.fit(train.X, train.y, **_weights(pipeline, train, setting))
        setting.progress(1.0)
        graph = _graph(pipeline, setting, train.X.shape[1])
        _verify(graph, pipeline, train.X[:_TRIED], setting)
        return Weights(graph)


def estimator_algorithm(estimator: object, task: Task) -> Algorithm:
    """The estimator as a learner of this task; PlanError where it is of another kind."""
    from sklearn.base import is_classifier, is_regressor

    fits = is_classifier(estimator) if task is Task.CLASSIFICATION else is_regressor(estimator)
    probabilities = task is Task.REGRESSION or hasattr(estimator, "predict_proba")
    if not fits or not probabilities:
        wanted = "a classifier with predict_proba" if task is Task.CLASSIFICATION else "a regressor"
        raise PlanError(f"{task.capitalize()} needs {wanted}, not {type(estimator).__name__}.")
    losses = ("log_loss", "balanced") if task is Task.CLASSIFICATION else ("squared",)
    return Algorithm(EstimatorFit(estimator), {task: {}}, losses, module="sklearn")


def described(estimator: Any) -> str:
    """The estimator's settings and a hash of them and of its classes' source: edited, it is another.

    >>> from sklearn.linear_model import Ridge
    >>> described(Ridge(alpha=2.0)) == described(Ridge(alpha=2.0)) != described(Ridge(alpha=3.0))
    True
    """
    parameters = estimator.get_params(deep=True)
    parts = [estimator, *(value for value in parameters.values() if hasattr(value, "get_params"))]
    classes = {known: None for part in parts for known in type(part).__mro__ if known is not object}
    facts = [repr(sorted(parameters.items())), *map(_source, classes)]
    return f"{estimator!r} {fingerprint(facts)[:12]}"


def _source(known: type) -> str:
    name = f"{known.__module__}.{known.__qualname__}"
    try:
        return name + inspect.getsource(known)
    except (OSError, TypeError):
        # typed at a prompt, it may have changed; compiled, it has a version
        return name + (token_hex(8) if known.__module__ == "__main__" else "")


def _pipeline(estimator: Any, seed: int) -> Any:
    """A fresh pipeline whose last step is the estimator, or the last step of the estimator's own."""
    from sklearn.base import clone
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.utils import get_tags

    fresh = clone(estimator)
    seeds = {
        name: seed
        for name, value in fresh.get_params(deep=True).items()
        if value is None and name.split("__")[-1] == "random_state"
    }
    fresh.set_params(**seeds)
    steps = list(fresh.steps) if isinstance(fresh, Pipeline) else [("estimator", fresh)]
    own = isinstance(fresh, Pipeline) or _is_hist_boosting(fresh)
    if not (own and get_tags(fresh).input_tags.allow_nan):
        steps.insert(0, ("missing cells", SimpleImputer(strategy="median", keep_empty_features=True)))
    return Pipeline(steps)


def _weights(pipeline: Any, train: Matrix, setting: Setting) -> dict[str, np.ndarray]:
    """The argument of the pipeline's fit that gives its last step the rows' weights, where they have some."""
    from sklearn.utils.validation import has_fit_parameter

    weight = train.weight
    if setting.loss == "balanced":
        weight = row_weights(train.y, weight, setting.classes)
    if weight is None:
        return {}
    name, last = pipeline.steps[-1]
    if not has_fit_parameter(last, "sample_weight"):
        raise PlanError(f"{type(last).__name__} takes no row weights. Leave it out, or the weights.")
    return {f"{name}__sample_weight": weight}


def _is_hist_boosting(model: Any) -> bool:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    return isinstance(model, HistGradientBoostingClassifier | HistGradientBoostingRegressor)


def _graph(pipeline: Any, setting: Setting, features: int) -> bytes:
    last = pipeline.steps[-1][1]
    columns = setting.classes if setting.task is Task.CLASSIFICATION else 1
    if len(pipeline.steps) == 1 and _is_hist_boosting(last):
        return hist_boosting_graph(last, columns, features)
    from onnx import helper, numpy_helper

    model = _converted(pipeline, setting, features)
    output = model.graph.output[-1].name
    nodes = list(model.graph.node)
    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    if setting.task is Task.CLASSIFICATION:
        # classes that no training row has get probability 0
        places = np.zeros((len(last.classes_), setting.classes), dtype=np.float32)
        places[np.arange(len(last.classes_)), np.asarray(last.classes_, dtype=int)] = 1
        constants["places of classes"] = places
        nodes.append(helper.make_node("MatMul", [output, "places of classes"], ["sums"]))
    else:
        constants["one column"] = np.array([-1, 1])
        nodes.append(helper.make_node("Reshape", [output, "one column"], ["sums"]))
    return finished_graph(nodes, constants, np.zeros(columns), "identity", features, _OPSETS["ai.onnx.ml"])


def _converted(pipeline: Any, setting: Setting, features: int) -> Any:
    """skl2onnx's model of a pipeline; a class that it does not know is taken as one that it inherits from."""
    from skl2onnx import to_onnx
    from sklearn.base import BaseEstimator
    from sklearn.pipeline import Pipeline

    name, last = pipeline.steps[-1]
    reason = ""
    for known in type(last).__mro__:
        if known is BaseEstimator:
            break
        plain = copy(last)
        plain.__class__ = known
        options = {id(plain): {"zipmap": False}} if setting.task is Task.CLASSIFICATION else None
        whole = Pipeline([*pipeline.steps[:-1], (name, plain)])
        try:
            return to_onnx(whole, np.zeros((1, features), np.float32), options=options, target_opset=_OPSETS)
        except Exception as error:  # skl2onnx raises many kinds for what it does not know
            reason = reason or str(error).partition("\n")[0]
    raise PlanError(f"{type(last).__name__} cannot be expressed in ONNX: {reason}")


def _verify(graph: bytes, pipeline: Any, X: np.ndarray, setting: Setting) -> None:
    """PlanError unless the graph answers as the pipeline does: float32 may move few rows over a threshold."""
    if setting.task is Task.CLASSIFICATION:
        native = np.zeros((len(X), setting.classes))
        native[:, np.asarray(pipeline.classes_, dtype=int)] = pipeline.predict_proba(X)
        scale = 1.0
    else:
        native = np.reshape(pipeline.predict(X), (len(X), 1))
        scale = float(np.std(native)) or 1.0
    exported = open_graph(graph, X.shape[1], native.shape[1]).run(["Y"], {"X": X})[0]
    apart = np.abs(exported - native).max(axis=1) > _TOLERANCE * scale
    if apart.mean() > _MOST_APART:
        name = type(pipeline.steps[-1][1]).__name__
        raise PlanError(
            f"{name} answers otherwise in ONNX on {apart.mean():.0%} of rows, so it cannot be served."
        )
