"""A fix before the sealed rows: what is asked of them, and by which models."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from holdfast.comparison.paired import compare
from holdfast.core.dataset import Dataset
from holdfast.core.finding import FixName
from holdfast.core.predictions import Predictions
from holdfast.core.query import Query
from holdfast.core.verdict import Verdict
from holdfast.core.wording import as_written
from holdfast.debugging.parts import parts_of
from holdfast.debugging.proof import Pair, Question, Trial
from holdfast.metrics import named_or_default
from holdfast.project.aim import BANDS, cost_of, target_of
from holdfast.project.fixed import Fixed
from holdfast.project.handle import Project
from holdfast.project.predict import served_model
from holdfast.project.same_rows import on_same_rows
from holdfast.project.sealed_rows import sealed_rows

_LEAKS = ("leak", "id-like")  # kinds about a column that says more now than it will in use


def trial(project: Project, fixed: Fixed, level: float) -> Trial:
    """What the sealed rows are asked, each model about the version of the data that it knows.

    A leaking column is emptied for the model that uses it, since that is how the column
    comes when the answer is not known yet.
    """
    plan = fixed.before.record.plan
    assert plan is not None  # a run without one cannot be fitted again
    apart = fixed.after.id if fixed.change.fix is FixName.RELABEL else ""
    old = sealed_rows(project, fixed.dataset, fixed.split, apart=apart)
    new = sealed_rows(project, fixed.change.dataset, fixed.split.where(fixed.change.kept), apart=apart)
    dropped = fixed.change.fix is FixName.DROP_COLUMN and fixed.finding.kind in _LEAKS
    leak = fixed.finding.where.column if dropped else ""
    if leak:
        old = replace(old, table=old.table.with_columns(pl.lit(None, old.table[leak].dtype).alias(leak)))
    sealed = Pair(
        served_model(fixed.before).predict(old).named("before"),
        served_model(fixed.after).predict(new).named("after"),
    )
    seen = None if leak else _open_pair(fixed)
    metric = named_or_default(plan.metric, plan.task).name
    name = as_written(metric) + (f", {leak} empty before" if leak else "")
    main = Question(name, metric, seen, sealed)
    seen_cells = None if seen is None else fixed.cells_of(seen.before)
    parts = _parts(fixed.dataset)
    return Trial(
        target_of(project, fixed, main, (old, new)),
        main,
        {str(part): part.mask(old.table) for part in parts},
        (),
        level,
        {} if seen_cells is None else {str(part): part.mask(seen_cells) for part in parts},
        cost_of(fixed, main),
    )


def judge(before: Predictions, after: Predictions, metric: str, level: float) -> Verdict:
    """The paired comparison that proofs are made of."""
    return compare(before, after, metric=metric, level=level)


def _open_pair(fixed: Fixed) -> Pair | None:
    """The open rows that the model before predicted out of fold, with the labels that it knew.

    Rows that the fix dropped judge it too: no model after it was fitted on them.
    """
    before, after = fixed.before.predictions, fixed.after.predictions
    if before is None or after is None:
        return None
    gone = fixed.dataset.take(~fixed.change.kept)
    if len(gone):
        asked = served_model(fixed.after).predict(gone)
        columns = [pl.col(name).cast(kind) for name, kind in after.table.schema.items()]
        after = replace(after, table=pl.concat([after.table, asked.table.select(columns)]))
    return Pair(*on_same_rows(before.named("before"), after.named("after")))


def _parts(dataset: Dataset) -> tuple[Query, ...]:
    """Every level and band of every feature.

    The bands are those of all rows: the same parts of open and of sealed ones.
    """
    columns = [(dataset.table[column.name], column) for column in dataset.schema.features]
    return tuple(part for cells, column in columns for part in parts_of(cells, column, bands=BANDS).queries)
