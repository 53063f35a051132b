"""From whatever a user names to plain bytes on this machine, bounded in memory and in size."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from holdfast.core.temporary import room_in
from holdfast.errors import FileError

HEAD = 1 << 18
_CHUNK = 1 << 20
# One zstd block of 4 bytes can unpack to 128 KB, so few packed bytes are taken at a time.
_PACKED_CHUNK = 1 << 12
_IN_MEMORY = 64 << 20
_PATIENCE = 60.0  # seconds until a silent server is given up
# Tables seldom pack better than 50 to 1; gzip ends at 1,000 to 1, zstd far beyond.
_MOST_RATIO = 200
_BOMB = 100 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Plain:
    """An unpacked file: bytes in memory, or a path. `name` is what the user called it."""

    name: str
    source: bytes | Path

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    @property
    def head(self) -> bytes:
        """Its first 256 KB."""
        return next(self.chunks(HEAD), b"")

    def chunks(self, size: int = _CHUNK) -> Iterator[bytes]:
        """All its bytes, in pieces of at most `size`."""
        if isinstance(self.source, bytes):
            yield from (self.source[at : at + size] for at in range(0, len(self.source), size))
            return
        with self.source.open("rb") as file:
            while piece := file.read(size):
                yield piece

    def piece(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from this place on."""
        if isinstance(self.source, bytes):
            return self.source[start : start + size]
        with self.source.open("rb") as file:
            file.seek(start)
            return file.read(size)

    def mapped(self) -> bytes | mmap:
        """All its bytes at once; those of a file are mapped, not read."""
        if isinstance(self.source, bytes):
            return self.source
        with self.source.open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)

    def middle(self, share: float, size: int) -> bytes:
        """Whole lines from around this share of the file, about `size` bytes of them."""
        piece = self.piece(int(self.size * share), size)
        first, last = piece.find(b"\n") + 1, piece.rfind(b"\n") + 1
        return piece[first:last]


@contextmanager
def unpacked(name: str) -> Iterator[Plain]:
    """The plain bytes behind a path or URL, decompressed; temporary files go when the block ends.

    Raises FileError when there is nothing there, it is a folder, it is damaged, or it
    would unpack to far more than its size.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-")))
        if "://" in name:
            raw = stack.enter_context(_remote(name))
            yield stored(_unpack(raw, name), name, folder / "plain")
            return
        path = Path(name).expanduser()
        raw = stack.enter_context(_local(path, name))
        packed = _first(raw, name)
        if packed[:2] == _GZIP or packed == _ZSTD or path.is_fifo():
            yield stored(_unpack(raw, name), name, folder / "plain")
        else:
            yield Plain(name, path)


def stored(pieces: Iterator[bytes], name: str, path: Path) -> Plain:
    """The pieces as one Plain: in memory while they are small, else written to `path`."""
    kept, size = [], 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size > _IN_MEMORY:
            break
    else:
        return Plain(name, b"".join(kept))
    with room_in(path.parent), path.open("wb") as file:
        file.writelines(kept)
        file.writelines(pieces)
    return Plain(name, path)


def _first(raw: BufferedReader, name: str) -> bytes:
    """The first four bytes: what a file that can be opened cannot be read for is told by them."""
    try:
        return raw.peek(4)[:4]
    except OSError as error:
        raise FileError.unreadable(name, error.strerror or str(error)) from None


def _local(path: Path, name: str) -> BufferedReader:
    try:
        if path.is_dir():
            raise FileError.folder(name, sorted(child.name for child in path.iterdir() if child.is_file()))
        if path.is_char_device() or path.is_block_device() or path.is_socket():
            raise FileError.no_table(name, "a device")
        return path.open("rb")
    except FileNotFoundError:
        beside = [child.name for child in path.parent.iterdir()] if path.parent.is_dir() else []
        raise FileError.absent(name, path.name, beside) from None
    except OSError as error:
        raise FileError.unreadable(name, error.strerror or str(error)) from None


@contextmanager
def _remote(url: str) -> Iterator[BinaryIO]:
    try:
        if url.startswith(("http://", "https://")):
            from urllib.request import urlopen  # fsspec's own client wants aiohttp

            with urlopen(url, timeout=_PATIENCE) as file:
                yield file
        else:
            import fsspec

            with fsspec.open(url, "rb") as file:
                yield file
    except (OSError, ValueError, ImportError) as error:
        raise FileError(f"{url} cannot be read: {error}. Fetch it to a local file and give that.") from error


def _unpack(raw: BinaryIO, name: str) -> Iterator[bytes]:
    first = raw.read(_PACKED_CHUNK)
    counted = _Counted(raw, first)
    if first[:2] == _GZIP:
        pieces = _gunzip(counted, name)
    elif first[:4] == _ZSTD:
        pieces = _unzstd(counted, name)
    else:
        pieces = iter(lambda: counted.read(_CHUNK), b"")
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > _BOMB and total > _MOST_RATIO * counted.taken:
            raise FileError(
                f"{name} unpacks to more than {_MOST_RATIO} times its size ({total >> 20} MB so far), as a "
                "zip bomb does. If you trust it, unpack it yourself and give the plain file."
            )
        yield piece


class _Counted:
    """A stream that knows how many bytes were taken from it, its first ones given back."""

    def __init__(self, raw: BinaryIO, first: bytes) -> None:
        self._raw, self._first, self.taken = raw, first, 0

    def read(self, size: int) -> bytes:
        piece, self._first = self._first[:size], self._first[size:]
        if not piece:
            piece = self._raw.read(size)
        self.taken += len(piece)
        return piece


def _gunzip(packed: _Counted, name: str) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=packed) as file:  # type: ignore[call-overload]
            while piece := file.read(_CHUNK):
                yield piece
    except EOFError:
        raise FileError.truncated(name, "gzip") from None
    except (OSError, zlib.error) as error:
        raise FileError(f"{name} is not a sound gzip file: {error}. Fetch it again.") from None


def _unzstd(packed: _Counted, name: str) -> Iterator[bytes]:
    import zstandard

    frame = zstandard.ZstdDecompressor().decompressobj()
    piece = packed.read(_PACKED_CHUNK)
    try:
        while piece:
            yield frame.decompress(piece)
            piece = frame.unused_data if frame.eof else b""
            piece = piece or packed.read(_PACKED_CHUNK)
            if frame.eof and piece:
                frame = zstandard.ZstdDecompressor().decompressobj()
    except zstandard.ZstdError as error:
        raise FileError(f"{name} is not a sound zstd file: {error}. Fetch it again.") from None
    if not frame.eof:
        raise FileError.truncated(name, "zstd")
