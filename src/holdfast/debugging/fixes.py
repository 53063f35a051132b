"""From a finding and the name of a fix to a change of the rows or of the plan.

A change never touches sealed rows' labels, and the rows that it drops are open ones:
what judges a fix is what judged the model before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from holdfast.core.cells import fold
from holdfast.core.dataset import Dataset, Step
from holdfast.core.finding import Finding, FixName
from holdfast.core.fingerprint import fingerprint
from holdfast.core.labels import label_text
from holdfast.core.plan import Treatment
from holdfast.core.query import parse_query
from holdfast.core.schema import Kind, Role
from holdfast.core.task import Task
from holdfast.errors import FixError, some

_COPIES = 3.0  # synthetic rows for each row of a weak slice
_RARE = 0.01  # of the rows: levels below are merged
MERGED = "other"


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What a fix changes. `said` is one sentence for the reader.

    `dataset` is the new version of the rows, in the order of `kept` (bool of shape (n,)
    over the old rows). `calmer` asks every learner for stronger regularisation, `loss` for another loss;
    `decision` ("threshold", "recalibrate") changes what a fitted model decides, and nothing
    is trained. `monotone` names a column and the direction of its effect, +1 or -1.
    """

    fix: FixName
    said: str
    dataset: Dataset
    kept: np.ndarray
    treatment: Treatment | None = None
    loss: str | None = None
    calmer: bool = False
    decision: str = ""
    monotone: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A finding to be answered on these rows; `open` marks those that may change, bool of shape (n,).

    `labels` are reviewed labels by example id, for a relabelling.
    """

    finding: Finding
    dataset: Dataset
    open: np.ndarray
    labels: Mapping[str, str | float] | None = None

    @property
    def column(self) -> str:
        """The column that the finding is about, "" without one."""
        return self.finding.where.column

    def rows(self) -> np.ndarray:
        """The open rows that the finding points at, bool of shape (n,)."""
        where = self.finding.where
        if where.query:
            return np.asarray(parse_query(where.query).mask(self.dataset.table) & self.open)
        listed = [one.example for one in where.examples]
        return np.asarray(self.dataset.example.is_in(listed).to_numpy() & self.open)


def change_for(fix: FixName, asked: Asked) -> Change:
    """The change that a fix makes for a finding; FixError where it does not apply, with those that do."""
    wrong = _unfit(fix, asked)
    if wrong:
        able = [str(other) for other in FixName if not _unfit(other, asked)]
        raise FixError(
            f"{fix} does not answer {asked.finding.id} ({asked.finding.kind}): {wrong}. "
            f"These do: {', '.join(able)}."
        )
    return _CHANGES[fix](asked)


def applicable(asked: Asked) -> tuple[FixName, ...]:
    """The fixes that could answer a finding: those that it suggests first, then the others."""
    suggested = [one.fix for one in asked.finding.fixes]
    order = [*suggested, *(fix for fix in FixName if fix not in suggested)]
    return tuple(dict.fromkeys(fix for fix in order if not _unfit(fix, asked)))


def _unfit(fix: FixName, asked: Asked) -> str:
    """Why a fix cannot answer a finding, "" where it can."""
    finding, schema = asked.finding, asked.dataset.schema
    rows, column = bool(finding.where.query or finding.where.examples), finding.where.column
    classes = schema.task is Task.CLASSIFICATION
    of_classes = "" if classes else "it is for classes, and this target is a number"
    kind = schema[column].kind if column and column in schema else None
    reasons: Mapping[FixName, str] = {
        FixName.RELABEL: "" if finding.where.examples else "it points at no rows whose labels could be wrong",
        FixName.DROP_ROWS: "" if rows else "it points at no rows",
        FixName.REPAIR: "" if rows and column else "it points at no cells",
        FixName.DEDUPLICATE: ""
        if finding.kind in ("twins", "conflicting labels")
        else "it is not about copies",
        FixName.DROP_COLUMN: "" if kind else "it is not about one column",
        FixName.REGROUP: "" if kind is Kind.CATEGORY else "it is not about a column of categories",
        **dict.fromkeys(
            (FixName.CLASS_WEIGHTS, FixName.OVERSAMPLE, FixName.UNDERSAMPLE, FixName.SMOTE), of_classes
        ),
        **dict.fromkeys((FixName.RECALIBRATE, FixName.THRESHOLD), of_classes),
        **dict.fromkeys(
            (FixName.AUGMENT, FixName.CONTINUE), "" if finding.where.query else "it names no slice"
        ),
        FixName.FAIR: of_classes or ("" if kind else "it is not about a sensitive column"),
        FixName.MONOTONE: "" if kind is Kind.NUMBER else "it is not about a column of numbers",
    }
    return reasons.get(fix, "")


def _relabel(asked: Asked) -> Change:
    """Reviewed labels in place of those that were given, on open rows only."""
    if asked.labels is None:
        raise FixError(
            f"Labels are changed by a person's word only. Review them first: holdfast review labels "
            f"{asked.finding.id}, and then: holdfast fix {asked.finding.id} --with relabel"
        )
    data = asked.dataset
    ids = list(asked.labels)
    if absent := sorted(set(ids) - set(data.example.to_list())):
        raise FixError(f"The reviewed list names {len(absent):,} rows that the data lacks: {some(absent)}.")
    known = pl.DataFrame({"example": ids, "label": list(asked.labels.values())}, strict=False)
    given = data.target if data.target.dtype.is_numeric() else label_text(data.target)
    if not data.target.dtype.is_numeric():
        classes = set(given.drop_nulls().unique().to_list())
        if strange := sorted({str(label) for label in asked.labels.values()} - classes):
            raise FixError(f"The reviewed list has labels that the data lacks: {some(strange)}.")
    found = pl.DataFrame({"example": data.example}).join(known, "example", "left", maintain_order="left")
    label = found["label"].cast(given.dtype)
    changed = label.is_not_null() & (label != given) & pl.Series(values=asked.open)
    if not changed.any():
        raise FixError("The review keeps every label as it was given, so there is nothing to change.")
    name = data.schema.target.name
    table = data.table.with_columns(given.zip_with(~changed, label).cast(data.target.dtype).alias(name))
    touched = int(changed.sum())
    said = f"{touched:,} labels of {name} changed as reviewed"
    details = [list(pair) for pair in zip(data.example.filter(changed), label.filter(changed), strict=True)]
    return _versioned(asked, FixName.RELABEL, said, touched, table=table, details=details)


def _drop_rows(asked: Asked) -> Change:
    rows = asked.rows()
    return _without(asked, FixName.DROP_ROWS, rows, f"{int(rows.sum()):,} open rows dropped")


def _deduplicate(asked: Asked) -> Change:
    """Of equal open rows with equal labels one is kept."""
    data = asked.dataset
    keys = pl.DataFrame({"twin": data.twin, "target": label_text(data.target), "open": asked.open})
    copies = (keys.select(pl.int_range(pl.len()).over("twin", "target", "open")).to_series() > 0).to_numpy()
    rows = copies & asked.open
    return _without(asked, FixName.DEDUPLICATE, rows, f"{int(rows.sum()):,} copies of open rows dropped")


def _repair(asked: Asked) -> Change:
    """The cells that cannot be true become missing."""
    rows = pl.Series(values=asked.rows())
    cells = asked.dataset.table[asked.column]
    table = asked.dataset.table.with_columns(cells.set(rows, None))
    touched = int(rows.sum())
    said = f"{touched:,} cells of {asked.column} made missing"
    return _versioned(asked, FixName.REPAIR, said, touched, table=table)


def _drop_column(asked: Asked) -> Change:
    column = asked.dataset.schema[asked.column]
    schema = asked.dataset.schema.replaced(replace(column, role=Role.IGNORED, why="left out by a fix"))
    if not schema.features:
        raise FixError(f"{asked.column} is the only column to learn from, so it cannot be dropped.")
    changed = replace(asked.dataset, schema=schema)
    return _versioned(
        replace(asked, dataset=changed), FixName.DROP_COLUMN, f"column {asked.column} left out", len(changed)
    )


def _regroup(asked: Asked) -> Change:
    """Rare levels become one, in the recipe too, so that serving reads them the same way."""
    name, data = asked.column, asked.dataset
    cells, column = data.table[name], data.schema[asked.column]
    counts = cells.gather(np.flatnonzero(asked.open)).drop_nulls().value_counts()
    rare = counts.filter(pl.col("count") < _RARE * len(data))[name].to_list()
    if len(rare) < 2:
        raise FixError(f"Column {name!r} has no two levels below {_RARE:.0%} of the rows to be merged.")
    spelling = dict(column.format.spelling) | {fold(level): MERGED for level in rare}
    merged = replace(column, format=replace(column.format, spelling=spelling))
    changed = replace(
        data,
        schema=data.schema.replaced(merged),
        table=data.table.with_columns(cells.replace(dict.fromkeys(rare, MERGED))),
    )
    said = f"{len(rare):,} rare levels of {name} merged into {MERGED!r}"
    touched = int(cells.is_in(rare).sum())
    return _versioned(replace(asked, dataset=changed), FixName.REGROUP, said, touched, details=sorted(rare))


def _class_weights(asked: Asked) -> Change:
    said = "every class weighs the same in training"
    return replace(_unchanged(asked, FixName.CLASS_WEIGHTS, said), loss="balanced")


def _resample(fix: FixName, said: str) -> Callable[[Asked], Change]:
    return lambda asked: replace(_unchanged(asked, fix, said), treatment=Treatment(fix))


def _in_slice(fix: FixName, said: str) -> Callable[[Asked], Change]:
    def change(asked: Asked) -> Change:
        query = asked.finding.where.query
        treatment = Treatment(fix, where=query, amount=_COPIES)
        return replace(_unchanged(asked, fix, f"{said} where {query}"), treatment=treatment)

    return change


def _regularise(asked: Asked) -> Change:
    said = "every learner regularised more strongly"
    return replace(_unchanged(asked, FixName.REGULARISE, said), calmer=True)


def _decide(fix: FixName, said: str) -> Callable[[Asked], Change]:
    return lambda asked: replace(_unchanged(asked, fix, said), decision=str(fix))


def _fair(asked: Asked) -> Change:
    said = f"trained towards equal rates over {asked.column}"
    treatment = Treatment(FixName.FAIR, column=asked.column)
    return replace(_unchanged(asked, FixName.FAIR, said), treatment=treatment)


def _monotone(asked: Asked) -> Change:
    """The direction is the one that the open rows show."""
    name, data = asked.column, asked.dataset
    target = data.target if data.target.dtype.is_numeric() else label_text(data.target).rank("dense")
    rows = np.flatnonzero(asked.open)
    pair = pl.DataFrame({"x": data.table[name].gather(rows), "y": target.gather(rows)}).drop_nulls()
    slope = pair.select(pl.corr("x", "y", method="spearman")).item()
    direction = 1 if (slope or 0.0) >= 0 else -1
    word = "rises" if direction > 0 else "falls"
    said = f"the prediction only ever {word} with {name}"
    return replace(_unchanged(asked, FixName.MONOTONE, said), monotone=(name, direction))


def _unchanged(asked: Asked, fix: FixName, said: str) -> Change:
    return Change(fix, said, asked.dataset, np.ones(len(asked.dataset), dtype=bool))


def _without(asked: Asked, fix: FixName, rows: np.ndarray, said: str) -> Change:
    if not rows.any():
        raise FixError(f"{asked.finding.id} points at no open row that could be dropped.")
    details = sorted(asked.dataset.example.gather(np.flatnonzero(rows)).to_list())
    left = replace(asked, dataset=asked.dataset.take(~rows))
    return replace(_versioned(left, fix, said, int(rows.sum()), details=details), kept=~rows)


def _versioned(
    asked: Asked,
    fix: FixName,
    said: str,
    touched: int,
    *,
    table: pl.DataFrame | None = None,
    details: object = None,
) -> Change:
    """The new version of the rows; its lineage names the finding that it answers."""
    data = asked.dataset
    step = Step(f"fix: {fix}", asked.column, touched, f"answers {asked.finding.id}: {said}")
    where = asked.finding.where
    changed = replace(
        data,
        table=data.table if table is None else table,
        lineage=(*data.lineage, step),
        content=fingerprint([data.content, fix, where.query, where.column, details]),
    )
    return Change(fix, said, changed, np.ones(len(data), dtype=bool))


def _collect(asked: Asked) -> Change:
    raise FixError(
        f"Collecting rows trains nothing. Write what to label next: "
        f"holdfast fix {asked.finding.id} --with collect -o rows.csv"
    )


_CHANGES: Mapping[FixName, Callable[[Asked], Change]] = {
    FixName.RELABEL: _relabel,
    FixName.DROP_ROWS: _drop_rows,
    FixName.REPAIR: _repair,
    FixName.DEDUPLICATE: _deduplicate,
    FixName.DROP_COLUMN: _drop_column,
    FixName.REGROUP: _regroup,
    FixName.CLASS_WEIGHTS: _class_weights,
    FixName.OVERSAMPLE: _resample(FixName.OVERSAMPLE, "rows of the rarer classes repeated in training"),
    FixName.UNDERSAMPLE: _resample(FixName.UNDERSAMPLE, "rows of the commoner classes left out of training"),
    FixName.SMOTE: _resample(FixName.SMOTE, "synthetic rows of the rarer classes added in training"),
    FixName.AUGMENT: _in_slice(FixName.AUGMENT, f"{_COPIES:.0f} synthetic rows trained on for each"),
    FixName.CONTINUE: _in_slice(FixName.CONTINUE, "trained on, with replay of the rest,"),
    FixName.REGULARISE: _regularise,
    FixName.RECALIBRATE: _decide(FixName.RECALIBRATE, "the probabilities tempered anew"),
    FixName.THRESHOLD: _decide(FixName.THRESHOLD, "the decision threshold chosen anew"),
    FixName.FAIR: _fair,
    FixName.MONOTONE: _monotone,
    FixName.COLLECT: _collect,
}
