"""`holdfast leaderboard`, `compare` and `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, MetricOption, PositiveOption, ProjectOption, TaskOption
from holdfast.cli.output import emit
from holdfast.core.predictions import Predictions
from holdfast.core.reading import AS_IT_SAYS, Reading
from holdfast.core.verdict import Outcome
from holdfast.errors import InputError
from holdfast.project import judge
from holdfast.project.handle import Project, find_project, open_project
from holdfast.project.seal import evaluate_sealed
from holdfast.report import text

_NOT_BETTER = 1


def leaderboard(
    metric: MetricOption = None, project: ProjectOption = Path(), as_json: JsonOption = False
) -> None:
    """Rank the models of the newest training, with intervals and honest ties."""
    board = judge.leaderboard(open_project(project), metric=metric)
    emit(board) if as_json else text.show(text.leaderboard(board))


def compare(
    models: Annotated[list[str], typer.Argument(help="Two or more runs or predictions files.")],
    metric: MetricOption = None,
    margin: Annotated[
        float | None, typer.Option(help="The largest difference that would not matter.")
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            help="Exit with status 1 if this is said of a later model against the first: worse, ..."
        ),
    ] = None,
    positive: PositiveOption = None,
    task: TaskOption = None,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Compare models on the same examples: is the second better than the first?

    With three models or more every pair is tested, and p is adjusted for the number of pairs.
    """
    if len(models) < 2:
        raise InputError("Comparing takes two models or more: holdfast compare RUN_A RUN_B")
    if fail_on is not None and fail_on not in list(Outcome):
        raise InputError(f"--fail-on takes one of {', '.join(Outcome)}, not {fail_on!r}.")
    judged = _read(models, project, Reading(positive, task))
    if len(judged) > 2:
        many = judge.compare_many(judged, metric=metric, margin=margin)
        emit(many) if as_json else text.show(text.comparison(many))
        outcomes = list(many.against_given_first.values())
    else:
        verdict = judge.compare(judged[0], judged[1], metric=metric, margin=margin)
        emit(verdict) if as_json else text.show(text.verdict(verdict))
        outcomes = [verdict.outcome]
    _say_positive(judged[0], as_json)
    if fail_on in outcomes:
        raise typer.Exit(_NOT_BETTER)


def evaluate(
    model: Annotated[str, typer.Argument(help="A run (best, recommended, an id) or a predictions file.")],
    metric: MetricOption = None,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Score the sealed rows: spends one decision of the ledger.")
    ] = False,
    positive: PositiveOption = None,
    task: TaskOption = None,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """All metrics of a model, each with its interval: out of fold, or on sealed rows."""
    reading = Reading(positive, task)
    if sealed:
        _needs_no(reading, model)
        answer = evaluate_sealed(open_project(project), model, metric=metric)
        emit(answer) if as_json else text.show(text.sealed(answer))
        return
    [judged] = _read([model], project, reading)
    asked = judge.evaluate(judged, metric) if metric else judge.evaluate(judged)
    scores = asked | judge.evaluate_classes(judged) if isinstance(asked, dict) else {str(metric): asked}
    emit(scores) if as_json else text.show(text.metrics(scores))
    _say_positive(judged, as_json)


def _read(models: list[str], folder: Path, reading: Reading) -> list[Predictions]:
    """The predictions of runs and files, of which files may need explaining."""
    home = _home(models, folder)
    if not any(Path(name).is_file() for name in models):
        _needs_no(reading, models[0])
    return [judge.predictions_of(name, home, reading=reading) for name in models]


def _needs_no(reading: Reading, run: str) -> None:
    if reading != AS_IT_SAYS:
        raise InputError(f"--positive and --task are said of files, and {run!r} is a run, which knows.")


def _say_positive(judged: Predictions, as_json: bool) -> None:
    """Which of two classes precision, recall, F1 and a lone probability are of."""
    if judged.header.positive is not None and not as_json:
        text.show(text.positive(judged.header.positive))


def _home(models: list[str], folder: Path) -> Project | None:
    """The project, when a name is not a file; two files need none, and none is opened."""
    return None if all(Path(name).is_file() for name in models) else find_project(folder)
