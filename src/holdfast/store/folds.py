"""Finished folds, by a key that names everything that determined them: what resuming reads."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.store.catalog import add_once, stamp
from holdfast.store.store import Store
from holdfast.store.tables import tables


def save_fold(store: Store, key: str, files: Mapping[str, bytes], *, seconds: float) -> None:
    """Keep a finished fold: when this returns, no crash loses it. The first of a key stays."""
    row = {"key": key, "object": store.objects.put_files(files), "seconds": seconds, "saved": stamp()}
    store.catalog.write(lambda connection: add_once(connection, tables().folds, row))


def load_fold(store: Store, key: str) -> Mapping[str, bytes] | None:
    """The files of a fold that was finished before, or None."""
    from sqlalchemy import select

    folds = tables().folds
    query = select(folds.c.object).where(folds.c.key == key)
    name = store.catalog.read(lambda connection: connection.execute(query).scalar())
    return None if name is None else store.objects.get_files(name, of=f"fold {key[:12]}")
