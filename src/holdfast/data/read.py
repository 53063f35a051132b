"""Any table that a person has, as a Dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import polars as pl

from holdfast.core.cells import fold
from holdfast.core.dataset import Dataset, Step
from holdfast.core.schema import Kind, Role, Schema
from holdfast.core.task import Task
from holdfast.data.checks import check
from holdfast.data.clean import INFINITE, clean, first_infinite
from holdfast.data.coded import coded_texts
from holdfast.data.identity import Identity, identify_as
from holdfast.data.infer import infer
from holdfast.data.load import Loaded, Source, load
from holdfast.data.roles import Overrides, assign
from holdfast.data.spill import roomy
from holdfast.data.target import check_target, target_column
from holdfast.errors import ColumnError


def read(
    source: Source,
    *,
    target: str | None = None,
    id: str | None = None,  # noqa: A002 - the word that users know
    group: str | None = None,
    time: str | None = None,
    weight: str | None = None,
    sensitive: Sequence[str] = (),
    ignore: Sequence[str] = (),
    kinds: Mapping[str, Kind | str] | None = None,
    task: Task | str | None = None,
) -> Dataset:
    """Read a table: find its format, infer what each column is, clean it, and name its rows.

    `source` is a path (CSV, TSV, JSON, JSON lines, Parquet, Arrow, Excel; plain, gzip or
    zstd), several paths with the same columns, a URL, or a polars, pandas or Arrow
    table. The other arguments name columns and override what would be inferred; `kinds`
    maps a column to "number", "boolean", "category", "date" or "text". Every Column of
    the Dataset's schema says why it is what it is; `lineage` lists what cleaning changed.
    No row is ever dropped.

    Raises FileError for what cannot be read, ColumnError for names that are absent or
    used twice and, where there is a target to learn, for infinite numbers; TargetError for
    a target that cannot be learned from.

    >>> table = pl.DataFrame({"age": ["41", "? ", "7", "9"], "churn": ["Yes", "no", "Yes", "No "]})
    >>> data = read(table, target="churn")
    >>> data.table["age"].to_list(), data.target.to_list(), data.schema.task
    ([41.0, None, 7.0, 9.0], ['Yes', 'No', 'Yes', 'No'], <Task.CLASSIFICATION: 'classification'>)
    """
    chosen = {name: Kind(kind) for name, kind in (kinds or {}).items()}
    asked = Task(task) if task is not None else None
    return read_as(
        source, Overrides(target, id, group, time, weight, tuple(sensitive), tuple(ignore), chosen, asked)
    )


def read_as(source: Source, overrides: Overrides) -> Dataset:
    """`read` with what the user says as one value."""
    loaded = load(source, {fold(name) for name in overrides.texts})
    loaded = replace(loaded, table=coded_texts(loaded.table))
    table, schema, identity, steps = _typed(loaded, overrides)
    name, read_steps = loaded.name, loaded.steps
    del loaded  # the raw cells take more memory than all that follows
    if overrides.weight is not None:
        _check_weight(table[overrides.weight])
    dataset = Dataset(
        table,
        schema,
        identity.example,
        identity.twin,
        lineage=(*read_steps, *_repeated_ids(identity.example, overrides.id), *steps),
        source=name,
        content=identity.content,
        key=identity.key,
    )
    if overrides.target is None:
        return dataset
    check_target(dataset)
    _check_features(table, [column.name for column in schema.features])
    return replace(dataset, checks=check(dataset))


def _typed(loaded: Loaded, overrides: Overrides) -> tuple[pl.DataFrame, Schema, Identity, tuple[Step, ...]]:
    """The cleaned table with its schema, the names of its rows, and what cleaning changed."""
    raw = loaded.table
    overrides.check(tuple(raw.columns))
    schema = _schema(raw, overrides)
    if overrides.target is not None and not schema.features:
        raise ColumnError(
            f"{loaded.name} has no column to learn from beside the target {overrides.target!r}: its columns "
            f"are {raw.columns}. Check the separator, or give a table with features."
        )
    with ThreadPoolExecutor(1) as beside:  # what either does alone, the other one's threads work through
        naming = beside.submit(identify_as, schema, raw, overrides.key)
        if not roomy(raw):
            wait([naming])
        table, steps = clean(raw, schema.columns)
        identity = naming.result()
    if overrides.target is not None:
        _refuse_infinite(loaded, schema, steps)
    return table, schema, identity, steps


def _schema(raw: pl.DataFrame, overrides: Overrides) -> Schema:
    kinds = dict(overrides.kinds)
    if overrides.time is not None:
        kinds.setdefault(overrides.time, _time_kind(raw.select(overrides.time)))
    if overrides.weight is not None:
        kinds.setdefault(overrides.weight, Kind.NUMBER)
    guesses = infer(raw, kinds)
    schema = Schema(assign(guesses, overrides))
    if (name := overrides.target) is not None:
        said = name in overrides.kinds
        schema = schema.replaced(target_column(raw[name], guesses[name], overrides.task, said=said))
    return schema


def _repeated_ids(example: pl.Series, said: str | None) -> list[Step]:
    """The step that made the user's ids unique, if they were not."""
    copies = int(example.str.contains("#[0-9]+$").sum()) if said is not None else 0
    detail = "a copy number was added; if these are rows of one thing, say group= instead"
    return [Step("ids repeated", said, copies, detail)] if said and copies else []


def _time_kind(cells: pl.DataFrame) -> Kind:
    """A time is a date, or a number that counts up."""
    (guess,) = infer(cells).values()
    return Kind.NUMBER if guess.kind is Kind.NUMBER else Kind.DATE


def _check_features(table: pl.DataFrame, features: Sequence[str]) -> None:
    if all(_constant(table[name]) for name in features):
        raise ColumnError(
            f"Every feature is constant, e.g. {features[0]!r}: there is nothing to learn from. Check that "
            "the file was divided into the right columns."
        )


def _refuse_infinite(loaded: Loaded, schema: Schema, steps: Sequence[Step]) -> None:
    for step in steps:
        role = schema[step.column].role
        if step.name == INFINITE and role is not Role.IGNORED:
            row = first_infinite(loaded.table[step.column])
            raise ColumnError.infinite(
                loaded.name, step.column, step.touched, row, target=role is Role.TARGET
            )


def _constant(cells: pl.Series) -> bool:
    known = cells.drop_nulls()
    return known.is_empty() or (known.len() == cells.len() and bool((known == known[0]).all()))


def _check_weight(weight: pl.Series) -> None:
    empty, negative = weight.null_count(), int((weight < 0).sum() or 0)
    if empty or negative:
        raise ColumnError(
            f"Weights must be known and not negative, but column {weight.name!r} has {empty:,} empty and "
            f"{negative:,} negative cells. Fill them, or leave the weights out."
        )
