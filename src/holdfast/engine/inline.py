"""Work in this process: for tiny fits, and for what cannot be sent to another process."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.core.work import Done, Work
from holdfast.engine.execute import execute


class InlineEngine:
    """The same protocol without worker processes: work is done while one waits for it.

    `on_progress(key, share)` hears how far the running work is. Running work cannot be
    cancelled, and a timeout only counts before work starts.
    """

    def __init__(self, on_progress: Callable[[str, float], None] | None = None) -> None:
        self._waiting: dict[str, Work] = {}
        self._on_progress = on_progress

    @property
    def workers(self) -> int:
        """One piece of work at a time."""
        return 1

    def share(self, value: object) -> object:
        """The value itself."""
        return value

    def submit(self, work: Work) -> None:
        """Queue it; work is done in the order it was submitted."""
        self._waiting[work.key] = work

    def wait(self, timeout: float | None) -> Done | None:
        """Do the next piece of work; None when nothing is queued, or no time is given."""
        if not self._waiting or (timeout is not None and timeout <= 0):
            return None
        work = self._waiting.pop(next(iter(self._waiting)))
        return execute(
            work.key, work.function, lambda: work.arguments, lambda share: self._tell(work.key, share)
        )

    def cancel(self, key: str) -> None:
        """Forget queued work."""
        self._waiting.pop(key, None)

    def close(self) -> None:
        """Nothing to end: the work was done here."""

    def _tell(self, key: str, share: float) -> None:
        if self._on_progress is not None:
            self._on_progress(key, share)
