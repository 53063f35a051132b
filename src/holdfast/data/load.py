"""From a path, a URL or a table in memory to one raw table."""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import polars as pl

from holdfast.core.dataset import Step
from holdfast.data.delimited import Read, read_delimited
from holdfast.data.raw import as_plain_numbers, column_names, raw_frame, together
from holdfast.data.sniff import Format, format_of
from holdfast.data.spill import collected
from holdfast.data.unpack import Plain, unpacked
from holdfast.errors import FileError, InputError

Source = object
"""A path or URL, several of them, or a polars, pandas or Arrow table (a polars LazyFrame too)."""

_MOST_CELLS = 4_000_000_000
_EXCEL_RATIO, _EXCEL_SIZE = 200, 100 << 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """A raw table: `table` holds text (perhaps coded), Float64, Boolean and Datetime("us") columns."""

    table: pl.DataFrame
    name: str
    steps: tuple[Step, ...] = ()


def load(source: Source, texts: Collection[str] = ()) -> Loaded:
    """Read everything that `source` names, typed only as far as it is typed itself.

    `texts` are the names (`fold`ed, see core.cells) of columns that are text or categories:
    their cells stay as they are written, also where all of them could be numbers.

    Raises FileError for what cannot be read, ColumnError for columns that do not fit
    together, InputError for something that is no table.
    """
    if isinstance(source, str | Path):
        return _from_file(str(source), texts)
    if isinstance(source, list | tuple) and source and all(isinstance(part, str | Path) for part in source):
        parts = [_from_file(str(part), texts) for part in source]
        table = together([part.table for part in parts], [part.name for part in parts])
        return Loaded(table, ", ".join(part.name for part in parts), tuple(s for p in parts for s in p.steps))
    table = _from_memory(source)
    names = column_names(table.columns, "The table")
    if table.height == 0:
        raise FileError.empty("The table")
    raw = raw_frame(table.rename(dict(zip(table.columns, names, strict=True))))
    return Loaded(as_plain_numbers(raw, texts), "a table in memory")


def _from_file(name: str, texts: Collection[str]) -> Loaded:
    with unpacked(name) as plain, tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
        head = plain.head
        if not head:
            raise FileError.empty(name)
        found = format_of(head, name)
        if found is Format.DELIMITED:
            read = read_delimited(plain, Path(folder), texts)
        else:
            read = Read(_typed(plain, found))
    names = column_names(read.table.columns, name)
    table = read.table.rename(dict(zip(read.table.columns, names, strict=True)))
    table = as_plain_numbers(table if found is Format.DELIMITED else raw_frame(table), texts)
    if table.height == 0:
        raise FileError.empty(name, but=" but for its column names" if table.width else "")
    return Loaded(table, name, tuple(Step("read", "", table.height, note) for note in read.notes))


def _typed(plain: Plain, found: Format) -> pl.DataFrame:
    readers = {
        Format.PARQUET: _parquet,
        Format.ARROW: _arrow,
        Format.EXCEL: _excel,
        Format.JSON: _json,
        Format.JSON_LINES: _json_lines,
    }
    try:
        return readers[found](plain)
    except (pl.exceptions.PolarsError, OSError, ValueError, BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileError(f"{plain.name} is not a sound {found} file: {reason}. Write it again.") from error


def _parquet(plain: Plain) -> pl.DataFrame:
    lazy = pl.scan_parquet(_buffer(plain), glob=False)
    rows, columns = lazy.select(pl.len()).collect().item(), len(lazy.collect_schema())
    if rows * columns > _MOST_CELLS:
        raise FileError(f"{plain.name} says that it holds {rows:,} rows. Give a file with fewer of them.")
    return collected(lazy, plain.size)


def _arrow(plain: Plain) -> pl.DataFrame:
    return pl.read_ipc(_buffer(plain))


def _json_lines(plain: Plain) -> pl.DataFrame:
    try:
        return collected(pl.scan_ndjson(_buffer(plain), infer_schema_length=None), plain.size)
    except pl.exceptions.PolarsError:
        _refuse_broken_line(plain)
        raise


def _broken_at(plain: Plain) -> str:
    """Where a JSON document breaks off, for a message; "" where it does not."""
    try:
        json.loads(plain.source if isinstance(plain.source, bytes) else plain.source.read_bytes())
    except json.JSONDecodeError as error:
        return f": line {error.lineno:,}, character {error.colno:,} ({error.msg.lower()})"
    except ValueError:
        return ""
    return ""


def _refuse_broken_line(plain: Plain, *, unless_first: bool = False) -> None:
    """FileError for the first line of JSON lines that is no object, where there is one.

    A file whose first line is none is no JSON lines: `unless_first` leaves it to others.
    """
    with io.BytesIO(plain.source) if isinstance(plain.source, bytes) else plain.source.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                whole = not line.strip() or isinstance(json.loads(line), dict)
            except ValueError:
                whole = False
            if not whole and unless_first and number == 1:
                return
            if not whole:
                raise FileError.no_object(plain.name, number, line.decode(errors="replace"))


def _json(plain: Plain) -> pl.DataFrame:
    """Records, or one object whose values are whole columns."""
    try:
        table = pl.read_json(_buffer(plain), infer_schema_length=None)
    except pl.exceptions.ComputeError:
        _refuse_broken_line(plain, unless_first=True)
        raise FileError(
            f"{plain.name} is not sound JSON of a table{_broken_at(plain)}. A list of objects is "
            'wanted, [{"age": 41, "sex": "f"}, ...], or one object per line.'
        ) from None
    lists = table.width and all(isinstance(dtype, pl.List) for dtype in table.dtypes)
    if table.height == 1 and lists and len({column[0].len() for column in table.iter_columns()}) == 1:
        return table.explode(table.columns)
    return table


def _excel(plain: Plain) -> pl.DataFrame:
    """The first sheet of a workbook."""
    import fastexcel

    data = plain.source if isinstance(plain.source, bytes) else plain.source.read_bytes()
    if data.startswith(b"PK"):
        with ZipFile(io.BytesIO(data)) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > _EXCEL_SIZE and size > _EXCEL_RATIO * len(data):
            raise FileError(f"{plain.name} unpacks to {size >> 20} MB, as a zip bomb does. Save it as CSV.")
    try:
        book = fastexcel.read_excel(data)
        first = book.load_sheet(0, header_row=None, n_rows=1).to_polars()
        if first.is_empty():
            raise FileError.empty(plain.name)
        column_names([str(cell) for cell in first.row(0) if cell is not None], plain.name)
        table = book.load_sheet(0, schema_sample_rows=None).to_polars()
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0]
        raise FileError(f"{plain.name} is not a sound Excel file: {reason}. Save it again.") from None
    nameless = {name: "" for name in table.columns if re.fullmatch(r"__UNNAMED__\d+", name)}
    if nameless:
        places = {name: f"column_{place}" for place, name in enumerate(table.columns, start=1)}
        table = table.rename({name: places[name] for name in nameless})
    filled = table.select(~pl.all_horizontal(pl.all().is_null())).to_series().arg_true()
    return table.head(int(filled[-1]) + 1) if len(filled) else table.clear()  # sheets often end in empty rows


def _buffer(plain: Plain) -> Path | io.BytesIO:
    return io.BytesIO(plain.source) if isinstance(plain.source, bytes) else plain.source


def _from_memory(source: Any) -> pl.DataFrame:
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect(engine="streaming")
    library = type(source).__module__.partition(".")[0]
    if library == "pandas" and hasattr(source, "columns"):
        return _from_pandas(source)
    if library == "pyarrow" or hasattr(source, "__arrow_c_stream__"):
        table = pl.from_arrow(source)
        if isinstance(table, pl.DataFrame):
            return table
    raise InputError(
        f"{type(source).__name__!r} is no kind of table. Give a path, a URL, several paths, or a polars, "
        "pandas or Arrow table."
    )


def _from_pandas(frame: Any) -> pl.DataFrame:
    names = [str(name) for name in frame.columns]
    column_names(names, "The table")
    if frame.index.name is not None:
        frame = frame.reset_index()
        names = [str(name) for name in frame.columns]
    columns = [frame.iloc[:, place] for place in range(len(names))]
    return pl.DataFrame([_pandas_column(column, name) for column, name in zip(columns, names, strict=True)])


def _pandas_column(column: Any, name: str) -> pl.Series:
    try:
        return pl.Series(name, pl.from_pandas(column))
    except (pl.exceptions.PolarsError, TypeError, ValueError, ArithmeticError):
        pass
    cells = column.astype(object).where(column.notna(), None).tolist()
    return pl.Series(name, [None if cell is None else str(cell) for cell in cells], dtype=pl.String)
