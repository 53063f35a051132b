"""Runs: their records, predictions and model files, and the names that people give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from holdfast.core.predictions import Predictions
from holdfast.core.run import Run, RunRecord, Status
from holdfast.errors import UnknownRunError
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables
from holdfast.store.trainings import trainings

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

FORMAT = "run.v1"


def save_run(store: Store, run: Run) -> None:
    """Keep a run with its predictions and its model's files.

    It takes the place of one of the same id in the same training. The same plan on the
    same rows has the same id in every training; by its id, the newest is found.
    """
    row = run_row(run.record)
    if run.predictions is not None:
        row["predictions"] = store.objects.put(run.predictions.encode())
    if run.model is not None:
        row["files"] = store.objects.put_files(run.model.files)

    def work(connection: Connection) -> None:
        known = tables().runs
        same = (known.c.training == run.record.training) & (known.c.id == run.id)
        connection.execute(known.delete().where(same))
        connection.execute(known.insert().values(**row))

    store.catalog.write(work)


def runs(store: Store, training: str | None = None) -> tuple[RunRecord, ...]:
    """The records of all runs, or of one training's, oldest first.

    A run whose process died is `Status.DEAD`.
    """
    from sqlalchemy import select

    known = tables().runs
    query = select(known.c.record).order_by(known.c.started, known.c.id)
    if training is not None:
        query = query.where(known.c.training == training)
    texts = store.catalog.read(lambda connection: list(connection.execute(query).scalars()))
    dead = _dead_trainings(store)
    return tuple(_mourned(decode(RunRecord, text, FORMAT), dead) for text in texts)


def load_run(store: Store, name: str, training: str | None = None) -> Run:
    """The run of that name (see `find_run`) with its predictions; its model is `run_files`.

    The newest of that id, or the one of a `training`.
    """
    row = _row(store, find_run(store, name), training)
    predictions = None
    if row["predictions"]:
        predictions = Predictions.decode(
            store.objects.get(row["predictions"], of=f"the predictions of {row['id']}")
        )
    return Run(_mourned(decode(RunRecord, row["record"], FORMAT), _dead_trainings(store)), predictions)


def run_files(store: Store, run: str, training: str | None = None) -> Mapping[str, bytes]:
    """The files of a run's model, empty when it has none (see `load_run` for which run)."""
    row = _row(store, run, training)
    return store.objects.get_files(row["files"], of=f"the model of {run}") if row["files"] else {}


def find_run(store: Store, text: str, *, also: Sequence[str] = ()) -> str:
    """The id that a person means: an id, a learner of the newest training, or the start of an id.

    UnknownRunError, with the nearest names, when that is no run or more than one; `also`
    are names that the caller knows besides.
    """
    from sqlalchemy import select

    known = tables().runs
    query = select(known.c.id, known.c.training, known.c.learner).order_by(known.c.started, known.c.id)
    listed = store.catalog.read(lambda connection: connection.execute(query).all())
    names = list(dict.fromkeys(name for name, _, _ in listed))
    if text in names:
        return text
    newest = next((training for _, training, learner in reversed(listed) if learner), "")
    learners = {name: learner for name, training, learner in listed if training == newest and learner}
    meant = [name for name, learner in learners.items() if learner == text]
    meant = meant or [name for name in names if text and name.startswith(text)]
    if len(meant) == 1:
        return str(meant[0])
    if meant:
        raise UnknownRunError.ambiguous(text, meant)
    offered = list(dict.fromkeys([*(also if names else ()), *learners.values(), *names]))
    raise UnknownRunError.absent(text, get_close_matches(text, offered, n=3, cutoff=0.5) or offered[:5])


def run_row(record: RunRecord) -> dict[str, object]:
    """A record as a row of the catalog, without predictions and files."""
    return {
        "id": record.id,
        "training": record.training,
        "learner": "" if record.plan is None else record.plan.learner,
        "dataset": record.dataset,
        "started": record.started,
        "status": record.status.value,
        "record": encode(record, FORMAT),
        "predictions": "",
        "files": "",
    }


def _row(store: Store, run: str, training: str | None) -> RowMapping:
    from sqlalchemy import select

    known = tables().runs
    query = select(known).where(known.c.id == run).order_by(known.c.started.desc(), known.c.training.desc())
    if training is not None:
        query = query.where(known.c.training == training)
    row = store.catalog.read(lambda connection: connection.execute(query).mappings().first())
    if row is None:
        raise UnknownRunError.absent(run, [])
    return row


def _dead_trainings(store: Store) -> set[str]:
    return {training.id for training in trainings(store) if training.status is Status.DEAD}


def _mourned(record: RunRecord, dead: set[str]) -> RunRecord:
    gone = record.status is Status.RUNNING and record.training in dead
    return replace(record, status=Status.DEAD) if gone else record
