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
    """The columns of a run's dataset, and its rows: example ids, twin hashes and roles, each (n,)."""

    schema: Schema
    example: pl.Series
    twin: np.ndarray
    role: np.ndarray

    @classmethod
    def of(cls, dataset: Dataset, split: Split) -> Self:
        """The origin of a run on these rows, divided so."""
        return cls(dataset.schema, dataset.example, dataset.twin, split.role)

    def split(self, rows: Dataset) -> pl.Series:
        """The `split` of other rows, of this schema: "trained", "sealed", or null for new ones.

        Rows are known by their id column where they have one, else by their features. A
        row that equals a sealed and an open one is "sealed".
        """
        named = self.schema.with_role(Role.ID)
        by_id = named is not None and not rows.table[named.name].null_count()
        name, asked = (self.example, rows.example) if by_id else (pl.Series(self.twin), pl.Series(rows.twin))
        known = pl.DataFrame({"name": name, "sealed": pl.Series(values=self.role == SEALED)})
        found = (
            pl.DataFrame({"name": asked})
            .join(known.group_by("name").agg(pl.col("sealed").any()), "name", "left", maintain_order="left")
            .select(pl.when("sealed").then(pl.lit(SEALED)).when(~pl.col("sealed")).then(pl.lit(TRAINED)))
        )
        return found.to_series().alias("split")
