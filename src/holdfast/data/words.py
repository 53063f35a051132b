"""The distinct cells of a column of text, and the words that mean that a cell is empty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.cells import BLANKS, text_expression
from holdfast.data.coded import FEW, counts_of, is_coded

# In any column. "none" and "unknown" may be categories of their own.
MISSING = (
    "?",
    "??",
    "na",
    "n/a",
    "#n/a",
    "nan",
    "null",
    "<na>",
    "nat",
    "-",
    "--",
    ".",
    "(null)",
    "#null!",
    "#div/0!",
)
# Where a column is otherwise of numbers, dates or truth values.
ALSO_MISSING = (
    "none", "nil", "unknown", "unk", "missing", "not available", "n.a.", "n.a", "not applicable", "not known",
    "unspecified", "undefined", "tbd", "x", "*", "**", "no data", "nd",
    "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity",
)  # fmt: skip

_FIRST, _NEARLY = 1000, 0.9
_BLOCK = 1 << 16  # cells at once: they stay in the cache


@dataclass(frozen=True, slots=True)
class Levels:
    """The distinct cells of a column: `filled` has `value` (trimmed) and `count`, missing words left out.

    Of a long column with many distinct cells these are the levels of an even sample;
    `whole` says whether they are all. `rows` counts the rows they stand for, `missing`
    those that are empty or a missing-value word; `distinct` is exact when they are all.
    """

    filled: pl.DataFrame
    rows: int
    missing: int
    whole: bool
    distinct: int

    @property
    def known(self) -> int:
        """How many rows have a cell that means something."""
        return self.rows - self.missing

    def share(self, mask: pl.Series) -> float:
        """The share of the known rows whose level is under this mask."""
        return float((self.filled["count"] * mask.fill_null(False)).sum()) / max(1, self.known)


def levels_of(cells: pl.Series) -> Levels:
    """The levels of a raw column."""
    distinct = 0 if is_coded(cells) else about_distinct(cells)  # a coded column has few
    whole = len(cells) <= FEW or distinct <= FEW
    if not whole:
        cells = cells.gather_every(len(cells) // FEW)
    counted = counts_of(cells)
    trimmed = text_expression(pl.col("value"), counted["value"].dtype).str.strip_chars(BLANKS)
    counted = counted.with_columns(trimmed.alias("value"), pl.col("count").cast(pl.Int64))
    counted = counted.group_by("value").sum().sort("count", "value", descending=[True, False])
    folded = pl.col("value").str.to_lowercase()
    known = counted.filter(pl.col("value").is_not_null() & (pl.col("value") != ""))
    filled = known.filter(~folded.is_in(list(_missing_in(known))))
    empty = len(cells) - int(filled["count"].sum())
    return Levels(filled, len(cells), empty, whole, len(filled) if whole else distinct)


def about_distinct(cells: pl.Series) -> int:
    """About how many cells differ, to a few per cent, at once on a column of any length."""
    return int(cells.approx_n_unique())  # type: ignore[arg-type]


def exactly_distinct(cells: pl.Series, about: int) -> int:
    """How many known cells differ, exactly; `about_distinct` says about how many."""
    missing = cells.null_count()
    known = len(cells) - missing
    # Texts that all differ are told by their hashes, and faster.
    if cells.dtype == pl.String and about > _NEARLY * known and cells.drop_nulls().hash().n_unique() == known:
        return known
    return cells.n_unique() - bool(missing)


def distinct_whole(numbers: pl.Series, low: float, high: float) -> int:
    """How many of these whole numbers, all known and from `low` to `high`, differ, exactly."""
    if not high - low < len(numbers):
        return numbers.n_unique()
    seen = np.zeros(int(high - low) + 1, dtype=bool)  # a place for each number, where there are so few
    for start in range(0, len(numbers), _BLOCK):
        seen[(numbers[start : start + _BLOCK].to_numpy() - low).astype(np.int64)] = True
    return int(seen.sum())


def all_whole(numbers: pl.Series) -> bool:
    """Whether every number that is there is a whole one; a few are asked first, which mostly settles it."""
    few = numbers.head(_FIRST)
    return bool((few.floor() == few).all()) and bool((numbers.floor() == numbers).all())


def missing_words(levels: Levels) -> tuple[str, ...]:
    """The words that mean an empty cell in this column."""
    return _missing_in(levels.filled)


def _missing_in(known: pl.DataFrame) -> tuple[str, ...]:
    # Among two-letter codes "NA" is Namibia or North America.
    if len(known) > 8:
        pairs = known["value"].str.contains(r"^[A-Z]{2}$")
        if pairs.mean() > 0.9:  # type: ignore[operator]
            return tuple(word for word in MISSING if word != "na")
    return MISSING
