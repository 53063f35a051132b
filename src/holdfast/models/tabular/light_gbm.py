"""LightGBM in two shapes: tuned defaults, and small trees on random columns.

Tuned defaults: Holzmüller et al. 2024, "Better by default". The small shape wins on
small tables and adds diversity to an ensemble on all; below 10,000 rows it grows smaller
still, one leaf for `rows_per_leaf` rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from holdfast.core.learner import Curve
from holdfast.core.plan import Option
from holdfast.core.space import Choices, Range, Space
from holdfast.core.task import Task
from holdfast.errors import PlanError
from holdfast.models.tabular.boosting import boost, focal_gradient, focal_loss, huber_delta, prior_margin
from holdfast.models.tabular.grafting import grafted
from holdfast.models.tabular.losses import parse_loss, row_weights
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.trees import Link, Trees, trees_graph

_SHARED: dict[str, Option] = {
    "rounds": 1000,
    "patience": 100,
    "feature_fraction": 1.0,
    "bagging_freq": 1,
    "min_sum_hessian_in_leaf": 1e-7,
    "max_bin": 255,
    "lambda_l1": 0.0,
    "lambda_l2": 0.0,
    "extra_trees": False,
    "rows_per_leaf": 0,
    "monotone": "",
}
DEFAULTS: Mapping[Task, Mapping[str, Option]] = {
    Task.CLASSIFICATION: _SHARED
    | {"learning_rate": 0.04, "num_leaves": 50, "bagging_fraction": 0.75, "min_data_in_leaf": 40},
    Task.REGRESSION: _SHARED
    | {"learning_rate": 0.05, "num_leaves": 100, "bagging_fraction": 0.7, "min_data_in_leaf": 3},
}
_SMALL: dict[str, Option] = _SHARED | {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "bagging_fraction": 0.75,
    "feature_fraction": 0.6,
    "min_data_in_leaf": 20,
    "rows_per_leaf": 700,
}
_OURS = ("rounds", "patience", "rows_per_leaf", "monotone")
# Where training goes on in a slice: few rows, so small trees, and rows to stop early on.
_FOCUSED_LEAVES, _FOCUSED_ROWS, _FOCUSED_ROUNDS, _FOCUSED_PATIENCE, _FEWEST_FOCUSED = 4, 20, 500, 50, 20
_FEWEST_LEAVES = 8  # that rows_per_leaf leaves
SPACE: Space = {
    "learning_rate": Range(0.005, 0.1, log=True),
    "num_leaves": Range(2, 200, log=True, integer=True),
    "feature_fraction": Range(0.4, 1.0),
    "bagging_fraction": Range(0.7, 1.0),
    "min_data_in_leaf": Range(1, 64, log=True, integer=True),
    "extra_trees": Choices((False, True)),
    "lambda_l1": Range(1e-4, 1.0, log=True),
    "lambda_l2": Range(1e-4, 2.0, log=True),
}
_ZERO = np.float32(1e-35)
# our loss -> LightGBM's objective, its metric, and the link of its margins
_OBJECTIVES: dict[str, tuple[str, str, Link]] = {
    "squared": ("regression", "l2", "identity"),
    "absolute": ("regression_l1", "l1", "identity"),
    "huber": ("huber", "huber", "identity"),
    "quantile": ("quantile", "quantile", "identity"),
    "poisson": ("poisson", "poisson", "exp"),
}


def fit(train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting) -> Weights:
    """Boost on `train`, stop early on `validation`; one thread, same seed same trees.

    Without validation rows all rounds are kept.
    """
    import lightgbm

    parameters, link = _parameters(train, options, setting)
    train, validation = _weighted(train, setting), _weighted(validation, setting)
    focal = setting.loss == "focal"
    base = prior_margin(train.y, train.weight, setting.classes) if focal else np.zeros(_columns(setting))
    rows = _dataset(lightgbm, train, parameters, np.repeat(base, len(train.y)) if focal else None)
    booster = lightgbm.Booster(params=parameters, train_set=rows)
    if watched := len(validation.y) > 0:
        start = np.repeat(base, len(validation.y)) if focal else None
        booster.add_valid(_dataset(lightgbm, validation, parameters, start, rows), "validation")

    def step(i: int) -> float:
        booster.update(fobj=_focal_objective if focal else None)
        return _loss_of(booster, setting) if watched else -i

    rounds, patience = int(options["rounds"]), int(options["patience"])
    curve = boost(step, rounds=rounds, patience=patience, setting=setting)
    curve = curve if watched else Curve(best=curve.best)
    text = booster.model_to_string(num_iteration=curve.best)
    native, grafts = {"lightgbm.txt": text.encode()}, None
    if setting.gate:
        margins = _margins_of(lightgbm.Booster(model_str=text), base)
        if more := _went_on(lightgbm, margins, (train, validation), parameters, setting):
            native["slice.txt"] = more.encode()
            grafts = grafted(parse_trees(more, np.zeros_like(base)), setting.gate)
    graph = trees_graph(parse_trees(text, base), link, train.X.shape[1], grafts=grafts)
    return Weights(graph, native, curve)


def _margins_of(booster: Any, base: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """From features (n, d) to the booster's margins, one column after the other, as LightGBM keeps them."""
    return lambda X: np.asarray(booster.predict(X, raw_score=True) + base).ravel(order="F")


def _went_on(
    lightgbm: Any,
    margins: Callable[[np.ndarray], np.ndarray],
    rows: tuple[Matrix, Matrix],
    parameters: dict[str, Any],
    setting: Setting,
) -> str:
    """Trees fitted on the slice's rows, from the margins of the first ones; "" where they do not help.

    They stop early on the slice's own validation rows. PlanError where those are too few.
    """
    sets: list[Any] = []
    for matrix, what in zip(rows, ("train on", "stop early on"), strict=True):
        assert matrix.focus is not None  # there is a gate, so there is a slice
        inside = matrix.take(matrix.focus)
        if len(inside.y) < _FEWEST_FOCUSED:
            raise PlanError(
                f"Training cannot go on in the slice: it has {len(inside.y):,} rows to {what}, and "
                f"{_FEWEST_FOCUSED} are wanted. Try --with augment."
            )
        reference = sets[0] if sets else None
        sets.append(_dataset(lightgbm, inside, parameters, margins(inside.X), reference))
    smaller = parameters | {"num_leaves": _FOCUSED_LEAVES, "min_data_in_leaf": _FOCUSED_ROWS}
    booster = lightgbm.Booster(params=smaller, train_set=sets[0])
    booster.add_valid(sets[1], "validation")
    start = _loss_of(booster, setting)

    def step(i: int) -> float:
        del i
        booster.update(fobj=_focal_objective if setting.loss == "focal" else None)
        return _loss_of(booster, setting)

    curve = boost(step, rounds=_FOCUSED_ROUNDS, patience=_FOCUSED_PATIENCE, setting=setting)
    return booster.model_to_string(num_iteration=curve.best) if curve.loss[curve.best - 1] < start else ""


def _loss_of(booster: Any, setting: Setting) -> float:
    """The loss on the validation rows."""
    return float(booster.eval_valid(_focal_metric if setting.loss == "focal" else None)[0][2])


def parse_trees(text: str, base: np.ndarray) -> Trees:
    """The trees of LightGBM's own text format; tree t adds to column t modulo K of `base` (K,)."""
    blocks = [_block(part) for part in text.split("\nTree=")[1:]]
    leaves = np.array([int(block["num_leaves"]) for block in blocks])
    splits = np.concatenate([[0], np.cumsum(leaves - 1)])
    first_leaf = np.concatenate([[0], np.cumsum(leaves)])

    def together(name: str, dtype: type) -> np.ndarray:
        words = " ".join(block.get(name, "") for block in blocks).split()
        return np.array(words, dtype=dtype)

    own = np.repeat(np.arange(len(blocks)), leaves - 1)

    def children(name: str) -> np.ndarray:
        child = together(name, np.int64)
        return np.asarray(np.where(child >= 0, child + splits[own], child - first_leaf[own]))

    threshold, decision = together("threshold", np.float64), together("decision_type", np.int64)
    # LightGBM reads cells of at most this size as 0, which is above the threshold below 0
    threshold = np.where(threshold == -_ZERO, np.nextafter(-_ZERO, np.float32(-1)), threshold)
    # without missing cells in training, LightGBM reads nan as 0
    missing_left = np.where((decision >> 2) & 3 == 2, (decision & 2) > 0, threshold >= 0)
    return Trees(
        feature=together("split_feature", np.int64),
        threshold=threshold,
        left=children("left_child"),
        right=children("right_child"),
        missing_left=missing_left,
        root=np.where(leaves > 1, splits[:-1], -1 - first_leaf[:-1]),
        tree=np.repeat(np.arange(len(blocks)), leaves),
        leaf=together("leaf_value", np.float64),
        column=np.arange(len(blocks)) % len(base),
        base=base,
    )


def _block(text: str) -> dict[str, str]:
    lines = (line.partition("=") for line in text.split("\n\n", 1)[0].splitlines())
    return {name: value for name, _, value in lines}


def _columns(setting: Setting) -> int:
    return setting.classes if setting.classes > 2 else 1


def _parameters(
    train: Matrix, options: Mapping[str, Option], setting: Setting
) -> tuple[dict[str, Any], Link]:
    loss = parse_loss(setting.loss, setting.task)
    own = {name: value for name, value in options.items() if name not in _OURS}
    if rows_per_leaf := int(options["rows_per_leaf"]):
        own["num_leaves"] = min(int(own["num_leaves"]), max(_FEWEST_LEAVES, len(train.y) // rows_per_leaf))
    fixed: dict[str, Any] = {
        "seed": setting.seed % 2**31,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,  # the choice is made by timing otherwise
        "feature_pre_filter": False,
        "verbosity": -1,
    }
    if monotone := str(options["monotone"]):
        fixed["monotone_constraints"] = _monotone(monotone, train.names, setting)
    if setting.task is Task.CLASSIFICATION:
        binary = setting.classes == 2
        objective, metric = ("binary", "binary_logloss") if binary else ("multiclass", "multi_logloss")
        link: Link = "sigmoid" if binary else "softmax"
        if not binary:
            fixed["num_class"] = setting.classes
        if loss.name == "focal":
            objective, metric = "none", "none"
    else:
        objective, metric, link = _OBJECTIVES[loss.name]
        if loss.name in ("huber", "quantile"):
            fixed["alpha"] = loss.quantile if loss.name == "quantile" else huber_delta(train.y)
    return {**own, **fixed, "objective": objective, "metric": metric}, link


def _monotone(text: str, names: tuple[str, ...], setting: Setting) -> list[int]:
    """From "tenure:-1" (the prediction never rises with it) to a direction for every feature."""
    name, _, direction = text.rpartition(":")
    if name not in names:
        raise PlanError(f"Only a column of numbers can have a direction, and {name!r} is none here.")
    loss = parse_loss(setting.loss, setting.task).name
    if setting.classes > 2 or loss in ("absolute", "quantile"):
        what = f"the loss {loss!r}" if setting.classes <= 2 else "more than two classes"
        raise PlanError(f"LightGBM cannot hold a direction with {what}.")
    if names.index(name) in {split.feature for split in setting.gate}:
        raise PlanError(f"Training cannot go on in a slice of {name!r} and keep the direction of {name!r}.")
    return [int(direction) if feature == name else 0 for feature in names]


def _weighted(matrix: Matrix, setting: Setting) -> Matrix:
    """The rows with the weights of their classes, where the loss has some."""
    if setting.loss != "balanced" or not len(matrix.y):
        return matrix
    return replace(matrix, weight=row_weights(matrix.y, matrix.weight, setting.classes))


def _dataset(
    lightgbm: Any, matrix: Matrix, parameters: dict[str, Any], start: np.ndarray | None, reference: Any = None
) -> Any:
    """The rows as LightGBM's own; `start` are their margins to begin with, of shape (K n,)."""
    return lightgbm.Dataset(
        matrix.X, matrix.y, weight=matrix.weight, init_score=start, reference=reference, params=parameters
    )


def _margins(scores: np.ndarray, rows: Any) -> tuple[np.ndarray, np.ndarray]:
    codes = rows.get_label().astype(np.int64)
    return scores if scores.size == len(codes) else scores.reshape(len(codes), -1), codes


def _focal_objective(scores: np.ndarray, rows: Any) -> tuple[np.ndarray, np.ndarray]:
    gradient, hessian = focal_gradient(*_margins(scores, rows))
    weight = rows.get_weight()
    if weight is not None:
        by_row = weight if gradient.ndim == 1 else weight[:, None]
        return gradient * by_row, hessian * by_row
    return gradient, hessian


def _focal_metric(scores: np.ndarray, rows: Any) -> tuple[str, float, bool]:
    return "focal", focal_loss(*_margins(scores, rows), rows.get_weight()), False


LIGHTGBM = Algorithm(
    fit,
    DEFAULTS,
    ("log_loss", "balanced", "focal", *_OBJECTIVES),
    module="lightgbm",
    space=SPACE,
    stops=True,
    continues=True,
)
LIGHTGBM_SMALL = replace(LIGHTGBM, defaults={Task.CLASSIFICATION: _SMALL, Task.REGRESSION: _SMALL})
