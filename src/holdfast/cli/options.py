"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.core.task import Task

ProjectOption = Annotated[
    Path, typer.Option("--project", "-p", help="The project's folder.", show_default="this folder")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the same facts as JSON.")]
MetricOption = Annotated[
    str | None, typer.Option("--metric", "-m", help="What to judge by, e.g. auc, log_loss, mae, pinball:0.9.")
]
PositiveOption = Annotated[
    str | None, typer.Option(help="The positive one of two classes; a file's lone 'probability' is of it.")
]
TaskOption = Annotated[
    Task | None, typer.Option(help="Whether a file's numbers are labels, where that is no matter of course.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="The same seed, data and plan give the same answer.")]
