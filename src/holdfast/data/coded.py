"""Columns of text in which few cells differ, held as codes: what is done to text is done to each level once.

A coded column is a Categorical with a mapping of its own, so that none outlives it.
Nothing that is found out about a column depends on whether it is coded.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

# A column longer than this with up to so many distinct cells is worth its codes.
_LONG, FEW = 1000, 20_000
_SHOWN = 2 * FEW  # rows of a long column that show whether more than so many differ


def coded_texts(table: pl.DataFrame) -> pl.DataFrame:
    """The table with its columns of text `coded`."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # polars lets other threads run meanwhile
        return pl.DataFrame(list(pool.map(coded, table.get_columns())))


def codes() -> pl.Categorical:
    """The type of a coded column, with a mapping of its own."""
    return pl.Categorical(pl.Categories.random())


def coded(cells: pl.Series) -> pl.Series:
    """The same cells as codes, if they are long text of which few differ; else as text."""
    few = min(FEW, len(cells) // 4)
    if is_coded(cells) and _known(cells) > few:
        cells = cells.cast(pl.String)
    if cells.dtype != pl.String or len(cells) <= _LONG:
        return cells
    if len(cells) > 2 * _SHOWN and cells.gather_every(len(cells) // _SHOWN).n_unique() > few:
        return cells
    if int(cells.approx_n_unique()) > few:  # type: ignore[arg-type]
        return cells
    # As a frame, which keeps the chunks: where those of a table's columns differ, polars joins
    # all pieces of all columns whenever some are selected.
    return cells.to_frame().select(pl.all().cast(codes())).to_series()


def is_coded(cells: pl.Series) -> bool:
    """Whether cells are codes of text."""
    return isinstance(cells.dtype, pl.Categorical)


def counts_of(cells: pl.Series) -> pl.DataFrame:
    """Each distinct cell as `value`, that of a coded column as text, and how many rows have it, `count`."""
    if not is_coded(cells):
        return cells.alias("value").value_counts(name="count")
    levels, places = levels_in(cells)
    counted = pl.DataFrame({"value": levels, "count": np.bincount(places, minlength=len(levels))})
    return counted.filter(pl.col("count") > 0)


def levels_in(cells: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The levels of a coded column as text, null the last, and the place of each row's among them.

    >>> levels, places = levels_in(pl.Series(["b", "a", None, "b"]).cast(pl.Categorical))
    >>> levels.gather(places).to_list()
    ['b', 'a', None, 'b']
    """
    known, codes = _known(cells), cells.to_physical()
    levels = pl.Series(values=np.arange(known), dtype=codes.dtype).cat.to(cells.dtype).cast(pl.String)
    return levels.extend_constant(None, 1).alias(cells.name), codes.fill_null(known).to_numpy()


def _known(cells: pl.Series) -> int:
    """How many levels a coded column knows."""
    most = cells.to_physical().max()
    return 0 if most is None else int(most) + 1  # type: ignore[arg-type]
