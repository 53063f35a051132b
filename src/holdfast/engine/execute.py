"""Do one piece of work in this process, and measure it."""

from __future__ import annotations

import inspect
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from holdfast.core.work import Done
from holdfast.errors import EngineError, HoldfastError

if sys.platform != "win32":
    import resource

# Writing 5 sets the high-water mark of this process's memory back (Linux, proc(5)).
_PEAK_RESET, _PEAK = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def execute(
    key: str, function: str, arguments: Callable[[], tuple[object, ...]], progress: Callable[[float], None]
) -> Done:
    """Call "module:name" with the arguments; whatever it raises becomes the error.

    CPU time includes that of child processes that have ended (not on Windows).

    A function that has a parameter called `progress` is given one. KeyboardInterrupt is
    not an outcome: it passes through.
    """
    _reset_peak()
    started, cpu = time.perf_counter(), _cpu_seconds()
    value, error, trace = None, "", ""
    try:
        call = resolve(function)
        given = arguments()
        wants = "progress" in inspect.signature(call).parameters
        value = call(*given, progress=progress) if wants else call(*given)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # a library that calls sys.exit() must not end the worker
        error, trace = one_line(raised), traceback.format_exc()
    seconds, cpu = time.perf_counter() - started, _cpu_seconds() - cpu
    return Done(key, value, error, seconds, cpu, _peak_memory(), trace)


def resolve(function: str) -> Callable[..., object]:
    """The function that "module:name" means.

    >>> resolve("math:sqrt")(9)
    3.0
    """
    module, _, name = function.partition(":")
    found = getattr(import_module(module), name, None) if name else None
    if not callable(found):
        raise EngineError(f"Work is named 'module:function'; {function!r} names no function.")
    return found  # type: ignore[no-any-return]


def one_line(raised: BaseException) -> str:
    """An exception as one line; ours speak for themselves, others are named.

    >>> one_line(ValueError("too few rows")), one_line(MemoryError())
    ('ValueError: too few rows', 'MemoryError')
    """
    text = " ".join(str(raised).split())
    if isinstance(raised, HoldfastError) and text:
        return text
    return f"{type(raised).__name__}: {text}" if text else type(raised).__name__


def _cpu_seconds() -> float:
    if sys.platform == "win32":
        return time.process_time()
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _reset_peak() -> None:
    try:
        _PEAK_RESET.write_text("5")
    except OSError:
        return  # then the peak is that of the process's whole life


def _peak_memory() -> int:
    try:
        line = next(line for line in _PEAK.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        if sys.platform == "win32":
            return 0
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
