"""What cannot be read is refused with its name, its place and the mend."""

from __future__ import annotations

import gzip
import os
import random
import zipfile
from pathlib import Path

import polars as pl
import pytest
import zstandard

from holdfast.core.temporary import room_in
from holdfast.data import unpack
from holdfast.data.load import load
from holdfast.data.read import read
from holdfast.errors import ColumnError, FileError, HoldfastError, InputError, TargetError

ROWS = b"a,b,y\n" + b"".join(b"%d,%d,%s\n" % (i, i * i % 7, b"yes" if i % 3 else b"no") for i in range(30))
NOISE = random.Random(0).randbytes(5000)
WORDS = NOISE.hex().encode()

FILES = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n  \n", "is empty"),
    "header only": (b"a,b,c\n", "empty but for its column names"),
    "binary": (NOISE, "is a binary file, not a table. Holdfast reads CSV"),
    "image": (b"\x89PNG\r\n\x1a\n" + NOISE, "is a PNG image"),
    "pickle": (b"\x80\x04\x95" + NOISE, "is a Python pickle"),
    "nul": (ROWS[:60] + b"\0" + ROWS[60:], "NUL byte in line 9"),
    "late nul": (ROWS * 20_000 + b"\0\n", "NUL byte in line 620,001"),
    "long row": (ROWS + b"1,2,yes,4\n", "4 fields in line 32, where 3 are wanted"),
    "short row": (ROWS + b"1,2\n" + ROWS[6:], "2 fields in line 32"),
    "short quoted row": (b'a,b\n"x,1",2\n"y,2"\n', "1 field in line 3"),
    "truncated gzip": (gzip.compress(WORDS)[:-500], "gzip file was cut off"),
    "truncated zstd": (zstandard.compress(WORDS)[:-500], "zstd file was cut off"),
    "damaged gzip": (b"\x1f\x8b\x08\x00" + NOISE, "not a sound gzip file"),
    "damaged zstd": (b"\x28\xb5\x2f\xfd" + NOISE, "not a sound zstd file"),
    "gzip bomb": (gzip.compress(bytes(b"0" * (120 << 20)), 1), "as a zip bomb does"),
    "zstd bomb": (zstandard.compress(b"0" * (120 << 20)), "as a zip bomb does"),
    "zip": (b"PK\x03\x04" + NOISE, "is a zip archive"),
    "not parquet": (b"PAR1" + NOISE, "not a sound Parquet file"),
    "not arrow": (b"ARROW1\0\0" + NOISE, "not a sound Arrow file"),
    "not excel": (b"PK\x03\x04[Content_Types].xml" + NOISE, "not a sound Excel file"),
    "old excel": (b"\xd0\xcf\x11\xe0" + NOISE, "not a sound Excel file"),
    "cut json": (b'[{"a": 1},', "not sound JSON"),
    "json of numbers": (b"[1, 2]", "list of objects is wanted"),
    "cut json lines": (b'{"a": 1}\n{"a":\n', "line 2, is no JSON object: '{\"a\":'"),
    "odd utf-16": ("a,b\n1,2\n".encode("utf-16") + b"\x00", "begins as utf-16"),
}


@pytest.mark.parametrize(("data", "says"), FILES.values(), ids=FILES)
def test_files(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        load(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_workbook_that_unpacks_to_too_much(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/sheet1.xml", b"0" * (120 << 20))
    with pytest.raises(FileError, match="as a zip bomb does"):
        load(path)


def test_places(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(ROWS)
    with pytest.raises(FileError, match=r"no file .*dataa.csv. Did you mean 'data.csv'"):
        load(tmp_path / "dataa.csv")
    with pytest.raises(FileError, match=r"is a folder. It holds 'data.csv': give one of them"):
        load(tmp_path)
    with pytest.raises(FileError, match="is a device"):
        load("/dev/zero")
    with pytest.raises(FileError, match="Fetch it to a local file"):
        load("http://127.0.0.1:9/t.csv")
    with pytest.raises(FileError, match="Fetch it to a local file"):
        load("nosuch://t.csv")
    with pytest.raises(InputError, match="no kind of table"):
        load({"a": [1]})
    with pytest.raises(FileError, match="is empty"):
        load(pl.DataFrame({"a": []}))


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(ROWS)
    (tmp_path / "t.csv").chmod(0)
    with pytest.raises(FileError, match="Permission denied"):
        load(tmp_path / "t.csv")


def _lines(*rows: str) -> bytes:
    return "\n".join(rows).encode() + b"\n"


MANY = [f"{i % 7},the long story number {i} of it" for i in range(40)]
TARGETS = {
    "absent": (ROWS, "Y", ColumnError, "There is no target column 'Y'. Did you mean"),
    "near": (_lines("churn,tenure", "1,2", "0,3"), "Churn", ColumnError, "Did you mean 'churn'?"),
    "constant": (_lines("a,y", "1,1", "2,1"), "y", TargetError, "constant: every known cell says '1'"),
    "missing": (
        _lines("a,y", "1,", "2,NA", "3,?"),
        "y",
        TargetError,
        "Every cell of the target 'y' is missing",
    ),
    "names": (_lines("a,y", *(f"{i},name{i}" for i in range(30))), "y", TargetError, "differs in every row"),
    "prose": (_lines("a,y", *MANY), "y", TargetError, "there is no class to learn"),
    "class of one": (ROWS + b"1,2,maybe\n", "y", TargetError, "of 'y', 'maybe' has one row only"),
    "date": (_lines("a,y", "1,2010-01-01", "2,2011-01-01"), "y", TargetError, "is a date"),
    "one column": (_lines("y", "yes", "no"), "y", ColumnError, "no column to learn from"),
    "constant features": (
        _lines("a,b,y", *["1,x,0", "1,x,1"] * 5),
        "y",
        ColumnError,
        "Every feature is constant",
    ),
    "repeated names": (_lines("a,b, a", "1,2,3"), "b", ColumnError, "more than one column called 'a'"),
}


@pytest.mark.parametrize(("data", "target", "error", "says"), TARGETS.values(), ids=TARGETS)
def test_targets(tmp_path: Path, data: bytes, target: str, error: type[HoldfastError], says: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(error) as caught:
        read(path, target=target)
    assert says in str(caught.value)


def test_words_of_the_user() -> None:
    table = pl.DataFrame({"a": [1, 2, 3, 4], "w": [1, -1, 2, 1], "y": ["q", "r", "q", "r"]})
    with pytest.raises(ColumnError, match="given as target and as id"):
        read(table, target="y", id="y")
    with pytest.raises(ColumnError, match="0 empty and 1 negative"):
        read(table, target="y", weight="w")
    with pytest.raises(ColumnError, match="There is no column 'b'"):
        read(table, target="y", kinds={"b": "text"})
    with pytest.raises(ColumnError, match=r"No cell of column 'y' can be read as a date, e.g. 'q'"):
        read(table, kinds={"y": "date"})


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("a,c\n1,2\n")
    with pytest.raises(ColumnError, match=r"2.csv and .*1.csv do not have the same columns: \['b', 'c'\]"):
        load([tmp_path / "1.csv", tmp_path / "2.csv"])


def test_excel_with_repeated_names(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pd.DataFrame([[1, "a"], [2, "b"]], columns=["a", "a"]).to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(ColumnError, match="more than one column called 'a'"):
        load(tmp_path / "t.xlsx")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="such devices are Linux's")
def test_a_full_disk_for_temporary_files_is_said_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_IN_MEMORY", 10)
    with pytest.raises(FileError, match=r"No space left on device.*TMPDIR="):
        unpack.stored(iter([b"x" * 100] * 3), "t.csv.gz", Path("/dev/full"))
    with pytest.raises(ConnectionError), room_in(Path()):
        raise ConnectionResetError(104, "what is no matter of space stays what it is")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="such files are Linux's")
def test_a_file_that_opens_and_gives_nothing_is_said() -> None:
    with pytest.raises(FileError, match="cannot be read: Input/output error"):
        read("/proc/self/mem")
