"""Read CSV, TSV and their relatives, of any size, into raw columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import polars.selectors as cs

from holdfast.core.cells import BLANKS
from holdfast.data.coded import codes
from holdfast.data.raw import numeric_names
from holdfast.data.sniff import Dialect, dialect_of, encoding_of
from holdfast.data.spill import collected
from holdfast.data.unpack import Plain, stored
from holdfast.errors import FileError

# Below this, all cells are read as text and then looked at; above, a sample says which
# columns are numbers, which polars' own parser reads without making text of them, and
# which hold few different texts.
_SAMPLED = 64 << 20
_SAMPLE = 1 << 20
_OFTEN = 20  # rows per level, on average, of a column that is coded while it is read
_PLACES = (0.0, 0.25, 0.5, 0.75, 0.999)


@dataclass(frozen=True, slots=True)
class Read:
    """A raw table, and what had to be done to the file to read it."""

    table: pl.DataFrame
    notes: tuple[str, ...] = ()


def read_delimited(plain: Plain, folder: Path) -> Read:
    """All rows of a delimited text: numbers where every cell of a column is one, else text.

    Blank lines are no rows. FileError names the line of a row with too few or too many
    fields, of a NUL byte, or of text that cannot be decoded. `folder` takes temporary files.
    """
    head = plain.head
    if not head.strip():
        raise FileError.empty(plain.name)
    encoding = encoding_of(head, plain.name)
    notes = []
    if encoding != "utf-8":
        plain = _recoded(plain, encoding, folder)
        notes.append(f"decoded as {encoding}")
    _refuse_nul(plain)
    dialect = dialect_of(plain.head.decode("utf-8-sig", errors="replace"), plain.name)
    if dialect.separator not in ",\t":
        notes.append(f"divided at {dialect.separator!r}")
    if not dialect.header:
        notes.append("the file names no columns: they are called column_1, column_2, ...")
    try:
        parsed = _parsed(plain, dialect)
    except pl.exceptions.ComputeError as error:
        if "utf-8" not in str(error).lower():
            raise
        notes.append("decoded as cp1252")
        parsed = _parsed(_recoded(plain, "cp1252", folder), dialect)
    return Read(_without_blank_lines(parsed.table), (*notes, *parsed.notes))


def _parsed(plain: Plain, dialect: Dialect) -> Read:
    try:
        read = Read(_read(plain, dialect))
    except (pl.exceptions.ComputeError, pl.exceptions.SchemaError) as error:
        if "utf-8" in str(error).lower():
            raise
        _refuse_ragged(plain, dialect)
        read = Read(
            _unquoted(plain, dialect, error), ("a quote is never closed: quotes are taken as characters",)
        )
    if read.table.width > 1 and read.table.to_series(-1).null_count():
        _refuse_ragged(plain, dialect)
    return read


def _read(plain: Plain, dialect: Dialect) -> pl.DataFrame:
    if plain.size <= _SAMPLED:
        return collected(_scan(plain.source, dialect), plain.size)
    seen = _sampled(plain, dialect)
    try:
        return collected(_scan(plain.source, dialect, seen), plain.size)
    except pl.exceptions.ComputeError as error:
        if "could not parse" not in str(error):
            raise
    # Some cell beyond the sample is no number: find all such columns in one pass.
    cells = _scan(plain.source, dialect).select(seen.numbers)
    number = pl.all().cast(pl.Float64, strict=False)
    wrong = cells.select((number.is_null() & pl.all().is_not_null()).any()).collect(engine="streaming")
    seen = replace(seen, numbers=[name for name in seen.numbers if not wrong[name][0]])
    return collected(_scan(plain.source, dialect, seen), plain.size)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The columns that a sample shows to be plain numbers, and those to be text with few levels."""

    numbers: Sequence[str] = ()
    coded: Sequence[str] = ()


def _sampled(plain: Plain, dialect: Dialect) -> _Seen:
    pieces = [plain.middle(share, _SAMPLE) for share in _PLACES]
    pieces[0] = plain.head[: plain.head.rfind(b"\n") + 1]
    parts = []
    for place, piece in enumerate(pieces):
        try:
            part = _scan(piece, dialect if place == 0 else replace(dialect, skip=0)).collect()
        except pl.exceptions.PolarsError:  # the piece begins inside a quoted text
            continue
        parts.append(part)
    if not parts:
        return _Seen(dialect.names)
    sample = pl.concat(parts)
    numbers = numeric_names(sample)
    texts = sample.drop(numbers)
    return _Seen(numbers, [text.name for text in texts if 2 <= text.n_unique() <= texts.height // _OFTEN])


def _scan(source: bytes | Path, dialect: Dialect, seen: _Seen = _Seen()) -> pl.LazyFrame:
    cells = pl.scan_csv(
        source,
        separator=dialect.separator,
        quote_char=dialect.quote,
        eol_char=dialect.end,
        has_header=False,
        skip_rows=dialect.skip,
        schema={name: pl.Float64 if name in seen.numbers else pl.String for name in dialect.names},
        glob=False,
    )
    # Coded as they come, block by block: all of their text is never held at once.
    coded = (pl.col(name).cast(codes()) for name in seen.coded)
    return cells.with_columns(cs.float().fill_nan(None), *coded)


def _unquoted(plain: Plain, dialect: Dialect, error: Exception) -> pl.DataFrame:
    """The table when quotes are only characters, as in many exports with tabs."""
    try:
        return _read(plain, replace(dialect, quote=None))
    except pl.exceptions.PolarsError:
        reason = str(error).splitlines()[0]
        raise FileError(
            f"{plain.name} cannot be divided into columns: {reason}. Look for a quote that is never closed."
        ) from None


def _recoded(plain: Plain, encoding: str, folder: Path) -> Plain:
    return stored(_recode(plain.chunks(), encoding, plain.name), plain.name, folder / f"recoded-{encoding}")


def _recode(pieces: Iterator[bytes], encoding: str, name: str) -> Iterator[bytes]:
    import codecs

    # cp1252 leaves five bytes without a meaning; latin-1 gives each byte one.
    decoder = codecs.getincrementaldecoder(encoding)("replace" if encoding == "cp1252" else "strict")
    try:
        for piece in pieces:
            yield decoder.decode(piece).removeprefix("\ufeff").encode()
        yield decoder.decode(b"", True).encode()
    except UnicodeDecodeError as error:
        raise FileError(
            f"{name} begins as {encoding} but is not: {error.reason}. Save it as UTF-8."
        ) from None


def _refuse_nul(plain: Plain) -> None:
    if not any(b"\0" in piece for piece in plain.chunks()):
        return
    line = 1
    for piece in plain.chunks():
        if (at := piece.find(0)) >= 0:
            raise FileError.nul(plain.name, line + piece.count(b"\n", 0, at))
        line += piece.count(b"\n")


def _without_blank_lines(table: pl.DataFrame) -> pl.DataFrame:
    if table.width == 0 or any(column.null_count() == 0 for column in table.iter_columns()):
        return table
    return table.filter(~pl.all_horizontal(pl.all().is_null()))


def _refuse_ragged(plain: Plain, dialect: Dialect) -> None:
    """FileError when a line that holds no part of a longer quoted text has too few or too many fields."""
    lines = pl.scan_csv(
        plain.source,
        separator="\x01",
        quote_char=None,
        eol_char=dialect.end,
        has_header=False,
        schema={"line": pl.String},
        truncate_ragged_lines=True,
        glob=False,
    ).with_row_index("number", offset=1)
    text = pl.col("line").str.strip_chars("\r\ufeff")
    if dialect.quote:
        quoted = re.escape(dialect.quote)
        text = text.str.replace_all(f"{quoted}[^{quoted}]*{quoted}", "q")
    fields = text.str.count_matches(re.escape(dialect.separator)) + 1
    counted = lines.with_columns(text=text, fields=fields).filter(
        pl.col("text").str.strip_chars(BLANKS) != ""
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
