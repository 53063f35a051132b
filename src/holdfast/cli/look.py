"""`holdfast runs`, `show` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, ProjectOption
from holdfast.cli.output import emit, note
from holdfast.project.handle import open_project
from holdfast.project.report import facts_of, write_report
from holdfast.project.runs import records as records_of
from holdfast.report import text


def runs(project: ProjectOption = Path(), as_json: JsonOption = False) -> None:
    """List the runs of this project, the newest training first."""
    records = records_of(open_project(project))
    emit(records) if as_json else text.show(text.runs(records))


def show(
    run: Annotated[
        str, typer.Argument(help="A run: best, recommended, an id, or a learner's name.")
    ] = "best",
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """One run: scores, plan, cost, learning curve, and how to make it again."""
    facts = facts_of(open_project(project), run, pictures=False)
    emit(facts.record) if as_json else text.show(text.run(facts))


def report(
    run: Annotated[str, typer.Argument(help="The run to describe in detail.")] = "best",
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained HTML page: the recommendation, the evidence, how to reproduce it."""
    written = write_report(project, output, run=run)
    if as_json:
        emit({"output": str(written), "bytes": written.stat().st_size})
        return
    note(f"Wrote {written} ({written.stat().st_size / 1e6:.1f} MB). It needs no network to be read.")
