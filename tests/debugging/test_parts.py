"""Every part of a column is what its query says."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import columns, days

from holdfast.core.query import Query, parse_query
from holdfast.core.schema import Column, Kind
from holdfast.debugging.cells import level_codes
from holdfast.debugging.parts import parts_of

KINDS = {pl.Float64: Kind.NUMBER, pl.Boolean: Kind.BOOLEAN, pl.String: Kind.CATEGORY, pl.Datetime: Kind.DATE}


def assert_queries_give_the_codes(cells, kind, **options):
    parts = parts_of(cells, Column(cells.name, kind), **options)
    frame = cells.to_frame()
    for k, query in enumerate(parts.queries):
        again = parse_query(str(query)).mask(frame)
        np.testing.assert_array_equal(again, parts.code == k, err_msg=str(query))
        assert again.any()
    assert len(set(parts.names)) == len(parts.names)
    return parts


@pytest.mark.parametrize("name", list(columns(np.random.default_rng(0), 10)))
@pytest.mark.parametrize("options", [{}, {"bands": 4}, {"fewest": 40}], ids=["", "quarters", "frequent"])
def test_each_query_gives_the_rows_of_its_code(name, options):
    cells = pl.Series(name, columns(np.random.default_rng(1), 600)[name])
    assert_queries_give_the_codes(cells, KINDS[type(cells.dtype)], **options)


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60)
)
def test_numbers_of_any_kind_are_cut_as_said(cells):
    assert_queries_give_the_codes(pl.Series("x", cells, dtype=pl.Float64), Kind.NUMBER)


@given(st.lists(st.one_of(st.none(), st.integers(-40_000, 40_000)), min_size=1, max_size=60))
def test_dates_of_any_age_are_cut_as_said(cells):
    known = days(np.array([cell or 0 for cell in cells]), "1970-01-01")
    gaps = pl.Series([cell is None for cell in cells])
    dates = pl.select(pl.when(gaps).then(None).otherwise(known).alias("day")).to_series()
    assert_queries_give_the_codes(dates, Kind.DATE)


def test_texts_are_there_or_missing():
    cells = pl.Series("note", ["a", None, "b"])
    parts = assert_queries_give_the_codes(cells, Kind.TEXT)
    assert parts.names == ("note is not missing", "missing")


def test_level_codes_tell_levels_apart_and_know_gaps():
    codes = level_codes(pl.Series(["b", None, "a", "b"]))
    assert codes[1] == 0
    assert codes[0] == codes[3] != codes[2] > 0
    assert level_codes(pl.Series([True, None, False])).tolist() == [2, 0, 1]


def test_an_infinite_cell_is_in_the_outermost_range():
    cells = pl.Series("x", [0.0] * 6 + [1.0, 2.0, float("inf"), float("-inf")])
    parts = assert_queries_give_the_codes(cells, Kind.NUMBER)
    assert (parts.code >= 0).all()
    last = parts.ranges - 1
    met = parse_query(str(Query(parts.between(last - 1, last)))).mask(cells.to_frame())
    np.testing.assert_array_equal(met, parts.code >= last - 1)


def test_common_numbers_and_rare_levels_are_parts_by_themselves():
    gain = pl.Series("gain", np.r_[np.zeros(80), np.arange(1.0, 21.0)])
    assert assert_queries_give_the_codes(gain, Kind.NUMBER, fewest=10).names[0] == "0"
    plan = pl.Series("plan", ["a"] * 50 + ["b"] * 30 + [f"rare {k}" for k in range(20)])
    assert assert_queries_give_the_codes(plan, Kind.CATEGORY, fewest=20).names == (
        "a", "b", "plan not in ('a', 'b')",
    )  # fmt: skip
