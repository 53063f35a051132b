"""`log`: a run made by the user's own training loop, in the same project."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from holdfast.core.predictions import Predictions
from holdfast.store.logs import LogRecord, log_record
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
    given = {name: _bytes(value) for name, value in (files or {}).items()}
    record = LogRecord(run, dict(metrics or {}), step, predictions, given)
    log_record(_store(str(Path(project).absolute())), record)


@lru_cache(maxsize=16)
def _store(path: str) -> Store:
    return create(path)


def _bytes(value: bytes | str | Path) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.read_bytes() if isinstance(value, Path) else value.encode()
