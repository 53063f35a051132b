"""The program of one worker process: `python -m holdfast.engine.worker PARENT FOLDER [MODULE ...]`.

It reads work from its standard input and answers on its standard output, which it first
takes away from everyone else: a library that prints cannot garble an answer. Nothing
heavy is imported but the MODULEs. It ends when its parent does,
and then removes the FOLDER that its parent had no time to.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from queue import SimpleQueue
from typing import BinaryIO, NoReturn, cast

from holdfast.core.work import Done
from holdfast.engine.execute import execute, one_line
from holdfast.engine.shared import Shared, load_shared
from holdfast.engine.wire import read_message, write_message

_PROGRESS_EVERY = 0.05  # seconds; more often than a reader can see would only cost time

Order = tuple[str, str, bytes]
"""What a worker is told: the work's key, its function, its pickled arguments."""


def main() -> None:
    """Serve until the parent is gone."""
    parent, folder, preload = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    source, sink = _claim_pipes()
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    inbox: SimpleQueue[Order] = SimpleQueue()
    threading.Thread(target=_listen, args=(source, inbox, folder), daemon=True).start()
    threading.Thread(target=_watch, args=(parent, folder), daemon=True).start()
    try:
        _serve(inbox, sink, preload)
    except OSError:  # the parent stopped reading: it is gone, or about to be
        _end(folder)


def _serve(inbox: SimpleQueue[Order], sink: BinaryIO, preload: list[str]) -> NoReturn:
    for module in preload:
        with suppress(Exception):  # the work that needs it will say what is wrong
            import_module(module)
    write_message(sink, ("ready",))
    while True:
        key, function, arguments = inbox.get()
        done = execute(key, function, partial(_unpack, arguments), _Teller(sink, key))
        write_message(sink, ("done", _packed(done)))


def _packed(done: Done) -> Done:
    try:
        return replace(done, value=pickle.dumps(done.value, protocol=5))
    except Exception as raised:
        return replace(done, value=b"", error=f"The result cannot be sent back: {one_line(raised)}")


def _unpack(data: bytes) -> tuple[object, ...]:
    arguments = cast("tuple[object, ...]", pickle.loads(data))
    return tuple(load_shared(value) if isinstance(value, Shared) else value for value in arguments)


class _Teller:
    """Sends the share that is done to the parent, at most every 50 ms."""

    def __init__(self, sink: BinaryIO, key: str) -> None:
        self.sink, self.key, self.last = sink, key, 0.0

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now - self.last >= _PROGRESS_EVERY:
            self.last = now
            write_message(self.sink, ("progress", self.key, float(share)))


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return source, sink


def _listen(source: BinaryIO, inbox: SimpleQueue[Order], folder: str) -> None:
    while (message := read_message(source)) is not None:
        inbox.put(cast("Order", message))
    _end(folder)


def _watch(parent: int, folder: str) -> None:
    # The pipe's end tells as a rule; not when a forked child of the parent still holds it.
    while os.getppid() == parent:
        time.sleep(1.0)
    _end(folder)


def _end(folder: str) -> NoReturn:
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
