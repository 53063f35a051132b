"""Logging: fast, durable soon, and never in the way of a training."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from store_cases import predictions, record

from holdfast.core.run import Run, Status
from holdfast.store.logs import LogRecord, close_log, log_record, logged
from holdfast.store.runs import load_run, run_files, runs, save_run
from holdfast.store.store import Store, create
from holdfast.store.tables import tables
from holdfast.store.trainings import interrupted, trainings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with create(tmp_path / "project") as store:
        yield store
        close_log(store)


def until(truth: object, within: float = 5.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if truth():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def test_records_come_back_in_order(store: Store) -> None:
    for step in range(250):
        log_record(store, LogRecord("mine", {"loss": 1 / (step + 1), "accuracy": np.float32(0.5)}, step))
    log_record(store, LogRecord("mine", {"loss": float("nan"), "gain": float("inf")}))
    assert close_log(store) == ()
    back = logged(store, "mine")
    assert [one.step for one in back] == [*range(250), None]
    assert back[3].metrics == {"loss": 0.25, "accuracy": 0.5}
    assert str(back[250].metrics) == "{'loss': nan, 'gain': inf}"
    assert [one.at for one in back] == sorted(one.at for one in back)


def test_records_are_durable_soon_without_a_close(store: Store) -> None:
    log_record(store, LogRecord("mine", {"loss": 1.0}))
    assert until(lambda: len(logged(store, "mine")) == 1)
    assert [r.status for r in runs(store)] == [Status.RUNNING]


def test_a_logged_run_is_a_run(store: Store) -> None:
    log_record(store, LogRecord("mine", {"loss": 2.0}))
    log_record(store, LogRecord("mine", predictions=predictions(3), files={"a.txt": b"1"}))
    log_record(store, LogRecord("mine", {"loss": 1.0}, predictions=predictions(4)))
    log_record(store, LogRecord("other", {"loss": 1.0}))
    assert close_log(store) == ()
    run = load_run(store, "mine")
    assert run.record.status is Status.FINISHED
    assert run.record.plan is None
    assert run.predictions is not None
    assert len(run.predictions) == 4
    assert run_files(store, "mine") == {"a.txt": b"1"}
    assert {r.id for r in runs(store)} == {"mine", "other"}
    assert [t.status for t in trainings(store)] == [Status.FINISHED]


def test_logging_may_go_on_in_a_later_session(store: Store) -> None:
    for loss in (2.0, 1.0):
        log_record(store, LogRecord("mine", {"loss": loss}))
        assert close_log(store) == ()
    assert [one.metrics["loss"] for one in logged(store, "mine")] == [2.0, 1.0]
    assert len(runs(store)) == 1
    assert runs(store)[0].training == trainings(store)[-1].id


def test_failures_are_kept_and_told_at_the_end(store: Store) -> None:
    save_run(store, Run(record("ridge-1")))
    log_record(store, LogRecord("mine", {"loss": "high"}))  # type: ignore[dict-item]
    log_record(store, LogRecord("mine", predictions=[0.5]))  # type: ignore[arg-type]
    log_record(store, LogRecord("mine", files={"a": "text"}))  # type: ignore[dict-item]
    log_record(store, LogRecord("ridge-1", {"loss": 1.0}))
    log_record(store, LogRecord("mine", {"loss": 1.0}))
    told = close_log(store)
    assert any("'mine' cannot be kept: could not convert" in line for line in told)
    assert any("hf.Predictions.of" in line for line in told)
    assert any("'ridge-1' was trained by Holdfast" in line for line in told)
    assert "3 log records were lost." in told
    assert len(logged(store, "mine")) == 1
    assert logged(store, "ridge-1") == ()
    assert load_run(store, "ridge-1").record.plan is not None


def test_a_catalog_that_refuses_does_not_stop_training_and_is_tried_again(store: Store) -> None:
    log_record(store, LogRecord("mine", {"loss": 1.0}))
    assert until(lambda: len(logged(store, "mine")) == 1)
    logs = tables().logs
    store.catalog.write(logs.drop)
    log_record(store, LogRecord("mine", {"loss": 2.0}))
    time.sleep(0.2)
    store.catalog.write(logs.create)
    told = close_log(store)
    assert len(told) == 1
    assert "no such table" in told[0]
    assert [one.metrics["loss"] for one in logged(store, "mine")] == [2.0]


SCRIPT = """
import sys, os, time
from holdfast.store.store import create
from holdfast.store.logs import LogRecord, log_record
store = create(sys.argv[1])
for step in range(1000):
    log_record(store, LogRecord(sys.argv[2], {"loss": 1.0}, step))
if sys.argv[3] == "kill":
    time.sleep(0.5)
    os.kill(os.getpid(), 9)
if sys.argv[3] == "break":
    import sqlite3
    time.sleep(0.5)
    with sqlite3.connect(sys.argv[1] + "/.holdfast/catalog.db") as connection:
        connection.execute("DROP TABLE logs")
    log_record(store, LogRecord(sys.argv[2], {"loss": 2.0}, 1000))
"""


def session(root: Path, run: str, end: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(root), run, end]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_script_needs_no_close(tmp_path: Path) -> None:
    process = session(tmp_path, "mine", "")
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    with create(tmp_path) as store:
        assert len(logged(store, "mine")) == 1000
        assert runs(store)[0].status is Status.FINISHED


def test_a_killed_script_is_dead_and_what_was_durable_stays(tmp_path: Path) -> None:
    session(tmp_path, "mine", "kill").communicate(timeout=60)
    with create(tmp_path) as store:
        assert len(logged(store, "mine")) == 1000
        assert runs(store)[0].status is Status.DEAD
        assert len(interrupted(store)) == 1


def test_what_could_not_be_logged_is_told_when_the_process_ends(tmp_path: Path) -> None:
    process = session(tmp_path / "project", "mine", "break")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.splitlines()[-1].endswith(": 1 log records were lost.")
    assert "no such table: logs" in said


def test_two_processes_log_into_a_new_project_at_once(tmp_path: Path) -> None:
    both = [session(tmp_path / "project", name, "") for name in ("one", "two")]
    assert [process.communicate(timeout=60)[1] for process in both] == ["", ""]
    with create(tmp_path / "project") as store:
        assert [len(logged(store, name)) for name in ("one", "two")] == [1000, 1000]


def test_a_record_costs_the_caller_little(store: Store) -> None:
    """The contract is 1 ms, amortised and durable; a busy machine is given four times that."""
    started = time.perf_counter()
    for step in range(2000):
        log_record(store, LogRecord("mine", {"loss": 1.0, "accuracy": 0.5}, step))
    assert close_log(store) == ()
    assert time.perf_counter() - started < 8.0
