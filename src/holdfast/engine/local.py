"""Work in worker processes on this machine, one thread each."""

from __future__ import annotations

import pickle
import shutil
import tempfile
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Self, cast

from holdfast.core.work import Done, Work
from holdfast.engine.execute import one_line
from holdfast.engine.process import Inbox, Process, usable_cores
from holdfast.engine.shared import Shared, save_shared
from holdfast.errors import EngineError

_START_TRIES = 3


class LocalEngine:
    """Worker processes that start at once, so that imports overlap with reading.

    `preload` names modules that every worker imports first; `on_progress(key, share)`
    hears, during `wait`, how far a running work is. A worker that dies is an error of
    the work it did, and another takes its place. Close it, or use it with `with`.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        preload: Sequence[str] = (),
        on_progress: Callable[[str, float], None] | None = None,
    ) -> None:
        self._workers = usable_cores() if workers is None else workers
        if self._workers < 1:
            raise EngineError(f"An engine needs at least one worker, not {self._workers}.")
        self._preload, self._on_progress = tuple(preload), on_progress
        self._inbox: Inbox = SimpleQueue()
        self._waiting: dict[str, tuple[str, bytes]] = {}
        self._finished: deque[Done] = deque()
        self._failed_starts = self._shared = 0
        self._folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
        self._remove_folder = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._processes: list[Process] = []
        for _ in range(self._workers):
            self._start()

    @property
    def workers(self) -> int:
        """How many pieces of work run at the same time."""
        return self._workers

    def share(self, value: object) -> Shared:
        """A light handle that stands for `value` among a work's arguments."""
        self._shared += 1
        return save_shared(value, self._folder / f"shared-{self._shared}")

    def submit(self, work: Work) -> None:
        """Queue it; work starts in the order it was submitted."""
        if work.key in self._waiting or any(process.key == work.key for process in self._processes):
            raise EngineError(f"Work {work.key!r} was already submitted and is not done.")
        try:
            arguments = pickle.dumps(work.arguments, protocol=5)
        except Exception as raised:
            error = f"The arguments cannot be sent to a worker process: {one_line(raised)}"
            self._finished.append(Done(work.key, error=error))
            return
        self._waiting[work.key] = (work.function, arguments)
        self._dispatch()

    def wait(self, timeout: float | None) -> Done | None:
        """The next finished piece of work, or None when `timeout` seconds have passed.

        None also when nothing is left to wait for. EngineError when no worker starts.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self._finished:
            self._dispatch()
            if not self._waiting and not any(process.key for process in self._processes):
                return None
            left = None if end is None else max(end - time.monotonic(), 0.0)
            try:
                self._hear(*self._inbox.get(timeout=left))
            except Empty:
                return None
        return self._finished.popleft()

    def cancel(self, key: str) -> None:
        """Forget queued work, or kill it where it runs; it will not be reported."""
        self._waiting.pop(key, None)
        self._finished = deque(done for done in self._finished if done.key != key)
        for process in [process for process in self._processes if process.key == key]:
            self._processes.remove(process)
            process.kill()

    def close(self) -> None:
        """End all workers at once, and remove what was shared."""
        self._waiting.clear()
        while self._processes:
            self._processes.pop().kill()
        self._remove_folder()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _start(self) -> None:
        self._processes.append(Process(self._preload, self._folder, self._inbox))

    def _dispatch(self) -> None:
        idle = deque(process for process in self._processes if process.ready and not process.key)
        while self._waiting and idle:
            key = next(iter(self._waiting))
            idle.popleft().send(key, *self._waiting.pop(key))
        starting = sum(not process.ready for process in self._processes)
        missing = self._workers - len(self._processes)
        for _ in range(min(missing, len(self._waiting) - starting)):
            self._start()

    def _hear(self, process: Process, message: object) -> None:
        if process not in self._processes:
            return  # it was cancelled, and these are its last words
        match message:
            case None:
                self._bury(process)
            case ("ready",):
                process.ready, self._failed_starts = True, 0
            case ("progress", str(key), float(share)):
                if self._on_progress is not None:
                    self._on_progress(key, share)
            case ("done", Done() as done):
                process.key = ""
                self._finished.append(_unpacked(done))

    def _bury(self, process: Process) -> None:
        self._processes.remove(process)
        how, said = process.epitaph()
        process.kill()
        if process.key:
            error = f"The worker process died ({how})"
            self._finished.append(Done(process.key, error=error, traceback=said))
        elif not process.ready:
            self._failed_starts += 1
            if self._failed_starts >= _START_TRIES:
                raise EngineError(f"Worker processes do not start ({how}).")


def portable(value: object) -> bool:
    """Whether a worker process could be sent `value`; if not, it needs the InlineEngine.

    What a script defines itself can be pickled, but no other process can find it.

    >>> portable([1, 2]), portable(lambda: 1)
    (True, False)
    """
    try:
        return b"__main__" not in pickle.dumps(value, protocol=5)
    except Exception:
        return False


def _unpacked(done: Done) -> Done:
    if done.error:
        return replace(done, value=None)
    try:
        return replace(done, value=pickle.loads(cast("bytes", done.value)))
    except Exception as raised:
        return replace(done, value=None, error=f"The result cannot be read here: {one_line(raised)}")
