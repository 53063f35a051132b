"""The parts that one column alone cuts a table into: its levels, bands of its numbers, its gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.labels import codes_of
from holdfast.core.query import Constant, Query, Term
from holdfast.core.schema import Column, Kind

_MOST = 50  # levels of a category that are looked at, the most frequent ones
_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """`queries` are the parts of a column; `code` is each row's, int64 of shape (n,).

    A code of -1 is a row in no part: of a level too rare to look at.
    """

    column: str
    queries: tuple[Query, ...]
    code: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """A level by itself, a band as the query that gives it."""
        return tuple(map(_named, self.queries))


def parts_of(cells: pl.Series, column: Column, *, bands: int = 10, fewest: int = 1) -> Parts:
    """Levels of a category, bands of about equally many numbers or dates, and missing cells.

    Parts of fewer than `fewest` rows are left out. A text has only the parts missing and not.
    The cuts know nothing of targets, so they may be made on all rows.

    >>> age = pl.Series("age", [20.0, 25.0, None, 40.0, 50.0])
    >>> parts = parts_of(age, Column("age", Kind.NUMBER), bands=2)
    >>> [str(query) for query in parts.queries], parts.code.tolist()
    (['age < 40', 'age >= 40', 'age is missing'], [0, 0, 2, 1, 1])
    """
    if column.kind in (Kind.NUMBER, Kind.DATE):
        queries, code = _bands(cells, column, bands)
    elif column.kind is Kind.TEXT:
        queries, code = [Query((Term(column.name, "is not missing"),))], np.zeros(len(cells), np.int64)
    else:
        queries, code = _levels(cells, column)
    missing = cells.is_null().to_numpy()
    if missing.any():
        code = np.where(missing, len(queries), code)
        queries = [*queries, Query((Term(column.name, "is missing"),))]
    rows = np.bincount(code[code >= 0], minlength=len(queries))
    kept = np.flatnonzero(rows >= max(fewest, 1))
    place = np.full(len(queries) + 1, -1)
    place[kept] = np.arange(len(kept))
    return Parts(column.name, tuple(queries[k] for k in kept), place[code])


def level_codes(cells: pl.Series) -> np.ndarray:
    """Each row's level as 1, 2, ... in no order, 0 for a missing cell: int64 of shape (n,)."""
    if cells.dtype == pl.String:
        levels = cells.drop_nulls().unique()
        code = cells.cast(pl.Enum(levels)).to_physical().cast(pl.Int64) + 1
    else:
        code = cells.rank("dense").cast(pl.Int64)
    return np.asarray(code.fill_null(0).to_numpy())


def _levels(cells: pl.Series, column: Column) -> tuple[list[Query], np.ndarray]:
    counts = (
        cells.drop_nulls().alias("level").value_counts().sort(["count", "level"], descending=[True, False])
    )
    levels = counts["level"].head(_MOST).to_list()
    queries = [Query((Term(column.name, "=", (level,)),)) for level in levels]
    spelled = [str(level).lower() if isinstance(level, bool) else level for level in levels]
    return queries, codes_of(cells.cast(pl.String), spelled)


def _bands(cells: pl.Series, column: Column, bands: int) -> tuple[list[Query], np.ndarray]:
    dated = column.kind is Kind.DATE
    numbers = (cells.cast(pl.Int64) if dated else cells).cast(pl.Float64).to_numpy()
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return [Query((Term(column.name, "is not missing"),))], np.zeros(len(numbers), np.int64)
    edges = np.quantile(known, np.linspace(0, 1, bands + 1)[1:-1], method="higher")
    edges = np.unique(np.floor(edges / _DAY) * _DAY if dated else _readable(edges, known))
    edges = edges[(edges > known.min()) & (edges <= known.max())]
    code = np.searchsorted(edges, numbers, side="right").astype(np.int64)
    texts: list[Constant] = [_day(edge) if dated else float(edge) for edge in edges]
    queries = []
    for k, (low, high) in enumerate(zip([None, *texts], [*texts, None], strict=True)):
        band = known[code[~np.isnan(numbers)] == k]
        terms = [Term(column.name, ">=", (low,))] if low is not None else []
        terms += [Term(column.name, "<", (high,))] if high is not None else []
        if not dated and band.min(initial=np.inf) == band.max(initial=-np.inf):
            terms = [Term(column.name, "=", (float(band[0]),))]
        queries.append(Query(tuple(terms or [Term(column.name, "is not missing")])))
    return queries, code


def _readable(edges: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Edges with three digits of the numbers' middle spread, which a person can read and remember."""
    low, high = np.quantile(known, [0.05, 0.95])
    if not high > low:
        return edges
    return np.asarray(np.round(edges, 2 - math.floor(math.log10(high - low))))


def _day(edge: float) -> str:
    return str(np.datetime64(int(edge), "us").astype("datetime64[D]"))


def _named(query: Query) -> str:
    (term, *more) = query.terms
    if more or term.sign != "=":
        return "missing" if term.sign == "is missing" else str(query)
    (level,) = term.constants
    if isinstance(level, bool):
        return str(level).lower()
    return f"{level:.15g}" if isinstance(level, float) else level
