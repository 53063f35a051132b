"""Where work runs: the protocol that an engine gives to the stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Work:
    """A call of `function` ("module:name") with picklable arguments, known by its key."""

    key: str
    function: str
    arguments: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one piece of work: a value, or an error's text.

    `error` is one line. `seconds` are wall seconds, `cpu_seconds` user and system time
    of the worker, `peak_memory` the bytes that the process held at most meanwhile (0
    where the system cannot tell).
    """

    key: str
    value: object = None
    error: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    traceback: str = ""


class Engine(Protocol):
    """Runs work in other processes (or in this one), one thread each."""

    @property
    def workers(self) -> int:
        """How many pieces of work run at the same time."""

    def share(self, value: object) -> object:
        """A light handle that stands for `value` among a work's arguments."""

    def submit(self, work: Work) -> None:
        """Queue it; work starts in the order it was submitted."""

    def wait(self, timeout: float | None) -> Done | None:
        """The next finished piece of work, or None when `timeout` seconds have passed."""

    def cancel(self, key: str) -> None:
        """Forget queued work, or kill it where it runs; it will not be reported."""

    def close(self) -> None:
        """End the workers."""
