"""scikit-learn's histogram boosting as a graph, split for split (skl2onnx rounds its thresholds)."""

from __future__ import annotations

from typing import Any

import numpy as np

from holdfast.errors import PlanError
from holdfast.models.tabular.trees import Link, Trees, child_positions, trees_graph

_NEVER = -100.0  # the margin of a class that no training row has: its probability is below 1e-40


def hist_boosting_graph(model: Any, classes: int, features: int) -> bytes:
    """A fitted HistGradientBoosting model as ONNX, "X" float32 (n, features) -> "Y" float32 (n, K).

    `classes` is K, of which `model.classes_` are the codes it was fitted on; 1 for
    regression.
    """
    predictors = [tree for group in model._predictors for tree in group]
    nodes = np.concatenate([tree.nodes for tree in predictors])
    if nodes["is_categorical"].any():
        raise PlanError("Categories are numbers here: leave categorical_features of the estimator out.")
    sizes = np.array([len(tree.nodes) for tree in predictors])
    first = np.cumsum(sizes) - sizes
    tree = np.repeat(np.arange(len(sizes)), sizes)
    is_leaf = nodes["is_leaf"].astype(bool)
    place, split = child_positions(is_leaf), nodes[~is_leaf]
    offset = first[tree[~is_leaf]]
    base, column, link = _outputs(model, classes, len(predictors))
    trees = Trees(
        feature=split["feature_idx"].astype(np.int64),
        threshold=split["num_threshold"],
        left=place[split["left"] + offset],
        right=place[split["right"] + offset],
        missing_left=split["missing_go_to_left"].astype(bool),
        root=place[first],
        tree=tree[is_leaf],
        leaf=nodes["value"][is_leaf],
        column=column,
        base=base,
    )
    return trees_graph(trees, link, features)


def _outputs(model: Any, classes: int, trees: int) -> tuple[np.ndarray, np.ndarray, Link]:
    """Where each tree's leaves are added, and to what: `base` (K,), `column` (trees,), and the link."""
    margin = np.ravel(model._baseline_prediction).astype(np.float64)
    if classes == 1:
        log = type(model._loss.link).__name__ == "LogLink"
        return margin, np.zeros(trees, dtype=np.int64), "exp" if log else "identity"
    codes = np.asarray(model.classes_, dtype=np.int64)
    if classes == 2:
        return margin, np.zeros(trees, dtype=np.int64), "sigmoid"
    base = np.full(classes, _NEVER)
    base[codes] = [0.0, *margin] if len(codes) == 2 else margin
    if len(codes) == 2:  # one margin, that of the second class over the first
        codes = codes[1:]
    return base, codes[np.arange(trees) % len(codes)], "softmax"
