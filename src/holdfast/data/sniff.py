"""What a file is: its format by its first bytes, its encoding, and how its text is divided."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, pairwise

from holdfast.core.cells import BLANKS
from holdfast.data.raw import column_names
from holdfast.data.unpack import HEAD
from holdfast.errors import FileError


class Format(StrEnum):
    """The formats that Holdfast reads."""

    DELIMITED = "delimited text"
    JSON = "JSON"
    JSON_LINES = "JSON lines"
    PARQUET = "Parquet"
    ARROW = "Arrow"
    EXCEL = "Excel"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is divided: `names` are its columns', `skip` the lines before the data.

    `header` says whether the last of those names the columns, `titles` how many stand above that.
    """

    separator: str
    quote: str | None
    names: tuple[str, ...]
    skip: int
    end: str = "\n"
    header: bool = True
    titles: int = 0


_TABLES = {b"PAR1": Format.PARQUET, b"ARROW1": Format.ARROW, b"\xd0\xcf\x11\xe0": Format.EXCEL}
_OTHERS = {
    b"%PDF": "a PDF", b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"GIF8": "a GIF image",
    b"\x7fELF": "a program", b"\x89HDF": "an HDF5 file", b"\x93NUMPY": "a NumPy array",
    b"SQLite format 3": "an SQLite database", b"\x80\x04\x95": "a Python pickle",
    b"\x80\x05\x95": "a Python pickle", b"BZh": "a bzip2 file", b"7z\xbc\xaf": "a 7z archive",
    b"\xfd7zXZ": "an xz file", b"FEA1": "a Feather file of the first version",
}  # fmt: skip
_SEPARATORS = (",", "\t", ";", "|", " ")
_ROWS, _TITLES = 200, 5
_SEPARATOR_SAID = re.compile(r"sep=([,;\t| ])\r?\n", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(r"\s*[-+]?[$€£]?\s*(?:\d[\d.,]*|\.\d+)(?:[eE][-+]?\d+)?\s*%?\s*")


def format_of(head: bytes, name: str) -> Format:
    """The format of a file that begins so; FileError when it is no table at all."""
    for magic, found in _TABLES.items():
        if head.startswith(magic):
            return found
    if head.startswith(b"PK\x03\x04"):
        if b"xl/" in head or b"[Content_Types].xml" in head:
            return Format.EXCEL
        raise FileError(f"{name} is a zip archive. Unpack it and give one of the files in it.")
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise FileError.no_table(name, what)
    start = head.removeprefix(BOM_UTF8).lstrip()[:4096]
    if re.match(rb'\[\s*[\[{\]"0-9]|\{\s*["}]', start):
        return _json_format(head.removeprefix(BOM_UTF8).lstrip())
    return Format.DELIMITED


def encoding_of(head: bytes, name: str) -> str:
    """The encoding of a text that begins so: utf-8, utf-16-le, utf-16-be or cp1252.

    FileError, with the line, where bytes are found that no text has.
    """
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16-le" if head.startswith(BOM_UTF16_LE) else "utf-16-be"
    even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
    half = max(1, min(len(head), 4096) // 2)
    if min(even, odd) == 0 and max(even, odd) > 0.4 * half:
        return "utf-16-le" if odd else "utf-16-be"
    refuse_binary(head, name)
    try:
        head[: _cut(head)].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def refuse_binary(head: bytes, name: str) -> None:
    """FileError when the bytes are no text, or hold a NUL."""
    strange = sum(head.count(byte) for byte in range(32) if byte not in b"\t\n\r\x0b\x0c\x1b")
    if strange > len(head) / 100 and strange > 2:
        raise FileError.no_table(name, "a binary file")
    if (at := head.find(0)) >= 0:
        raise FileError.nul(name, head.count(b"\n", 0, at) + 1)


def dialect_of(text: str, name: str) -> Dialect:
    """How a text that begins so is divided, and the names of its columns.

    >>> dialect_of("a;b\\n1,5;x\\n2,5;y\\n", "t.csv")
    Dialect(separator=';', quote='"', names=('a', 'b'), skip=1, end='\\n', header=True, titles=0)
    """
    end = "\n" if "\n" in text or "\r" not in text else "\r"
    said = _SEPARATOR_SAID.match(text)  # as Excel writes it in the first line
    body = text[said.end() :] if said else text
    quote = _quote(body)
    separator = (
        said[1] if said else max(_SEPARATORS, key=lambda mark: _regularity(_records(body, mark, quote), mark))
    )
    rows = _records(body, separator, quote)
    if not rows:
        raise FileError.empty(name)
    titles = _titles(rows)
    for _ in range(titles):
        body = body.lstrip("\r\n").partition(end)[2]
    rows = rows[titles:]
    header = _has_header(rows)
    if header:
        body = body.lstrip("\r\n").partition(end)[2]
    body = body.lstrip("\r\n")  # polars counts the columns in the first line that it reads
    skip = text[: len(text) - len(body)].count(end)
    places = range(1, len(rows[0]) + 1)
    names = column_names(rows[0], name) if header else tuple(f"column_{place}" for place in places)
    return Dialect(separator, quote, names, skip, end, header, titles)


def _titles(rows: Sequence[Sequence[str]]) -> int:
    """How many rows of one cell stand above the others, which all have the same number of cells."""
    above = next((place for place, row in enumerate(rows) if len(row) > 1), 0)
    below = {len(row) for row in rows[above:]}
    words = not any(_NUMBER.fullmatch(cell) for row in rows[:above] for cell in row)
    return above if above <= _TITLES and words and len(below) == 1 and len(rows) - above > 1 else 0


def _json_format(text: bytes) -> Format:
    first, _, rest = text.partition(b"\n")
    lone = first.rstrip()
    if lone.startswith(b"{") and lone.endswith(b"}") and (not rest.strip() or rest.lstrip().startswith(b"{")):
        # One object on one line is one row of JSON lines, unless its values are whole columns.
        whole = not rest.strip() and re.match(rb'\{\s*"[^"]*"\s*:\s*[\[{]', lone)
        return Format.JSON if whole else Format.JSON_LINES
    return Format.JSON


def _cut(head: bytes) -> int:
    """Where to stop so that no character is cut in two: the head of a file ends anywhere."""
    if len(head) < HEAD:
        return len(head)
    return max(head.rfind(b"\n"), head.rfind(b"\r"), len(head) - 4)


def _quote(text: str) -> str | None:
    if '"' in text:
        return '"'
    single = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", text, re.MULTILINE))
    return "'" if single >= 2 else '"'


def _records(text: str, separator: str, quote: str | None) -> list[list[str]]:
    """The first rows of the text, without the blank ones and without one that the head cuts off."""
    lines = text.splitlines(keepends=True)
    if len(lines) > 1 and len(text) >= HEAD // 4:
        lines.pop()
    csv.field_size_limit(HEAD * 8)
    try:
        reader = csv.reader(lines, delimiter=separator, quotechar=quote or '"', strict=False)
        return [row for row in islice(reader, _ROWS) if any(cell.strip(BLANKS) for cell in row)]
    except csv.Error:
        return []


def _regularity(rows: Sequence[Sequence[str]], separator: str) -> tuple[float, float]:
    """How likely a separator is: the share of rows with as many fields as most have, then how many."""
    if not rows:
        return (0.0, 0.0)
    fields, often = Counter(map(len, rows)).most_common(1)[0]
    share = often / len(rows)
    if fields == 1 or (separator == " " and (share < 1 or fields < 3 or len(rows) < 3)):
        return (0.0, 0.0)
    agrees = len(rows[0]) == fields
    return (share * (1.0 if agrees else 0.5) * (0.5 if separator == " " else 1.0), fields)


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    first, rest = rows[0], rows[1:]
    cells = [cell.strip(BLANKS) for cell in first]
    if not rest or _counted(cells) or _years(cells, rest):
        return True
    if any(_NUMBER.fullmatch(cell) for cell in cells):
        return False
    numeric = [_mostly_numbers(rest, place) for place in range(len(cells))]
    if any(numeric):
        return True
    below = [{row[place] for row in rest if place < len(row)} for place in range(len(first))]
    return not any(cell and cell in seen for cell, seen in zip(first, below, strict=True))


def _counted(cells: Sequence[str]) -> bool:
    """Whether two or more cells are whole numbers that count up by one: years, or 0, 1, 2, ..."""
    numbers = [int(cell) for cell in cells if re.fullmatch(r"\d{1,6}", cell)]
    others = sum(bool(_NUMBER.fullmatch(cell)) for cell in cells) - len(numbers)
    return len(numbers) > 2 and not others and all(b - a == 1 for a, b in pairwise(numbers))


def _years(cells: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether the only numbers among the cells are years, and what is below them is none."""
    places = [place for place, cell in enumerate(cells) if _NUMBER.fullmatch(cell)]
    below = [row[place].strip(BLANKS) for row in rest for place in places if place < len(row)]
    return (
        bool(places)
        and all(map(_YEAR.fullmatch, (cells[p] for p in places)))
        and not any(map(_YEAR.fullmatch, below))
    )


def _mostly_numbers(rows: Sequence[Sequence[str]], place: int) -> bool:
    cells = [row[place] for row in rows if place < len(row) and row[place].strip(BLANKS)]
    return bool(cells) and sum(bool(_NUMBER.fullmatch(cell)) for cell in cells) > 0.8 * len(cells)
