"""From a metric's name to the metric."""

from __future__ import annotations

from difflib import get_close_matches

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import PlanError, suggest
from holdfast.metrics.classification import CLASSIFICATION
from holdfast.metrics.metric import Metric
from holdfast.metrics.regression import LOSS, REGRESSION, pinball

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


def resolve(metric: str | Metric, p: Predictions | Task | None) -> Metric:
    """The metric of that name (or itself) for these predictions, or for a task.

    PlanError for a name that the task does not have, with the nearest ones and all of them.

    >>> resolve("pinball:0.9", Task.REGRESSION).greater_is_better
    False
    """
    task = p.header.task if isinstance(p, Predictions) else p
    if isinstance(metric, Metric):
        if metric.task not in (None, task):
            raise _unknown(metric.name, task)
        return metric
    name = metric.strip().lower()
    if task is Task.REGRESSION and name.startswith("pinball:"):
        return pinball(_quantile(name))
    found = next((known for known in (*metrics_of(task), LOSS) if known.name == name), None)
    if found is None:
        raise _unknown(metric, task)
    return found


def default_metric(p: Predictions) -> Metric:
    """What a model is judged by when nobody says: a proper score where there is one.

    Log loss with probabilities, else accuracy; RMSE; the mean loss.
    """
    if p.header.task is Task.CLASSIFICATION:
        return resolve("accuracy" if p.probability is None else "log_loss", p)
    return metrics_of(p.header.task)[0]


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
