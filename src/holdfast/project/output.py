"""Files that a user asked for: there whole, or not at all."""

from __future__ import annotations

from pathlib import Path

from holdfast.errors import FileError
from holdfast.store.disk import write_whole


def write_output(output: Path, data: bytes) -> Path:
    """Write the file, in a folder that is made if need be; FileError when it cannot be."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, data, output.parent)
    except OSError as error:
        raise FileError.unwritable(output, error.strerror or str(error)) from error
    return output
