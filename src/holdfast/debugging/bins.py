"""From the columns of a dataset to predicates that a person can read: `tenure < 6`, `plan = 'Basic'`.

Numbers, dates and the lengths of texts are cut at quantiles, moved to the roundest value
close by. Targets are never looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.query import Constant, Query, Term
from holdfast.core.schema import Column, Kind

_BINS = 10
_GROUPS = 4  # of neighbouring bins
_LEVELS = 100  # of a category at most, the most frequent
_LISTED = 5  # so many levels can be read in `not in (...)`
# A cut may move by this part of a bin to become a round number.
_PLAY = 0.4

Terms = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The levels `first` to `last` of one column; more than one only of ranges, which have an order."""

    column: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Bins:
    """The predicates of one column; no row meets two. Level j is `levels[j]`.

    With `edges` the levels 0 to len(edges) are ranges in order, each from one edge to the
    next, of cells or (`length`) of their lengths.
    """

    column: str
    levels: tuple[Terms, ...] = ()
    edges: tuple[Constant, ...] = ()
    length: bool = False

    def between(self, first: int, last: int) -> Terms:
        """The terms that are met by the rows of levels `first` to `last`."""
        return self.levels[first] if first == last else self.range(first, last)

    def range(self, first: int, last: int) -> Terms:
        """From the edge before range `first` to the one behind range `last`."""
        low = [Term(self.column, ">=", (edge,), self.length) for edge in self.edges[:first][-1:]]
        high = [Term(self.column, "<", (edge,), self.length) for edge in self.edges[last:][:1]]
        return (*low, *high)


@dataclass(frozen=True, slots=True, eq=False)
class Predicates:
    """The bins of m columns, and each row's level of each: int16 of shape (n, m), -1 for none."""

    bins: tuple[Bins, ...]
    codes: np.ndarray

    def __len__(self) -> int:
        """How many parts there are: levels, and ranges of more than one in order."""
        wider = (len(one.edges) * (len(one.edges) + 1) // 2 for one in self.bins)
        return sum(len(one.levels) for one in self.bins) + sum(wider)

    def at(self, rows: np.ndarray) -> Predicates:
        """The same predicates of the rows of a mask."""
        return Predicates(self.bins, np.asfortranarray(self.codes[rows]))

    def query(self, parts: tuple[Part, ...]) -> Query:
        """The query whose rows are those of `mask`."""
        terms = (self.bins[part.column].between(part.first, part.last) for part in parts)
        return Query(tuple(term for several in terms for term in several))

    def mask(self, parts: tuple[Part, ...]) -> np.ndarray:
        """Which rows lie within all the parts, bool of shape (n,)."""
        chosen = np.ones(len(self.codes), dtype=bool)
        for part in parts:
            code = self.codes[:, part.column]
            chosen &= (code >= part.first) & (code <= part.last)
        return chosen

    def grouped(self) -> tuple[np.ndarray, tuple[tuple[Part, ...], ...]]:
        """Coarser levels to search by, int16 of shape (n, m), and the part that each stands for.

        Neighbouring ranges are taken together until each holds about a quarter of the
        column's rows: cells of three columns are then large enough to be looked at.
        """
        codes = np.full_like(self.codes, -1)
        parts = []
        for j, bins in enumerate(self.bins):
            ranges = len(bins.edges) + 1 if bins.edges else 0
            known = self.codes[:, j] >= 0
            rows = np.bincount(self.codes[known, j], minlength=len(bins.levels))
            middle = (rows[:ranges].cumsum() - rows[:ranges] / 2) / max(rows[:ranges].sum(), 1)
            quarter = np.minimum((_GROUPS * middle).astype(np.int64), _GROUPS - 1)
            others = _GROUPS + np.arange(len(bins.levels) - ranges)
            ids, group = np.unique(np.concatenate([quarter, others]), return_inverse=True)
            codes[known, j] = group[self.codes[known, j]]
            levels = [np.flatnonzero(group == one) for one in range(len(ids))]
            parts.append(tuple(Part(j, int(each[0]), int(each[-1])) for each in levels))
        return codes, tuple(parts)

    def ranges(self, part: Part) -> int:
        """How many ranges in order the part's column has, 0 where the part is none of them."""
        ranges = len(self.bins[part.column].edges) + 1
        return ranges if 1 < ranges > part.last else 0


def predicates(dataset: Dataset, fewest: int) -> Predicates:
    """Of each feature column the predicates that at least `fewest` rows meet.

    A column with fewer than two tells no rows apart and is left out.
    """
    found = [_bins(column, dataset.table[column.name], fewest) for column in dataset.schema.features]
    bins = tuple(one for one in found if len(one.levels) > 1)
    codes = np.full((len(dataset), len(bins)), -1, dtype=np.int16, order="F")
    for j, one in enumerate(bins):
        for level, terms in enumerate(one.levels):
            codes[Query(terms).mask(dataset.table), j] = level
    return Predicates(bins, codes)


def _bins(column: Column, cells: pl.Series, fewest: int) -> Bins:
    present = cells.drop_nulls()
    if column.kind is Kind.CATEGORY:
        found = Bins(column.name, _of_levels(column.name, present, fewest))
    elif column.kind is Kind.BOOLEAN:
        counts = {value: int((present == value).sum()) for value in (False, True)}
        levels = ((Term(column.name, "=", (value,)),) for value, rows in counts.items() if rows >= fewest)
        found = Bins(column.name, tuple(levels))
    else:
        found = _of_ranges(column, present, fewest)
    if len(cells) - len(present) < fewest:
        return found
    # A column whose values all lie in one bin may still tell rows apart by having one.
    filled = not found.levels and len(present) >= fewest
    signs = ("is not missing", "is missing") if filled else ("is missing",)
    return replace(found, levels=(*found.levels, *((Term(column.name, sign),) for sign in signs)))


def _of_levels(name: str, cells: pl.Series, fewest: int) -> tuple[Terms, ...]:
    counts = cells.rename("level").value_counts(name="rows").filter(pl.col("rows") >= fewest)
    kept = counts.sort(["rows", "level"], descending=[True, False]).head(_LEVELS)
    names = kept["level"].to_list()
    levels = [(Term(name, "=", (level,)),) for level in names]
    if 0 < len(names) <= _LISTED and len(cells) - kept["rows"].sum() >= fewest:
        rest = Term(name, "not in", tuple(names)) if len(names) > 1 else Term(name, "!=", (names[0],))
        levels.append((rest,))
    return tuple(levels)


def _of_ranges(column: Column, present: pl.Series, fewest: int) -> Bins:
    length, dates = column.kind is Kind.TEXT, column.kind is Kind.DATE
    cells = (present.str.len_chars().cast(pl.Float64) if length else present).sort().to_numpy()
    cells = cells if dates else cells[np.isfinite(cells)]
    edges = _edges(cells, fewest, _roundest_date if dates else _roundest)
    if not edges:
        return Bins(column.name)
    constants = [str(edge).replace("T", " ") if dates else float(edge) for edge in edges]
    bins = Bins(column.name, (), tuple(constants), length)
    cuts = [0, *(int(np.searchsorted(cells, edge)) for edge in edges), len(cells)]
    levels = []
    for level in range(len(edges) + 1):
        least, most = cells[cuts[level]], cells[cuts[level + 1] - 1]
        alone = least == most and not dates
        only = (Term(column.name, "=", (float(least),), length),) if alone else bins.range(level, level)
        levels.append(only)
    return replace(bins, levels=tuple(levels))


def _edges(cells: np.ndarray, fewest: int, roundest: Callable[[Any, Any], Any]) -> list[Any]:
    """Where to cut sorted cells into about ten parts, none of fewer than `fewest` rows."""
    n, wanted = len(cells), set()
    for cut in range(1, _BINS) if n >= 2 * fewest else ():
        low, high = (cells[int((cut + play) * n / _BINS)] for play in (-_PLAY, _PLAY))
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
