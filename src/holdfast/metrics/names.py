"""From a metric's name to the metric."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

import numpy as np

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import PlanError, suggest
from holdfast.metrics.classification import CLASSIFICATION
from holdfast.metrics.metric import Metric
from holdfast.metrics.regression import LOSS, REGRESSION, pinball

AnyMetric = str | Metric | Callable[[Predictions], np.ndarray]
"""How a metric is asked for: by name, as itself, or as a function that gives one number per row of which
less is better (`Metric.custom` takes one of which more is)."""

_OF_TASK = {Task.CLASSIFICATION: CLASSIFICATION, Task.REGRESSION: REGRESSION, None: (LOSS,)}


def metrics_of(task: Task | None) -> tuple[Metric, ...]:
    """All metrics of a task; of None: those of predictions that are only losses."""
    return _OF_TASK[task]


def names(task: Task | None) -> tuple[str, ...]:
    """The names of a task's metrics.

    >>> names(Task.REGRESSION)[:3]
    ('rmse', 'mae', 'r2')
    """
    return tuple(metric.name for metric in metrics_of(task))


def resolve(metric: AnyMetric, p: Predictions | Task | None) -> Metric:
    """The metric of that name, itself, or the mean of a function of rows: for these predictions, or a task.

    PlanError for a name that the task does not have, with the nearest ones and all of them.

    >>> resolve("pinball:0.9", Task.REGRESSION).greater_is_better
    False
    """
    task = p.header.task if isinstance(p, Predictions) else p
    if isinstance(metric, Metric):
        if metric.task not in (None, task):
            raise _unknown(metric.name, task)
        return metric
    if not isinstance(metric, str):
        return Metric.custom(getattr(metric, "__name__", "custom"), metric, greater_is_better=False)
    found = named(metric, task)
    if found is None:
        raise _unknown(metric, task)
    return found


def named(metric: str, task: Task | None) -> Metric | None:
    """The metric of that name; None where no task has it, as of a function that only its process knew.

    >>> named("my_function", Task.REGRESSION) is None
    True
    """
    name = metric.strip().lower()
    if task is Task.REGRESSION and name.startswith("pinball:"):
        return pinball(_quantile(name))
    return next((known for known in (*metrics_of(task), LOSS) if known.name == name), None)


def named_or_default(metric: str, task: Task | None) -> Metric:
    """The metric of that name, or the task's default in a function's place that only its process knew.

    >>> named_or_default("my_function", Task.REGRESSION).name
    'rmse'
    """
    return named(metric, task) or _default(task)


def default_metric(p: Predictions) -> Metric:
    """What a model is judged by when nobody says: a proper score where there is one.

    Log loss with probabilities, else accuracy; RMSE; the mean loss.
    """
    if p.header.task is Task.CLASSIFICATION and p.probability is None:
        return resolve("accuracy", p)
    return _default(p.header.task)


def _default(task: Task | None) -> Metric:
    return resolve("log_loss", task) if task is Task.CLASSIFICATION else metrics_of(task)[0]


def _quantile(name: str) -> float:
    try:
        return float(name.partition(":")[2])
    except ValueError:
        raise PlanError(f"{name!r} names no quantile; write e.g. 'pinball:0.9'.") from None


def _unknown(name: str, task: Task | None) -> PlanError:
    known = [*names(task), *(() if task is None else ("loss",))]
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    return PlanError(
        f"There is no metric {name!r} for {task or 'predictions that are only losses'}. "
        f"{suggest(near)}{' ' if near else ''}There are: {', '.join(known)}."
    )
