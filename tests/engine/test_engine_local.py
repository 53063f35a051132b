"""Worker processes: real ones, which are really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

from holdfast.core.work import Done, Engine, Work
from holdfast.engine.local import LocalEngine
from holdfast.engine.shared import load_shared, save_shared
from holdfast.errors import EngineError

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(2) as engine:
        yield engine


def work(key: str, function: str, *arguments: object) -> Work:
    return Work(key, f"engine_jobs:{function}", arguments)


def drain(engine: Engine) -> dict[str, Done]:
    done = {}
    while (one := engine.wait(30)) is not None:
        done[one.key] = one
    return done


def alone(engine: Engine, function: str, *arguments: object) -> Done:
    engine.submit(work("alone", function, *arguments))
    done = engine.wait(30)
    assert done is not None
    return done


def gone(pid: int, within: float = 5.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_values_come_back_in_completion_order(engine: LocalEngine) -> None:
    engine.submit(work("slow", "sleep", 0.5, 1))
    engine.submit(work("fast", "sleep", 0.0, 2))
    engine.submit(work("next", "sleep", 0.0, 3))
    order = [engine.wait(30) for _ in range(3)]
    assert [(done.key, done.value) for done in order if done] == [("fast", 2), ("next", 3), ("slow", 1)]
    assert engine.wait(30) is None


def test_work_runs_in_several_other_processes(engine: LocalEngine) -> None:
    for k in range(8):
        engine.submit(work(str(k), "process_id"))
    pids = {done.value for done in drain(engine).values()}
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2


def test_timeout_leaves_the_work_running(engine: LocalEngine) -> None:
    engine.submit(work("late", "sleep", 0.6, 7))
    started = time.monotonic()
    assert engine.wait(0) is None
    assert engine.wait(0.1) is None
    assert time.monotonic() - started < 0.5
    done = engine.wait(30)
    assert done is not None
    assert done.value == 7


def test_an_exception_is_one_line_and_a_traceback(engine: LocalEngine) -> None:
    done = alone(engine, "fail", "two\nlines")
    assert done.error == "ValueError: two lines"
    assert "engine_jobs.py" in done.traceback
    assert "raise ValueError(text)" in done.traceback
    assert done.value is None


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("engine_jobs:nothing", "names no function"),
        ("engine_jobs", "names no function"),
        ("no_such_module:f", "No module named 'no_such_module'"),
    ],
)
def test_a_function_that_is_not_there(engine: LocalEngine, function: str, text: str) -> None:
    engine.submit(Work("absent", function))
    done = engine.wait(30)
    assert done is not None
    assert text in done.error


def test_sys_exit_does_not_end_the_worker(engine: LocalEngine) -> None:
    before = alone(engine, "process_id").value
    assert alone(engine, "leave").error == "SystemExit: 3"
    assert before in {alone(engine, "process_id").value for _ in range(2)}


def test_printing_does_not_garble_answers(engine: LocalEngine) -> None:
    assert alone(engine, "shout", 5).value == 5


def test_large_messages(engine: LocalEngine) -> None:
    blob = os.urandom(3_000_000)
    assert alone(engine, "twice_as_many", blob).value == blob + blob


def test_what_cannot_be_pickled_is_an_error_of_its_work(engine: LocalEngine) -> None:
    assert "arguments cannot be sent" in alone(engine, "double", lambda: 1).error
    assert "result cannot be sent" in alone(engine, "unsendable").error


def test_progress_is_heard_while_waiting() -> None:
    heard: list[tuple[str, float]] = []
    with LocalEngine(1, on_progress=lambda key, share: heard.append((key, share))) as engine:
        assert alone(engine, "steps", 4).value == 4
    assert [key for key, _ in heard] == ["alone"] * len(heard)
    shares = [share for _, share in heard]
    assert shares == sorted(shares)
    assert shares[0] == 0.25


def test_costs_are_measured(engine: LocalEngine) -> None:
    burned = alone(engine, "burn", 0.3)
    assert 0.28 < burned.cpu_seconds < 1.0
    assert burned.seconds >= 0.28
    slept = alone(engine, "sleep", 0.3)
    assert slept.cpu_seconds < 0.1
    assert slept.seconds >= 0.3


def test_peak_memory_is_that_of_the_work() -> None:
    with LocalEngine(1) as engine:
        large, small = alone(engine, "hold", 200), alone(engine, "hold", 1)
    assert large.peak_memory > 200 << 20
    if sys.platform == "linux":
        assert small.peak_memory < 100 << 20


@pytest.mark.parametrize("sign", ["SIGKILL", "SIGSEGV"])
def test_a_worker_that_dies_is_an_error_of_its_work(sign: str) -> None:
    with LocalEngine(2) as engine:
        engine.submit(work("bad", "die", sign))
        for k in range(5):
            engine.submit(work(str(k), "double", k))
        done = drain(engine)
    assert sign in done["bad"].error
    assert done["bad"].error.endswith("it last said: about to die)")
    assert ("engine_jobs.py" in done["bad"].traceback) == (sign == "SIGSEGV")
    assert [done[str(k)].value for k in range(5)] == [0, 2, 4, 6, 8]


def test_killed_from_outside(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    with LocalEngine(1) as engine:
        engine.submit(work("victim", "sleep_and_mark", 30, str(mark)))
        engine.submit(work("other", "double", 4))
        while not mark.exists() or not mark.read_text():
            assert engine.wait(0.02) is None
        os.kill(int(mark.read_text()), signal.SIGKILL)
        done = drain(engine)
    assert "SIGKILL" in done["victim"].error
    assert done["other"].value == 8


def test_cancel_kills_what_runs_and_forgets_what_waits(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    with LocalEngine(1) as engine:
        engine.submit(work("running", "sleep_and_mark", 30, str(mark)))
        engine.submit(work("queued", "double", 1))
        engine.submit(work("kept", "double", 2))
        while not mark.exists() or not mark.read_text():
            assert engine.wait(0.02) is None
        pid = int(mark.read_text())
        engine.cancel("running")
        engine.cancel("queued")
        engine.cancel("never heard of")
        assert gone(pid)
        done = drain(engine)
        assert {key: one.value for key, one in done.items()} == {"kept": 4}
        engine.submit(work("running", "double", 3))  # the key is free again
        assert drain(engine)["running"].value == 6


def test_cancelled_results_are_not_reported(engine: LocalEngine) -> None:
    engine.submit(work("first", "double", 1))
    engine.submit(work("second", "double", 2))
    time.sleep(0.3)
    engine.cancel("first")
    assert set(drain(engine)) == {"second"}


def test_the_same_key_twice_is_refused(engine: LocalEngine) -> None:
    engine.submit(work("same", "sleep", 0.1))
    with pytest.raises(EngineError, match="already submitted"):
        engine.submit(work("same", "sleep", 0.1))
    drain(engine)


def test_a_worker_imports_nothing_heavy_and_one_thread() -> None:
    with LocalEngine(1) as engine:
        modules = alone(engine, "loaded_modules").value
        threads = {
            alone(engine, "environment", name).value for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")
        }
    assert isinstance(modules, list)
    assert not {"numpy", "polars", "sqlalchemy", "sklearn", "pyarrow"} & set(modules)
    assert threads == {"1"}


def test_preload_is_imported_before_work_and_may_be_absent() -> None:
    with LocalEngine(1, preload=["wave", "no_such_module"]) as engine:
        modules = alone(engine, "loaded_modules").value
    assert isinstance(modules, list)
    assert "wave" in modules


def test_shared_values_are_read_once_and_mapped(engine: LocalEngine) -> None:
    value = {"table": pl.DataFrame({"x": [1.0, 2.0, None]}), "ids": pl.Series("id", ["a", "b", "c"])}
    shared = engine.share(value)
    folder = Path(shared.folder)
    assert sorted(path.name for path in folder.iterdir()) == ["0.arrow", "1.arrow", "value.pickle"]
    assert alone(engine, "table_sum", shared).value == 3.0
    seen = {(alone(engine, "process_id").value, alone(engine, "identity", shared).value) for _ in range(6)}
    assert len({identity for _, identity in seen}) <= 2


def test_shared_tables_come_back_exactly(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "number": [0.1, -0.0, float("nan"), None],
            "text": ["", None, "日本", "long " * 100],
            "yes": [True, None, False, True],
            "day": pl.Series([0, None, 2**40, -1]).cast(pl.Datetime("us")),
            "nothing": pl.Series([None] * 4, dtype=pl.Float64),
            "hash": pl.Series([2**64 - 1, 0, 1, None], dtype=pl.UInt64),
        }
    )
    for k, frame in enumerate((table, table.clear(), table[::2], pl.concat([table, table], rechunk=False))):
        frame_back, series_back = load_shared(save_shared((frame, frame["text"]), tmp_path / str(k)))
        assert_frame_equal(frame_back, frame, check_exact=True)
        assert_series_equal(series_back, frame["text"])


def test_two_engines_at_once() -> None:
    with LocalEngine(1) as one, LocalEngine(1) as two:
        one.submit(work("a", "double", 1))
        two.submit(work("a", "double", 2))
        assert drain(one)["a"].value == 2
        assert drain(two)["a"].value == 4


def test_close_ends_workers_and_removes_what_was_shared() -> None:
    engine = LocalEngine(1)
    pid = alone(engine, "process_id").value
    folder = Path(engine.share([1]).folder)
    assert folder.exists()
    engine.submit(work("long", "sleep", 60))
    started = time.monotonic()
    engine.close()
    engine.close()
    assert time.monotonic() - started < 2
    assert isinstance(pid, int)
    assert gone(pid)
    assert not folder.parent.exists()


def test_no_worker_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho this is not Python >&2\nexit 9\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with LocalEngine(1) as engine:
        engine.submit(work("never", "double", 1))
        with pytest.raises(EngineError, match=r"do not start.*exit status 9.*this is not Python"):
            engine.wait(30)


def test_at_least_one_worker() -> None:
    with pytest.raises(EngineError, match="at least one"):
        LocalEngine(0)


def test_portable_refuses_what_a_script_defines() -> None:
    code = (
        "from holdfast.engine.local import portable\n"
        "class Mine: pass\n"
        "print(portable(Mine()), portable({'a': 1}))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "True"]


SCRIPT = """
import sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
from holdfast.core.work import Work
from holdfast.engine.local import LocalEngine
print("script runs", flush=True)
engine = LocalEngine(1)
engine.submit(Work("quick", "engine_jobs:double", (21,)))
engine.submit(Work("long", "engine_jobs:sleep_and_mark", (60, {mark!r})))
try:
    done = engine.wait(30)
    while True:
        engine.wait(30)
except KeyboardInterrupt:
    print("kept", done.value, flush=True)
    engine.close()
"""


def start(script: str, mark: Path) -> tuple[subprocess.Popen[str], int]:
    """The script, without a `__main__` guard, and the worker that it keeps busy."""
    temp = mark.with_name("temp")
    temp.mkdir()
    environment = {**os.environ, "TMPDIR": str(temp)}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    )
    end = time.monotonic() + 30
    while not mark.exists() or not mark.read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
    return process, int(mark.read_text())


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(sign: signal.Signals, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    process, worker = start(SCRIPT.format(here=str(HERE), mark=str(mark)), mark)
    process.send_signal(sign)
    said, _ = process.communicate(timeout=20)
    assert gone(worker)
    assert not mark.with_suffix(".done").exists()
    assert not list((tmp_path / "temp").iterdir())
    # the script is not run again by its workers; Ctrl-C keeps what was finished
    assert said.split("\n")[:-1] == ["script runs"] + (["kept 42"] if sign is signal.SIGINT else [])


def test_nothing_is_left_by_a_parent_that_is_killed_while_its_workers_start(tmp_path: Path) -> None:
    code = "import os; from holdfast.engine.local import LocalEngine; LocalEngine(2); os.kill(os.getpid(), 9)"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    end = time.monotonic() + 10
    while list(tmp_path.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.05)
