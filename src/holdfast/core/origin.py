"""The rows that a run was made of, so that they are known again in any table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.schema import Role, Schema
from holdfast.core.split import SEALED, Split

TRAINED = "trained"


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The columns of a run's dataset, and its rows: example ids, hashes of their cells and roles, each (n,).

    `twin` is the hash of the features, `key` that of the columns `keyed_by`, by which a project
    first named its rows: a feature that a fix left out is in it still.
    """

    schema: Schema
    example: pl.Series
    twin: np.ndarray
    key: np.ndarray
    role: np.ndarray
    keyed_by: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset, split: Split, keyed_by: tuple[str, ...] = ()) -> Self:
        """The origin of a run on these rows, divided so."""
        key = dataset.twin if dataset.key is None else dataset.key
        return cls(dataset.schema, dataset.example, dataset.twin, key, split.role, keyed_by)

    def split(self, rows: Dataset) -> pl.Series:
        """The `split` of other rows, of this schema: "trained", "sealed", or null for new ones.

        Rows are known by their id column where they have one, else by their features, or by
        the columns `keyed_by` where the rows were read with them as `key`. A row that equals a
        sealed and an open one is "sealed".
        """
        named = self.schema.with_role(Role.ID)
        if named is not None and not rows.table[named.name].null_count():
            sealed = self._sealed(self.example, rows.example)
        else:
            key = rows.twin if rows.key is None else rows.key
            twins, keys = self._sealed(self.twin, rows.twin), self._sealed(self.key, key)
            sealed = (twins | keys).fill_null(twins).fill_null(keys)
        told = pl.select(pl.when(sealed).then(pl.lit(SEALED)).when(~sealed).then(pl.lit(TRAINED)))
        return told.to_series().alias("split")

    def _sealed(self, names: pl.Series | np.ndarray, asked: pl.Series | np.ndarray) -> pl.Series:
        """Whether a row of the asked name is sealed; null where there is none."""
        known = pl.DataFrame({"name": names, "sealed": self.role == SEALED})
        known = known.group_by("name").agg(pl.col("sealed").any())
        return pl.DataFrame({"name": asked}).join(known, "name", "left", maintain_order="left")["sealed"]
