"""The ledger: every time the sealed rows were asked. Entries are added, never changed.

Every entry holds the hash of the one before, and the newest one's is noted apart: an entry
that was edited or taken out, which would give answers back, is named whenever the ledger is read.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.errors import DamagedError, DecisionError
from holdfast.store.catalog import stamp
from holdfast.store.datasets import parquet, table_of
from holdfast.store.newest import hold, note, noted
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

FORMAT = "entry.v1"
_CHAIN = "ledger entry"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One question to the sealed rows.

    `kind` is "evaluate", "fix" or "gate", `outcome` what was answered, `facts` the numbers
    behind it. `examples` names the object that lists the rows that were asked: what is
    spent follows the rows, not the dataset's name. `number` (from 1), `at`, `by` and `previous`
    (the hash of the entry before) are given by `append_entry`.
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
    previous: str = ""


def append_entry(
    store: Store,
    entry: LedgerEntry,
    examples: pl.Series,
    *,
    allow: Callable[[Sequence[LedgerEntry]], None] | None = None,
) -> LedgerEntry:
    """Write a question down, with the ids of the rows that were asked; the entry as it was kept.

    `allow` is shown the entries so far and raises when there may not be one more: nobody
    else writes in between, so that two who ask at once cannot overspend. DecisionError when
    the ledger was changed.
    """
    listed = parquet(pl.DataFrame({"example": examples.sort()}))
    asked = replace(entry, examples=store.objects.put(listed), at=stamp(), by=user_name())

    def work(connection: Connection) -> LedgerEntry:
        hold(connection, _CHAIN)
        earlier, newest = _verified(connection)
        if allow is not None:
            allow(earlier)
        kept = replace(asked, number=len(earlier) + 1, previous=newest)
        text = encode(kept, FORMAT)
        connection.execute(tables().ledger.insert().values(number=kept.number, record=text))
        note(connection, _CHAIN, _named(kept.number, _hash(text)))
        return kept

    return store.catalog.write(work)


def entries(store: Store) -> tuple[LedgerEntry, ...]:
    """All entries, oldest first; DecisionError names the first that is not as it was written."""
    return store.catalog.read(_verified)[0]


def _verified(connection: Connection) -> tuple[tuple[LedgerEntry, ...], str]:
    """All entries, each seen to be as it was written, and the hash of the newest."""
    from sqlalchemy import select

    ledger = tables().ledger
    rows = connection.execute(select(ledger.c.number, ledger.c.record).order_by(ledger.c.number)).all()
    found: list[LedgerEntry] = []
    hashed = ""
    for place, (number, text) in enumerate(rows, start=1):
        entry = _decoded(place, str(text))
        if (number, entry.number) != (place, place):
            raise _changed(f"entry {place} was taken out")
        if entry.previous != hashed:
            raise _changed(f"entry {place - 1} was edited")
        found.append(entry)
        hashed = _hash(str(text))
    _check_end(len(found), hashed, noted(connection, _CHAIN))
    return tuple(found), hashed


def _decoded(place: int, text: str) -> LedgerEntry:
    try:
        return decode(LedgerEntry, text, FORMAT)
    except DamagedError as error:
        raise _changed(f"entry {place} was edited") from error


def _check_end(last: int, hashed: str, newest: str) -> None:
    if newest == (_named(last, hashed) if last else ""):
        return
    end = newest.partition(" ")[0]
    if end.isdigit() and int(end) > last:
        many = f"entry {end} was" if int(end) == last + 1 else f"entries {last + 1} to {end} were"
        raise _changed(f"{many} taken out")
    raise _changed(f"entry {last} was edited" if end == str(last) else f"entry {last} was not written by us")


def _changed(what: str) -> DecisionError:
    return DecisionError(
        f"The ledger of what sealed rows were asked was changed: {what}. They answer no more on a changed "
        "ledger: restore .holdfast/catalog.db from a copy of the project, and ask who wrote to it."
    )


def _named(number: int, hashed: str) -> str:
    return f"{number} {hashed}"


def _hash(text: str) -> str:
    return fingerprint_bytes(text.encode())


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
