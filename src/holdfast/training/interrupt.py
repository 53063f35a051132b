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
        again, self.pressed = self.pressed, True
        if again or self._listens:
            raise KeyboardInterrupt

    def check(self) -> None:
        """KeyboardInterrupt where Ctrl-C was pressed before, and while this looks."""
        with self.listening():
            pass

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
    record half kept. Inside of another `held_back` both hold the same one, so that the outer body
    knows of what the inner one heard. Nothing changes outside of the main thread, which alone
    hears signals, and where the caller handles them in a way of their own.
    """
    holds = HeldBack()
    if threading.current_thread() is not threading.main_thread():
        yield holds
        return
    before = signal.getsignal(signal.SIGINT)
    outer = getattr(before, "__self__", None)
    if isinstance(outer, HeldBack):
        yield outer
        outer.check()
        return
    if before is not signal.default_int_handler:
        yield holds
        return
    signal.signal(signal.SIGINT, holds.press)
    try:
        yield holds
        holds.check()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
