"""The fixes that change rows or columns: each makes a new version of the dataset.

A change never touches sealed rows' labels, and the rows that it drops are open ones:
what judges a fix is what judged the model before it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from holdfast.core.cells import fold
from holdfast.core.finding import FixName
from holdfast.core.labels import label_text
from holdfast.core.schema import Role
from holdfast.core.wording import count
from holdfast.debugging.changes import Asked, Change, versioned
from holdfast.errors import FixError, some

MERGED = "other"  # what rare levels become, unless a level has that name in another spelling
_RARE = 0.01  # of the open rows: levels below are merged
_MINORITY = 0.5  # of a set of twins: labels that fewer have are those in the minority


def relabel(asked: Asked) -> Change:
    """Reviewed labels in place of those that were given, on open rows only."""
    if asked.labels is None:
        raise FixError(
            f"Labels are changed by a person's word only. Review them first: holdfast review labels "
            f"{asked.finding.id}, and then: holdfast fix {asked.finding.id} --with relabel"
        )
    data, ids = asked.dataset, list(asked.labels)
    if absent := sorted(set(ids) - set(data.example.to_list())):
        raise FixError(
            f"The reviewed list names {count(len(absent), 'row')} that the data lacks: {some(absent)}."
        )
    given, said = _texts(asked)
    known = pl.DataFrame({"example": pl.Series(ids, dtype=pl.String), "label": said})
    found = pl.DataFrame({"example": data.example}).join(known, "example", "left", maintain_order="left")
    label = found["label"]
    changed = label.is_not_null() & label.ne_missing(given) & pl.Series(values=asked.open)
    if not changed.any():
        raise FixError(
            "The review keeps every open row's label as it was given, so there is nothing to change."
        )
    name = data.schema.target.name
    mended = label.zip_with(changed, given)
    if data.target.dtype == pl.Boolean:
        mended = mended == "true"
    table = data.table.with_columns(mended.alias(name))
    touched = int(changed.sum())
    details = [list(pair) for pair in zip(data.example.filter(changed), label.filter(changed), strict=True)]
    why = f"{count(touched, 'label')} of {name} changed as reviewed"
    return versioned(asked, FixName.RELABEL, why, touched, table=table, details=details)


def _texts(asked: Asked) -> tuple[pl.Series, pl.Series]:
    """The given labels of all rows and the reviewed ones, as the target's own type; text for classes."""
    assert asked.labels is not None  # `relabel` has looked
    target, said = asked.dataset.target, [str(label) for label in asked.labels.values()]
    if target.dtype.is_numeric():
        values = pl.Series(said, dtype=pl.String).cast(target.dtype, strict=False)
        wrong = values.is_null() | values.cast(pl.Float64).is_finite().not_().fill_null(True)
        if wrong.any():
            strange = pl.Series(said, dtype=pl.String).filter(wrong).unique(maintain_order=True).to_list()
            raise FixError(f"The reviewed list has labels that are no numbers: {some(strange)}.")
        return target, values
    given, labels = label_text(target), label_text(pl.Series(said, dtype=pl.String))
    classes = set(given.drop_nulls().unique().to_list())
    if strange := sorted(set(labels.to_list()) - classes):
        raise FixError(f"The reviewed list has labels that the data lacks: {some(strange)}.")
    return given, labels


def drop_rows(asked: Asked) -> Change:
    """Without the open rows that the finding points at; of conflicting labels those in the minority."""
    rows = asked.rows()
    if asked.finding.kind == "conflicting labels":
        outvoted = [one.example for one in asked.finding.where.examples if one.score < _MINORITY]
        rows &= asked.dataset.example.is_in(outvoted).to_numpy()
    return _without(asked, FixName.DROP_ROWS, rows, f"{count(int(rows.sum()), 'open row')} dropped")


def deduplicate(asked: Asked) -> Change:
    """Of equal open rows with equal labels one is kept."""
    data = asked.dataset
    keys = pl.DataFrame({"twin": data.twin, "target": label_text(data.target), "open": asked.open})
    copies = (keys.select(pl.int_range(pl.len()).over("twin", "target", "open")).to_series() > 0).to_numpy()
    rows = copies & asked.open
    return _without(
        asked, FixName.DEDUPLICATE, rows, f"{count(int(rows.sum()), 'open row')} dropped that repeat others"
    )


def repair(asked: Asked) -> Change:
    """The open cells that cannot be true become missing."""
    cells = asked.dataset.table[asked.column]
    rows = pl.Series(values=asked.rows()) & cells.is_not_null()
    if not rows.any():
        raise FixError(f"{asked.finding.id} points at no open cell of {asked.column} that could be emptied.")
    table = asked.dataset.table.with_columns(cells.set(rows, None))
    touched = int(rows.sum())
    said = f"{count(touched, 'cell')} of {asked.column} made missing"
    return versioned(asked, FixName.REPAIR, said, touched, table=table)


def drop_column(asked: Asked) -> Change:
    """No model looks at the column any more; it stays in the table."""
    column = asked.dataset.schema[asked.column]
    schema = asked.dataset.schema.replaced(replace(column, role=Role.IGNORED, why="left out by a fix"))
    if not schema.features:
        raise FixError(f"{asked.column} is the only column to learn from, so it cannot be dropped.")
    changed = replace(asked, dataset=replace(asked.dataset, schema=schema))
    return versioned(changed, FixName.DROP_COLUMN, f"column {asked.column} left out", len(asked.dataset))


def regroup(asked: Asked) -> Change:
    """Rare levels become one, in the reading of raw cells too, so that serving sees them the same way."""
    name, data = asked.column, asked.dataset
    cells, column = data.table[name], data.schema[asked.column]
    counts = cells.filter(pl.Series(values=asked.open)).drop_nulls().value_counts()
    rare = sorted(counts.filter(pl.col("count") < _RARE * asked.open.sum())[name].to_list())
    if len(rare) < 2:
        raise FixError(f"Column {name!r} has no two levels below {_RARE:.0%} of the open rows to be merged.")
    merged = next((level for level in counts[name].sort() if fold(level) == MERGED), MERGED)
    before = column.format.spelling
    spelling = {form: merged if level in rare else level for form, level in before.items()}
    spelling |= {fold(level): merged for level in rare} | {MERGED: merged}
    schema = data.schema.replaced(replace(column, format=replace(column.format, spelling=spelling)))
    table = data.table.with_columns(cells.replace(dict.fromkeys(rare, merged)))
    touched = int(cells.is_in(rare).sum())
    changed = replace(asked, dataset=replace(data, schema=schema, table=table))
    said = f"{len(rare):,} rare levels of {name} merged into {merged!r}"
    return versioned(changed, FixName.REGROUP, said, touched, details=rare)


def _without(asked: Asked, fix: FixName, rows: np.ndarray, said: str) -> Change:
    if not rows.any():
        raise FixError(f"{asked.finding.id} points at no open row that could be dropped.")
    _enough_left(asked, asked.open & ~rows)
    details = sorted(asked.dataset.example.filter(pl.Series(values=rows)).to_list())
    left = replace(asked, dataset=asked.dataset.take(~rows))
    return replace(versioned(left, fix, said, int(rows.sum()), details=details), kept=~rows)


def _enough_left(asked: Asked, left: np.ndarray) -> None:
    """FixError where no row of some class, or no row at all, is left to learn from."""
    target = label_text(asked.dataset.target.filter(pl.Series(values=left))).drop_nulls()
    gone = set(asked.classes) - set(target.unique().to_list())
    if gone or target.is_empty():
        what = f"rows of {some(sorted(gone))}" if gone else "rows to learn from"
        raise FixError(f"Without the rows that {asked.finding.id} points at there are no {what}.")
