"""`evaluate`, `compare` and `leaderboard`: from whatever names a model to a judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import overload

from holdfast.comparison.board import leaderboard as board_of
from holdfast.comparison.many import Comparison, compare_all
from holdfast.comparison.paired import compare as compare_two
from holdfast.core.estimate import Estimate
from holdfast.core.leaderboard import Leaderboard
from holdfast.core.predictions import Predictions
from holdfast.core.reading import AS_IT_SAYS, Reading
from holdfast.core.run import Run
from holdfast.core.verdict import Verdict
from holdfast.data.foreign import read_predictions
from holdfast.errors import FileError, InputError, PredictionsError
from holdfast.metrics import AnyMetric, Metric, named
from holdfast.metrics import evaluate as evaluate_metrics
from holdfast.metrics.by_class import by_class_name
from holdfast.project.handle import Project, open_project
from holdfast.project.runs import newest_runs, run_named
from holdfast.project.scores import every_score

_MOST_CLASSES = 20

Judged = Predictions | Run | str | Path
"""Predictions, a run, a predictions file, or the name of a run in a project."""


def predictions_of(
    judged: Judged, project: Project | None = None, *, reading: Reading = AS_IT_SAYS
) -> Predictions:
    """The out-of-fold predictions of a run, or those of a file of any system, which `reading` explains."""
    found = _meant(judged, project, reading)
    if isinstance(found, Predictions):
        return found
    if found.predictions is None:
        raise PredictionsError(f"The run {found.id} kept no predictions, so it cannot be judged.")
    return found.predictions.named(found.id)


def _meant(judged: Judged, project: Project | None, reading: Reading = AS_IT_SAYS) -> Predictions | Run:
    if isinstance(judged, Predictions | Run):
        return judged
    if Path(judged).is_file():
        predictions = read_predictions(judged, reading)
        return predictions if predictions.header.model else predictions.named(Path(judged).stem)
    if project is None:
        raise FileError(
            f"There is no file {str(judged)!r}; and to name a run, say in which project: project='.' "
            "(on the command line --project DIR)."
        )
    return run_named(project, str(judged))


@overload
def evaluate(
    judged: Judged, metric: None = None, *, project: Project | None = None, level: float = 0.95, seed: int = 0
) -> dict[str, Estimate]: ...
@overload
def evaluate(
    judged: Judged,
    metric: AnyMetric,
    *,
    project: Project | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate: ...
def evaluate(
    judged: Judged,
    metric: AnyMetric | None = None,
    *,
    project: Project | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate | dict[str, Estimate]:
    """A metric of predictions, or all of the task's by name, each with its interval.

    A run that is judged by a quantile's pinball loss has that one, too.

    Raises RoleError for sealed rows: those answer at the gate only.
    """
    found = _meant(judged, project)
    predictions = predictions_of(found).require_open()
    if metric is None and isinstance(found, Run):
        return every_score(found, predictions, level=level, seed=seed)
    return evaluate_metrics(predictions, metric, level=level, seed=seed)


def evaluate_classes(judged: Predictions) -> dict[str, Estimate]:
    """The metrics of each class against the rest, `recall_<class>` and so on, of up to 20 classes."""
    if not 0 < len(judged.header.classes) <= _MOST_CLASSES:
        return {}
    return by_class_name(judged.require_open())


def compare(
    a: Judged,
    b: Judged,
    *,
    metric: AnyMetric | None = None,
    margin: float | None = None,
    project: Project | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Verdict:
    """Is `b` better than `a`? Paired on the same examples, by the test that is valid for the metric.

    `margin` is the largest difference that would not matter, in the metric's unit
    (default 0.01 for scores in [0, 1], 2 % of the first model's value for losses).
    Raises PredictionsError when the two do not hold the same examples.
    """
    first, second = _told_apart([predictions_of(a, project), predictions_of(b, project)])
    return compare_two(first, second, metric=metric, margin=margin, level=level, seed=seed)


def compare_many(
    judged: Sequence[Judged],
    *,
    metric: AnyMetric | None = None,
    margin: float | None = None,
    project: Project | None = None,
    seed: int = 0,
) -> Comparison:
    """All pairs of several models, with Holm's correction over the pairs."""
    loaded = _told_apart([predictions_of(one, project) for one in judged])
    return compare_all(loaded, metric=metric, margin=margin, seed=seed)


def leaderboard(
    of: Run | Sequence[Run] | Project | str | Path = ".", *, metric: AnyMetric | None = None, seed: int = 0
) -> Leaderboard:
    """Rank the runs of one training: a run's candidates, some runs, or a project's newest training."""
    if isinstance(of, Run):
        runs: Sequence[Run] = of.candidates or (of,)
    elif isinstance(of, Project):
        runs = newest_runs(of)
    elif isinstance(of, str | Path):
        runs = newest_runs(open_project(of))
    else:
        runs = of
    if not runs:
        raise InputError("There is no run to rank. Train some first: holdfast train FILE --target COLUMN")
    return board_of(runs, metric=metric, seed=seed) if metric is not None else _by_their_own(runs, seed)


def _by_their_own(runs: Sequence[Run], seed: int) -> Leaderboard:
    """Ranked by the metric that they were trained for, or by the default one where that is not at hand."""
    judged_by = next((run.metric for run in runs if isinstance(run.metric, Metric)), None)
    plan = next((run.record.plan for run in runs if run.record.plan is not None), None)
    if judged_by is not None or plan is None:
        return board_of(runs, metric=judged_by, seed=seed)
    known = named(plan.metric, plan.task)
    board = board_of(runs, metric=known, seed=seed)
    return board if known is not None else replace(board, notes=(*board.notes, _lost(plan.metric, board)))


def _lost(metric: str, board: Leaderboard) -> str:
    return (
        f"{metric} is a function of Python, which is not at hand here: ranked by {board.metric}. "
        f"In Python hf.leaderboard(..., metric={metric}) ranks by it."
    )


def _told_apart(loaded: Sequence[Predictions]) -> list[Predictions]:
    """Every one under a name of its own, so that a verdict says which it means."""
    named: list[Predictions] = []
    taken: set[str] = set()
    for place, predictions in enumerate(loaded, start=1):
        name = predictions.header.model or f"model {place}"
        while name in taken:
            name += "'"
        taken.add(name)
        named.append(predictions.named(name))
    return named
