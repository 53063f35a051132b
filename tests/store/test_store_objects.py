"""Objects are complete or absent, and verified when read."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.errors import DamagedError, NewerError, StoreError
from holdfast.store.disk import disk_error, process_gone, temporary_name
from holdfast.store.objects import Objects, open_objects

BIG = 70_000  # bytes: more than travels inside a tree


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return open_objects(tmp_path / "objects")


def files_of(objects: Objects) -> list[Path]:
    return sorted(path for path in objects.folder.rglob("*") if path.is_file())


def test_put_and_get(objects: Objects) -> None:
    name = objects.put(b"bytes")
    assert name == fingerprint_bytes(b"bytes")
    assert objects.get(name) == b"bytes"
    assert objects.put(b"bytes") == name
    assert files_of(objects) == [objects.path(name)]
    assert objects.get(objects.put(b"")) == b""


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(st.text(max_size=8), st.binary(max_size=40)), st.lists(st.binary(max_size=40), max_size=2)
)
def test_files_come_back(
    tmp_path_factory: pytest.TempPathFactory, small: dict[str, bytes], large: list[bytes]
) -> None:
    objects = open_objects(tmp_path_factory.mktemp("objects"))
    files = {**small, **{f"large{i}": part + b"x" * BIG for i, part in enumerate(large)}}
    assert objects.get_files(objects.put_files(files)) == files


def test_small_files_cost_one_object_and_equal_large_ones_are_kept_once(objects: Objects) -> None:
    objects.put_files({f"f{i}": b"small" for i in range(50)})
    assert len(files_of(objects)) == 1
    one = objects.put_files({"a": b"A" * BIG, "note": b"1"})
    two = objects.put_files({"b": b"A" * BIG, "note": b"2"})
    assert one != two
    assert len(files_of(objects)) == 1 + 1 + 2


def test_order_of_files_does_not_count(objects: Objects) -> None:
    assert objects.put_files({"a": b"1", "b": b"2"}) == objects.put_files({"b": b"2", "a": b"1"})


@pytest.mark.parametrize("harm", [lambda p: p.write_bytes(b"other"), lambda p: os.truncate(p, 3)])
def test_a_changed_object_is_named_and_never_returned(objects: Objects, harm: object) -> None:
    name = objects.put(b"precious")
    harm(objects.path(name))  # type: ignore[operator]
    with pytest.raises(DamagedError, match=rf"{name[:12]} \(the model of run-1\) is damaged"):
        objects.get(name, of="the model of run-1")
    assert objects.put(b"precious") == name  # the same work mends it
    assert objects.get(name) == b"precious"


def test_a_missing_object_is_named(objects: Objects) -> None:
    name = objects.put(b"gone")
    objects.path(name).unlink()
    with pytest.raises(DamagedError, match=f"{name[:12]} is missing"):
        objects.get(name)


def test_a_large_file_of_a_tree_that_is_damaged(objects: Objects) -> None:
    tree = objects.put_files({"model.onnx": b"M" * BIG, "note": b"n"})
    objects.path(fingerprint_bytes(b"M" * BIG)).write_bytes(b"?")
    with pytest.raises(DamagedError, match="run-1"):
        objects.get_files(tree, of="run-1")


@pytest.mark.parametrize("data", [b"", b"no tree", b"[1]\n", b'{"format":"tree.v1","files":3}\n', b"\xff\n"])
def test_what_is_no_tree_is_damaged(objects: Objects, data: bytes) -> None:
    with pytest.raises(DamagedError):
        objects.get_files(objects.put(data))


def test_a_newer_tree(objects: Objects) -> None:
    with pytest.raises(NewerError, match="pip install -U holdfast"):
        objects.get_files(objects.put(b'{"format":"tree.v9","files":{}}\n'))


def test_opening_sweeps_what_killed_writers_left(objects: Objects) -> None:
    temporary = objects.folder / "tmp"
    mine = temporary_name(temporary)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    assert process_gone(dead.pid)
    assert not process_gone(os.getpid())
    of_dead = mine.with_name(mine.name.replace(str(os.getpid()), str(dead.pid), 1))
    elsewhere = mine.with_name(f"{dead.pid}-other-machine")
    old = mine.with_name(f"{os.getpid()}-old")
    for path in (mine, of_dead, elsewhere, old):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    open_objects(objects.folder)
    assert sorted(temporary.iterdir()) == sorted([mine, elsewhere])


def test_a_failed_write_leaves_nothing(objects: Objects) -> None:
    """A file-size limit stands in for a full disk: the system refuses in the middle of a write."""
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "from pathlib import Path\n"
        "from holdfast.errors import StoreError\n"
        "from holdfast.store.objects import Objects\n"
        "try: Objects(Path(sys.argv[1])).put(b'x' * 50_000)\n"
        "except StoreError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(objects.folder)], capture_output=True, text=True, check=False
    )
    assert "Free some space" in done.stdout, done.stderr
    assert files_of(objects) == []


def test_a_full_disk_in_the_systems_own_words(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left") as caught, full.open("wb", buffering=0) as file:
        file.write(b"x")
    error = disk_error(caught.value, tmp_path / "ab")
    assert isinstance(error, StoreError)
    assert str(tmp_path / "ab") in str(error)
    assert "Free some space" in str(error)


def test_a_read_only_disk_in_the_systems_own_words(tmp_path: Path) -> None:
    refused = OSError(errno.EROFS, os.strerror(errno.EROFS))
    assert "--project FOLDER" in str(disk_error(refused, tmp_path))
