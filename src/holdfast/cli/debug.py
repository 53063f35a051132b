"""`holdfast debug`, `fix` and `explain`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, ProjectOption, SeedOption
from holdfast.cli.output import emit, note, plain
from holdfast.cli.progress import draw
from holdfast.core.events import Said, silent
from holdfast.core.finding import Finding, FixName
from holdfast.core.proof import ProofOutcome
from holdfast.project.collect import Collected, collect
from holdfast.project.debug import Found, debug_run
from holdfast.project.explain import explain as explain_row
from holdfast.project.fix import FixRequest, fix_finding, fix_named
from holdfast.project.handle import open_project
from holdfast.report import text, words

_REFUSED = 1


def debug(
    run: Annotated[str, typer.Argument(help="A run: best, recommended, champion, an id.")] = "best",
    seed: SeedOption = 0,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Find what is wrong with a model and its data, what explains most of the loss first."""
    found = debug_run(open_project(project), run, seed=seed, on_kind=None if as_json else _kind)
    if as_json:
        emit([as_dict(one) for one in found])
        return
    text.show(text.findings(found))
    if len(found):
        note(f"Next: holdfast show {found[0].id}, holdfast fix {found[0].id}")


def fix(
    finding: Annotated[str, typer.Argument(help="A finding's id, or its beginning.")],
    with_: Annotated[
        str | None, typer.Option("--with", help="The fix to try.", show_default="the first that is suggested")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="The run to fix.", show_default="the one it was found in")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="With collect: where to write the rows to label next.")
    ] = Path("collect.csv"),
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Answer a finding: change data or plan, fit again, and prove it on sealed rows."""
    name, home = None if with_ is None else fix_named(with_), open_project(project)
    if name is FixName.COLLECT:
        got = collect(home, finding, output)
        emit(got) if as_json else note(_collected(got))
        return
    asked = FixRequest(
        finding,
        name,
        run=run,
        on_event=silent if as_json else draw,
        command=shlex.join(["holdfast", *sys.argv[1:]]),
    )
    proof = fix_finding(home, asked)
    emit(proof) if as_json else text.show(text.proof(proof))
    if proof.outcome is not ProofOutcome.PROVEN:
        raise typer.Exit(_REFUSED)
    note(f"It is a guard now. Next: holdfast guard {proof.after}, holdfast release {proof.after}")


def explain(
    run: Annotated[str, typer.Argument(help="A run: best, recommended, champion, an id.")],
    example: Annotated[str, typer.Argument(help="The id of a row: holdfast show FINDING lists some.")],
    seed: SeedOption = 0,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """What each column adds to the answer on one row, with its uncertainty."""
    found = explain_row(run, example, project=open_project(project), seed=seed)
    emit(found) if as_json else text.show(text.explanation(found))


def as_dict(one: Finding) -> dict[str, object]:
    """A finding as machines read it: `where` holds a query, examples with scores, or a column."""
    where: dict[str, object] = {}
    if one.where.query:
        where["query"] = one.where.query
    if one.where.examples:
        where["examples"] = plain(one.where.examples)
    if one.where.column:
        where["column"] = one.where.column
    facts = plain(one)
    assert isinstance(facts, dict)  # a dataclass always is
    return {"id": one.id, **facts, "where": where}


def _collected(got: Collected) -> str:
    where = f" where {got.query}" if got.query else ""
    first = f"{got.unlabelled:,} of them have no label yet" if got.unlabelled else "all have a label already"
    rows = words.count(got.rows, "row")
    if got.rows < got.of:
        rows = f"{got.rows:,} of the {words.count(got.of, 'row')}"
    cut = ", and left the others out" if got.rows < got.of else ""
    return (
        f"Wrote {rows}{where} to {got.output}, the ones that the model is least sure of first{cut}; "
        f"{first}. Label them, or collect more like them, and train on all: holdfast train FILE ..."
    )


def _kind(kind: str, found: Found | str, seconds: float) -> None:
    said = f"not run: {found}" if isinstance(found, str) else f"{len(found)} found"
    draw(Said(f"{seconds:6.1f} s  {kind:24} {said}"))
