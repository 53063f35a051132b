"""The one definition of how a raw cell becomes a typed cell: one cell at a time, or a whole column.

`parse_cell` serves a request, `parse_series` reads a table; a property test holds them
equal. A raw cell is text, a number, a truth value or a date, as a file or a JSON body
gives it; a typed cell is what `Kind` says, or None where the cell is empty or cannot mean
what its column means.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from math import isfinite

import polars as pl

from holdfast.core.dates import date_expression, parse_date, plain_date, plain_dates
from holdfast.core.schema import CellFormat, Column, Kind

Cell = str | int | float | bool | date | None
Value = float | bool | str | datetime | None

# Named one by one, because Python and polars disagree about what white space is.
BLANKS = (
    " \t\n\r\x0b\x0c\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
)
BLANKS += "\u2028\u2029\u202f\u205f\u3000\ufeff"

_SPAN = re.compile(f"[{BLANKS}]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# "7.0" and "7" are one category, as are "1.50" and "1.5"; "007" is left alone.
_WHOLE = re.compile(r"^(-?(?:0|[1-9][0-9]*))\.0+$")
_TRAILING = re.compile(r"^(-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])0+$")
_SLICE = 1 << 16  # cells at once: what is made on the way stays in memory that is used again
_CLOCK = "%Y-%m-%d %H:%M:%S"


def parse_cell(cell: Cell, column: Column) -> Value:
    """What one raw cell of this column means.

    Gives a float (NUMBER), bool (BOOLEAN), str (CATEGORY, TEXT) or datetime without a
    zone (DATE); None where the cell is empty, a missing-value word, not finite, or
    cannot be read as the column's kind.

    >>> price = Column("price", Kind.NUMBER, format=CellFormat(decimal=",", thousands=".", strip="€"))
    >>> parse_cell(" 1.234,50 € ", price), parse_cell("none", price)
    (1234.5, None)
    """
    if cell is None:
        return None
    kind, form = column.kind, column.format
    if kind is Kind.NUMBER:
        return _number(cell, form)
    if kind is Kind.DATE and isinstance(cell, date):
        return plain_date(cell)
    if kind is Kind.BOOLEAN and isinstance(cell, bool):
        return cell
    text = cell if isinstance(cell, str) else _text(cell)
    if text is None:
        return None
    trimmed = text.strip(BLANKS)
    if not trimmed or trimmed.lower() in form.missing:
        return None
    if kind is Kind.CATEGORY:
        trimmed = _shortest(trimmed)
        return form.spelling.get(fold(trimmed), trimmed)
    if kind is Kind.BOOLEAN:
        return _truth(trimmed.lower(), form)
    if kind is Kind.DATE:
        return parse_date(trimmed, form.dates)
    return text


def parse_series(series: pl.Series, column: Column) -> pl.Series:
    """What a whole raw column means: `parse_cell` on every cell, in one pass.

    Takes text, numbers, booleans, dates or datetimes of shape (n,); gives the dtype of
    the column's kind (Float64, Boolean, String or Datetime("us")), shape (n,).

    >>> answer = Column("answer", Kind.BOOLEAN, format=CellFormat(true=("yes",), false=("no",)))
    >>> parse_series(pl.Series(["YES ", "no", "?"]), answer).to_list()
    [True, False, None]
    """
    if column.kind is Kind.TEXT and series.dtype == pl.String and not _may_be_empty(series, column.format):
        return series.rename(column.name)
    if len(series) > _SLICE:
        slices = (series[at : at + _SLICE] for at in range(0, len(series), _SLICE))
        return pl.concat([parse_series(part, column) for part in slices], rechunk=True)
    cells = series.cast(pl.String) if isinstance(series.dtype, pl.Categorical) else series
    if column.kind is Kind.NUMBER:
        return _number_series(cells, column.format).rename(column.name)
    expression = _cell_expression(pl.col(cells.name), cells.dtype, column)
    # Lazily, because only then does polars share what the expression repeats, the outermost of it.
    lazy = cells.to_frame().lazy().with_columns(expression.alias(cells.name))
    return lazy.collect().to_series().rename(column.name)


def _cell_expression(cells: pl.Expr, dtype: pl.DataType, column: Column) -> pl.Expr:
    """`parse_series` as an expression, for all kinds but numbers."""
    kind, form = column.kind, column.format
    if kind is Kind.DATE and dtype.is_temporal():
        return plain_dates(cells, dtype)
    if kind is Kind.BOOLEAN and dtype == pl.Boolean:
        return cells
    text = text_expression(cells, dtype)
    trimmed = text.str.strip_chars(BLANKS)
    empty = (trimmed == "") | trimmed.str.to_lowercase().is_in(list(form.missing))
    if kind is Kind.CATEGORY:
        value = _spelled(_shortest_expression(trimmed), form)
    elif kind is Kind.BOOLEAN:
        value = _truth_expression(trimmed.str.to_lowercase(), form)
    elif kind is Kind.DATE:
        value = date_expression(trimmed, form.dates)
    else:
        value = text
    return pl.when(~empty).then(value)


def fold(text: str) -> str:
    """The form that case and white-space variants of one category share.

    >>> fold("  New\\tYORK ")
    'new york'
    """
    return _SPAN.sub(" ", text.strip(BLANKS)).lower()


def fold_expression(text: pl.Expr) -> pl.Expr:
    """`fold` of a column of text."""
    return text.str.strip_chars(BLANKS).str.replace_all(f"[{BLANKS}]+", " ").str.to_lowercase()


def text_expression(cells: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Cells of any raw dtype as the text that `parse_cell` would see; whole numbers lose their decimals."""
    if dtype == pl.String:
        return cells
    if dtype.is_float():
        unsigned = pl.when(cells == 0).then(0.0).otherwise(cells.cast(pl.Float64))
        finite = pl.when(cells.is_finite()).then(unsigned)
        return finite.cast(pl.String).str.strip_suffix(".0")
    if dtype.is_temporal():
        return plain_dates(cells, dtype).dt.strftime(_CLOCK)
    return cells.cast(pl.String)


def _text(cell: Cell) -> str | None:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return _float_text(cell) if isfinite(cell) else None
    if isinstance(cell, date):
        return plain_date(cell).strftime(_CLOCK)
    return str(cell)


def _float_text(number: float) -> str:
    if 1e-5 <= abs(number) < 1e-4:  # polars writes these without an exponent, Python with one
        return format(Decimal(repr(number)), "f")
    return repr(number + 0.0).replace("e-0", "e-").removesuffix(".0")


def _number(cell: Cell, form: CellFormat) -> float | None:
    if isinstance(cell, str):
        return _number_of_text(cell.strip(BLANKS), form)
    if isinstance(cell, date):
        return None
    try:
        number = float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _number_of_text(text: str, form: CellFormat) -> float | None:
    if not text or text.lower() in form.missing:
        return None
    percent = False
    if form.strip:
        percent = "%" in form.strip and "%" in text
        lead, trail = _signs(form.strip)
        text = re.sub(trail, "", re.sub(lead, r"\1", text))
    if form.thousands and re.search(f"[{re.escape(form.thousands)}]", text):
        if not re.fullmatch(_grouped(form.thousands, form.decimal), text):
            return None
        text = re.sub(f"[{re.escape(form.thousands)}]", "", text)
    if form.decimal != ".":
        text = text.replace(".", "?").replace(form.decimal, ".")
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if not isfinite(number):
        return None
    return number / 100 if percent else number


def _may_be_empty(texts: pl.Series, form: CellFormat) -> bool:
    """Whether some text looks like an empty cell: quickly, and never wrong when it says no."""
    pattern = _empty_pattern(form.missing)
    return pattern is None or bool(texts.str.contains(pattern).any())


@lru_cache(maxsize=256)
def _empty_pattern(missing: tuple[str, ...]) -> str | None:
    """What an empty cell is like, in any case; None where a pattern's case is not that of `lower`."""
    words = "|".join(map(re.escape, missing))
    return f"(?i)^[{BLANKS}]*(?:{words})?[{BLANKS}]*$" if words.isascii() else None


def _number_series(cells: pl.Series, form: CellFormat) -> pl.Series:
    if cells.dtype.is_numeric() or cells.dtype == pl.Boolean:
        number = cells.cast(pl.Float64)
        return _where(number.is_finite(), number)
    if cells.dtype != pl.String:
        return pl.Series(dtype=pl.Float64).extend_constant(None, len(cells))
    words = _numeric_words(form.missing, form.decimal, form.thousands, form.strip)
    text = cells if form.strip and not words else cells.str.strip_chars(BLANKS)
    percent = text.str.contains("%", literal=True) if "%" in form.strip else None
    known = ~text.str.to_lowercase().is_in(words) if words else None
    if form.strip:
        marks = form.strip + BLANKS
        text = text.str.strip_chars(marks)
        signed = f"^([+-])[{re.escape(marks)}]+"  # as `_signs`, in a third of the time
        if text.str.contains(signed).any():
            text = text.str.replace(signed, "${1}")
    if form.thousands:
        marks = re.escape(form.thousands)
        # only asked, not taken out of the text: to capture what fits takes five times as long
        fits = text.str.contains(f"^(?:{_grouped(form.thousands, form.decimal)}|[^{marks}]*)$")
        known = fits if known is None else known & fits
        single = len(form.thousands) == 1
        text = text.str.replace_all(form.thousands if single else f"[{marks}]", "", literal=single)
    if form.decimal != ".":
        text = text.str.replace_all(".", "?", literal=True).str.replace_all(form.decimal, ".", literal=True)
    number = text.cast(pl.Float64, strict=False)
    if percent is not None:
        # By a column of hundreds: by one, polars multiplies by 0.01, whose last digits are not `parse_cell`s.
        hundredth = number / pl.repeat(100.0, len(number), eager=True)
        number = pl.select(pl.when(percent).then(hundredth).otherwise(number)).to_series()
    finite = number.is_finite()
    return _where(finite if known is None else finite & known, number)


def _where(mask: pl.Series, values: pl.Series) -> pl.Series:
    """The values under the mask; the others are null."""
    return values if mask.all(ignore_nulls=False) else pl.select(pl.when(mask).then(values)).to_series()


@lru_cache(maxsize=256)
def _numeric_words(missing: tuple[str, ...], decimal: str, thousands: str, strip: str) -> list[str]:
    """The words for a missing cell that would else be numbers: the others need not be looked for."""
    form = CellFormat(decimal=decimal, thousands=thousands, strip=strip)
    return [word for word in missing if _number_of_text(word, form) is not None]


@lru_cache(maxsize=256)
def _signs(strip: str) -> tuple[str, str]:
    """Patterns for the marks before a number (a sign may stand before or after them) and behind it."""
    marks = f"[{re.escape(strip)}{BLANKS}]"
    return f"^{marks}*([+-]?){marks}*", f"{marks}+$"


@lru_cache(maxsize=256)
def _grouped(thousands: str, decimal: str) -> str:
    """Digits in groups of three (of two before the last, as in India), then decimals."""
    mark = f"[{re.escape(thousands)}]"
    return f"[+-]?[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}(?:{re.escape(decimal)}[0-9]*)?"


def _shortest(text: str) -> str:
    if text[-1] == "0" and "." in text:
        return _TRAILING.sub(r"\1", _WHOLE.sub(r"\1", text))
    return text


def _shortest_expression(text: pl.Expr) -> pl.Expr:
    return text.str.replace(_WHOLE.pattern, "${1}").str.replace(_TRAILING.pattern, "${1}")


def _spelled(text: pl.Expr, form: CellFormat) -> pl.Expr:
    if not form.spelling:
        return text
    kept = list(form.spelling.values())
    return fold_expression(text).replace_strict(
        list(form.spelling), kept, default=text, return_dtype=pl.String
    )


def _truth(folded: str, form: CellFormat) -> bool | None:
    if folded in form.true:
        return True
    return False if folded in form.false else None


def _truth_expression(folded: pl.Expr, form: CellFormat) -> pl.Expr:
    yes, no = folded.is_in(list(form.true)), folded.is_in(list(form.false))
    return pl.when(yes).then(True).when(no).then(False)
