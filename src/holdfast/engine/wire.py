"""Messages between a process and its workers: a length, then a pickle.

Pickle is safe here because both ends are one program: a worker is started by the process
that it talks to, over pipes that nobody else has. Nothing from a disk comes this way.
"""

from __future__ import annotations

import pickle
import struct
from typing import BinaryIO

_LENGTH = struct.Struct(">Q")


def write_message(stream: BinaryIO, message: object) -> None:
    """Send one message whole; OSError when the other end is gone."""
    data = pickle.dumps(message, protocol=5)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read_message(stream: BinaryIO) -> object | None:
    """The next message, or None when the other end is gone, even in the middle of one."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    return pickle.loads(data) if len(data) == length else None
