"""How a catalog of an older version is brought up to date. What stands here is never changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

Migration = Callable[["Connection"], None]


def _add_decisions(connection: Connection) -> None:
    made = tables()
    made.metadata.create_all(connection, tables=[made.findings, made.decisions])


def _chain_the_ledger(connection: Connection) -> None:
    """Each entry gets its number and the hash of the one before; the newest one's is noted."""
    from sqlalchemy import select

    ledger, newest, previous = tables().ledger, "", ""
    kept = connection.execute(select(ledger.c.number, ledger.c.record).order_by(ledger.c.number)).all()
    for number, record in kept:
        facts = json.loads(record) | {"number": number, "previous": previous}
        text = json.dumps(facts, ensure_ascii=False)
        connection.execute(ledger.update().where(ledger.c.number == number).values(record=text))
        previous = fingerprint_bytes(text.encode())
        newest = f"{number} {previous}"
    connection.execute(tables().about.insert().values(name="newest ledger entry", value=newest))


# The n-th function takes a catalog from version n to n + 1.
MIGRATIONS: tuple[Migration, ...] = (_add_decisions, _chain_the_ledger)
