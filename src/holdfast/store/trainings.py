"""Trainings: what one command makes together, and whether it still runs."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from holdfast.core.run import Status, Training
from holdfast.errors import HoldfastError, StoreError
from holdfast.store.catalog import stamp
from holdfast.store.disk import process_gone, process_space
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

FORMAT = "training.v1"
_BEAT = 2.0  # seconds
_STALE = 60.0  # seconds without a beat; a busy or sleeping machine may miss many


def start_training(
    store: Store, command: str, *, dataset: str = "", plan: Mapping[str, object] | None = None
) -> Training:
    """Say that a command starts now in this process. Keep it alive with `heartbeat`."""
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    training = Training(name, command, dataset, stamp(), plan=plan or {})
    row = {
        "id": training.id,
        "record": encode(training, FORMAT),
        "started": training.started,
        "status": training.status.value,
        "pid": os.getpid(),
        "space": process_space(),
        "heartbeat": time.time(),
    }
    store.catalog.write(lambda connection: connection.execute(tables().trainings.insert().values(**row)))
    return training


@contextmanager
def heartbeat(store: Store, training: str) -> Iterator[None]:
    """Say every two seconds that the training is alive, for as long as the block runs."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_BEAT):
            still_alive(store, training)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def still_alive(store: Store, training: str) -> None:
    """Say once that the training is alive. A beat that fails is a beat missed, no more."""
    known = tables().trainings
    query = known.update().where(known.c.id == training).values(heartbeat=time.time())
    try:
        store.catalog.write(lambda connection: connection.execute(query))
    except HoldfastError:
        return


def finish_training(
    store: Store,
    training: str,
    status: Status = Status.FINISHED,
    *,
    best: str | None = None,
    recommended: str | None = None,
    skipped: Mapping[str, str] | None = None,
) -> Training:
    """Say how a training ended. `Status.RUNNING` only records what is best so far.

    `skipped` says why learners of its plan were not fitted; they join the plan's "skipped".
    """

    def work(connection: Connection) -> Training:
        from sqlalchemy import select

        known = tables().trainings
        text = connection.execute(select(known.c.record).where(known.c.id == training)).scalar()
        if text is None:
            raise StoreError(f"No training {training!r} in {store.root}.")
        before = decode(Training, text, FORMAT)
        plan = dict(before.plan)
        if skipped:
            plan["skipped"] = [*cast("list[list[str]]", plan.get("skipped", [])), *skipped.items()]
        after = replace(
            before,
            plan=plan,
            status=status,
            finished="" if status is Status.RUNNING else stamp(),
            best=before.best if best is None else best,
            recommended=before.recommended if recommended is None else recommended,
        )
        values = {"record": encode(after, FORMAT), "status": status.value, "heartbeat": time.time()}
        connection.execute(known.update().where(known.c.id == training).values(**values))
        return after

    return store.catalog.write(work)


def trainings(store: Store) -> tuple[Training, ...]:
    """All trainings, oldest first; one whose process died is `Status.DEAD`."""
    from sqlalchemy import select

    known = tables().trainings
    query = select(known).order_by(known.c.started, known.c.id)
    rows = store.catalog.read(lambda connection: list(connection.execute(query).mappings()))
    return tuple(_training(row) for row in rows)


def interrupted(store: Store) -> tuple[Training, ...]:
    """The trainings that died at work and that nobody has cleared, oldest first.

    To clear one: `finish_training(store, training.id, Status.DEAD)`.
    """
    return tuple(
        training for training in trainings(store) if training.status is Status.DEAD and not training.finished
    )


def _training(row: RowMapping) -> Training:
    training = decode(Training, row["record"], FORMAT)
    if training.status is Status.RUNNING and _dead(row):
        return replace(training, status=Status.DEAD)
    return training


def _dead(row: RowMapping) -> bool:
    if row["space"] == process_space() and process_gone(row["pid"]):
        return True
    return bool(time.time() - row["heartbeat"] > _STALE)
