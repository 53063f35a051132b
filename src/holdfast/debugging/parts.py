"""One column cut into parts that a person can read: `plan = 'Basic'`, `tenure < 6`, `age is missing`.

Numbers, dates and the lengths of texts are cut at quantiles, moved to the roundest value close
by. Targets are never looked at, so the cuts may be made on all rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from holdfast.core.query import Constant, Query, Term
from holdfast.core.schema import Column, Kind

_BANDS = 10
_LEVELS = 100  # of a category at most, the most frequent
_LISTED = 5  # so many levels can be read in `not in (...)`
# A cut may move by this part of a band to become a round number.
_PLAY = 0.4

Terms = tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of one column; no row is in two. Part j is `terms[j]`.

    `code` is each row's part, int of shape (n,), -1 for none. With `edges` the parts 0 to
    len(edges) are ranges in order, each from one edge to the next, of cells or (`length`) of
    their lengths.
    """

    column: str
    terms: tuple[Terms, ...]
    code: np.ndarray
    edges: tuple[Constant, ...] = ()
    length: bool = False

    @property
    def queries(self) -> tuple[Query, ...]:
        """Each part as a query."""
        return tuple(map(Query, self.terms))

    @property
    def names(self) -> tuple[str, ...]:
        """A level by itself, any other part as the query that gives it."""
        return tuple(map(_named, self.terms))

    @property
    def ranges(self) -> int:
        """How many parts are ranges in order: 0 where there are no edges."""
        return len(self.edges) + 1 if self.edges else 0

    def between(self, first: int, last: int) -> Terms:
        """The terms that are met by the rows of parts `first` to `last`."""
        if first == last:
            return self.terms[first]
        return _range(self.column, self.edges[:first][-1:], self.edges[last:][:1], length=self.length)


def parts_of(cells: pl.Series, column: Column, *, bands: int = _BANDS, fewest: int = 1) -> Parts:
    """The parts that at least `fewest` rows are in: levels, about `bands` ranges, missing cells.

    Of a category the 100 most frequent levels, and where those are at most five, all others
    as one more part. A number that is very common is a part by itself.

    >>> age = pl.Series("age", [20.0, 25.0, None, 40.0, 50.0])
    >>> parts = parts_of(age, Column("age", Kind.NUMBER), bands=2)
    >>> [str(query) for query in parts.queries], parts.code.tolist()
    (['age < 40', 'age >= 40', 'age is missing'], [0, 0, 2, 1, 1])
    """
    present = cells.drop_nulls()
    edges: tuple[Constant, ...] = ()
    if column.kind is Kind.CATEGORY:
        terms = _levels(column.name, present, fewest)
    elif column.kind is Kind.BOOLEAN:
        counts = {value: int((present == value).sum()) for value in (False, True)}
        terms = tuple((Term(column.name, "=", (value,)),) for value, rows in counts.items() if rows >= fewest)
    else:
        terms, edges = _ranges(column, present, bands, fewest)
    if len(cells) - len(present) >= max(fewest, 1):
        # A column whose values all lie in one range may still tell rows apart by having one.
        filled = not terms and len(present) >= fewest
        signs = ("is not missing", "is missing") if filled else ("is missing",)
        terms = (*terms, *((Term(column.name, sign),) for sign in signs))
    table, code = cells.alias(column.name).to_frame(), np.full(len(cells), -1)
    for part, each in enumerate(terms):
        code[Query(each).mask(table)] = part
    return Parts(column.name, terms, code, edges, column.kind is Kind.TEXT)


def _levels(name: str, present: pl.Series, fewest: int) -> tuple[Terms, ...]:
    counts = present.rename("level").value_counts(name="rows").filter(pl.col("rows") >= fewest)
    kept = counts.sort(["rows", "level"], descending=[True, False]).head(_LEVELS)
    names = kept["level"].to_list()
    levels = [(Term(name, "=", (level,)),) for level in names]
    if 0 < len(names) <= _LISTED and len(present) - kept["rows"].sum() >= max(fewest, 1):
        rest = Term(name, "not in", tuple(names)) if len(names) > 1 else Term(name, "!=", (names[0],))
        levels.append((rest,))
    return tuple(levels)


def _ranges(
    column: Column, present: pl.Series, bands: int, fewest: int
) -> tuple[tuple[Terms, ...], tuple[Constant, ...]]:
    """Ranges in order, and the edges between them; none of either where there is nothing to cut."""
    length, dates = column.kind is Kind.TEXT, column.kind is Kind.DATE
    cells = (present.str.len_chars().cast(pl.Float64) if length else present).sort().to_numpy()
    finite = cells if dates else cells[np.isfinite(cells)]
    edges = _edges(finite, bands, max(fewest, 1), _roundest_date if dates else _roundest)
    if not edges:
        return (), ()
    constants: list[Constant] = [str(edge).replace("T", " ") if dates else float(edge) for edge in edges]
    cuts = [0, *(int(np.searchsorted(cells, edge)) for edge in edges), len(cells)]
    terms: list[Terms] = []
    for k in range(len(edges) + 1):
        least, most = cells[cuts[k]], cells[cuts[k + 1] - 1]
        if least == most and not dates:
            terms.append((Term(column.name, "=", (float(least),), length),))
        else:
            terms.append(_range(column.name, constants[:k][-1:], constants[k:][:1], length=length))
    return tuple(terms), tuple(constants)


def _range(name: str, low: Sequence[Constant], high: Sequence[Constant], *, length: bool) -> Terms:
    """From an edge to before another, each a list of one, or of none where the range is open."""
    above = [Term(name, ">=", (edge,), length) for edge in low]
    below = [Term(name, "<", (edge,), length) for edge in high]
    return (*above, *below)


def _edges(cells: np.ndarray, bands: int, fewest: int, roundest: Callable[[Any, Any], Any]) -> list[Any]:
    """Where to cut sorted cells into about so many parts, none of fewer than `fewest` rows."""
    n, wanted = len(cells), set()
    for cut in range(1, bands) if n >= 2 * fewest else ():
        low, high = (cells[int((cut + play) * n / bands)] for play in (-_PLAY, _PLAY))
        if low < high:
            wanted.add(roundest(low, high))
        else:  # so common a value gets a part of its own
            begin, end = (int(np.searchsorted(cells, low, side)) for side in ("left", "right"))
            wanted |= {roundest(cells[k - 1], cells[k]) for k in (begin, end) if 0 < k < n}
    edges, start = [], 0
    for edge in sorted(wanted):
        place = int(np.searchsorted(cells, edge))
        if place - start >= fewest and n - place >= fewest:
            edges.append(edge)
            start = place
    return edges


def _roundest(low: float, high: float) -> float:
    """The roundest number above `low` and not above `high`.

    >>> _roundest(11.2, 13.9), _roundest(-3.0, 0.5), _roundest(0.0371, 0.0374)
    (12.0, 0.0, 0.0374)
    """
    if low < 0 <= high:
        return 0.0
    # Below 17 digits or 1e-300 a float has no rounder neighbour.
    largest = math.floor(math.log10(max(abs(low), abs(high)))) + 1
    for power in range(largest, max(largest - 17, -300), -1):
        for lead in (5, 2, 1):
            multiple = math.floor(high / float(f"{lead}e{power}") + 1e-9)
            value = float(f"{lead * multiple}e{power}")
            if low < value <= high:
                return value
    return float(high)


def _roundest_date(low: np.datetime64, high: np.datetime64) -> np.datetime64:
    """The beginning of a year, else of a month, a day, ... above `low` and not above `high`.

    >>> str(_roundest_date(np.datetime64("2024-01-20T10:00"), np.datetime64("2024-03-05T11:30")))
    '2024-03-01'
    """
    edge = high
    for unit in ("Y", "M", "D", "h", "m", "s"):
        edge = high.astype(f"datetime64[{unit}]")
        if edge > low:
            break
    whole = unit in ("Y", "M", "D")
    rounded: np.datetime64 = edge.astype("datetime64[D]" if whole else "datetime64[s]")
    return rounded


def _named(terms: Terms) -> str:
    (term, *more) = terms
    if more or term.length or term.sign != "=":
        return "missing" if term.sign == "is missing" else str(Query(terms))
    (level,) = term.constants
    if isinstance(level, bool):
        return str(level).lower()
    return f"{level:.15g}" if isinstance(level, float) else level
