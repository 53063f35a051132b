"""Read new rows as a known schema: to predict them, or to judge a model on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import polars as pl

from holdfast.core.cells import fold
from holdfast.core.conformity import Conformity
from holdfast.core.dataset import Dataset, Step
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.data.clean import INFINITE, clean_column
from holdfast.data.coded import is_coded
from holdfast.data.identity import identify_as
from holdfast.data.load import Source, load
from holdfast.data.words import levels_of
from holdfast.errors import ColumnError, some

LABELS = "labels matched"


def conform(
    source: Source,
    schema: Schema,
    *,
    levels: Mapping[str, Collection[str]] | None = None,
    key: Collection[str] = (),
) -> tuple[Dataset, Conformity]:
    """The rows of any table, in their order, with exactly the columns of `schema`.

    Columns are matched by name: exactly, else trimmed and without regard to case where
    only one fits. Features that are missing become empty cells, a missing weight 1; the
    target may be missing. `levels` are the known levels per category (default: those of
    the schema's spellings); `key` are the columns that name the rows (default: the
    features). Class labels that differ from a known class in case or by a full stop at
    the end are that class, in a step named "labels matched".

    Raises ColumnError when not one feature is there, FileError as `load` does.
    """
    # The target is read as it was: what its column holds decides whether 1.0 and 1e0 are class 1.
    texts = {
        fold(c.name) for c in schema if c.kind in (Kind.CATEGORY, Kind.TEXT) and c.role is not Role.TARGET
    }
    loaded = load(source, texts)
    raw, renamed = _matched(loaded.table, schema, loaded.name)
    present = set(raw.columns)
    missing = tuple(column.name for column in schema.features if column.name not in present)
    extra = tuple(name for name in loaded.table.columns if name not in renamed)
    raw = _completed(raw, schema)
    typed, steps, unread = [], list(loaded.steps), {}
    for column in schema:
        cells, done = _conformed(raw[column.name], column)
        typed.append(cells)
        steps += done
        if lost := sum(
            step.touched for step in done if step.name == INFINITE or step.name.startswith("not a ")
        ):
            unread[column.name] = lost
    table = pl.DataFrame(typed)
    identity = identify_as(schema, raw, key)
    dataset = Dataset(
        table,
        schema,
        identity.example,
        identity.twin,
        lineage=tuple(steps),
        source=loaded.name,
        content=identity.content,
        key=identity.key,
    )
    given = {name: known for name, known in renamed.items() if name != known}
    unseen = _unseen(table, schema, levels or {})
    return dataset, Conformity(len(dataset), missing, extra, given, unseen, unread)


def _matched(table: pl.DataFrame, schema: Schema, name: str) -> tuple[pl.DataFrame, dict[str, str]]:
    """The table's columns that the schema knows, under the schema's names, and each one's name before."""
    known = set(schema.names)
    found = {given: given for given in table.columns if given in known}
    loose: dict[str, list[str]] = {}
    for given in table.columns:
        if given not in found:
            loose.setdefault(fold(given), []).append(given)
    for column in schema:
        candidates = loose.get(fold(column.name), ())
        if column.name not in found and len(candidates) == 1:
            found[candidates[0]] = column.name
    matched = set(found.values())
    if schema.features and not any(column.name in matched for column in schema.features):
        wanted = [column.name for column in schema.features]
        raise ColumnError(
            f"{name} has none of the features {some(wanted)}; its columns are {some(table.columns, 8)}. "
            "Check the separator and the line of names."
        )
    return table.select(pl.col(given).alias(name) for given, name in found.items()), found


def _completed(raw: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """With an empty column for each that the table lacks; every row weighs 1 when no weights are given."""
    present = set(raw.columns)
    lacking = [column for column in schema if column.name not in present]
    filled = {column.name: 1.0 if column.role is Role.WEIGHT else None for column in lacking}
    return raw.with_columns(pl.lit(value).alias(name) for name, value in filled.items())


def _conformed(raw: pl.Series, column: Column) -> tuple[pl.Series, list[Step]]:
    text = raw.dtype == pl.String or is_coded(raw)
    if column.role is not Role.TARGET or column.kind is not Kind.CATEGORY or not text:
        return clean_column(raw, column)
    known = column.format.spelling
    stopped = {fold(label): fold(label).rstrip(".") for label in levels_of(raw).filled["value"].to_list()}
    dotted = {given: known[bare] for given, bare in stopped.items() if given not in known and bare in known}
    form = replace(column.format, spelling={**known, **dotted})
    cells, steps = clean_column(raw, replace(column, format=form))
    return cells, [replace(step, name=LABELS) if step.name == "spelling" else step for step in steps]


def _unseen(table: pl.DataFrame, schema: Schema, levels: Mapping[str, Collection[str]]) -> dict[str, int]:
    counts = {}
    for column in schema.features:
        known = levels.get(column.name, column.format.spelling.values())
        if column.kind is Kind.CATEGORY and known:
            cells = table[column.name]
            strange = int((~cells.is_in(list(known))).sum() or 0)
            if strange:
                counts[column.name] = strange
    return counts
