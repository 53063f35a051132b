"""Read CSV, TSV and their relatives, of any size, into raw columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import polars.selectors as cs

from holdfast.core.cells import fold
from holdfast.core.wording import count
from holdfast.data.coded import codes
from holdfast.data.lines import forgiven, refuse_nul, refuse_ragged, without_blank_lines
from holdfast.data.raw import numeric_names, plain_number
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
_DIGITS = 1e15  # from here on a number may be a code of too many digits for a float64
_UNQUOTED = "a quote is never closed: quotes are taken as characters"
_PLACES = (0.0, 0.25, 0.5, 0.75, 0.999)


@dataclass(frozen=True, slots=True)
class Read:
    """A raw table, and what had to be done to the file to read it."""

    table: pl.DataFrame
    notes: tuple[str, ...] = ()


def read_delimited(plain: Plain, folder: Path, texts: Collection[str] = ()) -> Read:
    """All rows of a delimited text: numbers where every cell of a column is one, else text.

    `texts` are the folded names of columns to leave as text. Blank lines are no rows, and
    neither are titles above the column names. FileError names the line of a row with too few
    or too many fields, of a NUL byte, or of text that cannot be decoded. `folder` takes
    temporary files.
    """
    head = plain.head
    if not head.strip():
        raise FileError.empty(plain.name)
    encoding = encoding_of(head, plain.name)
    notes = []
    if encoding != "utf-8":
        plain = _recoded(plain, encoding, folder)
        notes.append(f"decoded as {encoding}")
    refuse_nul(plain)
    dialect = dialect_of(plain.head.decode("utf-8-sig", errors="replace"), plain.name)
    if dialect.separator not in ",\t":
        notes.append(f"divided at {dialect.separator!r}")
    if dialect.titles:
        notes.append(f"left out {count(dialect.titles, 'line')} above the column names")
    if not dialect.header:
        notes.append("the file names no columns: they are called column_1, column_2, ...")
    try:
        parsed = _parsed(plain, dialect, texts)
    except pl.exceptions.ComputeError as error:
        if "utf-8" not in str(error).lower():
            raise
        notes.append("decoded as cp1252")
        parsed = _parsed(_recoded(plain, "cp1252", folder), dialect, texts)
    return Read(parsed.table, (*notes, *parsed.notes))


def _parsed(plain: Plain, dialect: Dialect, texts: Collection[str]) -> Read:
    notes: tuple[str, ...] = ()
    try:
        table = _read(plain, dialect, texts)
    except (pl.exceptions.ComputeError, pl.exceptions.SchemaError) as error:
        if "utf-8" in str(error).lower():
            raise
        refuse_ragged(plain, dialect)
        dialect, notes = replace(dialect, quote=None), (_UNQUOTED,)  # as in many exports with tabs
        try:
            table = _read(plain, dialect, texts)
        except pl.exceptions.PolarsError:
            raise FileError(
                f"{plain.name} cannot be divided into columns: {str(error).splitlines()[0]}. Look for a "
                "quote that is never closed."
            ) from None
    if table.width > 1 and table.to_series(-1).null_count():
        refuse_ragged(plain, dialect)
    return Read(without_blank_lines(table, plain, dialect), notes)


def _read(plain: Plain, dialect: Dialect, texts: Collection[str]) -> pl.DataFrame:
    if plain.size <= _SAMPLED:
        return collected(_scan(plain.source, dialect), plain.size)
    seen, sure = _sampled(plain, dialect, texts), False
    if seen.numbers and forgiven(plain, dialect):
        seen, sure = _confirmed(plain, dialect, seen), True
    try:
        table = collected(_scan(plain.source, dialect, seen), plain.size)
        if sure or not _doubtful(table):
            return table
    except pl.exceptions.ComputeError as error:
        if sure or "could not parse" not in str(error):
            raise
    return collected(_scan(plain.source, dialect, _confirmed(plain, dialect, seen)), plain.size)


def _doubtful(table: pl.DataFrame) -> bool:
    """Whether numbers are so large that they may be codes, or none at all."""
    numbers = table.select(cs.float())
    figures = (pl.all().max(), pl.all().min(), pl.all().is_nan().any())
    high, low, none = (numbers.select(figure).row(0) if numbers.width else () for figure in figures)
    return any(none) or any(abs(most) >= _DIGITS for most in (*high, *low) if most is not None)


def _confirmed(plain: Plain, dialect: Dialect, seen: _Seen) -> _Seen:
    """What was seen, with only those columns of numbers in which, as text, every cell is a plain number."""
    cells = _scan(plain.source, dialect).select(seen.numbers)
    plainly = cells.select(plain_number(pl.all()).all()).collect(engine="streaming")
    return replace(seen, numbers=[name for name in seen.numbers if plainly[name][0]])


@dataclass(frozen=True, slots=True)
class _Seen:
    """The columns that a sample shows to be plain numbers, and those to be text with few levels."""

    numbers: Sequence[str] = ()
    coded: Sequence[str] = ()


def _sampled(plain: Plain, dialect: Dialect, texts: Collection[str]) -> _Seen:
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
        return _Seen([name for name in dialect.names if fold(name) not in texts])
    sample = pl.concat(parts)
    numbers = numeric_names(sample, texts)
    others = sample.drop(numbers)
    return _Seen(
        numbers, [cells.name for cells in others if 2 <= cells.n_unique() <= sample.height // _OFTEN]
    )


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
    return cells.with_columns(pl.col(name).cast(codes()) for name in seen.coded)


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
