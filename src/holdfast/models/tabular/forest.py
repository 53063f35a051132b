"""Random forest (Breiman 2001) and extra trees (Geurts et al. 2006), with capped leaves.

A leaf's probabilities (or mean) are shrunk towards those of all training rows by one
row, so that no class ever has probability 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any

import numpy as np

from holdfast.core.plan import Option
from holdfast.core.task import Task
from holdfast.models.tabular.losses import row_weights
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.trees import Link, Trees, child_positions, trees_graph

_SHARED = {"trees": 100, "max_leaf_nodes": 1000, "min_samples_leaf": 5}
RANDOM_FOREST_DEFAULTS: Mapping[Task, Mapping[str, Option]] = {
    Task.CLASSIFICATION: _SHARED | {"max_features": 0.3},
    Task.REGRESSION: _SHARED | {"max_features": 0.6},
}
EXTRA_TREES_DEFAULTS: Mapping[Task, Mapping[str, Option]] = {
    Task.CLASSIFICATION: _SHARED | {"max_features": 0.5},
    Task.REGRESSION: _SHARED | {"max_features": 1.0},
}
_STEP = 10  # trees between two looks at the clock


def fit(
    train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting, *, kind: str
) -> Weights:
    """Grow `kind` ("random" or "extra") trees on `train`; `validation` is not looked at."""
    from sklearn import ensemble

    del validation
    names = {
        ("random", Task.CLASSIFICATION): "RandomForestClassifier",
        ("random", Task.REGRESSION): "RandomForestRegressor",
        ("extra", Task.CLASSIFICATION): "ExtraTreesClassifier",
        ("extra", Task.REGRESSION): "ExtraTreesRegressor",
    }
    own = {name: value for name, value in options.items() if name != "trees"}
    forest = getattr(ensemble, names[kind, setting.task])(
        **own,
        **criterion(setting),
        random_state=setting.seed % 2**31,
        n_jobs=1,
        warm_start=True,
        n_estimators=0,
    )
    weight = sample_weight(train, setting)
    started, most = monotonic(), int(options["trees"])
    for trees in [*range(_STEP, most, _STEP), most]:
        forest.set_params(n_estimators=trees)
        forest.fit(train.X, train.y, sample_weight=weight)
        setting.progress(trees / most)
        if setting.budget is not None and monotonic() - started > setting.budget:
            break
    trees_ = [one.tree_ for one in forest.estimators_]
    parsed = parse_trees(trees_, prior(train, weight, setting), getattr(forest, "classes_", None))
    link: Link = "shares" if setting.task is Task.CLASSIFICATION else "identity"
    return Weights(trees_graph(parsed, link, train.X.shape[1]))


def parse_trees(trees: Sequence[Any], overall: np.ndarray, classes: np.ndarray | None) -> Trees:
    """The mean of scikit-learn trees (`tree_` objects), each leaf shrunk by one row of `overall` (K,).

    `classes` are the codes that the trees know, for classification. Two classes need one
    column: the second's probability.
    """
    size = np.array([tree.node_count for tree in trees])
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    offset = np.repeat(first, size)
    left = np.concatenate([tree.children_left for tree in trees])
    right = np.concatenate([tree.children_right for tree in trees])
    leaf = left < 0
    split, position = ~leaf, child_positions(leaf)
    rows = np.concatenate([tree.weighted_n_node_samples for tree in trees])[leaf][:, None]
    value = np.concatenate([tree.value[:, 0, :] for tree in trees])[leaf]
    if classes is not None:
        wide = np.zeros((len(value), len(overall)))
        wide[:, classes] = value
        value = wide
    value = (value * rows + overall) / (rows + 1) / len(trees)
    if classes is not None and len(overall) == 2:
        value = value[:, 1:]
    columns = value.shape[1]
    return Trees(
        feature=np.concatenate([tree.feature for tree in trees])[split],
        threshold=np.concatenate([tree.threshold for tree in trees])[split],
        left=position[(left + offset)[split]],
        right=position[(right + offset)[split]],
        missing_left=np.concatenate([tree.missing_go_to_left for tree in trees])[split] > 0,
        root=position[first],
        tree=np.repeat(np.arange(len(trees)), size)[leaf],
        leaf=value[:, 0] if columns == 1 else value,
        column=np.zeros(len(trees), dtype=np.int64),
        base=np.zeros(columns),
    )


def criterion(setting: Setting) -> dict[str, str]:
    """scikit-learn's argument for the loss that is asked for."""
    return {"criterion": "poisson"} if setting.loss == "poisson" else {}


def sample_weight(train: Matrix, setting: Setting) -> np.ndarray | None:
    """The rows' weights under the setting's loss."""
    return row_weights(train.y, train.weight, setting.classes) if setting.loss == "balanced" else train.weight


def prior(train: Matrix, weight: np.ndarray | None, setting: Setting) -> np.ndarray:
    """The classes' shares (K,), or the mean target (1,)."""
    if setting.task is Task.REGRESSION:
        return np.array([np.average(train.y, weights=weight)])
    share = np.bincount(train.y, weights=weight, minlength=setting.classes) + 1e-3
    return np.asarray(share / share.sum())


LOSSES = ("log_loss", "balanced", "squared", "poisson")
RANDOM_FOREST = Algorithm(partial(fit, kind="random"), RANDOM_FOREST_DEFAULTS, LOSSES, module="sklearn")
EXTRA_TREES = Algorithm(partial(fit, kind="extra"), EXTRA_TREES_DEFAULTS, LOSSES, module="sklearn")
