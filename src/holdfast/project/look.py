"""A finding with rows of its run as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Finding, Looked
from holdfast.core.predictions import Predictions
from holdfast.core.query import parse_query
from holdfast.errors import FindingError, HoldfastError
from holdfast.project.handle import Project
from holdfast.project.judge import predictions_of
from holdfast.project.runs import data_of, run_named
from holdfast.store.findings import find_finding

_ROWS = 8


def look(project: Project, name: str) -> Looked:
    """The finding of that id, or of an id that begins so, and the worst of its rows."""
    finding, run_id = find_finding(project.store, name)
    try:
        run = run_named(project, run_id)
        dataset, _ = data_of(project, run.record)
        predictions = predictions_of(run)
    except HoldfastError as error:
        raise FindingError(
            f"{finding.id} was found in {run_id}, which can no longer be looked at: {error}"
        ) from error
    ids = finding.examples or tuple(one.example for one in finding.where.examples)
    return Looked(finding, run_id, _rows(finding, dataset, predictions, ids[:_ROWS]))


def _rows(
    finding: Finding, dataset: Dataset, predictions: Predictions, ids: Sequence[str]
) -> tuple[Mapping[str, str], ...]:
    """Each row's id, target, prediction (or what the finding remarks of it) and loss, and cells.

    The cells are those of the columns that the finding speaks of.
    """
    judged = predictions.table.select("example", "target", "prediction", "loss")
    columns = _spoken_of(finding, dataset)
    cells = dataset.table.select(columns).with_columns(example=dataset.example)
    shown = (
        pl.DataFrame({"example": list(ids)}, schema={"example": pl.String})
        .join(judged, on="example", how="left", maintain_order="left")
        .join(cells, on="example", how="left", maintain_order="left")
        .with_columns(pl.col("loss").round(3))
    )
    if finding.remarks:
        told = pl.col("example").replace_strict(finding.remarks, default=None, return_dtype=pl.String)
        shown = shown.with_columns(told.alias("prediction")).rename({"prediction": "first, then"})
    return tuple({name: _text(cell) for name, cell in row.items()} for row in shown.to_dicts())


def _spoken_of(finding: Finding, dataset: Dataset) -> list[str]:
    where = finding.where
    named = [term.column for term in parse_query(where.query).terms] if where.query else [where.column]
    taken = ("example", "target", "prediction", "loss")
    found = [name for name in dict.fromkeys(named) if name in dataset.schema and name not in taken]
    return found or [column.name for column in dataset.schema.features if column.name not in taken][:3]


def _text(cell: object) -> str:
    return "" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)
