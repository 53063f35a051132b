"""What a user's own training loop logs: queued in microseconds, durable 50 ms later.

Logging never raises into a training. What could not be written is kept and tried again,
and told when the log is closed, or at the latest when the process ends.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.core.predictions import Predictions
from holdfast.core.run import RunRecord, Status
from holdfast.errors import HoldfastError
from holdfast.store.catalog import stamp
from holdfast.store.records import decode, encode
from holdfast.store.runs import FORMAT, run_row
from holdfast.store.store import Store
from holdfast.store.tables import tables
from holdfast.store.trainings import finish_training, start_training, still_alive

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SOON = 0.05  # seconds that a record may wait for others, to share their transaction
_BEAT = 2.0  # seconds
_NO_STEP = -1  # in the catalog, where no column is empty
_MOST = 100_000  # records that wait for a disk that refuses; the oldest are then dropped


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One call of `hf.log`: a run's name, and what is known of it now.

    The last `predictions` and `files` of a run are the run's own. `at` is in seconds
    since 1970; `step` is None when the caller does not count.
    """

    run: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    step: int | None = None
    predictions: Predictions | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    at: float = field(default_factory=time.time)


class LogWriter:
    """Writes records in batches from a thread of its own; `close` it to know how it went."""

    def __init__(self, store: Store, command: str) -> None:
        self._book = _Book(store, command)
        self._queue: list[LogRecord] = []
        self._queue_lock, self._write_lock = threading.Lock(), threading.Lock()
        self._wake, self._closed = threading.Event(), threading.Event()
        self._failures: dict[str, None] = {}
        self._dropped = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def add(self, record: LogRecord) -> None:
        """Queue a record; nothing is raised. Numbers of any kind are taken as floats now."""
        try:
            checked = _checked(record)
        except (TypeError, ValueError, AttributeError) as error:
            self._failures[f"A record of run {record.run!r} cannot be kept: {error}"] = None
            self._dropped += 1
            return
        with self._queue_lock:
            self._queue.append(checked)
        self._wake.set()

    def flush(self) -> None:
        """Write what is queued, now."""
        with self._write_lock:
            with self._queue_lock:
                batch, self._queue = self._queue, []
            if not batch:
                return
            try:
                self._book.write(batch)
            except Exception as error:  # whatever it is, it must not end a training
                self._failures[str(error)] = None
                with self._queue_lock:
                    kept = batch + self._queue
                    self._dropped += max(len(kept) - _MOST, 0)
                    self._queue = kept[-_MOST:]

    def close(self) -> tuple[str, ...]:
        """Write all, and say that the runs are finished; what went wrong, empty if nothing did."""
        if not self._closed.is_set():
            self._closed.set()
            self._wake.set()
            self._thread.join()
            self.flush()
            try:
                self._book.finish()
            except HoldfastError as error:
                self._failures[str(error)] = None
        for run in [run for run, record in self._book.runs.items() if record is None]:
            self._failures[f"Run {run!r} was trained by Holdfast; log under another name."] = None
        lost = len(self._queue) + self._dropped
        return (*self._failures, *([f"{lost:,} log records were lost."] if lost else []))

    def _serve(self) -> None:
        while not self._closed.is_set():
            if self._wake.wait(_BEAT):
                self._wake.clear()
                self._closed.wait(_SOON)
                self.flush()
            self._book.beat()


class _Book:
    """The runs that one process logs: a training of their own, and their rows in the catalog.

    A name in `runs` without a record belongs to a run that Holdfast trained: refused.
    """

    def __init__(self, store: Store, command: str) -> None:
        self.store, self.command = store, command
        self.training = ""
        self.beaten = 0.0
        self.runs: dict[str, RunRecord | None] = {}

    def write(self, batch: Sequence[LogRecord]) -> None:
        """Keep all records of a batch, or none."""
        if not self.training:
            self.training = start_training(self.store, self.command).id
        objects = self.store.objects
        kept: dict[str, dict[str, str]] = {}
        for record in batch:
            names = kept.setdefault(record.run, {})
            if record.predictions is not None:
                names["predictions"] = objects.put(record.predictions.encode())
                names["dataset"] = record.predictions.header.dataset
            if record.files:
                names["files"] = objects.put_files(record.files)
        # what was only rolled back is not remembered
        self.runs = self.store.catalog.write(lambda connection: self.insert(connection, batch, kept))

    def insert(
        self, connection: Connection, batch: Sequence[LogRecord], kept: Mapping[str, Mapping[str, str]]
    ) -> dict[str, RunRecord | None]:
        """The rows of a batch; the runs that are known then."""
        known, runs = tables(), dict(self.runs)
        for run, names in kept.items():
            record = runs[run] if run in runs else self.adopted(connection, run)
            if record is not None and names:
                record = replace(record, dataset=names.get("dataset", record.dataset))
                values = {**names, "record": encode(record, FORMAT)}
                connection.execute(known.runs.update().where(known.runs.c.id == run).values(**values))
            runs[run] = record
        rows = [_row(record) for record in batch if runs[record.run] is not None]
        if rows:
            connection.execute(known.logs.insert(), rows)
        return runs

    def adopted(self, connection: Connection, run: str) -> RunRecord | None:
        """A new run, or one that an earlier process logged and that goes on here.

        None for a run that Holdfast trained: what it is must not change.
        """
        from sqlalchemy import select

        known = tables().runs
        record = RunRecord(run, self.training, None, "", Status.RUNNING, stamp())
        text = connection.execute(select(known.c.record).where(known.c.id == run)).scalar()
        if text is None:
            connection.execute(known.insert().values(**run_row(record)))
            return record
        earlier = decode(RunRecord, text, FORMAT)
        if earlier.plan is not None:
            return None
        record = replace(earlier, training=self.training, status=Status.RUNNING)
        values = {
            "training": record.training,
            "status": record.status.value,
            "record": encode(record, FORMAT),
        }
        connection.execute(known.update().where(known.c.id == run).values(**values))
        return record

    def beat(self) -> None:
        """Say that the runs are alive, if it is time to."""
        if self.training and time.monotonic() - self.beaten > _BEAT:
            still_alive(self.store, self.training)
            self.beaten = time.monotonic()

    def finish(self) -> None:
        """Say that the runs are finished."""

        def work(connection: Connection) -> None:
            known = tables().runs
            for record in filter(None, self.runs.values()):
                done = replace(record, status=Status.FINISHED)
                values = {"status": done.status.value, "record": encode(done, FORMAT)}
                mine = (known.c.id == done.id) & (known.c.training == self.training)
                connection.execute(known.update().where(mine).values(**values))

        if self.training:
            self.store.catalog.write(work)
            finish_training(self.store, self.training)


# One writer per project and process: a forked child starts its own, for threads do not fork.
_WRITERS: dict[tuple[Path, int], LogWriter] = {}
_LOST: Counter[tuple[Path, int, str]] = Counter()  # what never came to a writer, and why


def log_record(store: Store, record: LogRecord, *, command: str = "log") -> None:
    """Queue a record of one of the user's own runs; it is durable some 50 ms later.

    Nothing is raised: `close_log` tells what went wrong, as does the end of the process.
    """
    key = (store.root, os.getpid())
    if key not in _WRITERS:
        _WRITERS[key] = LogWriter(store, command)
    _WRITERS[key].add(record)


def log_lost(root: Path, reason: str) -> None:
    """Say when the process ends that something could not be logged to the project in `root`, and why."""
    _LOST[root, os.getpid(), reason] += 1


def close_log(store: Store) -> tuple[str, ...]:
    """Write what is queued and say that the logged runs are finished; what went wrong."""
    writer = _WRITERS.pop((store.root, os.getpid()), None)
    return () if writer is None else writer.close()


def logged(store: Store, run: str) -> tuple[LogRecord, ...]:
    """What was logged of a run, in order: steps, times and metrics."""
    from sqlalchemy import select

    logs = tables().logs
    query = select(logs.c.step, logs.c.at, logs.c.metrics).where(logs.c.run == run).order_by(logs.c.number)
    rows = store.catalog.read(lambda connection: connection.execute(query).all())
    return tuple(
        LogRecord(
            run,
            {name: float(value) for name, value in json.loads(metrics).items()},
            None if step == _NO_STEP else step,
            at=at,
        )
        for step, at, metrics in rows
    )


def _checked(record: LogRecord) -> LogRecord:
    """The record as it is now, whatever its owner does to it later; an error for what cannot be written."""
    if not isinstance(record.run, str) or not record.run:
        raise TypeError("a run's name is a text")
    if not isinstance(record.predictions, Predictions | None):
        raise TypeError("predictions are made with hf.Predictions.of")
    files = {str(path): bytes(memoryview(data)) for path, data in record.files.items()}
    metrics = {str(name): float(value) for name, value in record.metrics.items()}
    return replace(
        record, metrics=metrics, files=files, step=None if record.step is None else int(record.step)
    )


def _row(record: LogRecord) -> dict[str, object]:
    return {
        "run": record.run,
        "step": _NO_STEP if record.step is None else record.step,
        "at": record.at,
        "metrics": json.dumps({name: _number(value) for name, value in record.metrics.items()}),
    }


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # JSON has no word for the others


@atexit.register
def _close_all() -> None:
    for (root, process), writer in list(_WRITERS.items()):
        if process == os.getpid():
            for failure in writer.close():
                print(f"holdfast: logging to {root}: {failure}", file=sys.stderr)
    for (root, process, reason), times in _LOST.items():
        if process == os.getpid():
            print(f"holdfast: logging to {root}: {reason} ({times:,} times)", file=sys.stderr)
