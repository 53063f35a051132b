"""XGBoost with tuned defaults (Holzmüller et al. 2024, "Better by default")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from holdfast.core.plan import Option
from holdfast.core.space import Range, Space
from holdfast.core.task import Task
from holdfast.models.tabular.boosting import boost, focal_gradient, focal_loss, huber_delta, prior_margin
from holdfast.models.tabular.losses import parse_loss, row_weights
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.trees import Link, Trees, child_positions, trees_graph

_SHARED = {"rounds": 1000, "patience": 100, "reg_lambda": 0.0, "colsample_bynode": 1.0}
DEFAULTS: Mapping[Task, Mapping[str, Option]] = {
    Task.CLASSIFICATION: _SHARED
    | {
        "learning_rate": 0.08,
        "max_depth": 6,
        "min_child_weight": 5e-6,
        "subsample": 0.65,
        "colsample_bylevel": 0.9,
        "max_bin": 256,
    },
    Task.REGRESSION: _SHARED
    | {
        "learning_rate": 0.05,
        "max_depth": 9,
        "min_child_weight": 2.0,
        "subsample": 0.7,
        "colsample_bylevel": 1.0,
        "max_bin": 256,
    },
}
SPACE: Space = {
    "learning_rate": Range(0.005, 0.1, log=True),
    "max_depth": Range(4, 10, integer=True),
    "min_child_weight": Range(1e-3, 5.0, log=True),
    "subsample": Range(0.6, 1.0),
    "colsample_bylevel": Range(0.6, 1.0),
    "colsample_bynode": Range(0.6, 1.0),
}
# our loss -> XGBoost's objective, its metric, and the link of its margins
_OBJECTIVES: dict[str, tuple[str, str, Link]] = {
    "squared": ("reg:squarederror", "rmse", "identity"),
    "absolute": ("reg:absoluteerror", "mae", "identity"),
    "huber": ("reg:pseudohubererror", "mphe", "identity"),
    "quantile": ("reg:quantileerror", "quantile", "identity"),
    "poisson": ("count:poisson", "poisson-nloglik", "exp"),
}


def fit(train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting) -> Weights:
    """Boost on `train`, stop early on `validation`; one thread, same seed same trees."""
    import xgboost

    parameters, link = _parameters(train, options, setting)
    rows = _rows(xgboost, train, setting, parameters["max_bin"])
    held = _rows(xgboost, validation, setting, parameters["max_bin"], reference=rows)
    booster = xgboost.Booster(parameters, [rows, held])
    if setting.loss == "focal":
        step = _focal_step(booster, rows, held)
    else:

        def step(i: int) -> float:
            booster.update(rows, i)
            return float(booster.eval_set([(held, "validation")], i).rpartition(":")[2])

    rounds, patience = int(options["rounds"]), int(options["patience"])
    curve = boost(step, rounds=rounds, patience=patience, setting=setting)
    kept = booster[: curve.best]
    graph = trees_graph(parse_trees(bytes(kept.save_raw("json")), link), link, train.X.shape[1])
    return Weights(graph, {"xgboost.ubj": bytes(kept.save_raw("ubj"))}, curve)


def parse_trees(data: bytes, link: Link) -> Trees:
    """The trees of XGBoost's own JSON format."""
    learner = json.loads(data)["learner"]
    model = learner["gradient_booster"]["model"]
    trees = model["trees"]

    def joined(name: str, dtype: type) -> np.ndarray:
        return np.concatenate([np.array(tree[name], dtype=dtype) for tree in trees])

    size = np.array([len(tree["left_children"]) for tree in trees])
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    left, right = joined("left_children", np.int64), joined("right_children", np.int64)
    leaf, offset = left < 0, np.repeat(first, size)
    split, position = ~leaf, child_positions(leaf)
    # a split's condition is its threshold, a leaf's is its value
    condition = joined("split_conditions", np.float32).astype(np.float64)
    base = _base(learner["learner_model_param"]["base_score"], link)
    return Trees(
        feature=joined("split_indices", np.int64)[split],
        threshold=condition[split],
        left=position[(left + offset)[split]],
        right=position[(right + offset)[split]],
        missing_left=joined("default_left", np.int64)[split] > 0,
        root=position[first],
        tree=np.repeat(np.arange(len(trees)), size)[leaf],
        leaf=condition[leaf],
        column=np.array(model["tree_info"], dtype=np.int64),
        base=np.resize(base, max(int(learner["learner_model_param"]["num_class"]), 1)),
        strict=True,
    )


def _base(text: str, link: Link) -> np.ndarray:
    """The score that XGBoost starts from, as a margin."""
    score = np.atleast_1d(np.array(json.loads(text), dtype=np.float64))
    if link == "sigmoid":
        return np.log(score) - np.log1p(-score)
    return np.log(score) if link == "exp" else score


def _parameters(
    train: Matrix, options: Mapping[str, Option], setting: Setting
) -> tuple[dict[str, Any], Link]:
    loss = parse_loss(setting.loss, setting.task)
    own = {name: value for name, value in options.items() if name not in ("rounds", "patience")}
    fixed: dict[str, Any] = {
        "tree_method": "hist",
        "seed": setting.seed % 2**31,
        "nthread": 1,
        "verbosity": 0,
    }
    if setting.task is Task.CLASSIFICATION:
        binary = setting.classes == 2
        objective, metric = ("binary:logistic", "logloss") if binary else ("multi:softprob", "mlogloss")
        link: Link = "sigmoid" if binary else "softmax"
        if not binary:
            fixed["num_class"] = setting.classes
        if loss.name == "focal" and binary:
            prior = prior_margin(train.y, train.weight, setting.classes)
            fixed["base_score"] = float(1 / (1 + np.exp(-prior[0])))
    else:
        objective, metric, link = _OBJECTIVES[loss.name]
        fixed |= {"quantile_alpha": loss.quantile} if loss.name == "quantile" else {}
        if loss.name == "huber":  # its own start, one Newton step from 0, can land far away
            fixed |= {"huber_slope": huber_delta(train.y), "base_score": float(np.median(train.y))}
    return {**own, **fixed, "objective": objective, "eval_metric": metric}, link


def _rows(xgboost: Any, matrix: Matrix, setting: Setting, bins: int, reference: Any = None) -> Any:
    weight = matrix.weight
    if setting.loss == "balanced":
        weight = row_weights(matrix.y, weight, setting.classes)
    return xgboost.QuantileDMatrix(
        matrix.X, matrix.y, weight=weight, max_bin=bins, ref=reference, nthread=1, missing=np.nan
    )


def _focal_step(booster: Any, rows: Any, held: Any) -> Any:
    codes, held_codes = rows.get_label().astype(np.int64), held.get_label().astype(np.int64)
    weight, held_weight = rows.get_weight(), held.get_weight()

    def step(i: int) -> float:
        gradient, hessian = focal_gradient(
            booster.predict(rows, output_margin=True, training=True).astype(np.float64), codes
        )
        if len(weight):
            by_row = weight if gradient.ndim == 1 else weight[:, None]
            gradient, hessian = gradient * by_row, hessian * by_row
        booster.boost(rows, i, grad=gradient, hess=hessian)
        margin = booster.predict(held, output_margin=True).astype(np.float64)
        return focal_loss(margin, held_codes, held_weight if len(held_weight) else None)

    return step


XGBOOST = Algorithm(
    fit,
    DEFAULTS,
    ("log_loss", "balanced", "focal", *_OBJECTIVES),
    module="xgboost",
    extra="boost",
    space=SPACE,
    stops=True,
)
