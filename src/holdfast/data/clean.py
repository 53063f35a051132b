"""From raw columns to typed ones, with every change counted and named."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from holdfast.core.cells import BLANKS, parse_series
from holdfast.core.dataset import Step
from holdfast.core.schema import Column, Kind
from holdfast.data.coded import coded, is_coded, levels_in
from holdfast.data.spill import kept
from holdfast.errors import some

# The steps that merge spellings of one category, and that take infinities for empty cells.
SPELLING, INFINITE = "spelling", "infinite to missing"
_INFINITY = r"(?i)^[+-]?inf(?:inity)?$"
_NOT_A = {Kind.NUMBER: "number", Kind.DATE: "date", Kind.BOOLEAN: "yes or no"}


def clean(table: pl.DataFrame, columns: Sequence[Column]) -> tuple[pl.DataFrame, tuple[Step, ...]]:
    """Each raw column read as its Column says, and the steps that changed cells, in order.

    The steps: "infinite to missing", "missing-value words", "not a number" (date, yes or
    no) "to missing", "white space", "spelling".
    """
    # Text that differs first: it takes longest, and no thread should wait for it at the end.
    texts_first = sorted(columns, key=lambda column: table[column.name].dtype != pl.String)
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # polars lets other threads run meanwhile
        done = list(pool.map(lambda column: _cleaned(table[column.name], column), texts_first))
    found = {cells.name: (cells, steps) for cells, steps in done}
    typed = pl.DataFrame([found[column.name][0] for column in columns])
    return typed, tuple(step for column in columns for step in found[column.name][1])


def _cleaned(raw: pl.Series, column: Column) -> tuple[pl.Series, list[Step]]:
    cells, steps = clean_column(raw, column)
    return cells if cells is raw else kept(cells), steps


def clean_column(raw: pl.Series, column: Column) -> tuple[pl.Series, list[Step]]:
    """One raw column, typed, and the steps it took."""
    if column.kind is Kind.NUMBER and raw.dtype == pl.Float64 and raw.is_finite().all():
        return raw, []
    raw = coded(raw)
    if is_coded(raw):
        levels, places = levels_in(raw)
        typed = parse_series(levels, column)
        count = pl.Series("count", np.bincount(places, minlength=len(levels)))
        counted = pl.DataFrame([levels.alias("raw"), typed.alias("typed"), count])
        return typed.gather(raw.to_physical()), _steps(counted, column)
    if raw.dtype != pl.String:
        typed = parse_series(raw, column)
        lost = int((raw.is_not_null() & typed.is_null()).sum())
        if not lost:
            return typed, []
        infinite = int(raw.is_infinite().sum() or 0) if raw.dtype.is_float() else 0
        steps = [Step(INFINITE, column.name, infinite)] if infinite else []
        if lost > infinite:
            steps.append(
                Step(f"not a {_NOT_A.get(column.kind, column.kind)} to missing", column.name, lost - infinite)
            )
        return typed, steps
    typed = parse_series(raw, column)
    if column.kind is not Kind.CATEGORY and typed.null_count() == raw.null_count():
        return raw if column.kind is Kind.TEXT else typed, []
    cells = pl.DataFrame([raw.rename("raw"), typed.rename("typed")])
    return typed, _steps(cells.with_columns(count=pl.lit(1)), column)


def first_infinite(raw: pl.Series) -> int:
    """The row of the first infinite cell of a raw column that holds one, counted from 1."""
    if raw.dtype == pl.String or is_coded(raw):
        infinite = raw.cast(pl.String).str.strip_chars(BLANKS).str.contains(_INFINITY)
    else:
        infinite = raw.is_infinite()
    return int(infinite.fill_null(False).arg_true()[0]) + 1


def _steps(cells: pl.DataFrame, column: Column) -> list[Step]:
    """What happened between `raw` and `typed`, each pair `count` times."""
    lost = cells.filter(pl.col("raw").is_not_null() & pl.col("typed").is_null())
    steps = _losses(lost, column) if len(lost) else []
    if column.kind is not Kind.CATEGORY:
        return steps
    kept = cells.filter(pl.col("typed").is_not_null() & (pl.col("raw") != pl.col("typed")))
    if kept.is_empty():
        return steps
    trimmed = kept["raw"].str.strip_chars(BLANKS) == kept["typed"]
    named = {"white space": kept.filter(trimmed), SPELLING: kept.filter(~trimmed)}
    for name, changed in named.items():
        if len(changed):
            pairs = changed.unique(["raw", "typed"]).sort(["count", "raw"], descending=[True, False])
            shown = [
                f"{raw!r} to {typed!r}" for raw, typed in pairs.select("raw", "typed").head(3).iter_rows()
            ]
            steps.append(Step(name, column.name, int(changed["count"].sum()), ", ".join(shown)))
    return steps


def _losses(lost: pl.DataFrame, column: Column) -> list[Step]:
    """Cells that became missing, by reason: a word for it, an infinity, or nothing that can be read."""
    folded = lost["raw"].str.strip_chars(BLANKS).str.to_lowercase()
    word = (folded == "") | folded.is_in(list(column.format.missing))
    infinite = folded.str.contains(_INFINITY)
    what = _NOT_A.get(column.kind, str(column.kind))
    named = {
        "missing-value words": word & ~infinite,
        INFINITE: infinite,
        f"not a {what} to missing": ~word & ~infinite,
    }
    steps = []
    for name, mask in named.items():
        cells = lost.filter(mask)
        # An empty cell was missing before it was read.
        cells = cells.filter(pl.col("raw") != "")
        if len(cells):
            words = cells.sort(["count", "raw"], descending=[True, False])["raw"].unique(maintain_order=True)
            steps.append(Step(name, column.name, int(cells["count"].sum()), some(words.head(4).to_list())))
    return steps
