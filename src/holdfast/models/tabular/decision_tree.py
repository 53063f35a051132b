"""One small tree that a person can read; its rules are kept as text beside the graph."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.core.plan import Option
from holdfast.core.task import Task
from holdfast.models.tabular.forest import LOSSES, criterion, parse_trees, prior, sample_weight
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.trees import trees_graph

_SHARED = {"max_depth": 5, "min_samples_leaf": 20}
DEFAULTS: Mapping[Task, Mapping[str, Option]] = {Task.CLASSIFICATION: _SHARED, Task.REGRESSION: _SHARED}
RULES = "rules.txt"


def fit(train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting) -> Weights:
    """Grow one tree on `train`; `validation` is not looked at. The rules are in `native["rules.txt"]`."""
    from sklearn import tree

    del validation
    classify = setting.task is Task.CLASSIFICATION
    kind = tree.DecisionTreeClassifier if classify else tree.DecisionTreeRegressor
    weight = sample_weight(train, setting)
    fitted = kind(**options, **criterion(setting), random_state=setting.seed % 2**31)
    fitted.fit(train.X, train.y, sample_weight=weight)
    parsed = parse_trees([fitted.tree_], prior(train, weight, setting), getattr(fitted, "classes_", None))
    graph = trees_graph(parsed, "shares" if classify else "identity", train.X.shape[1])
    rules = tree.export_text(fitted, feature_names=list(train.names), show_weights=classify)
    setting.progress(1.0)
    return Weights(graph, {RULES: rules.encode()})


DECISION_TREE = Algorithm(fit, DEFAULTS, LOSSES, module="sklearn")
