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


_FEWEST_ROWS = {"mlp": 500}  # below, it is worse than a small booster and earns no weight beside one


def portfolio() -> tuple[str, ...]:
    """The names of all learners, in the order in which they are fitted."""
    return tuple(_ALGORITHMS)


def tabular_learner(
    name: str, *, loss: str, classes: Sequence[str] = (), options: Mapping[str, Option] | None = None
) -> TabularLearner:
    """A learner of the portfolio; `options` replace some of its tuned defaults.

    `classes` are all of the target's labels, none for regression. PlanError where there
    is no such learner or option, or the learner lacks the loss or its library.
    """
    algorithm = _algorithm(name)
    task = _task(loss)
    if refusal := _refusal(name, algorithm, loss):
        raise PlanError(refusal)
    defaults = algorithm.defaults[task]
    for option, value in (options or {}).items():
        _check_option(name, option, value, defaults)
    return TabularLearner(name, algorithm, CONSTANT, {**defaults, **(options or {})}, loss, tuple(classes))


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
    return not algorithm.module or find_spec(algorithm.module) is not None


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
