"""`holdfast train`."""

from __future__ import annotations

import shlex
import sys
import time as clock
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, MetricOption, ProjectOption, SeedOption
from holdfast.cli.output import emit, note
from holdfast.cli.progress import draw
from holdfast.core.duration import seconds
from holdfast.core.events import DataRead, Event, Planned, Said, Skipped
from holdfast.core.leaderboard import Leaderboard
from holdfast.core.report_facts import DataFacts
from holdfast.core.run import Run
from holdfast.core.schema import Kind
from holdfast.core.task import Task
from holdfast.errors import InputError, suggest
from holdfast.project.fitting import fit
from holdfast.project.judge import leaderboard
from holdfast.project.request import Overrides, TrainRequest
from holdfast.report import text


def train(
    file: Annotated[
        list[str], typer.Argument(help="A table, or several with the same columns: a path or URL.")
    ],
    target: Annotated[str | None, typer.Option("--target", "-t", help="The column to predict.")] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", "-b", help="Time to spend, e.g. 60s, 10m.")
    ] = None,
    learners: Annotated[
        str | None, typer.Option(help="Only these, in this order: lightgbm,catboost,...")
    ] = None,
    metric: MetricOption = None,
    loss: Annotated[
        str | None,
        typer.Option(help="What to minimise (and judge by, if you name no metric), e.g. quantile:0.9."),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="How many folds.", show_default="by the table's size")
    ] = None,
    seed: SeedOption = 0,
    sealed: Annotated[
        float | None, typer.Option(help="Share of rows only the gate may see.", show_default="0.2")
    ] = None,
    test: Annotated[str | None, typer.Option(help="Your own sealed rows, instead of a share.")] = None,
    tune: Annotated[bool, typer.Option("--tune", help="Spend the rest of the budget on a search.")] = False,
    replay: Annotated[str | None, typer.Option(help="Make the model of this run again.")] = None,
    id: Annotated[str | None, typer.Option(help="The column that names the rows.")] = None,  # noqa: A002
    group: Annotated[str | None, typer.Option(help="The column whose rows belong together.")] = None,
    time: Annotated[str | None, typer.Option(help="The column to split by time.")] = None,
    weight: Annotated[str | None, typer.Option(help="The column of row weights.")] = None,
    sensitive: Annotated[
        list[str] | None, typer.Option(help="A column that fairness is checked for.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="A column no model may see.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Override a column's kind: zip=category.")] = None,
    task: Annotated[Task | None, typer.Option(help="Override what the target suggests.")] = None,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Train models on a table and prove which is best."""
    started = clock.monotonic()
    columns = Overrides(
        target,
        id,
        group,
        time,
        weight,
        tuple(sensitive or ()),
        tuple(ignore or ()),
        _kinds(kind or []),
        task,
    )
    heard: list[Event] = []
    request = TrainRequest(
        source=file[0] if len(file) == 1 else file,
        columns=columns,
        project=project,
        budget=None if budget is None else seconds(budget),
        learners=None
        if learners is None
        else tuple(name.strip() for name in learners.split(",") if name.strip()),
        metric=metric,
        loss=loss,
        folds=folds,
        seed=seed,
        sealed=sealed,
        test=test,
        tune=tune,
        replay=replay,
        on_event=heard.append if as_json else draw,
        command=shlex.join(["holdfast", *sys.argv[1:]]),
    )
    run = fit(request, started=started)
    if replay and not as_json:
        return
    _tell(run, heard if as_json else None, started)


def _tell(run: Run, heard: Sequence[Event] | None, started: float) -> None:
    """The leaderboard and what the best run was given; where events were kept, as JSON with all of them."""
    board = leaderboard(run)
    if heard is not None:
        emit(_facts(run, board, heard, clock.monotonic() - started))
        return
    text.show(text.leaderboard(board))
    if run.record.notes:
        typer.echo()
        text.show(text.decided(run.record))
    note(f"{clock.monotonic() - started:.1f} s in total. Next: holdfast report, holdfast predict best FILE")


def _facts(run: Run, board: Leaderboard, heard: Sequence[Event], spent: float) -> dict[str, object]:
    """What the drawn lines say, from the same values: what was read and planned, skipped and said."""
    read = next(one for one in heard if isinstance(one, DataRead))
    planned = next(one for one in heard if isinstance(one, Planned))
    told = ("name", "kind", "role", "why")
    return {
        "run": run.record,
        "leaderboard": board,
        "runs": [one.record for one in run.candidates],
        "data": DataFacts.of(read.dataset, read.split),
        "columns": [{fact: getattr(column, fact) for fact in told} for column in read.dataset.schema],
        "plan": planned,
        "skipped": [*planned.skipped, *((e.learner, e.reason) for e in heard if isinstance(e, Skipped))],
        "said": [one.text for one in heard if isinstance(one, Said)],
        "seconds": spent,
    }


def _kinds(pairs: list[str]) -> dict[str, Kind]:
    kinds = {}
    for pair in pairs:
        name, equals, value = pair.rpartition("=")
        if not equals or value not in list(Kind):
            raise InputError(
                f"--kind {pair!r} must look like COLUMN=KIND. {suggest(one.value for one in Kind)}"
            )
        kinds[name] = Kind(value)
    return kinds
