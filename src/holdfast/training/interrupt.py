"""Ctrl-C while models are fitted: heard where it leaves nothing half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class HeldBack:
    """What holds a Ctrl-C back until the next place that listens; a second one is not held back."""

    def __init__(self) -> None:
        self.pressed = False
        self._listens = False

    def press(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        del number, frame
        if self.pressed or self._listens:
            raise KeyboardInterrupt
        self.pressed = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """A place that may be interrupted; KeyboardInterrupt at once where Ctrl-C was pressed before it."""
        self._listens = True
        try:
            if self.pressed:
                raise KeyboardInterrupt
            yield
        finally:
            self._listens = False


@contextmanager
def held_back() -> Iterator[HeldBack]:
    """Hold Ctrl-C back in the body, at the longest until its end.

    An interrupt may otherwise meet an import, which then fails with an error of its own, or a
    record half kept. Nothing changes outside of the main thread, which alone hears signals, and
    where the caller handles them in a way of their own.
    """
    holds = HeldBack()
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield holds
        return
    signal.signal(signal.SIGINT, holds.press)
    try:
        yield holds
        with holds.listening():
            pass
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
