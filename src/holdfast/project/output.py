"""Files that a user asked for: there whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from holdfast.errors import FileError


def write_output(output: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a file beside `output` that then takes its name; FileError when it cannot."""
    temporary = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(temporary)
            temporary.replace(output)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise FileError.unwritable(output, error.strerror or str(error)) from error
    return output
