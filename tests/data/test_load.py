"""One table, whatever file, packing, encoding, dialect or object it comes in."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import fsspec
import polars as pl
import pytest
import zstandard
from polars.testing import assert_frame_equal

from holdfast.data.load import load
from holdfast.data.sniff import dialect_of

TABLE = pl.DataFrame(
    {
        "name": ["Ann", "Bé, Jr.", 'C "x"', None],
        "age": [41.0, 7.5, None, -1000000.0],
        "city": ["Bern", "New\nYork", "Bern", "Oslo"],
    }
)


def _written(write: Callable[[pl.DataFrame, BytesIO], object]) -> bytes:
    buffer = BytesIO()
    write(TABLE, buffer)
    return buffer.getvalue()


FORMATS = {
    "csv": _written(lambda table, file: table.write_csv(file)),
    "tsv": _written(lambda table, file: table.write_csv(file, separator="\t")),
    "semicolon": _written(lambda table, file: table.write_csv(file, separator=";")),
    "pipe": _written(lambda table, file: table.write_csv(file, separator="|")),
    "crlf": _written(lambda table, file: table.write_csv(file, line_terminator="\r\n")),
    "json": _written(lambda table, file: table.write_json(file)),
    "jsonl": _written(lambda table, file: table.write_ndjson(file)),
    "parquet": _written(lambda table, file: table.write_parquet(file)),
    "arrow": _written(lambda table, file: table.write_ipc(file)),
    "feather": _written(lambda table, file: table.write_ipc(file, compression="lz4")),
    "excel": _written(lambda table, file: table.write_excel(file)),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "gzip in two members": lambda data: gzip.compress(data[:20]) + gzip.compress(data[20:]),
    "zstd": zstandard.compress,
    "zstd in two frames": lambda data: zstandard.compress(data[:20]) + zstandard.compress(data[20:]),
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("form", FORMATS)
def test_formats(tmp_path: Path, form: str, packing: str) -> None:
    path = tmp_path / "a table"  # without a suffix: what counts is what is inside
    path.write_bytes(PACKINGS[packing](FORMATS[form]))
    assert_frame_equal(load(str(path)).table, TABLE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(FORMATS["csv"].decode().encode(encoding))
    assert_frame_equal(load(path).table, TABLE)


def test_one_strange_byte_far_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,plain\n" * 100_000 + b"2,caf\xe9\n")
    loaded = load(path)
    assert loaded.table["b"][-1] == "café"
    assert [step.detail for step in loaded.steps] == ["decoded as cp1252"]


DIALECTS = {
    "header": ("a,b\n1,2\n", ("a", "b"), ","),
    "no header": ("1,2,yes\n3,4,no\n", ("column_1", "column_2", "column_3"), ","),
    "texts without header": ("red,big\nblue,small\nred,small\n", ("column_1", "column_2"), ","),
    "texts with header": ("colour,size\nred,big\nblue,small\n", ("colour", "size"), ","),
    "years": ("country,2010,2011,2012\nx,1,2,3\n", ("country", "2010", "2011", "2012"), ","),
    "one year": ("country,2010\nx,1\ny,2\n", ("country", "2010"), ","),
    "counted": ("0,1,2\n5.5,6,7\n", ("0", "1", "2"), ","),
    "decimal commas": ("a;b\n1,5;2,5\n3,5;4,5\n", ("a", "b"), ";"),
    "commas in prose": ("n\ttext\n1\tso, it goes\n2\tand, on, and on\n", ("n", "text"), "\t"),
    "blanks": ("a b c\n1 2 3\n4 5 6\n", ("a", "b", "c"), " "),
    "one column of prose": ("text\nso it goes\nand so on it went\nyes\n", ("text",), ","),
    "blank names": (" a ,,b\n1,2,3\n", ("a", "column_2", "b"), ","),
    "blank lines first": ("\n\na,b\n1,2\n", ("a", "b"), ","),
    "header only": ("a,b\n", ("a", "b"), ","),
}


@pytest.mark.parametrize(("text", "names", "separator"), DIALECTS.values(), ids=DIALECTS)
def test_dialects(text: str, names: tuple[str, ...], separator: str) -> None:
    dialect = dialect_of(text, "t.csv")
    assert (dialect.names, dialect.separator) == (names, separator)


def test_text_details(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"

    def table(text: str) -> dict[str, list[object]]:
        path.write_text(text, newline="")
        return load(path).table.to_dict(as_series=False)

    assert table("a,b\r1,x\r2,y\r") == {"a": [1.0, 2.0], "b": ["x", "y"]}
    assert table("\n\na,b\n1,2\n") == {"a": [1.0], "b": [2.0]}
    assert table("a,b\n1,2\n\n3,4\n,\n\n") == {"a": [1.0, 3.0, None], "b": [2.0, 4.0, None]}
    text = '\n,\n"x\n\n,\ny",2\n\n,\n\n'  # a quoted text with lines that look blank and empty
    assert table(f"a,b\n{text}") == {"a": [None, "x\n\n,\ny", None], "b": [None, 2.0, None]}
    assert table("a\n1\n\n2\n") == {"a": [1.0, 2.0]}
    assert table("sep=;\na;b\n1;x\n2;y\n") == {"a": [1.0, 2.0], "b": ["x", "y"]}
    assert table("# made by X\n\na,b\n1,x\n2,y\n") == {"a": [1.0, 2.0], "b": ["x", "y"]}
    assert table("sep=,\n1,2\n3,4\n") == {"column_1": [1.0, 3.0], "column_2": [2.0, 4.0]}
    assert table("a,b\n'x,1',2\n'y,2',3\n") == {"a": ["x,1", "y,2"], "b": [2.0, 3.0]}
    assert table('a\tb\nx"y\t1\nz\t2\n') == {"a": ['x"y', "z"], "b": [1.0, 2.0]}
    assert table("zip,a\n00123,1\n10115,\n") == {"zip": ["00123", "10115"], "a": [1.0, None]}
    assert table("id,a\n12345678901234567890,1\n1,2\n")["id"] == ["12345678901234567890", "1"]


def test_large_text_is_typed_by_a_sample_and_checked_by_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    line = b"123456.5,789,some words to fill the line,7\n"
    rows = (33 << 20) // len(line)
    path.write_bytes(b"a,b,c,d\n" + line * rows + b"1,n.a.,x,2.5\n" + line * rows)
    table = load(path).table
    assert table.dtypes == [pl.Float64, pl.String, pl.String, pl.Float64]
    assert table.height == 2 * rows + 1
    assert table.row(rows) == (1.0, "n.a.", "x", 2.5)


def test_json_shapes(tmp_path: Path) -> None:
    path = tmp_path / "t.json"

    def table(text: str) -> dict[str, list[object]]:
        path.write_text(text)
        return load(path).table.to_dict(as_series=False)

    assert table('{"a": [1, 2], "b": ["x", "y"]}') == {"a": [1.0, 2.0], "b": ["x", "y"]}
    assert table('{"a": 1, "b": "x"}') == {"a": [1.0], "b": ["x"]}
    nested = table('[{"a": {"b": 1, "c": [1, "2"]}, "d": true}, {"d": null}]')
    assert nested == {"a.b": [1.0, None], "a.c": ['["1","2"]', None], "d": [True, None]}
    assert table('{"a": "007"}\n{"a": 7, "b": 1.5}\n') == {"a": ["007", "7"], "b": [None, 1.5]}


def test_several_files_are_one_table(tmp_path: Path) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.parquet"
    first.write_text("a,b\n1,x\n")
    pl.DataFrame({"b": ["y"], "a": ["none"]}).write_parquet(second)
    assert load([first, second]).table.to_dict(as_series=False) == {"a": ["1", "none"], "b": ["x", "y"]}


def test_urls(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(gzip.compress(FORMATS["csv"]))
    assert_frame_equal(load(f"file://{tmp_path}/t.csv").table, TABLE)
    with fsspec.open("memory://folder/t.csv", "wb") as file:
        file.write(FORMATS["csv"])
    assert_frame_equal(load("memory://folder/t.csv").table, TABLE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert_frame_equal(load(f"http://127.0.0.1:{server.server_port}/t.csv").table, TABLE)
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_tables_in_memory() -> None:
    pd = pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    assert_frame_equal(load(TABLE).table, TABLE)
    assert_frame_equal(load(TABLE.lazy()).table, TABLE)
    assert_frame_equal(load(TABLE.to_arrow()).table, TABLE)
    assert_frame_equal(load(pa.RecordBatch.from_pydict({"a": [1]})).table, pl.DataFrame({"a": [1.0]}))
    assert_frame_equal(load(pd.DataFrame(TABLE.to_dict(as_series=False))).table, TABLE)
    cells = {"m": [1, "x", None], "c": pd.Categorical(["u", "v", "u"])}
    mixed = pd.DataFrame(cells, index=pd.Index([5, 6, 7], name="k"))
    assert load(mixed).table.to_dict(as_series=False) == {
        "k": [5.0, 6.0, 7.0],
        "m": ["1", "x", None],
        "c": ["u", "v", "u"],
    }


def test_typed_columns_become_raw_ones() -> None:
    typed = pl.DataFrame(
        {
            "small": pl.Series([1, None], dtype=pl.Int8),
            "large": pl.Series([2**60, 1], dtype=pl.Int64),
            "nan": [float("nan"), 1.5],
            "day": pl.Series(["2020-01-02", None]).str.to_date(),
            "zoned": pl.Series(["2020-01-02T01:00:00+01:00", None]).str.to_datetime(),
            "enum": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
            "money": pl.Series(["1.50", "2"]).cast(pl.Decimal(10, 2)),
            "nothing": pl.Series([None, None]),
        }
    )
    raw = load(typed).table
    assert raw["large"].to_list() == [str(2**60), "1"]
    assert raw["nan"].to_list() == [None, 1.5]
    assert raw["day"][0] == raw["zoned"][0]
    assert raw["money"].to_list() == [1.5, 2.0]
    assert set(raw.dtypes) == {pl.Float64, pl.String, pl.Datetime("us")}
