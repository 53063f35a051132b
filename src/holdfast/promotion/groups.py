"""The groups of rows that a fairness guard compares."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.guard import Guard, plain_number
from holdfast.core.schema import Kind, Role
from holdfast.errors import ColumnError

_MOST_NUMBERS = 10  # different ones, up to which each is a group of its own


def groups_of(guard: Guard, rows: Dataset) -> pl.Series:
    """Each row's group as a text, null for none: a level of the guard's column, or a band of its numbers.

    ColumnError for a column that has no groups of its own, with the line that makes some.
    """
    if guard.column not in rows.schema:
        raise ColumnError.absent(guard.column, rows.schema.names)
    column, cells = rows.schema[guard.column], rows.table[guard.column]
    if column.role is Role.TARGET:
        raise ColumnError(f"column {column.name!r} is the target, by which no groups of rows are compared.")
    if guard.bands:
        if column.kind is not Kind.NUMBER:
            raise ColumnError(
                f"bands cut numbers into groups, and column {column.name!r} holds a {column.kind} in each "
                "cell. Leave the line bands out."
            )
        return _banded(cells, guard.bands)
    if column.kind in (Kind.NUMBER, Kind.DATE, Kind.TEXT) and cells.n_unique() > _MOST_NUMBERS:
        raise ColumnError(
            f"column {column.name!r} holds {cells.drop_nulls().n_unique():,} different values, and each "
            f"would be a group by itself. {_mend(column.kind, cells, rows)}"
        )
    texts = cells.cast(pl.String)
    if column.kind is Kind.BOOLEAN:
        return texts.replace({"true": "yes", "false": "no"})
    return texts.str.strip_suffix(".0") if column.kind is Kind.NUMBER else texts


def _banded(cells: pl.Series, bands: tuple[float, ...]) -> pl.Series:
    """`< 30`, `30 to < 60`, `>= 60`."""
    edges = [plain_number(edge) for edge in bands]
    between = [f"{low} to < {high}" for low, high in pairwise(edges)]
    labels = [f"< {edges[0]}", *between, f">= {edges[-1]}"]
    band = np.searchsorted(bands, cells.fill_null(0.0).to_numpy(), side="right")
    names = pl.Series(values=labels).gather(band)
    return pl.select(pl.when(cells.is_not_null()).then(names)).to_series()


def _mend(kind: Kind, cells: pl.Series, rows: Dataset) -> str:
    if kind is Kind.NUMBER:
        thirds = [cells.quantile(share) for share in (1 / 3, 2 / 3)]
        edges = sorted({float(f"{third:.3g}") for third in thirds if third is not None})
        return f"Cut it into bands, for example: bands = [{', '.join(f'{edge:.10g}' for edge in edges)}]"
    groups = (Kind.CATEGORY, Kind.BOOLEAN)
    names = [one.name for one in rows.schema if one.kind in groups and one.role is not Role.TARGET]
    return f'Compare the groups of another column, for example: column = "{names[0]}"' if names else ""
