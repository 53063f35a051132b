"""Changes of a Dataset's cells, each a pure function: what a model is asked about a second time.

All give a Dataset with the same rows, ids and schema (but `without`, which makes a column
one that no model may look at), and touch feature cells only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.schema import Kind, Role
from holdfast.debugging.cells import QUARTILES

UNSEEN = "never seen before"  # a level that no training row has

_WORDS = (Kind.CATEGORY, Kind.TEXT)
_FEWEST_LETTERS = 2  # of a text that a typo is made in


def without(dataset: Dataset, column: str) -> Dataset:
    """The column made one that models ignore."""
    ignored = replace(dataset.schema[column], role=Role.IGNORED)
    return replace(dataset, schema=dataset.schema.replaced(ignored))


def shuffled(dataset: Dataset, column: str, order: np.ndarray) -> Dataset:
    """A column's cells dealt out anew: row i gets the cell of row `order[i]`, int of shape (n,)."""
    return _with(dataset, [dataset.table[column].gather(order)])


def emptied(dataset: Dataset, column: str) -> Dataset:
    """No cell of a column is known."""
    cells = dataset.table[column]
    return _with(dataset, [pl.repeat(None, len(cells), dtype=cells.dtype, eager=True).alias(column)])


def with_gaps(dataset: Dataset, rng: np.random.Generator, *, share: float = 0.1) -> Dataset:
    """Each feature cell is missing with this probability."""
    cells = [dataset.table[column.name] for column in dataset.schema.features]
    return _with(
        dataset, [_where(rng.random(len(c)) < share, pl.Series([None], dtype=c.dtype), c) for c in cells]
    )


def noisy(dataset: Dataset, rng: np.random.Generator, *, share: float = 0.1) -> Dataset:
    """Normal noise on every number, with this share of its column's standard deviation.

    Read from the quartiles, and so none where half of a column is one value: noise on that
    value is nothing that happens. Whole numbers stay whole.
    """
    return _with(dataset, [_noisy(cells, rng, share) for cells in _of_kind(dataset, Kind.NUMBER)])


def scaled(dataset: Dataset, column: str, factor: float) -> Dataset:
    """A column of numbers in another unit."""
    return _with(dataset, [dataset.table[column] * factor])


def shifted(dataset: Dataset, column: str, *, deviations: float = 3.0) -> Dataset:
    """A column of numbers or dates moved up by so many of its standard deviations.

    >>> from holdfast.core.schema import Column, Schema
    >>> table, schema = pl.DataFrame({"age": [1.0, 3.0, None]}), Schema((Column("age", Kind.NUMBER),))
    >>> people = Dataset(table, schema, pl.Series(["a", "b", "c"]), np.arange(3))
    >>> shifted(people, "age", deviations=1.0).table["age"].round(3).to_list()
    [2.0, 4.0, None]
    """
    cells = dataset.table[column]
    if cells.null_count() == len(cells):
        return dataset
    numbers = cells.to_physical().cast(pl.Float64)
    moved = numbers + deviations * float(np.nanstd(numbers.to_numpy()))
    return _with(dataset, [moved.cast(pl.Int64).cast(cells.dtype) if cells.dtype.is_temporal() else moved])


def unseen(dataset: Dataset, column: str) -> Dataset:
    """Every known cell of a column of categories is a level that no model has seen."""
    cells = dataset.table[column]
    return _with(dataset, [_where(cells.is_not_null().to_numpy(), pl.Series([UNSEEN]), cells)])


def with_typos(dataset: Dataset, rng: np.random.Generator, *, share: float = 0.1) -> Dataset:
    """A character is left out in this share of the cells of categories and texts.

    Cells of one character, and empty ones, stay as they are.
    """
    return _with(dataset, [_mistyped(cells, rng, share) for cells in _of_kind(dataset, *_WORDS)])


def _mistyped(cells: pl.Series, rng: np.random.Generator, share: float) -> pl.Series:
    length = cells.str.len_chars().fill_null(0)
    place = pl.Series(values=rng.random(len(cells))) * length
    frame = pl.DataFrame({"cell": cells, "place": place.floor().cast(pl.Int64)})
    cell, at = pl.col("cell"), pl.col("place")
    shorter = frame.select(cell.str.slice(0, at) + cell.str.slice(at + 1))["cell"]
    hit = (rng.random(len(cells)) < share) & (length >= _FEWEST_LETTERS).to_numpy()
    return _where(hit, shorter, cells)


def _noisy(cells: pl.Series, rng: np.random.Generator, share: float) -> pl.Series:
    known = cells.drop_nulls()
    low, high = np.quantile(known.to_numpy(), [0.25, 0.75]) if len(known) else (0.0, 0.0)
    noise = pl.Series(values=rng.standard_normal(len(cells))) * (share * float(high - low) / QUARTILES)
    whole = bool((known == known.round()).all())
    return (cells + (noise.round() if whole else noise)).alias(cells.name)


def _of_kind(dataset: Dataset, *kinds: Kind) -> list[pl.Series]:
    return [dataset.table[column.name] for column in dataset.schema.features if column.kind in kinds]


def _where(rows: np.ndarray, chosen: pl.Series, otherwise: pl.Series) -> pl.Series:
    return chosen.zip_with(pl.Series(values=rows), otherwise).alias(otherwise.name)


def _with(dataset: Dataset, cells: list[pl.Series]) -> Dataset:
    return replace(dataset, table=dataset.table.with_columns(cells))
