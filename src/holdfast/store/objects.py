"""Objects by content hash: complete or absent, verified when read.

An object `ab12...` is the file `ab/12...`. A tree ("tree.v1") is an object that lists
files: a line of JSON that gives each file's hash and size, then the bytes of the small
ones. Large files are objects of their own, written before the tree that names them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.errors import DamagedError, NewerError
from holdfast.store.disk import disk_error, speaking_of, sweep, write_whole

_TREE = "tree.v1"
# A file of its own costs two fsyncs, so small ones travel inside their tree.
_SMALL = 64 << 10


@dataclass(frozen=True, slots=True)
class Objects:
    """A folder of objects; make one with `open_objects`."""

    folder: Path

    def put(self, data: bytes) -> str:
        """Keep the bytes; their hash. StoreError when the disk is full or read-only."""
        name = fingerprint_bytes(data)
        path = self.path(name)
        with speaking_of(path):
            if _holds(path, data):
                return name
            path.parent.mkdir(exist_ok=True)
            write_whole(path, data, self.folder / "tmp")
        return name

    def get(self, name: str, *, of: str = "") -> bytes:
        """The bytes, verified; DamagedError names the object and what it is `of`."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise DamagedError.missing(name, of, path) from error
        except OSError as error:
            raise disk_error(error, path) from error
        if fingerprint_bytes(data) != name:
            raise DamagedError.changed(name, of, path)
        return data

    def put_files(self, files: Mapping[str, bytes]) -> str:
        """Keep a folder of files; the hash of the tree, which is written last."""
        listed: dict[str, list[object]] = {}
        small: list[bytes] = []
        for path, data in sorted(files.items()):
            if len(data) <= _SMALL:
                listed[path] = ["", len(data)]
                small.append(data)
            else:
                listed[path] = [self.put(data), len(data)]
        head = json.dumps({"format": _TREE, "files": listed}, separators=(",", ":"))
        return self.put(b"".join([head.encode(), b"\n", *small]))

    def get_files(self, name: str, *, of: str = "") -> dict[str, bytes]:
        """The files of a tree, verified (see `get`)."""
        data = self.get(name, of=of)
        head, _, small = data.partition(b"\n")
        try:
            tree = json.loads(head)
            form, listed = str(tree["format"]), dict(tree["files"])
        except (ValueError, TypeError, KeyError) as error:
            raise DamagedError.changed(name, of, self.path(name)) from error
        if form != _TREE:
            raise NewerError.format(form, _TREE)
        files, start = {}, 0
        for path, (own, size) in listed.items():
            files[path] = self.get(own, of=of) if own else small[start : start + size]
            start += 0 if own else size
        return files

    def path(self, name: str) -> Path:
        """Where an object lies."""
        return self.folder / name[:2] / name[2:]


def open_objects(folder: Path) -> Objects:
    """The objects in `folder`, which is made if need be; what killed writers left is removed."""
    temporary = folder / "tmp"
    with speaking_of(temporary):
        temporary.mkdir(parents=True, exist_ok=True)
        sweep(temporary)
    return Objects(folder)


def _holds(path: Path, data: bytes) -> bool:
    # The bytes are compared, so that putting an object again mends a damaged one.
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False
