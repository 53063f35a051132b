"""The same protocol in this process."""

from __future__ import annotations

import os

import pytest

from holdfast.core.work import Work
from holdfast.engine.inline import InlineEngine


def work(key: str, function: str, *arguments: object) -> Work:
    return Work(key, f"engine_jobs:{function}", arguments)


def test_work_is_done_here_in_order() -> None:
    engine = InlineEngine()
    engine.submit(work("a", "process_id"))
    engine.submit(work("b", "double", 4))
    first, second = engine.wait(None), engine.wait(10)
    assert first is not None
    assert second is not None
    assert (first.key, first.value) == ("a", os.getpid())
    assert (second.key, second.value) == ("b", 8)
    assert engine.wait(None) is None


def test_what_cannot_be_pickled_is_fine_here() -> None:
    engine = InlineEngine()
    function = lambda: 3  # noqa: E731
    engine.submit(work("a", "identity", engine.share(function)))
    done = engine.wait(None)
    assert done is not None
    assert done.value == id(function)


def test_errors_progress_and_costs() -> None:
    heard: list[float] = []
    engine = InlineEngine(on_progress=lambda _, share: heard.append(share))
    for key, function, argument in [("a", "fail", "no"), ("b", "steps", 2), ("c", "burn", 0.2)]:
        engine.submit(work(key, function, argument))
    failed, stepped, burned = engine.wait(1), engine.wait(1), engine.wait(1)
    assert failed is not None
    assert (failed.error, "engine_jobs.py" in failed.traceback) == ("ValueError: no", True)
    assert stepped is not None
    assert (stepped.value, heard) == (2, [0.5, 1.0])
    assert burned is not None
    assert 0.19 < burned.cpu_seconds < 0.6


def test_no_time_starts_nothing() -> None:
    engine = InlineEngine()
    engine.submit(work("a", "double", 1))
    assert engine.wait(0) is None
    engine.cancel("a")
    assert engine.wait(None) is None


def test_keyboard_interrupt_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    import engine_jobs

    def interrupt(value: int) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine_jobs, "double", interrupt)
    engine = InlineEngine()
    engine.submit(work("a", "double", 1))
    engine.submit(work("b", "process_id"))
    with pytest.raises(KeyboardInterrupt):
        engine.wait(None)
    done = engine.wait(None)
    assert done is not None
    assert done.key == "b"
