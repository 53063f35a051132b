"""What the lines of a delimited text tell: which are blank or ragged, and what a parser would forgive."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from holdfast.core.cells import BLANKS
from holdfast.data.sniff import Dialect
from holdfast.data.unpack import Plain
from holdfast.errors import FileError

_PIECE = 1 << 18  # bytes: what is made of them stays in the cache
_BEFORE = 3  # bytes: a cell's edge, its sign and its first digit


def refuse_nul(plain: Plain) -> None:
    """FileError, with the line, for a NUL byte."""
    if not any(b"\0" in piece for piece in plain.chunks()):
        return
    line = 1
    for piece in plain.chunks():
        if (at := piece.find(0)) >= 0:
            raise FileError.nul(plain.name, line + piece.count(b"\n", 0, at))
        line += piece.count(b"\n")


def without_blank_lines(table: pl.DataFrame, plain: Plain, dialect: Dialect) -> pl.DataFrame:
    """The table without the rows that polars made of blank lines.

    A line of empty cells, such as ",,", is a row like any other. Where a table has but one
    column, an empty cell and a blank line are the same.
    """
    if table.width == 0 or any(column.null_count() == 0 for column in table.iter_columns()):
        return table
    empty = table.select(pl.all_horizontal(pl.all().is_null())).to_series()
    if not empty.any():
        return table
    blank = np.ones(int(empty.sum()), dtype=bool)
    if table.width > 1:
        text = pl.col("line").str.strip_chars("\r\ufeff")
        hollow = _lines(plain, dialect).slice(dialect.skip)
        if dialect.quote:  # a quoted text may hold blank lines of its own
            marks = pl.col("line").str.count_matches(dialect.quote, literal=True)
            hollow = hollow.filter(marks.cum_sum().shift(1, fill_value=0) % 2 == 0)
        hollow = hollow.filter(text.str.strip_chars(dialect.separator) == "")
        found = hollow.select(text == "").collect(engine="streaming").to_series().to_numpy()
        blank = found if len(found) == len(blank) else ~blank  # in doubt no row is dropped
    dropped = np.zeros(table.height, dtype=bool)
    dropped[empty.arg_true().to_numpy()[blank]] = True
    return table.filter(~dropped)


def refuse_ragged(plain: Plain, dialect: Dialect) -> None:
    """FileError when a line that holds no part of a longer quoted text has too few or too many fields."""
    lines = _lines(plain, dialect).with_row_index("number", offset=1)
    text = pl.col("line").str.strip_chars("\r\ufeff")
    if dialect.quote:
        quoted = re.escape(dialect.quote)
        text = text.str.replace_all(f"{quoted}[^{quoted}]*{quoted}", "q")
    fields = text.str.count_matches(re.escape(dialect.separator)) + 1
    counted = lines.with_columns(text=text, fields=fields).filter(
        (pl.col("text").str.strip_chars(BLANKS) != "") & (pl.col("number") > dialect.skip - dialect.header)
    )
    if dialect.quote:
        # An odd quote opens or closes a text over several lines: the lines inside it cannot be counted here.
        odd = pl.col("text").str.contains(dialect.quote, literal=True)
        if counted.select(odd.any()).collect(engine="streaming").item():
            return
    wrong = counted.filter(pl.col("fields") != len(dialect.names)).head(1).collect(engine="streaming")
    if len(wrong):
        number, fields = wrong.row(0, named=True)["number"], wrong.row(0, named=True)["fields"]
        raise FileError.ragged(plain.name, number, fields, len(dialect.names))


def forgiven(plain: Plain, dialect: Dialect) -> bool:
    """Whether some cell begins with a blank, or with a zero and a digit, as codes do.

    A parser of numbers reads both without a word. Text may begin so, too: whether such a
    cell is in a column of numbers is for a closer look.
    """
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # numpy lets other threads run meanwhile
        looks = pool.map(lambda start: _look(plain, dialect, start), range(0, plain.size, _PIECE))
        quoted = 0  # whether the piece begins inside a quoted text
        for found, quotes in looks:
            if found[quoted]:
                return True
            quoted = (quoted + quotes) % 2
    return False


def _look(plain: Plain, dialect: Dialect, start: int) -> tuple[tuple[bool, bool], int]:
    """Whether a piece has such a cell, if it begins outside of a quoted text or inside; and its quotes."""
    before = plain.piece(start - _BEFORE, _BEFORE) if start else b"\n"
    piece = before + plain.piece(start, _PIECE)
    cells = np.frombuffer(piece, dtype=np.uint8)
    edge = _any_of(cells, piece, {dialect.separator, dialect.end, "\n", dialect.quote or "\n"})
    blank, sign = _any_of(cells, piece, set(" \t") - {dialect.separator}), _any_of(cells, piece, {"-", "+"})
    code = (cells[:-1] == ord("0")) & (cells[1:] - np.uint8(ord("0")) < 10)
    begun = edge[:-1] & blank[1:], edge[:-2] & code[1:], edge[:-3] & sign[1:-2] & code[2:]
    places = np.concatenate([np.flatnonzero(found) for found in begun])
    quotes = np.flatnonzero(cells == ord(dialect.quote)) if dialect.quote else places[:0]
    first = int(np.searchsorted(quotes, len(before)))
    inside = (np.searchsorted(quotes, places) - first) % 2
    return (bool((inside == 0).any()), bool((inside == 1).any())), len(quotes) - first


def _any_of(cells: np.ndarray, piece: bytes, marks: set[str]) -> np.ndarray:
    """Where one of these characters stands; what is not in the piece is not looked for cell by cell."""
    there = [mark for mark in sorted(marks) if mark.encode() in piece]
    return (
        np.logical_or.reduce([cells == ord(mark) for mark in there]) if there else np.zeros(len(cells), bool)
    )


def _lines(plain: Plain, dialect: Dialect) -> pl.LazyFrame:
    """Every line of the text as `line`, whatever it holds; that of a blank one is empty."""
    lines = pl.scan_csv(
        plain.source,
        separator="\x01",
        quote_char=None,
        eol_char=dialect.end,
        has_header=False,
        schema={"line": pl.String},
        truncate_ragged_lines=True,
        glob=False,
    )
    return lines.with_columns(pl.col("line").fill_null(""))
