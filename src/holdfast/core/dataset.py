"""An immutable table version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from holdfast.core.fingerprint import fingerprint, fingerprint_bytes
from holdfast.core.labels import label_text
from holdfast.core.schema import Schema
from holdfast.core.wording import count
from holdfast.errors import ColumnError, InputError


@dataclass(frozen=True, slots=True)
class Step:
    """One named step of a dataset's lineage and the number of cells (or rows) it touched."""

    name: str
    column: str
    touched: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A plain fact about a table that its owner should know.

    `kind` is a stable word ("leak", "twins", "conflicting labels", "spelling",
    "constant", "id-like", "missing", ...); `severity` is "note" or "warning".
    `rows` is how many rows (or cells) it touches.
    """

    kind: str
    severity: str
    column: str
    message: str
    rows: int = 0


@dataclass(frozen=True, eq=False)
class Dataset:
    """An immutable table version, keyed by stable example id.

    `table` holds one typed column per schema column (see schema.Kind), `example` the
    ids of its rows (unique text), `twin` a uint64 hash of each row's feature cells, so
    that rows with equal features share it. `key` is a uint64 hash of the cells that decide
    a row's role for ever: those of the features that its project began with (None: the
    same as `twin`). `lineage` are the steps from the raw file.
    """

    table: pl.DataFrame
    schema: Schema
    example: pl.Series
    twin: np.ndarray
    lineage: tuple[Step, ...] = ()
    checks: tuple[Check, ...] = ()
    source: str = ""
    content: str = ""
    key: np.ndarray | None = None

    def __post_init__(self) -> None:
        if tuple(self.table.columns) != self.schema.names:
            raise ColumnError(
                f"The table's columns {self.table.columns} are not the schema's {list(self.schema.names)}."
            )
        if len(self.example) != self.table.height or len(self.twin) != self.table.height:
            raise InputError("A Dataset needs one example id and one twin hash per row.")

    def __len__(self) -> int:
        return self.table.height

    def __repr__(self) -> str:
        target = next((c.name for c in self.schema if c.role == "target"), None)
        size = f"{count(len(self), 'row')}, {count(len(self.schema.columns), 'column')}"
        return f"Dataset({size}, target {target!r}, {self.id[:8]})"

    @cached_property
    def id(self) -> str:
        """Names this version by its content and schema; the order of rows does not count.

        `content` is the reader's order-free hash of all raw cells with their ids, and of
        how those were read.
        """
        columns = [(c.name, c.kind, c.role) for c in self.schema]
        return fingerprint([self.content, sorted(columns), len(self)])

    @cached_property
    def label_counts(self) -> pl.DataFrame:
        """Each `label` of the target, as text, and how many rows have it, `count`; the order is none."""
        labels = self.target.drop_nulls().alias("label").to_frame().lazy()
        counted = labels.group_by("label").agg(count=pl.len()).collect(engine="streaming")
        return counted.with_columns(label_text(counted["label"])).group_by("label").sum()

    @property
    def target(self) -> pl.Series:
        """The target's cells: text for classification, Float64 for regression."""
        return self.table[self.schema.target.name]

    @property
    def weight(self) -> np.ndarray | None:
        """Row weights as float64 of shape (n,), or None."""
        column = next((c for c in self.schema if c.role == "weight"), None)
        return None if column is None else self.table[column.name].to_numpy()

    def take(self, rows: np.ndarray) -> Dataset:
        """The rows at these positions (int) or under this mask (bool), as a part of this version."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(
            self,
            table=self.table[index],
            example=self.example.gather(index),
            twin=self.twin[index],
            content=f"{self.content}[{_named(self.example.gather(index))}]",
            key=None if self.key is None else self.key[index],
        )

    def reordered(self, order: np.ndarray) -> Dataset:
        """The same version with its rows in another order, int of shape (n,): a permutation."""
        return replace(
            self,
            table=self.table[order],
            example=self.example.gather(order),
            twin=self.twin[order],
            key=None if self.key is None else self.key[order],
        )


def _named(ids: pl.Series) -> str:
    return fingerprint_bytes("\n".join(ids.sort().to_list()).encode())
