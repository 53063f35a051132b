"""Cells as numbers: of one column or of all features, and how unusual a row of them is."""

from __future__ import annotations

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.schema import Column, Kind

QUARTILES = 1.349  # between the quartiles of a normal, in standard deviations


def feature_numbers(dataset: Dataset) -> np.ndarray:
    """Every feature as a number, float64 of shape (n, d), nan where a cell is missing.

    Dates are seconds, texts their length in characters, categories the rank of their level
    from the most common (0) to the rarest.
    """
    columns = [_as_number(dataset.table[column.name], column) for column in dataset.schema.features]
    return np.column_stack(columns) if columns else np.zeros((len(dataset), 0))


def surprise(dataset: Dataset) -> np.ndarray:
    """How unlike the others each row is, in nats, float64 of shape (n,); higher is more unusual.

    Summed over the columns as if they were independent, as histogram-based outlier scores are
    (Goldstein and Dengel 2012): minus the log of the share of rows with the same level for a
    category, yes or no, or an empty cell; log(1 + z^2) for other numbers and dates, z the
    distance from the median in robust standard deviations, which no heavy tail can run away with.
    """
    total = np.zeros(len(dataset))
    for column in dataset.schema.features:
        total += _surprise(dataset.table[column.name], column)
    return total


def level_codes(cells: pl.Series) -> np.ndarray:
    """Each row's level as 1, 2, ... in no order, 0 for a missing cell: int64 of shape (n,)."""
    if cells.dtype == pl.String:
        levels = cells.drop_nulls().unique()
        code = cells.cast(pl.Enum(levels)).to_physical().cast(pl.Int64) + 1
    else:
        code = cells.rank("dense").cast(pl.Int64)
    return np.asarray(code.fill_null(0).to_numpy())


def _as_number(cells: pl.Series, column: Column) -> np.ndarray:
    match column.kind:
        case Kind.CATEGORY:
            cells = _by_frequency(cells)
        case Kind.TEXT:
            cells = cells.str.len_chars()
        case Kind.DATE:
            cells = cells.cast(pl.Int64) / 1e6
        case _:
            pass
    return np.asarray(cells.cast(pl.Float64).fill_null(np.nan).to_numpy())


def _by_frequency(cells: pl.Series) -> pl.Series:
    named = cells.alias("level")
    counts = named.drop_nulls().value_counts().sort(["count", "level"], descending=[True, False])
    places = counts.with_row_index("place").select("level", "place")
    return named.to_frame().join(places, on="level", how="left", maintain_order="left")["place"]


def _surprise(cells: pl.Series, column: Column) -> np.ndarray:
    by_level = cells.alias("cell").to_frame().select((len(cells) / pl.len().over("cell")).log())
    rare = by_level.to_series().to_numpy()
    missing = cells.is_null().to_numpy()
    if column.kind in (Kind.CATEGORY, Kind.BOOLEAN) or missing.all():
        return np.asarray(rare)
    numbers = _as_number(cells, column)
    low, middle, high = np.nanquantile(numbers, [0.25, 0.5, 0.75])
    scale = (high - low) / QUARTILES or float(np.nanstd(numbers)) or 1.0
    return np.where(missing, rare, np.log1p(((numbers - middle) / scale) ** 2))
