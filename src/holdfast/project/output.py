"""Files that a user asked for: there whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from holdfast.errors import FileError
from holdfast.store.disk import write_whole

_EXACT = 2.0**53  # up to here a float64 holds every whole number


def whole_numbers(table: pl.DataFrame) -> pl.DataFrame:
    """With every column of whole numbers as integers: 17 in a file that people read, not 17.0.

    >>> whole_numbers(pl.DataFrame({"age": [17.0, None], "dose": [0.5, 1.0]})).rows()
    [(17, 0.5), (None, 1.0)]
    """
    floats = [column for column in table if column.dtype.is_float()]
    whole = [c.name for c in floats if bool((c.is_null() | ((c == c.round()) & (c.abs() <= _EXACT))).all())]
    return table.with_columns(pl.col(whole).cast(pl.Int64))


def write_output(output: Path, data: bytes) -> Path:
    """Write the file, in a folder that is made if need be; FileError when it cannot be."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, data, output.parent)
    except OSError as error:
        raise FileError.unwritable(output, error.strerror or str(error)) from error
    return output
