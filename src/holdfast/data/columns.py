"""Features that teach a model nothing: empty, constant, equal to another, or names of rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from shlex import quote

import polars as pl

from holdfast.core.dataset import Check, Dataset
from holdfast.core.schema import Kind
from holdfast.data.hashing import hash_cells
from holdfast.data.words import about_distinct, all_whole, exactly_distinct
from holdfast.errors import some

_HEAVY = 0.5  # of a column's cells are missing
_NEAR_UNIQUE = 0.5  # levels per row
_LEAST = 50  # rows that say whether a column is unique by nature
_SEVERAL, _SURELY_LESS = 10, 0.4  # between these, about how many cells differ is enough to know
_SAMPLE = 10_000  # rows that show whether two columns may be equal


@dataclass(frozen=True, slots=True)
class _Cells:
    """Of one feature: its kind, (about) how many values differ, and cells that are there and that are not."""

    name: str
    kind: Kind
    levels: int
    present: int
    missing: int


def column_checks(dataset: Dataset) -> list[Check]:
    """One note per kind of fact, however many columns it holds for."""
    columns = dataset.schema.features
    # Column by column: a whole table's pieces would first be joined, all rows of them.
    table = pl.DataFrame([dataset.table[column.name] for column in columns])
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # polars lets other threads run meanwhile
        cells = list(pool.map(_counted, table.get_columns(), [column.kind for column in columns]))
    return [
        *_constant(cells),
        *_counters(table, cells),
        *_near_unique(cells),
        *_heavy(cells),
        *_equal(table, cells),
    ]


def _counted(cells: pl.Series, kind: Kind) -> _Cells:
    missing = cells.null_count()
    return _Cells(cells.name, kind, _levels(cells, len(cells) - missing), len(cells) - missing, missing)


def _levels(cells: pl.Series, known: int) -> int:
    """How many known cells differ: exactly where that may be none, one, half or all, else about.

    Of numbers that neither are one nor count the rows, it is only how many of the first differ.
    """
    if cells.dtype == pl.Float64:
        first = cells.head(_SAMPLE).drop_nulls()
        differ = first.n_unique()
        if differ > 1 and (differ < len(first) or not all_whole(cells)):
            return differ
    about = about_distinct(cells)
    return about if _SEVERAL < about < _SURELY_LESS * known else exactly_distinct(cells, about)


def _note(kind: str, names: list[str], message: str) -> list[Check]:
    return [Check(kind, "note", names[0] if len(names) == 1 else "", message)] if names else []


def _constant(cells: list[_Cells]) -> list[Check]:
    empty = [cell.name for cell in cells if cell.levels == 0]
    # One value or nothing is not constant: whether the cell is there may say something.
    same = [cell.name for cell in cells if cell.levels == 1 and not cell.missing]
    return [
        *_note("constant", empty, f"No model can use an empty column: {some(empty)}."),
        *_note("constant", same, f"No model can use a column that never changes: {some(same)}."),
    ]


def _counters(table: pl.DataFrame, cells: list[_Cells]) -> list[Check]:
    """Columns of whole numbers that differ in every row and leave few out, as row numbers do."""
    unique = [c for c in cells if c.kind is Kind.NUMBER and c.levels == c.present >= _LEAST]
    if not unique:
        return []
    numbers = table.select(cell.name for cell in unique)
    spread = numbers.select(pl.all().max() - pl.all().min()).row(0)
    whole = numbers.select((pl.all() == pl.all().round()).all()).row(0)
    return [
        Check(
            "id-like",
            "warning",
            cell.name,
            f"{cell.name} numbers the rows: {cell.levels:,} different whole numbers without large gaps. As a "
            f"feature it can only be learned by heart: make it the id (--id {quote(cell.name)}) or leave "
            f"it out (--ignore {quote(cell.name)}).",
            cell.present,
        )
        for cell, width, is_whole in zip(unique, spread, whole, strict=True)
        if is_whole and width < 1.5 * cell.present
    ]


def _near_unique(cells: list[_Cells]) -> list[Check]:
    names = [
        cell.name
        for cell in cells
        if cell.kind is Kind.CATEGORY and cell.levels > _NEAR_UNIQUE * cell.present and cell.present >= _LEAST
    ]
    message = (
        f"Most levels are seen only once, which teaches little, in {some(names)}. If that is an id, say so "
        "(--id, --group); else leave it out (--ignore) or make its levels coarser."
    )
    return _note("id-like", names, message)


def _heavy(cells: list[_Cells]) -> list[Check]:
    heavy = [cell for cell in cells if cell.levels and cell.missing >= _HEAVY * (cell.present + cell.missing)]
    heavy.sort(key=lambda cell: cell.present)
    names = [cell.name for cell in heavy]
    shares = ", ".join(f"{cell.missing / (cell.present + cell.missing):.0%}" for cell in heavy[:3])
    return _note("missing", names, f"At least half of the cells are missing in {some(names)} ({shares}).")


def _equal(table: pl.DataFrame, cells: list[_Cells]) -> list[Check]:
    sample = table.head(_SAMPLE)
    first: dict[bytes, str] = {}
    equal: dict[str, str] = {}
    for name in (cell.name for cell in cells if cell.levels > 1):
        column = sample[name]
        known = hash_cells(column) if column.dtype == pl.String else column.to_numpy()
        other = first.setdefault(blake2b(known.tobytes(), digest_size=16).digest(), name)
        if other != name and table[name].equals(table[other], check_dtypes=True, null_equal=True):
            equal[name] = other
    copied = some(dict.fromkeys(equal.values()))
    message = f"Of equal columns one is enough: leave out {some(equal)} (--ignore), which repeats {copied}."
    return _note("redundant", list(equal), message)
