"""A value that many pieces of work need: written once, read once by each worker.

Tables are written as Arrow files and mapped into memory, so that all workers look at
the same pages; the rest is pickled around them.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from holdfast.core.temporary import room_in

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Shared:
    """Stands for a value among the arguments of a work."""

    folder: str


def save_shared(value: object, folder: Path) -> Shared:
    """Write `value` into a new `folder`."""
    folder.mkdir(parents=True)
    with room_in(folder.parent), (folder / "value.pickle").open("wb") as file:
        _Pickler(file, folder).dump(value)
    return Shared(str(folder))


# Few are alive at a time: a training shares one dataset.
@lru_cache(maxsize=2)
def load_shared(shared: Shared) -> object:
    """The value back; the same object for every work of one process."""
    folder = Path(shared.folder)
    return _Unpickler(io.BytesIO((folder / "value.pickle").read_bytes()), folder).load()


class _Pickler(pickle.Pickler):
    """Pickles all but tables, which go to files of their own."""

    def __init__(self, file: io.BufferedIOBase, folder: Path) -> None:
        super().__init__(file, protocol=5)
        self.folder = folder
        self.tables = 0

    def persistent_id(self, value: object) -> tuple[str, str] | None:
        # polars is never imported for a value that has no table
        kind = type(value).__name__
        if kind not in ("DataFrame", "Series") or not type(value).__module__.startswith("polars."):
            return None
        frame = cast("pl.DataFrame", value if kind == "DataFrame" else cast("pl.Series", value).to_frame())
        name = f"{self.tables}.arrow"
        self.tables += 1
        frame.write_ipc(self.folder / name, compression="uncompressed")
        return kind, name


class _Unpickler(pickle.Unpickler):
    """Maps the tables back into memory."""

    def __init__(self, file: io.BytesIO, folder: Path) -> None:
        super().__init__(file)
        self.folder = folder

    def persistent_load(self, name: tuple[str, str]) -> object:
        import polars as pl
        import pyarrow as pa

        # pl.read_ipc would copy the table into every worker's own memory
        kind, file = name
        table = pa.ipc.open_file(pa.memory_map(str(self.folder / file))).read_all()
        frame = cast("pl.DataFrame", pl.from_arrow(table))
        return frame if kind == "DataFrame" else frame.to_series()
