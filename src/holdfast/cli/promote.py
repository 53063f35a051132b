"""`holdfast guard`, `release`, `approve`, `reject`, `rollback` and `history`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, ProjectOption
from holdfast.cli.output import emit, note
from holdfast.core.guard import GuardStatus
from holdfast.core.release import Refused
from holdfast.project import sign_off
from holdfast.project.card import write_history, write_release_page
from holdfast.project.gate import propose
from holdfast.project.guard import guard as check_guards
from holdfast.project.guard import judged_name
from holdfast.project.handle import open_project
from holdfast.project.history import history as history_of
from holdfast.report import text

_NO = 1

ReleaseArgument = Annotated[str, typer.Argument(help="A release's id: holdfast history")]
ReviewerOption = Annotated[str, typer.Option("--as", help="Who decides: your name.")]
WhyOption = Annotated[str, typer.Option("--why", help="What you looked at, and why you decide so.")]


def guard(
    model: Annotated[str, typer.Argument(help="A run, or a predictions file of any system.")] = "best",
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Hold a model against every guard; exit status 1 when one fails."""
    home = open_project(project)
    checked = check_guards(model, project=home)
    emit(checked) if as_json else text.show(text.guards(checked, judged_name(model, home)))
    if any(one.status is GuardStatus.FAILED for one in checked):
        raise typer.Exit(_NO)


def release(
    candidate: Annotated[str, typer.Argument(help="The run to put to the gate.")],
    author: Annotated[
        str | None, typer.Option("--as", help="Who puts it forward.", show_default="your user name")
    ] = None,
    override: Annotated[
        bool, typer.Option("--override", help="Put it forward although the gate says no; recorded by name.")
    ] = False,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Put a run to the gate: guards, then the champion on sealed rows."""
    home = open_project(project)
    answer = propose(home, candidate, author=author, override=override)
    if isinstance(answer, Refused):
        emit(answer) if as_json else text.show(text.refused(answer))
        raise typer.Exit(_NO)
    page = write_release_page(home, answer.id, home.path / f"{answer.id}.html")
    emit(answer) if as_json else text.show(text.release(answer))
    next_ = f"holdfast approve {answer.id} --as NAME --why '...'"
    note(f"The reviewer's page is {page}. Next, by somebody else: {next_}")


def approve(
    name: ReleaseArgument,
    reviewer: ReviewerOption,
    why: WhyOption,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """A reviewer's yes: the release becomes the champion."""
    stage = sign_off.approve(name, reviewer=reviewer, why=why, project=open_project(project))
    emit(stage) if as_json else text.show(text.stage(stage))


def reject(
    name: ReleaseArgument,
    reviewer: ReviewerOption,
    why: WhyOption,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """A reviewer's no, with the reason."""
    stage = sign_off.reject(name, reviewer=reviewer, why=why, project=open_project(project))
    emit(stage) if as_json else text.show(text.stage(stage))


def rollback(
    reviewer: ReviewerOption,
    why: WhyOption,
    to: Annotated[
        str | None, typer.Option(help="The release to go back to.", show_default="the one before")
    ] = None,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Make an earlier release the champion again."""
    back = sign_off.rollback(open_project(project), reviewer=reviewer, why=why, to=to)
    emit(back) if as_json else text.show(text.rollback(back))


def history(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Draw the staircase (.svg, .png, .html).")
    ] = None,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Every release, its metric, what it fixed, and who signed it."""
    home = open_project(project)
    written = None if output is None else write_history(home, output)  # first: its name may be refused
    shown = history_of(home)
    emit(shown) if as_json else text.show(text.history(shown))
    if written is not None:
        note(f"Wrote {written}.")
