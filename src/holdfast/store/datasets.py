"""Datasets: every version that something was trained on or scored with, by its id."""

from __future__ import annotations

import io
from dataclasses import dataclass

import polars as pl

from holdfast.core.dataset import Check, Dataset, Step
from holdfast.core.schema import Schema
from holdfast.errors import DamagedError, StoreError, suggest
from holdfast.store.catalog import add_once, stamp
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables

FORMAT = "dataset.v1"


@dataclass(frozen=True, slots=True)
class _Facts:
    """A Dataset without its rows."""

    schema: Schema
    lineage: tuple[Step, ...]
    checks: tuple[Check, ...]
    source: str
    content: str


def save_dataset(store: Store, dataset: Dataset) -> str:
    """Keep a dataset; its id. One that is there already is left as it is."""
    facts = _Facts(dataset.schema, dataset.lineage, dataset.checks, dataset.source, dataset.content)
    rows = pl.DataFrame({"example": dataset.example, "twin": dataset.twin})
    if dataset.key is not None:
        rows = rows.with_columns(key=pl.Series(values=dataset.key))
    name = store.objects.put_files(
        {
            "dataset.json": encode(facts, FORMAT).encode(),
            "table.parquet": parquet(dataset.table),
            "rows.parquet": parquet(rows),
        }
    )
    row = {
        "id": dataset.id,
        "source": dataset.source,
        "rows": len(dataset),
        "columns": dataset.table.width,
        "object": name,
        "saved": stamp(),
    }
    store.catalog.write(lambda connection: add_once(connection, tables().datasets, row))
    return dataset.id


def load_dataset(store: Store, dataset: str) -> Dataset:
    """The dataset of that id, its rows in the order in which they were first saved.

    StoreError when there is none, DamagedError when it is not what was saved.
    """
    from sqlalchemy import select

    known = tables().datasets
    name = store.catalog.read(
        lambda connection: connection.execute(select(known.c.object).where(known.c.id == dataset)).scalar()
    )
    if name is None:
        raise StoreError(f"No dataset {dataset!r} in {store.root}. {suggest(dataset_ids(store)[-3:])}")
    files = store.objects.get_files(name, of=f"dataset {dataset[:8]}")
    facts = decode(_Facts, files["dataset.json"].decode(), FORMAT)
    rows = table_of(files["rows.parquet"])
    loaded = Dataset(
        table_of(files["table.parquet"]),
        facts.schema,
        rows["example"],
        rows["twin"].to_numpy(),
        facts.lineage,
        facts.checks,
        facts.source,
        facts.content,
        rows["key"].to_numpy() if "key" in rows.columns else None,
    )
    if loaded.id != dataset:
        raise DamagedError(f"The dataset saved as {dataset[:8]} reads as {loaded.id[:8]}.")
    return loaded


def dataset_ids(store: Store) -> tuple[str, ...]:
    """The ids of all datasets, oldest first."""
    from sqlalchemy import select

    known = tables().datasets
    query = select(known.c.id).order_by(known.c.saved)
    return tuple(store.catalog.read(lambda connection: list(connection.execute(query).scalars())))


def parquet(frame: pl.DataFrame) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def table_of(data: bytes) -> pl.DataFrame:
    """The table in the bytes of a Parquet file; DamagedError when there is none."""
    try:
        return pl.read_parquet(io.BytesIO(data))
    except pl.exceptions.PolarsError as error:
        raise DamagedError(f"A table of this project is no Parquet file: {error}") from error
