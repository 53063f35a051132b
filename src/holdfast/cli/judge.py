"""`holdfast leaderboard`, `compare` and `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, MetricOption, ProjectOption
from holdfast.cli.output import emit
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
    home = _home(models, project)
    if len(models) > 2:
        many = judge.compare_many(models, metric=metric, margin=margin, project=home)
        emit(many) if as_json else text.show(text.comparison(many))
        outcomes = list(many.against_given_first.values())
    else:
        verdict = judge.compare(models[0], models[1], metric=metric, margin=margin, project=home)
        emit(verdict) if as_json else text.show(text.verdict(verdict))
        outcomes = [verdict.outcome]
    if fail_on in outcomes:
        raise typer.Exit(_NOT_BETTER)


def evaluate(
    model: Annotated[str, typer.Argument(help="A run (best, recommended, an id) or a predictions file.")],
    metric: MetricOption = None,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Score the sealed rows: spends one decision of the ledger.")
    ] = False,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """All metrics of a model, each with its interval: out of fold, or on sealed rows."""
    if sealed:
        answer = evaluate_sealed(open_project(project), model, metric=metric)
        emit(answer) if as_json else text.show(text.sealed(answer))
        return
    home = _home([model], project)
    asked = judge.evaluate(model, metric, project=home) if metric else judge.evaluate(model, project=home)
    scores = asked if isinstance(asked, dict) else {str(metric): asked}
    emit(scores) if as_json else text.show(text.metrics(scores))


def _home(models: list[str], folder: Path) -> Project | None:
    """The project, when a name is not a file; two files need none, and none is opened."""
    return None if all(Path(name).is_file() for name in models) else find_project(folder)
