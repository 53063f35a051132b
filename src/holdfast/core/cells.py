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
    if len(series) > _SLICE:
        slices = (series[at : at + _SLICE] for at in range(0, len(series), _SLICE))
        return pl.concat([parse_series(part, column) for part in slices], rechunk=True)
    expression = cell_expression(pl.col(series.name), series.dtype, column)
    # Lazily, because only then does polars share what the expression repeats, the outermost of it.
    lazy = series.to_frame().lazy().with_columns(expression.alias(series.name))
    return lazy.collect().to_series().rename(column.name)


def cell_expression(cells: pl.Expr, dtype: pl.DataType, column: Column) -> pl.Expr:
    """`parse_series` as an expression for `with_columns`, so that many columns are read in parallel."""
    kind, form = column.kind, column.format
    if kind is Kind.NUMBER:
        return _number_expression(cells, dtype, form)
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


def _number_expression(cells: pl.Expr, dtype: pl.DataType, form: CellFormat) -> pl.Expr:
    if dtype.is_numeric() or dtype == pl.Boolean:
        number = cells.cast(pl.Float64)
        return pl.when(number.is_finite()).then(number)
    if dtype != pl.String:
        return pl.lit(None, dtype=pl.Float64)
    text = cells.str.strip_chars(BLANKS)
    words = _numeric_words(form.missing, form.decimal, form.thousands, form.strip)
    missing = text.str.to_lowercase().is_in(words) if words else pl.lit(False)
    percent = text.str.contains("%", literal=True) if "%" in form.strip else None
    if form.strip:
        marks = form.strip + BLANKS
        signed = f"^([+-])[{re.escape(marks)}]+"
        text = text.str.strip_chars(marks).str.replace(signed, "${1}")  # as `_signs`, in a third of the time
    if form.thousands:
        marks = re.escape(form.thousands)
        grouped = _grouped(form.thousands, form.decimal)
        # one chain of steps: polars would run all that stands before a fork once for each branch
        text = text.str.extract(f"^({grouped}|[^{marks}]*)$", 1).str.replace_all(f"[{marks}]", "")
    if form.decimal != ".":
        text = text.str.replace_all(".", "?", literal=True).str.replace_all(form.decimal, ".", literal=True)
    number = text.cast(pl.Float64, strict=False)
    if percent is not None:
        number = pl.when(percent).then(number / 100).otherwise(number)
    return pl.when(number.is_finite() & ~missing).then(number)


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
