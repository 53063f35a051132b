"""Finished folds, by a key that names everything that determined them: what resuming reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from holdfast.store.catalog import stamp
from holdfast.store.store import Store
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


def save_fold(store: Store, key: str, files: Mapping[str, bytes], *, seconds: float) -> None:
    """Keep a finished fold: when this returns, no crash loses it. The last of a key stays."""
    row = {"key": key, "object": store.objects.put_files(files), "seconds": seconds, "saved": stamp()}

    def work(connection: Connection) -> None:
        folds = tables().folds
        connection.execute(folds.delete().where(folds.c.key == key))
        connection.execute(folds.insert().values(**row))

    store.catalog.write(work)


def load_fold(store: Store, key: str) -> Mapping[str, bytes] | None:
    """The files of a fold that was finished before, or None; DamagedError when they are harmed."""
    from sqlalchemy import select

    folds = tables().folds
    query = select(folds.c.object).where(folds.c.key == key)
    name = store.catalog.read(lambda connection: connection.execute(query).scalar())
    return None if name is None else store.objects.get_files(name, of=f"fold {key[:12]}")


def count_folds(store: Store, keys: Collection[str]) -> int:
    """How many of these folds were finished before."""
    from sqlalchemy import func, select

    folds = tables().folds
    query = select(func.count()).where(folds.c.key.in_(keys))
    return int(store.catalog.read(lambda connection: connection.execute(query).scalar_one()))
