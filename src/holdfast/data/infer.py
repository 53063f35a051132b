"""What kind of thing each raw column holds, and why we think so."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import polars as pl

from holdfast.core.cells import fold_expression, parse_series
from holdfast.core.schema import FALSE, TRUE, CellFormat, Column, Kind
from holdfast.data.calendar import date_patterns
from holdfast.data.coded import is_coded
from holdfast.data.numbers import number_format
from holdfast.data.words import (
    ALSO_MISSING,
    Levels,
    about_distinct,
    all_whole,
    distinct_whole,
    exactly_distinct,
    levels_of,
    missing_words,
)
from holdfast.errors import ColumnError

# How rows that come later may write what was a date in the file: ISO 8601.
_ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z")
# Beyond this many levels a column keeps its spellings as they are.
_LEVELS = 10_000
# Where about so few cells differ, or nearly all, the exact number is worth its time.
_FEW, _NEARLY = 1000, 0.9
_DAY_NUMBERS = (19_000_101, 21_001_231)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column seems to be. `known` cells mean something, `distinct` of them differ.

    `whole` is true when every cell is a whole number, `words` is the mean number of
    words in a distinct text.
    """

    kind: Kind
    format: CellFormat
    why: str
    known: int
    distinct: int
    whole: bool = False
    words: float = 1.0


def infer(raw: pl.DataFrame, kinds: Mapping[str, Kind] | None = None) -> dict[str, Guess]:
    """The kind and cell format of each raw column (text, Float64, Boolean or Datetime).

    `kinds` are those that the user chose: see `infer_as`.
    """
    chosen = kinds or {}
    numbers = _figures(raw.select(pl.col(pl.Float64)))

    def infer_one(cells: pl.Series) -> Guess:
        of = numbers.get(cells.name)
        guess = _infer_number(cells, *of) if of else _infer_other(cells)
        return infer_as(cells, guess, chosen[cells.name]) if cells.name in chosen else guess

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # polars lets other threads run meanwhile
        return dict(zip(raw.columns, pool.map(infer_one, raw.get_columns()), strict=True))


def infer_as(cells: pl.Series, guess: Guess, kind: Kind) -> Guess:
    """The cell format under a kind that the user chose; ColumnError when no cell can be read so."""
    if guess.kind is kind:
        return replace(guess, why="as you said")
    levels = levels_of(cells)
    form: CellFormat | None = CellFormat(missing=missing_words(levels))
    if kind is Kind.NUMBER and (cells.dtype == pl.String or is_coded(cells)):
        form = number_format(levels, forced=True)
    elif kind is Kind.DATE:
        calendar = date_patterns(levels, cells, forced=True)
        form = CellFormat(dates=calendar.patterns) if calendar else None
    elif kind is Kind.BOOLEAN:
        form = _truths(levels) or _two_levels(levels)
    elif kind is Kind.CATEGORY:
        form = spelled(cells, levels)
    if form is None:
        raise ColumnError(
            f"No cell of column {cells.name!r} can be read as a {kind}, e.g. {levels.filled['value'][0]!r}. "
            f"It seems to be a {guess.kind}: {guess.why}."
        )
    form = replace(form, missing=form.missing or _strict(levels))
    return Guess(kind, form, "as you said", guess.known, guess.distinct, guess.whole, guess.words)


def spelled(cells: pl.Series, levels: Levels | None = None) -> CellFormat:
    """The format of a category: each level under the most frequent of its spellings."""
    levels = levels or levels_of(cells)
    missing = missing_words(levels)
    if levels.distinct > _LEVELS or not levels.whole:
        return CellFormat(missing=missing)
    column = Column("value", Kind.CATEGORY, format=CellFormat(missing=missing))
    kept = (
        levels.filled.with_columns(parse_series(levels.filled["value"], column))
        .with_columns(fold_expression(pl.col("value")).alias("fold"))
        .group_by("fold", "value")
        .agg(pl.col("count").sum())
        .sort(["count", "value"], descending=[True, False])
        .unique("fold", keep="first", maintain_order=True)
    )
    return CellFormat(missing=missing, spelling=dict(zip(kept["fold"], kept["value"], strict=True)))


def _figures(raw: pl.DataFrame) -> dict[str, tuple[int, float, float]]:
    """How many cells of each Float64 column are known, the least and the largest: all columns in one pass."""
    if raw.width == 0:
        return {}
    rows = [raw.select(figure).row(0) for figure in (pl.all().count(), pl.all().min(), pl.all().max())]
    return dict(zip(raw.columns, zip(*rows, strict=True), strict=True))


def _infer_number(cells: pl.Series, known: int, low: float, high: float) -> Guess:
    whole = all_whole(cells)
    form = CellFormat(missing=_STRICT)
    if known == 0:
        return Guess(Kind.NUMBER, form, "every cell is empty", 0, 0)
    distinct = about_distinct(cells) if whole else known  # measures may as well all differ
    if whole and (distinct < _FEW or distinct > _NEARLY * known):  # codes and identifiers: exactly
        distinct = distinct_whole(cells.drop_nulls(), low, high)
    if whole and low >= _DAY_NUMBERS[0] and high <= _DAY_NUMBERS[1]:
        calendar = date_patterns(levels_of(cells), cells)
        if calendar:
            form = replace(form, dates=calendar.patterns)
            why = f"whole numbers that are days, like {low:.0f}"
            return Guess(Kind.DATE, form, why, known, distinct, whole=True)
    if low == high:
        return Guess(Kind.NUMBER, form, f"constant: every number is {low:g}", known, 1, whole)
    why = "numbers, 0 and 1 only" if distinct == 2 and (low, high) == (0, 1) else "numbers"
    return Guess(Kind.NUMBER, form, why, known, distinct, whole)


def _infer_other(cells: pl.Series) -> Guess:
    known = len(cells) - cells.null_count()
    if known == 0:
        return Guess(Kind.NUMBER, CellFormat(missing=_STRICT), "every cell is empty", 0, 0)
    if cells.dtype == pl.String or is_coded(cells):
        return _infer_text(cells)
    distinct = cells.drop_nulls().n_unique()
    if cells.dtype == pl.Boolean:
        form = CellFormat(true=TRUE, false=FALSE)
        return Guess(Kind.BOOLEAN, form, "true or false in the file", known, distinct)
    return Guess(Kind.DATE, CellFormat(dates=_ISO), "a date in the file", known, distinct)


def _infer_text(cells: pl.Series) -> Guess:
    levels = levels_of(cells)
    if levels.known == 0:
        return Guess(Kind.NUMBER, CellFormat(missing=_STRICT), "every cell is empty or says so", 0, 0)
    known = len(cells) - round(levels.missing * len(cells) / levels.rows)
    strict = _strict(levels)
    if form := number_format(_without(levels, strict)):
        form = replace(form, missing=strict)
        numbers = parse_series(levels.filled["value"], Column("value", Kind.NUMBER, format=form)).drop_nulls()
        whole = all_whole(numbers)
        return Guess(Kind.NUMBER, form, _written(form, levels), known, levels.distinct, whole)
    if form := _truths(levels):
        said = _without(levels, ALSO_MISSING).filled["value"]
        example = " or ".join(repr(value) for value in said[:2])
        return Guess(Kind.BOOLEAN, replace(form, missing=strict), f"says {example}", known, 2)
    if calendar := date_patterns(_without(levels, strict), cells):
        why = f"dates like {levels.filled['value'][0]}"
        if calendar.guessed:
            first = "the month" if calendar.patterns[0].startswith("%m") else "the day"
            why += f"; whether day or month comes first cannot be told, {first} was taken"
        return Guess(
            Kind.DATE, CellFormat(missing=strict, dates=calendar.patterns), why, known, levels.distinct
        )
    return _text_or_category(cells, levels, known)


def _text_or_category(cells: pl.Series, levels: Levels, known: int) -> Guess:
    values = levels.filled["value"]
    words = _float(values.str.count_matches(r"\s+").mean()) + 1
    length = _float(values.str.len_chars().mean())
    if not levels.whole and levels.distinct > _NEARLY * known:
        levels = replace(levels, distinct=exactly_distinct(cells, levels.distinct))
    repeated = 1 - levels.distinct / max(1, known)
    if (words >= 3 and repeated < 0.5 and levels.distinct > 10) or (length >= 60 and levels.distinct > 20):
        why = f"free text, {words:.0f} words on average, {levels.distinct:,} different"
        return Guess(
            Kind.TEXT, CellFormat(missing=missing_words(levels)), why, known, levels.distinct, words=words
        )
    form = spelled(cells, levels)
    distinct = len(form.spelling) or levels.distinct
    why = f"a category of {distinct:,} levels"
    if distinct == 1:
        why = f"constant: every known cell says {values[0]!r}"
    elif distinct > 50:
        why += ", which is many"
    return Guess(Kind.CATEGORY, form, why, known, distinct, words=words)


_STRICT = (*missing_words(Levels(pl.DataFrame({"value": [], "count": []}), 0, 0, True, 0)), *ALSO_MISSING)


def _float(value: object) -> float:
    """A polars aggregate, which could be of any type, as the number that it is here."""
    return float(value)  # type: ignore[arg-type]


def _strict(levels: Levels) -> tuple[str, ...]:
    return (*missing_words(levels), *ALSO_MISSING)


def _without(levels: Levels, missing: tuple[str, ...]) -> Levels:
    filled = levels.filled.filter(~pl.col("value").str.to_lowercase().is_in(list(missing)))
    left_out = levels.known - int(filled["count"].sum())
    return replace(levels, filled=filled, missing=levels.missing + left_out)


def _truths(levels: Levels) -> CellFormat | None:
    """Yes and no in some spelling: both must be there, and nothing else."""
    if levels.distinct > 50:
        return None
    folded = _without(levels, ALSO_MISSING).filled["value"].str.to_lowercase()
    yes, no = folded.is_in(list(TRUE)), folded.is_in(list(FALSE))
    if (yes | no).all() and yes.any() and no.any():
        return CellFormat(missing=_strict(levels), true=TRUE, false=FALSE)
    return None


def _two_levels(levels: Levels) -> CellFormat | None:
    folded = sorted(levels.filled["value"].str.to_lowercase().unique().to_list())
    return CellFormat(false=(folded[0],), true=(folded[1],)) if len(folded) == 2 else None


def _written(form: CellFormat, levels: Levels) -> str:
    shown = levels.filled["value"]
    if form.thousands or form.strip or form.decimal != ".":
        marks = r"[^0-9.+-]" if form.decimal == "." else r"[^0-9+-]"
        marked = shown.filter(shown.str.contains(marks) & shown.str.contains("[0-9]"))
        return f"numbers written like {(marked if len(marked) else shown)[0]}"
    return "numbers, but for cells that are empty or no number"
