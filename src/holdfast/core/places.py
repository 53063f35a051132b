"""Rows by their ids."""

from __future__ import annotations

import numpy as np
import polars as pl


def places_in(ids: pl.Series, wanted: pl.Series) -> np.ndarray:
    """Where each wanted id stands among ids, int64 of shape (len(wanted),); -1 for one that is not there.

    >>> places_in(pl.Series(["a", "b", "c"]), pl.Series(["c", "z", "a"])).tolist()
    [2, -1, 0]
    """
    known = ids.alias("example").to_frame().with_row_index("place")
    found = wanted.alias("example").to_frame().join(known, on="example", how="left", maintain_order="left")
    return np.asarray(found["place"].cast(pl.Int64).fill_null(-1).to_numpy())
