"""`holdfast predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import JsonOption, ProjectOption
from holdfast.cli.output import emit, note
from holdfast.project.predict import predict_file


def predict(
    model: Annotated[str, typer.Argument(help="A run (best, recommended, an id) or a model folder.")],
    file: Annotated[str, typer.Argument(help="The rows to predict: any table that can be read.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write: .parquet, .csv or .jsonl.")],
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Predict the rows of a file, in their order."""
    done = predict_file(model, file, output, project=project)
    if as_json:
        emit(done)
        return
    for sentence in done.conformity.sentences:
        note(sentence)
    note(f"Wrote {done.rows:,} predictions of {done.model} to {output}.")
