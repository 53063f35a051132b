"""Whatever bytes a file holds, it is read or refused: nothing else escapes, and the process lives."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.data.read import read
from holdfast.errors import HoldfastError

FRAGMENTS = [
    "a", "b", "1", "2.5", ",", ",", "\n", "\n", '"', "'", ";", "\t", "\r\n", " ", "é", "2010-01-02", "Yes",
    "$1,000", "?", "\ufeff", "inf", "{", "}", "[", "]", ":", "null", "|", "-", "\x0b", "\u2028",
]  # fmt: skip
MAGIC = [b"PAR1", b"ARROW1", b"PK\x03\x04xl/", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"]
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join)
files = st.one_of(
    texts.map(str.encode),
    texts.map(lambda text: text.encode("utf-16")),
    st.binary(max_size=200),
    st.tuples(st.sampled_from(MAGIC), st.binary()).map(b"".join),
    texts.map(lambda text: gzip.compress(text.encode())),
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=files)
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t"
    path.write_bytes(data)
    try:
        dataset = read(path)
    except HoldfastError as error:
        assert str(path) in str(error)
    else:
        assert len(dataset) > 0
        assert len(dataset.schema.columns) == dataset.table.width > 0
        assert dataset.example.n_unique() == len(dataset)


@pytest.mark.parametrize("target", ["y", "x"])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(texts, texts), min_size=1, max_size=8))
def test_any_cells(target: str, cells: list[tuple[str, str]]) -> None:
    try:
        dataset = read(
            pl.DataFrame(cells, schema={"x": pl.String, "y": pl.String}, orient="row"), target=target
        )
    except HoldfastError as error:
        assert len(str(error)) > 20
    else:
        assert len(dataset) == len(cells)
