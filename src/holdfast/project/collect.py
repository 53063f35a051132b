"""`fix --with collect`: which rows to label next."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from holdfast.core.predictions import Predictions
from holdfast.core.query import parse_query
from holdfast.errors import FileError
from holdfast.project.handle import Project
from holdfast.project.output import whole_numbers, write_output
from holdfast.project.predict import served_model
from holdfast.project.runs import data_of, run_named
from holdfast.store.findings import find_finding

_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Collected:
    """What was written to `output`: `rows` of the `of` that are asked for; `unlabelled` wait for a label."""

    output: str
    rows: int
    of: int
    unlabelled: int
    query: str


def collect(project: Project, name: str, output: Path) -> Collected:
    """Write the rows that a finding asks for as CSV, the ones that the model is least sure of first.

    At most 1,000 are written. Rows without a label come first, where the data has some in the
    finding's slice; the others show what to look for, or want a second label. Sealed rows are never listed.
    """
    if output.suffix.lower() != ".csv":
        raise FileError(f"Write the rows to a name that ends in .csv, not {output.name!r}.")
    finding, run_id = find_finding(project.store, name)
    run = run_named(project, run_id)
    dataset, split = data_of(project, run.record)
    where = finding.where
    if where.query:
        inside = parse_query(where.query).mask(dataset.table)
    elif where.examples:
        inside = dataset.example.is_in([one.example for one in where.examples]).to_numpy()
    else:
        inside = np.ones(len(dataset), dtype=bool)
    rows = dataset.take(inside & split.open)
    doubt = _doubt(served_model(run).predict(rows))
    missing = rows.target.is_null().to_numpy()
    order = np.lexsort((-doubt, ~missing))[:_MOST]
    table = rows.table.with_columns(example=rows.example, unsure=pl.Series(values=doubt.round(4)))
    front = ["example", dataset.schema.target.name, "unsure"]
    buffer = BytesIO()
    whole_numbers(table.select(*front, pl.exclude(front))[order]).write_csv(buffer)
    write_output(output, buffer.getvalue())
    asked = max(len(rows), finding.size if where.examples else 0)  # a finding names no more than it lists
    return Collected(str(output), len(order), asked, int(missing[order].sum()), where.query)


def _doubt(p: Predictions) -> np.ndarray:
    """1 less the probability of the likeliest class; for numbers, how far from the usual prediction."""
    if p.probability is not None:
        return np.asarray(1 - p.probability.max(axis=1).astype(np.float64))
    values = p.prediction_values
    spread = float(np.std(values)) or 1.0
    return np.asarray(np.abs(values - np.median(values)) / spread)
