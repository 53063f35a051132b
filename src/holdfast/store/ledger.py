"""The ledger: every time the sealed rows were asked. Entries are added, never changed."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from holdfast.store.catalog import stamp
from holdfast.store.datasets import parquet, table_of
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

FORMAT = "entry.v1"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One question to the sealed rows.

    `kind` is "evaluate" or "gate", `outcome` what was answered, `facts` the numbers
    behind it. `examples` names the object that lists the rows that were asked: what is
    spent follows the rows, not the dataset's name. `number`, `at` and `by` are given by
    `append_entry`.
    """

    kind: str
    run: str
    dataset: str
    metric: str = ""
    outcome: str = ""
    facts: Mapping[str, float | str] = field(default_factory=dict)
    examples: str = ""
    number: int = 0
    at: str = ""
    by: str = ""


def append_entry(
    store: Store,
    entry: LedgerEntry,
    examples: pl.Series,
    *,
    allow: Callable[[Sequence[LedgerEntry]], None] | None = None,
) -> LedgerEntry:
    """Write a question down, with the ids of the rows that were asked; the entry as it was kept.

    `allow` is shown the entries so far and raises when there may not be one more: nobody
    else writes in between, so that two who ask at once cannot overspend.
    """
    listed = parquet(pl.DataFrame({"example": examples.sort()}))
    kept = replace(entry, examples=store.objects.put(listed), at=stamp(), by=user_name())
    query = tables().ledger.insert().values(record=encode(kept, FORMAT))

    def work(connection: Connection) -> int:
        if allow is not None:
            allow(_entries(connection))
        number = connection.execute(query).inserted_primary_key
        assert number is not None  # the table counts by itself
        return int(number[0])

    return replace(kept, number=store.catalog.write(work))


def entries(store: Store) -> tuple[LedgerEntry, ...]:
    """All entries, oldest first."""
    return store.catalog.read(_entries)


def _entries(connection: Connection) -> tuple[LedgerEntry, ...]:
    from sqlalchemy import select

    ledger = tables().ledger
    rows = connection.execute(select(ledger.c.number, ledger.c.record).order_by(ledger.c.number)).all()
    return tuple(replace(decode(LedgerEntry, text, FORMAT), number=number) for number, text in rows)


def entry_examples(store: Store, entry: LedgerEntry) -> pl.Series:
    """The ids of the rows that were asked, sorted."""
    data = store.objects.get(entry.examples, of=f"the rows of ledger entry {entry.number}")
    return table_of(data)["example"]


def user_name() -> str:
    """Who runs this process, "" where that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a process without a user's name
        return ""
