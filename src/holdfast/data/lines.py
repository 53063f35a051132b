"""What the lines of a delimited text tell: which are blank or ragged, and what a parser would forgive."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from mmap import mmap

import numpy as np
import polars as pl

from holdfast.core.cells import BLANKS
from holdfast.data.sniff import Dialect
from holdfast.data.unpack import Plain
from holdfast.errors import FileError

_PIECE = 1 << 20  # bytes: what is made of them stays in the cache
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
    cell is in a column of numbers is for a closer look. The very first cell is not looked at.
    """
    text = plain.mapped()
    spans = max(1, min(pl.thread_pool_size(), len(text) // _PIECE))
    ends = [len(text) * place // spans for place in range(spans + 1)]
    with ThreadPoolExecutor(spans) as pool:  # numpy lets other threads run meanwhile
        looks = list(pool.map(lambda start, end: _look(text, dialect, start, end), ends, ends[1:]))
    quoted = 0  # whether the span begins inside a quoted text
    for found, quotes in looks:
        if found[quoted]:
            return True
        quoted = (quoted + quotes) % 2
    return False


def _look(text: bytes | mmap, dialect: Dialect, start: int, end: int) -> tuple[list[bool], int]:
    """Whether a span has such a cell, if it begins outside of a quoted text or inside; and its quotes."""
    found, quotes = [False, False], 0
    room = np.empty((5, _BEFORE + _PIECE), dtype=bool)  # used again: fresh memory takes longer than the look
    for at in range(start, end, _PIECE):
        low, high = max(0, at - _BEFORE), min(at + _PIECE, end)
        places = _places(text, (low, high), dialect, room[:, : high - low])
        _mark(text, (low, high), {dialect.quote or "\n"}, room[0, : high - low], room[1, : high - low])
        within = np.flatnonzero(room[0, : high - low]) if dialect.quote else places[:0]
        first = int(np.searchsorted(within, at - low))
        inside = (np.searchsorted(within, places) - first + quotes) % 2
        found = [found[0] or bool((inside == 0).any()), found[1] or bool((inside == 1).any())]
        quotes += len(within) - first
    return found, quotes


def _places(text: bytes | mmap, part: tuple[int, int], dialect: Dialect, room: np.ndarray) -> np.ndarray:
    """Where a cell would begin with a blank or with a code's zero, were no text quoted: the bytes before."""
    edge, blank, sign, code, spare = room
    _mark(text, part, {dialect.separator, dialect.end, "\n", dialect.quote or "\n"}, edge, spare)
    _mark(text, part, {" ", "\t"} - {dialect.separator}, blank, spare)
    _mark(text, part, {"-", "+"}, sign, spare)
    _mark(text, part, {"0"}, code, spare)
    digit = spare.view(np.uint8)
    np.subtract(_cells(text, part), ord("0"), out=digit)
    np.less(digit, 10, out=spare)
    code[:-1] &= spare[1:]
    code[-1:] = False
    found = []
    for begins in (blank[1:], code[1:]):
        np.logical_and(edge[:-1], begins, out=spare[:-1])
        found.append(np.flatnonzero(spare[:-1]))
    np.logical_and(edge[:-2], sign[1:-1], out=spare[:-2])
    spare[:-2] &= code[2:]
    return np.concatenate([*found, np.flatnonzero(spare[:-2])])


def _cells(text: bytes | mmap, part: tuple[int, int]) -> np.ndarray:
    return np.frombuffer(text, dtype=np.uint8, count=part[1] - part[0], offset=part[0])


def _mark(
    text: bytes | mmap, part: tuple[int, int], marks: set[str], out: np.ndarray, spare: np.ndarray
) -> None:
    """Note where one of these characters stands; what is not in the part is not looked for byte by byte."""
    there = [mark for mark in sorted(marks) if text.find(mark.encode(), *part) >= 0]
    for mark in there[:1]:
        np.equal(_cells(text, part), ord(mark), out=out)
    for mark in there[1:]:
        np.equal(_cells(text, part), ord(mark), out=spare)
        out |= spare
    if not there:
        out[:] = False


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
