"""One worker process, seen from its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, cast

from holdfast.engine.wire import read_message, write_message
from holdfast.errors import EngineError

Inbox = SimpleQueue[tuple["Process", object]]
"""Where all workers' messages arrive; a message of None says that the process is gone."""

_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}


_LAST_WORDS = 4000  # bytes


class Process:
    """A worker process: started at once, told what to do, killed whole.

    `folder` is the engine's, which the process removes should its parent die without
    having done so. `ready` and `key` (of the work that it does) are kept by the engine.
    """

    def __init__(self, preload: Sequence[str], folder: Path, inbox: Inbox) -> None:
        if not sys.executable:
            raise EngineError("Worker processes need a Python program, and sys.executable names none.")
        self.ready, self.key = False, ""
        self.errors = tempfile.TemporaryFile(mode="a+b", dir=folder)  # noqa: SIM115 - closed by kill()
        # -P and the parent's own path: a random.py in the current folder is not imported
        # by a worker unless it would be by its parent.
        environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "holdfast.engine.worker", str(os.getpid()), str(folder), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment,
            start_new_session=True,
        )
        self.listener = threading.Thread(target=self._listen, args=(inbox,), daemon=True)
        self.listener.start()

    def send(self, key: str, function: str, arguments: bytes) -> None:
        """Start the work; a process that just died says so through the inbox."""
        self.key = key
        self.errors.truncate(0)
        try:
            write_message(cast("BinaryIO", self.popen.stdin), (key, function, arguments))
        except OSError:
            return

    def kill(self) -> None:
        """End the process and its own children at once, and let go of its pipes."""
        if self.popen.poll() is None:
            if sys.platform != "win32":
                os.killpg(self.popen.pid, signal.SIGKILL)
            else:
                self.popen.kill()
        self.popen.wait()
        self.listener.join(timeout=1.0)
        if self.listener.is_alive():
            return  # a grandchild in a session of its own still holds the pipe
        for stream in (self.popen.stdin, self.popen.stdout, self.errors):
            try:
                cast("BinaryIO", stream).close()
            except BrokenPipeError:
                continue

    def epitaph(self) -> tuple[str, str]:
        """Why a process that is gone ended, in a few words, and all that it last said."""
        code = self.popen.wait()
        how = f"exit status {code}"
        if code < 0:
            how = f"killed by {signal.Signals(-code).name}"
            how += ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
        self.errors.seek(0)
        said = self.errors.read()[-_LAST_WORDS:].decode(errors="replace")
        # a library's own complaint comes before Python's long account of the crash
        complaint = said.partition("Fatal Python error")[0].strip().splitlines()
        return how + (f"; it last said: {complaint[-1].strip()}" if complaint else ""), said

    def _listen(self, inbox: Inbox) -> None:
        message: object | None = ()
        while message is not None:
            try:
                message = read_message(cast("BinaryIO", self.popen.stdout))
            except (OSError, ValueError):  # closed under our hands
                message = None
            inbox.put((self, message))


def usable_cores() -> int:
    """How many cores this process may use: its affinity, and its container's share.

    >>> usable_cores() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # no such file, or "max": no limit
        return cores
