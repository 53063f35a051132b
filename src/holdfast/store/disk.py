"""Writing files that are complete or absent, and saying what to do when a disk refuses."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

from holdfast.core.fingerprint import fingerprint
from holdfast.errors import StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_OLD = 3600.0  # seconds; no single write takes so long


@cache
def process_space() -> str:
    """Names the space in which a process id means something: this machine, or container."""
    try:
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def process_gone(pid: int) -> bool:
    """Whether no process of this machine has that id; False where it cannot be told."""
    if os.name != "posix":
        return False  # signal 0 would be Ctrl-C there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def speaking_of(path: Path) -> Iterator[None]:
    """Turn the system's errors about `path` into a StoreError with the mend."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


def disk_error(error: OSError, path: Path) -> StoreError:
    """What an error of the system means for a project, and what to do."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return StoreError.full(path, reason)
    if error.errno in _REFUSED:
        return StoreError.refused(path, reason)
    return StoreError(f"{path}: {reason}.")


def temporary_name(folder: Path) -> Path:
    """A new name for a file that is being written; it tells who writes it (see `sweep`)."""
    return folder / f"{os.getpid()}-{_space()}-{uuid4().hex}"


def _space() -> str:
    return fingerprint(process_space())[:8]


def write_whole(path: Path, data: bytes, temporary: Path) -> None:
    """Put `data` at `path`, durably, and all of it or nothing; OSError as the system says it.

    `temporary` is a folder on the same disk.
    """
    name = temporary_name(temporary)
    try:
        with name.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        name.replace(path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system has such a thing."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(temporary: Path) -> None:
    """Remove what killed writers left: of dead processes, or older than an hour."""
    for path in temporary.iterdir():
        pid, space, _ = (*path.name.split("-"), "", "")[:3]
        try:
            old = time.time() - path.stat().st_mtime > _OLD
            if old or (space == _space() and pid.isdigit() and process_gone(int(pid))):
                path.unlink(missing_ok=True)
        except OSError:
            continue  # another process swept it, or may keep it
