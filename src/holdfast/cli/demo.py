"""`holdfast demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.output import note
from holdfast.cli.progress import draw
from holdfast.project.demo import run_demo
from holdfast.project.demo_ratchet import Audience
from holdfast.report import text


def demo(
    folder: Annotated[Path, typer.Option(help="Where to put the table and the project.")] = Path(
        "holdfast-demo"
    ),
    rows: Annotated[int, typer.Option(min=2000, help="Rows of the simulated table.")] = 20_000,
) -> None:
    """Run the whole job on a simulated table whose faults are planted and known."""
    done = run_demo(folder, rows=rows, audience=Audience(_say, _show, draw))
    text.show(text.found(done.found))
    note(
        f"The report is {done.report}, the staircase {done.ratcheted.picture}; "
        f"the demo took {done.seconds:.0f} s. Look around: cd {folder}; holdfast history"
    )


def _say(line: str) -> None:
    note(f"\n$ {line}" if line.startswith("holdfast ") else line)


def _show(value: object) -> None:
    text.show(text.anything(value))
