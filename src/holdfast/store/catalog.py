"""The catalog: a database of facts, reached through SQLAlchemy.

Nothing here assumes SQLite but the two functions that tune it. Work is given as a
function of a connection, so that it can be done again when another process was faster.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from holdfast.errors import DamagedError, NewerError, StoreError
from holdfast.store.migrations import MIGRATIONS
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine, Table

T = TypeVar("T")

_PATIENCE = 30.0  # seconds that a process waits for others to finish writing


@dataclass(frozen=True, eq=False)
class Catalog:
    """A database; make one with `open_catalog`."""

    engine: Engine

    def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives, in one consistent view."""
        return self._attempt(work, write=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives, in one transaction: when this returns, it is durable.

        `work` may be called again if another process was writing.
        """
        return self._attempt(work, write=True)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def _attempt(self, work: Callable[[Connection], T], *, write: bool) -> T:
        from sqlalchemy.exc import DBAPIError

        end = time.monotonic() + _PATIENCE
        while True:
            try:
                connected = self.engine.connect().execution_options(holdfast_write=write)
                with connected as connection, connection.begin():
                    return work(connection)
            except DBAPIError as error:
                if not _busy(error) or time.monotonic() > end:
                    raise _explained(error, self.engine) from error
                time.sleep(random.uniform(0.005, 0.05))


def open_catalog(where: str | Path) -> Catalog:
    """The catalog in a file or at a database URL, made or brought up to date if need be.

    A file in a folder that may only be read can be read.
    NewerError when a newer Holdfast wrote it, DamagedError when it is no catalog.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError

    try:
        engine = create_engine(where if isinstance(where, str) else _sqlite(where))
    except (ArgumentError, ImportError) as error:
        raise StoreError(
            f"The catalog's URL in holdfast.toml cannot be used: {error}. "
            "Leave it empty for a file, or install its driver (PostgreSQL: pip install psycopg)."
        ) from error
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    catalog = Catalog(engine)
    try:
        if not catalog.read(_current):
            catalog.write(_upgrade)
    except BaseException:
        catalog.close()
        raise
    return catalog


def stamp() -> str:
    """Now, in UTC, to the microsecond, so that texts sort as times do."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def add_once(connection: Connection, table: Table, row: Mapping[str, object]) -> bool:
    """Insert a row unless its key is there; whether it was inserted."""
    from sqlalchemy import select
    from sqlalchemy.exc import IntegrityError

    keys = [column == row[column.name] for column in table.primary_key.columns]
    if connection.execute(select(table).where(*keys)).first() is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(table.insert().values(**row))
    except IntegrityError:  # another process was faster, where the database lets two write at once
        return False
    return True


def frozen(connection: Connection, name: str, value: str) -> str:
    """The value kept under `name` for ever: this one, unless there is one already."""
    from sqlalchemy import select

    about = tables().about
    add_once(connection, about, {"name": name, "value": value})
    return str(connection.execute(select(about.c.value).where(about.c.name == name)).scalar_one())


def _current(connection: Connection) -> bool:
    """Whether the catalog is there and of our version: the common case, which writes nothing."""
    from sqlalchemy import inspect, select

    about = tables().about
    if not inspect(connection).has_table(about.name):
        return False
    query = select(about.c.value).where(about.c.name == "version")
    return connection.execute(query).scalar() == str(1 + len(MIGRATIONS))


def _upgrade(connection: Connection) -> None:
    from sqlalchemy import inspect

    known = 1 + len(MIGRATIONS)
    about = tables().about
    present = inspect(connection).get_table_names()
    if about.name not in present:
        if present:
            raise DamagedError(f"{connection.engine.url!r} is a database, but no Holdfast catalog.")
        tables().metadata.create_all(connection)
    version = int(frozen(connection, "version", str(known)))
    if version > known:
        raise NewerError.format(
            f"catalog.v{version}", f"catalog.v{known}", where=f"The catalog {connection.engine.url!r}"
        )
    for migration in MIGRATIONS[version - 1 :]:
        migration(connection)
    connection.execute(about.update().where(about.c.name == "version").values(value=str(known)))


def _sqlite(file: Path) -> URL:
    from sqlalchemy import URL

    if not file.exists() or os.access(file.parent, os.W_OK):
        return URL.create("sqlite", database=str(file))
    query = {"mode": "ro", "uri": "true"}
    if not file.with_name(f"{file.name}-wal").exists():
        query["immutable"] = "1"  # else SQLite would make a file beside it
    return URL.create("sqlite", database=f"file:{quote(str(file.absolute()))}", query=query)


def _tune_sqlite(engine: Engine) -> None:
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def _connect(connection: object, record: object) -> None:
        del record
        _prepare_sqlite(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer that first reads would find, when it comes to write, that another was faster.
        write = connection.get_execution_options().get("holdfast_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _prepare_sqlite(connection: object) -> None:
    import sqlite3

    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # transactions begin where SQLAlchemy says
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000:.0f}")
    connection.execute("PRAGMA synchronous = FULL")
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _busy(error: Exception) -> bool:
    return _code(error) in ("SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED")


def _code(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlite_errorname", ""))


def _explained(error: Exception, engine: Engine) -> StoreError:
    """A database's complaint, as what it means for a project."""
    where, code = (engine.url.database or repr(engine.url)).removeprefix("file:"), _code(error)
    reason = str(getattr(error, "orig", error))
    if code == "SQLITE_FULL" or code.startswith("SQLITE_IOERR"):
        return StoreError.full(where, reason)
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return StoreError.refused(where, reason)
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return DamagedError(
            f"The catalog {where} is damaged ({reason}). Restore it from a copy of the project; "
            "the objects beside it are unharmed."
        )
    if _busy(error):
        return StoreError(
            f"{where}: another process has been writing for {_PATIENCE:.0f} s; try again later."
        )
    return StoreError(f"{where}: {reason}.")
