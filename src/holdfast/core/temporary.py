"""Temporary files: what a full or closed folder for them means to whoever waits for the command."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.errors import FileError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """Run what writes temporary files to a folder; FileError, with the mend, where that takes no more."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise FileError(
            f"Temporary files cannot be written to {folder}: {error.strerror}. Free some space there, or "
            "name another folder for them: TMPDIR=/a/folder holdfast ..."
        ) from error
