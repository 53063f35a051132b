"""The learners that there are, by name, in the order in which a budget is spent on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec

from holdfast.core.dataset import Dataset
from holdfast.core.plan import Option
from holdfast.core.space import Space
from holdfast.core.task import Task
from holdfast.errors import PlanError, suggest
from holdfast.models.tabular.cat_boost import CATBOOST, CATBOOST_SMALL
from holdfast.models.tabular.constant import CONSTANT
from holdfast.models.tabular.decision_tree import DECISION_TREE
from holdfast.models.tabular.fitting import TabularLearner
from holdfast.models.tabular.forest import EXTRA_TREES, RANDOM_FOREST
from holdfast.models.tabular.light_gbm import LIGHTGBM, LIGHTGBM_SMALL
from holdfast.models.tabular.linear import LINEAR
from holdfast.models.tabular.losses import LOSSES, parse_loss
from holdfast.models.tabular.matrix import Algorithm
from holdfast.models.tabular.mlp import MLP
from holdfast.models.tabular.sklearn_estimator import estimator_algorithm
from holdfast.models.tabular.xg_boost import XGBOOST

_ALGORITHMS: Mapping[str, Algorithm] = {
    "constant": CONSTANT,
    "linear": LINEAR,
    "decision_tree": DECISION_TREE,
    "lightgbm_small": LIGHTGBM_SMALL,
    "catboost": CATBOOST,
    "mlp": MLP,
    "lightgbm": LIGHTGBM,
    "catboost_small": CATBOOST_SMALL,
    "xgboost": XGBOOST,
    "extra_trees": EXTRA_TREES,
    "random_forest": RANDOM_FOREST,
}


# What makes a learner calmer: an option times a factor, and the bound that it keeps.
_SMALLER_TREES = {"num_leaves": (0.5, 2), "min_data_in_leaf": (2.0, None), "learning_rate": (0.7, None)}
_SHALLOWER: Mapping[str, tuple[float, float | None]] = {"depth": (0.75, 1), "l2_leaf_reg": (3.0, None)}
_LARGER_LEAVES = {"min_samples_leaf": (2.0, None)}
_CALMER: Mapping[str, Mapping[str, tuple[float, float | None]]] = {
    "decision_tree": {"max_depth": (0.8, 1), **_LARGER_LEAVES},
    "lightgbm_small": _SMALLER_TREES,
    "lightgbm": _SMALLER_TREES,
    "catboost": _SHALLOWER,
    "catboost_small": _SHALLOWER,
    "xgboost": {"max_depth": (0.67, 1), "learning_rate": (0.7, None)},
    "mlp": {"dropout": (2.0, 0.9), "weight_decay": (3.0, None)},
    "extra_trees": _LARGER_LEAVES,
    "random_forest": _LARGER_LEAVES,
}
_FEWEST_ROWS = {"mlp": 500}  # below, it is worse than a small booster and earns no weight beside one


def portfolio() -> tuple[str, ...]:
    """The names of all learners, in the order in which they are fitted."""
    return tuple(_ALGORITHMS)


def tabular_learner(
    name: str,
    *,
    loss: str,
    classes: Sequence[str] = (),
    options: Mapping[str, Option] | None = None,
    focus: str = "",
) -> TabularLearner:
    """A learner of the portfolio; `options` replace some of its tuned defaults.

    `classes` are all of the target's labels, none for regression. With a `focus`, a slice
    (core.query), the training goes on there. PlanError where there is no such learner or
    option, or the learner lacks the loss, its library, or the means to go on.
    """
    algorithm = _algorithm(name)
    task = _task(loss)
    if refusal := _refusal(name, algorithm, loss):
        raise PlanError(refusal)
    if focus and not algorithm.continues:
        raise PlanError(
            f"The training of {name} cannot go on in a slice, that of {' and '.join(continuing())} can."
        )
    defaults = algorithm.defaults[task]
    for option, value in (options or {}).items():
        _check_option(name, option, value, defaults)
    own = {**defaults, **(options or {})}
    return TabularLearner(name, algorithm, CONSTANT, own, loss, tuple(classes), focus)


def continuing() -> tuple[str, ...]:
    """The learners whose training can go on in a slice."""
    return tuple(name for name, algorithm in _ALGORITHMS.items() if algorithm.continues)


def calmer(name: str, task: Task, options: Mapping[str, Option]) -> dict[str, Option]:
    """The options with stronger regularisation than they have; PlanError where a learner has none."""
    factors = _CALMER.get(name)
    if factors is None:
        raise PlanError(f"{name} has nothing that regularises it more strongly.")
    defaults = _algorithm(name).defaults[task]
    calmed = dict(options)
    for option, (factor, bound) in factors.items():
        value = options.get(option, defaults[option])
        assert isinstance(value, int | float)
        scaled = value * factor
        if bound is not None:
            scaled = max(scaled, bound) if factor < 1 else min(scaled, bound)
        calmed[option] = round(scaled) if isinstance(defaults[option], int) else scaled
    return calmed


def estimator_learner(
    estimator: object, *, name: str, loss: str, classes: Sequence[str] = ()
) -> TabularLearner:
    """A scikit-learn classifier or regressor as a learner; PlanError where it cannot be one."""
    algorithm = estimator_algorithm(estimator, _task(loss))
    if (kind := loss.partition(":")[0]) not in algorithm.losses:
        raise PlanError(f"A scikit-learn estimator minimises its own loss; {kind!r} cannot be asked of it.")
    return TabularLearner(name, algorithm, CONSTANT, {}, loss, tuple(classes))


def refusals(dataset: Dataset, *, rows: int, loss: str) -> dict[str, str]:
    """Which learners this table is left without, and why; `rows` are those that may be trained on.

    PlanError where the table's task has no such loss.
    """
    parse_loss(loss, dataset.schema.task)
    reasons = {}
    for name, algorithm in _ALGORITHMS.items():
        if refusal := _refusal(name, algorithm, loss):
            reasons[name] = refusal
        elif rows < _FEWEST_ROWS.get(name, 0):
            reasons[name] = f"{name} does not pay below {_FEWEST_ROWS[name]:,} rows; this table has {rows:,}."
    return reasons


def available(name: str) -> bool:
    """Whether the library that this learner needs is installed."""
    return _installed(_algorithm(name))


def search_space(name: str) -> Space:
    """What a search may try for this learner's options; empty where nothing is worth searching."""
    return _algorithm(name).space


def _algorithm(name: str) -> Algorithm:
    if name not in _ALGORITHMS:
        near = get_close_matches(name, _ALGORITHMS, n=3, cutoff=0.4) or list(_ALGORITHMS)
        raise PlanError(f"There is no learner {name!r}. {suggest(near)}")
    return _ALGORITHMS[name]


def _task(loss: str) -> Task:
    name = loss.partition(":")[0]
    task = next((task for task, names in LOSSES.items() if name in names), Task.CLASSIFICATION)
    parse_loss(loss, task)
    return task


def _refusal(name: str, algorithm: Algorithm, loss: str) -> str:
    kind = loss.partition(":")[0]
    if kind not in algorithm.losses:
        able = [other for other, one in _ALGORITHMS.items() if kind in one.losses]
        return f"{name} cannot minimise {loss!r}. These can: {', '.join(able)}."
    if not _installed(algorithm):
        return f"{name} needs {algorithm.module}: pip install 'holdfast[{algorithm.extra}]'"
    return ""


def _installed(algorithm: Algorithm) -> bool:
    return not algorithm.extra or find_spec(algorithm.module) is not None


def _check_option(name: str, option: str, value: Option, defaults: Mapping[str, Option]) -> None:
    if option not in defaults:
        near = get_close_matches(option, defaults, n=3, cutoff=0.4) or sorted(defaults)
        raise PlanError(f"{name} has no option {option!r}. {suggest(near)}")
    wanted = type(defaults[option])
    fits = type(value) is wanted or (wanted is float and type(value) is int)
    if not fits:
        raise PlanError(
            f"The option {option!r} of {name} is {wanted.__name__}, "
            f"as in {option}={defaults[option]!r}; {value!r} is not."
        )
