"""The end of a chain of records, noted apart from it: what is cut off its end shows.

Hashes tell what was edited, moved or taken out of the middle of a chain. Its last records
could be deleted unseen, were the newest one's name not kept elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.store.catalog import add_once
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


def hold(connection: Connection, chain: str) -> None:
    """Make whoever else adds to the chain wait, where the database lets two write at once."""
    about = tables().about
    add_once(connection, about, {"name": f"newest {chain}", "value": ""})
    connection.execute(about.update().where(about.c.name == f"newest {chain}").values(value=about.c.value))


def note(connection: Connection, chain: str, newest: str) -> None:
    """The chain, which is held, now ends with this record."""
    about = tables().about
    connection.execute(about.update().where(about.c.name == f"newest {chain}").values(value=newest))


def noted(connection: Connection, chain: str) -> str:
    """The record that the chain should end with, "" when nothing was ever added."""
    from sqlalchemy import select

    about = tables().about
    found = connection.execute(select(about.c.value).where(about.c.name == f"newest {chain}")).scalar()
    return str(found or "")
