"""A few raw rows with their predictions, kept in the model folder and tried when it is loaded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from holdfast.core.cells import Cell, parse_cell
from holdfast.core.schema import Column
from holdfast.errors import ModelError

_ISO = "%Y-%m-%d %H:%M:%S"

RawRow = Mapping[str, Cell]


def raw_rows(table: pl.DataFrame, columns: Sequence[Column]) -> list[dict[str, Cell]]:
    """The first, the middle and the last row of typed columns, as raw cells that JSON can hold."""
    return [
        {column.name: _raw(table[column.name][place], column) for column in columns}
        for place in sorted({0, table.height // 2, table.height - 1})
    ]


def write_examples(rows: Sequence[RawRow], output: np.ndarray) -> bytes:
    """Rows and the model's output for them, of shape (rows, K), as JSON."""
    facts = {"rows": list(rows), "output": output.tolist()}
    return json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False).encode()


def read_examples(data: bytes) -> tuple[list[RawRow], np.ndarray]:
    """Rows and output back; ModelError where they are damaged."""
    try:
        facts = json.loads(data)
        rows, output = facts["rows"], np.array(facts["output"], dtype=np.float64)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"The model's examples are damaged: {error or type(error).__name__}.") from error
    plain = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    if not plain or not all(
        isinstance(cell, str | int | float | None) for row in rows for cell in row.values()
    ):
        raise ModelError("The model's examples are damaged: a row must be an object of plain cells.")
    return rows, output


def _raw(value: object, column: Column) -> Cell:
    if isinstance(value, datetime):
        texts = (value.strftime(pattern) for pattern in (_ISO, *column.format.dates))
        return next((text for text in texts if parse_cell(text, column) == value), None)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | float | bool) else None
