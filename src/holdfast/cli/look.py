"""`holdfast runs`, `show` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, ProjectOption
from holdfast.cli.output import emit, note
from holdfast.core.finding import Looked
from holdfast.core.logged import Logged
from holdfast.core.proof import Proof
from holdfast.core.report_facts import ReportFacts
from holdfast.project.card import write_card
from holdfast.project.handle import open_project
from holdfast.project.report import written_report
from holdfast.project.runs import listed
from holdfast.project.show import shown
from holdfast.report import text


def runs(project: ProjectOption = Path(), as_json: JsonOption = False) -> None:
    """List the runs of this project, the newest training first."""
    records = listed(open_project(project))
    emit(records) if as_json else text.show(text.runs(records))


def show(
    name: Annotated[
        str, typer.Argument(help="A run (best, recommended, an id, a learner), a finding or a proof.")
    ] = "best",
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """One run, finding or proof: everything that is known of it."""
    home = open_project(project)
    match shown(home, name):
        case Looked() as looked:
            emit(looked) if as_json else text.show(text.finding(looked))
        case Proof() as proof:
            emit(proof) if as_json else text.show(text.proof(proof))
        case Logged() as logged:
            emit(logged) if as_json else text.show(text.logged(logged))
        case ReportFacts() as facts:
            emit(facts.record) if as_json else text.show(text.run(facts))


def report(
    run: Annotated[str, typer.Argument(help="The run to describe in detail.")] = "best",
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The page to write; a folder gets its charts too, as PNG and SVG."
        ),
    ] = Path("report.html"),
    card: Annotated[
        bool, typer.Option("--card", help="Write the run's model card instead, as Markdown.")
    ] = False,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained HTML page: the recommendation, the evidence, how to reproduce it.

    With -o FOLDER the page is FOLDER/report.html, and each of its charts lies beside it as .png and .svg.
    """
    if card:
        place = Path("MODEL_CARD.md") if output == Path("report.html") else output
        files: tuple[Path, ...] = (write_card(open_project(project), run, place),)
    else:
        files = written_report(open_project(project), output, run)
    written, size = files[0], sum(file.stat().st_size for file in files)
    if as_json:
        emit({"output": str(written), "bytes": size, "files": [str(file) for file in files]})
        return
    charts = f" and {len(files) - 1} pictures beside it" if len(files) > 1 else ""
    note(f"Wrote {written}{charts} ({size / 1e6:.2g} MB). It needs no network to be read.")
