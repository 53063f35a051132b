"""A table as the parts of its columns (`parts`): what slices are made of, and searched by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.query import Query
from holdfast.debugging.parts import Parts, parts_of

_GROUPS = 4  # of neighbouring ranges


@dataclass(frozen=True, slots=True)
class Span:
    """The parts `first` to `last` of one column; more than one only of ranges, which have an order."""

    column: int
    first: int
    last: int


Spans = tuple[Span, ...]
"""A slice: the rows that lie in all of these, of different columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicates:
    """The parts of m columns, and each row's part of each: int16 of shape (n, m), -1 for none."""

    columns: tuple[Parts, ...]
    codes: np.ndarray

    def __len__(self) -> int:
        """How many spans there are: parts, and ranges of more than one in order."""
        wider = (len(one.edges) * (len(one.edges) + 1) // 2 for one in self.columns)
        return sum(len(one.terms) for one in self.columns) + sum(wider)

    def at(self, rows: np.ndarray) -> Predicates:
        """The same predicates of the rows of a mask."""
        return Predicates(self.columns, np.asfortranarray(self.codes[rows]))

    def query(self, spans: Spans) -> Query:
        """The query whose rows are those of `mask`."""
        terms = (self.columns[span.column].between(span.first, span.last) for span in spans)
        return Query(tuple(term for several in terms for term in several))

    def mask(self, spans: Spans) -> np.ndarray:
        """Which rows lie within all the spans, bool of shape (n,)."""
        chosen = np.ones(len(self.codes), dtype=bool)
        for span in spans:
            code = self.codes[:, span.column]
            chosen &= (code >= span.first) & (code <= span.last)
        return chosen

    def grouped(self) -> tuple[np.ndarray, tuple[Spans, ...]]:
        """Coarser parts to search by, int16 of shape (n, m), and the span that each stands for.

        Neighbouring ranges are taken together until each holds about a quarter of the
        column's rows: cells of three columns are then large enough to be looked at.
        """
        codes = np.full_like(self.codes, -1)
        spans = []
        for j, parts in enumerate(self.columns):
            known = self.codes[:, j] >= 0
            rows = np.bincount(self.codes[known, j], minlength=len(parts.terms))
            ranges = rows[: parts.ranges]
            middle = (ranges.cumsum() - ranges / 2) / max(ranges.sum(), 1)
            quarter = np.minimum((_GROUPS * middle).astype(np.int64), _GROUPS - 1)
            others = _GROUPS + np.arange(len(parts.terms) - parts.ranges)
            ids, group = np.unique(np.concatenate([quarter, others]), return_inverse=True)
            codes[known, j] = group[self.codes[known, j]]
            together = [np.flatnonzero(group == one) for one in range(len(ids))]
            spans.append(tuple(Span(j, int(each[0]), int(each[-1])) for each in together))
        return codes, tuple(spans)

    def ranges(self, span: Span) -> int:
        """How many ranges in order the span's column has, 0 where the span is none of them."""
        ranges = self.columns[span.column].ranges
        return ranges if ranges > span.last else 0


def predicates(dataset: Dataset, fewest: int) -> Predicates:
    """Of each feature column the parts that at least `fewest` rows are in.

    A column with fewer than two tells no rows apart and is left out.
    """
    features = dataset.schema.features
    cut = [parts_of(dataset.table[column.name], column, fewest=fewest) for column in features]
    told = [parts for parts in cut if len(parts.terms) > 1]
    codes = np.full((len(dataset), len(told)), -1, dtype=np.int16, order="F")
    for j, parts in enumerate(told):
        codes[:, j] = parts.code
    return Predicates(tuple(replace(parts, code=codes[:, j]) for j, parts in enumerate(told)), codes)
