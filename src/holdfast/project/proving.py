"""A fix before the sealed rows: what is asked of them, and by which models."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from holdfast.comparison.paired import compare
from holdfast.core.dataset import Dataset
from holdfast.core.finding import Finding, FixName
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.query import Query, parse_query
from holdfast.core.run import Run
from holdfast.core.split import Split
from holdfast.core.verdict import Verdict
from holdfast.debugging.changes import AIMS, Change
from holdfast.debugging.gap_change import Groups, judge_gap
from holdfast.debugging.losses import loss_of
from holdfast.debugging.parts import parts_of
from holdfast.debugging.proof import Pair, Question, Trial
from holdfast.project.handle import Project
from holdfast.project.predict import served_model
from holdfast.project.same_rows import on_same_rows
from holdfast.project.sealed_rows import sealed_rows

_BANDS = 4  # of a number's values, as parts that may not be harmed
_LEAKS = ("leak", "id-like")  # kinds about a column that says more now than it will in use
_DECISIONS, _OF_DECISIONS = "balanced_accuracy", ("threshold", "rare class")  # kinds about decisions


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """A finding, the run that it is about and its rows, what was changed, and the run after it."""

    finding: Finding
    before: Run
    after: Run
    dataset: Dataset
    split: Split
    change: Change


def trial(project: Project, fixed: Fixed, level: float) -> Trial:
    """What the sealed rows are asked, each model about the version of the data that it knows.

    A leaking column is emptied for the model that uses it, since that is how the column
    comes when the answer is not known yet.
    """
    plan = fixed.before.record.plan
    assert plan is not None  # a run without one cannot be fitted again
    split, kept = fixed.split, fixed.change.kept
    apart = fixed.after.id if fixed.change.fix is FixName.RELABEL else ""
    old = sealed_rows(project, fixed.dataset, split, apart=apart)
    after = replace(split, role=split.role[kept], fold=split.fold[kept], tied=split.tied[kept])
    new = sealed_rows(project, fixed.change.dataset, after, apart=apart)
    dropped = fixed.change.fix is FixName.DROP_COLUMN and fixed.finding.kind in _LEAKS
    leak = fixed.finding.where.column if dropped else ""
    if leak:
        old = replace(old, table=old.table.with_columns(pl.lit(None, old.table[leak].dtype).alias(leak)))
    sealed = Pair(
        served_model(fixed.before).predict(old).named("before"),
        served_model(fixed.after).predict(new).named("after"),
    )
    seen = None if leak else _open_pair(fixed)
    name = f"{plan.metric}, {leak} empty before" if leak else plan.metric
    main = Question(name, plan.metric, seen, sealed)
    seen_cells = None if seen is None else _cells_of(seen.before, fixed.dataset)
    parts = _parts(fixed.dataset)
    return Trial(
        _target(fixed, main, old, seen_cells),
        main,
        {str(part): part.mask(old.table) for part in parts},
        (),
        level,
        {} if seen_cells is None else {str(part): part.mask(seen_cells) for part in parts},
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


def _cells_of(predictions: Predictions, dataset: Dataset) -> pl.DataFrame:
    """The cells of the predicted rows, in their order."""
    return dataset.table[places_in(dataset.example, predictions.example)]


def _target(fixed: Fixed, main: Question, rows: Dataset, seen_cells: pl.DataFrame | None) -> Question:
    """The mean loss in the finding's slice, or the main metric where it is about everything."""
    finding, query = fixed.finding, fixed.finding.where.query
    if finding.kind == "bias":
        return _gap(fixed, main)
    if fixed.change.fix is FixName.THRESHOLD or finding.kind in _OF_DECISIONS:
        metric = AIMS.get(finding.about, _DECISIONS)
        return replace(main, name=f"{metric}, all rows", metric=metric)
    if not query:
        return replace(main, name=f"{main.name}, all rows")
    inside, seen = parse_query(query), main.open
    if seen is not None and seen_cells is not None:
        seen = seen.where(inside.mask(seen_cells))
    loss = loss_of(main.sealed.before)
    name = f"{loss.short if loss.squared else f'mean {loss.name}'} where {query}"
    return Question(name, loss.metric, seen, main.sealed.where(inside.mask(rows.table)))


def _gap(fixed: Fixed, main: Question) -> Question:
    """The difference between the groups of a sensitive column, by the rate that the finding is about."""
    column, rate = fixed.finding.where.column, fixed.finding.about
    cells = fixed.dataset.table[column]
    parts = parts_of(cells, fixed.dataset.schema[column], bands=_BANDS)
    names = np.array([*parts.names, ""])[parts.code]
    groups = Groups(dict(zip(fixed.dataset.example.to_list(), names.tolist(), strict=True)), rate)

    def smaller(before: Predictions, after: Predictions, metric: str, level: float) -> Verdict:
        del metric  # a gap has one of its own
        return judge_gap(before, after, groups, level)

    return replace(main, name=f"gap in {rate} by {column}", compare=smaller)


def _parts(dataset: Dataset) -> tuple[Query, ...]:
    """Every level and band of every feature.

    The bands are those of all rows: the same parts of open and of sealed ones.
    """
    columns = [(dataset.table[column.name], column) for column in dataset.schema.features]
    return tuple(part for cells, column in columns for part in parts_of(cells, column, bands=_BANDS).queries)
