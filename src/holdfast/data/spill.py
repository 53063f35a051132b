"""Tables larger than memory: written once to a temporary file and mapped, not loaded.

The file lies where Python puts temporary files (TMPDIR says where) and has no name: it
is gone with the last table that looks into it, however the process ends.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from holdfast.core.temporary import room_in

_GROWTH = 3  # times its file's size is what a table takes while it is read
_LEAST = 64 << 20  # below, a column is never worth a file
_MEMORY = Path("/proc/meminfo")


def collected(lazy: pl.LazyFrame, size: int) -> pl.DataFrame:
    """All rows of a scanned file of `size` bytes; mapped where they would take more than the free memory."""
    if _GROWTH * size <= _free_memory():
        return lazy.collect(engine="streaming")
    return _mapped(lambda path: lazy.sink_ipc(path, compression="uncompressed"))


def roomy(table: pl.DataFrame) -> bool:
    """Whether so much memory is free that work on a table need not wait until other work on it has ended."""
    return _GROWTH * table.estimated_size() <= _free_memory()


def kept(cells: pl.Series) -> pl.Series:
    """The same cells; mapped where they take more than a quarter of the memory that is still free."""
    size = cells.estimated_size()
    if size < _LEAST or 4 * size <= _free_memory():
        return cells
    return _mapped(lambda path: cells.to_frame().write_ipc(path, compression="uncompressed")).to_series()


def _mapped(write: Callable[[Path], object]) -> pl.DataFrame:
    import pyarrow as pa
    import pyarrow.ipc

    with tempfile.TemporaryDirectory(prefix="holdfast-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "table.arrow"
        with room_in(Path(folder)):
            write(path)
        table = pl.from_arrow(pa.ipc.open_file(pa.memory_map(str(path))).read_all())
    assert isinstance(table, pl.DataFrame)
    return table


def _free_memory() -> float:
    """Bytes that new data may take, without bound where the system does not tell."""
    try:
        line = next(line for line in _MEMORY.read_text().splitlines() if line.startswith("MemAvailable"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        known = sys.platform != "win32" and "SC_PHYS_PAGES" in os.sysconf_names
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2 if known else float("inf")
