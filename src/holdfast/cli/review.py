"""`holdfast review`: labels in the terminal or in a file, and analyses."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, ProjectOption
from holdfast.cli.output import emit, note
from holdfast.core.review import Analysis, Answer
from holdfast.errors import InputError
from holdfast.project.answers import CHANGE, KEEP, SKIP, answer_for, read_answers
from holdfast.project.chain import whoever
from holdfast.project.handle import Project, open_project
from holdfast.project.review import (
    Sheet,
    export_sheet,
    record_review,
    review_analysis,
    sheet,
    still_to_do,
)
from holdfast.report import text, words

LABELS = "labels"
_KEYS = {"k": KEEP, "c": CHANGE, "s": SKIP, "": SKIP}


def review(
    what: Annotated[
        str, typer.Argument(help="'labels', or an analysis: a finding, proof, release, run or file.")
    ],
    finding: Annotated[
        str,
        typer.Argument(
            help="With labels: the finding, or the run that a change of labels made.",
            show_default="the label errors",
        ),
    ] = "label-errors",
    reviewer: Annotated[
        str | None, typer.Option("--as", help="Who reviews.", show_default="your user name")
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Show neither the given nor the suggested label.")
    ] = False,
    most: Annotated[int | None, typer.Option(min=1, help="Only so many rows, the worst first.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write the rows to fill in (.csv or .jsonl).")] = None,
    import_: Annotated[Path | None, typer.Option("--import", help="Read a filled-in file.")] = None,
    why: Annotated[str, typer.Option("--why", help="An analysis: what you looked at.")] = "",
    limits: Annotated[str, typer.Option(help="An analysis: where it does not hold.")] = "",
    biases: Annotated[str, typer.Option(help="An analysis: what may have bent it.")] = "",
    invalid: Annotated[bool, typer.Option("--invalid", help="An analysis: it does not hold.")] = False,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Decide on suspect labels, or sign an analysis with its limits."""
    home, name = open_project(project), whoever(reviewer)
    if what != LABELS:
        analysis = Analysis(what, not invalid, limits, biases)
        kept = review_analysis(home, analysis, reviewer=reviewer or "", why=why)
        emit(kept) if as_json else text.show(text.analysis(kept))
        return
    _labels(home, sheet(home, finding, blind=blind, most=most), name, (export, import_), as_json)


def _labels(
    home: Project, rows: Sheet, reviewer: str, files: tuple[Path | None, Path | None], as_json: bool
) -> None:
    export, import_ = files
    if export is not None:
        written = export_sheet(rows, export)
        again = f"holdfast review labels {rows.subject} --import {written} --as NAME"
        wrote = f"Wrote {words.count(len(rows.rows), 'row')} to {written}"
        note(f"{wrote}. Fill in decision or label, then: {again}")
        return
    if import_ is None:
        whole, rows = len(rows.rows), still_to_do(home, rows, reviewer)
        if (done := whole - len(rows.rows)) > 0:
            note(f"{done:,} of {whole:,} rows have your answer already; here are the others.")
    answers = read_answers(rows, import_) if import_ is not None else _ask(rows)
    if not answers:
        note("Nothing was answered, so nothing was written down.")
        return
    found = record_review(home, rows, answers, reviewer=reviewer)
    emit(found) if as_json else text.show(text.reviewed(found))
    if rows.sealed and (waiting := found.waiting(rows.rows["example"])):
        left = words.count(len(waiting), "row")
        note(f"{left} without a label so far, and not skipped: all are wanted.")
    elif found.changed:
        again = "the same fix again, which these labels now judge"
        note(f"Next: {again if rows.sealed else f'holdfast fix {rows.subject} --with relabel'}")


def _ask(rows: Sheet) -> list[Answer]:
    """Row by row in the terminal; what was answered before the end of input is kept."""
    if not sys.stdin.isatty() and sys.stdin.closed:
        raise InputError("There is no terminal to ask in. Use --export FILE, and --import it when filled in.")
    note(_how(rows))
    answers: list[Answer] = []
    for number, row in enumerate(rows.rows.iter_rows(named=True), start=1):
        text.show(text.row_to_review(row, number, len(rows.rows)))
        said = _one(rows, row)
        if said is None:
            break
        answers.append(said)
    return answers


def _one(rows: Sheet, row: Mapping[str, object]) -> Answer | None:
    """The answer for one row, asked until it is one; None to stop."""
    while True:
        try:
            said = typer.prompt("", prompt_suffix="> ", default="", show_default=False, err=True).strip()
        except typer.Abort:
            return None
        if said.lower() in ("q", "quit"):
            return None
        word = _KEYS.get(said.lower(), said.lower() if said.lower() in (KEEP, CHANGE, SKIP) else "")
        try:
            return answer_for(rows, row, word, "" if word else said)
        except InputError as error:
            note(str(error))


def _how(rows: Sheet) -> str:
    labels = f"a label ({', '.join(rows.classes)})" if rows.classes else "a number"
    if rows.blind:
        return f"For each row: {labels}, s to skip, q to stop."
    return f"For each row: k keeps the given label, c takes the suggested one, or {labels}; s skips, q stops."
