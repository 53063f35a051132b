"""What the engine's tests ask workers to do."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path


def double(value: int) -> int:
    return 2 * value


def process_id() -> int:
    return os.getpid()


def fail(text: str) -> None:
    raise ValueError(text)


def leave() -> None:
    sys.exit(3)


def die(sign: str) -> None:
    print("about to die", file=sys.stderr, flush=True)
    os.kill(os.getpid(), getattr(signal, sign))
    time.sleep(10)


def shout(value: int) -> int:
    print("x" * 100_000)
    sys.stdout.flush()
    os.write(1, b"raw bytes on descriptor 1\n")
    return value


def sleep(seconds: float, result: int = 0) -> int:
    time.sleep(seconds)
    return result


def sleep_and_mark(seconds: float, path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(seconds)
    Path(path).with_suffix(".done").write_text("done")


def steps(n: int, progress: Callable[[float], None]) -> int:
    for k in range(n):
        progress((k + 1) / n)
        time.sleep(0.06)
    return n


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


def hold(megabytes: int) -> int:
    return len(bytearray(b"x") * (megabytes << 20))


def loaded_modules() -> list[str]:
    return sorted(sys.modules)


def environment(name: str) -> str | None:
    return os.environ.get(name)


def unsendable() -> Callable[[], int]:
    return lambda: 1


def identity(value: object) -> int:
    return id(value)


def table_sum(dataset: object) -> float:
    return float(dataset["table"]["x"].sum())  # type: ignore[index]


def twice_as_many(blob: bytes) -> bytes:
    return blob + blob
