"""`log`: a run made by the user's own training loop, in the same project."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from holdfast.core.predictions import Predictions
from holdfast.store.logs import LogRecord, log_lost, log_record
from holdfast.store.store import Store, create


def log(
    metrics: Mapping[str, float] | None = None,
    *,
    run: str = "run",
    step: int | None = None,
    predictions: Predictions | None = None,
    files: Mapping[str, bytes | str | Path] | None = None,
    project: str | Path = ".",
) -> None:
    """Record what is known of a run now: metrics at a step, predictions, files.

    Queued in microseconds and durable a moment later. The last `predictions` and `files`
    of a run are its own; with predictions it is compared and ranked like any other run.
    `files` are bytes, text, or paths to read. Logging never raises into a training loop:
    what could not be written is said when the process ends.
    """
    root = Path(project).absolute()
    given = {}
    for name, value in (files or {}).items():
        try:
            given[name] = _bytes(value)
        except OSError as error:
            log_lost(root, f"The file {name!r} of run {run!r} cannot be read: {error}")
    record = LogRecord(run, dict(metrics or {}), step, predictions, given)
    try:
        store = _store(str(root))
    except Exception as error:  # whatever it is, it must not end a training
        log_lost(root, f"A record of run {run!r} was lost: {error}")
        return
    log_record(store, record)


@lru_cache(maxsize=16)
def _store(path: str) -> Store:
    return create(path)


def _bytes(value: bytes | str | Path) -> bytes:
    if isinstance(value, Path):
        return value.read_bytes()
    return value.encode() if isinstance(value, str) else value
