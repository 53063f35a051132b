"""Cleaning is a list of named steps, each with the cells that it touched."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.cells import parse_series
from holdfast.core.dataset import Step
from holdfast.core.schema import CellFormat, Column, Kind
from holdfast.data.clean import clean_column
from holdfast.data.read import read


def test_steps() -> None:
    table = pl.DataFrame(
        {
            "city": ["Bern"] * 10 + ["bern", " Bern", "BERN", "New  York", "New York", "New York", "NA", "?"],
            "age": ["7"] * 14 + ["", "n/a", "seven", "inf"],
            "x": [1.0] * 16 + [float("inf"), float("-inf")],
        }
    )
    data = read(table)
    assert set(data.lineage) == {
        Step("missing-value words", "city", 2, "'?', 'NA'"),
        Step("white space", "city", 1, "' Bern' to 'Bern'"),
        Step("spelling", "city", 3, "'BERN' to 'Bern', 'New  York' to 'New York', 'bern' to 'Bern'"),
        Step("missing-value words", "age", 1, "'n/a'"),
        Step("not a number to missing", "age", 1, "'seven'"),
        Step("infinite to missing", "age", 1, "'inf'"),
        Step("infinite to missing", "x", 2),
    }
    assert len(data) == table.height
    assert set(data.table["city"].drop_nulls()) == {"Bern", "New York"}
    assert data.table["x"].null_count() == 2


def test_the_most_frequent_spelling_wins() -> None:
    data = read(pl.DataFrame({"c": ["usa"] * 3 + ["USA"] * 5 + ["Usa"] + ["de", "DE"]}))
    assert data.schema["c"].format.spelling == {"usa": "USA", "de": "DE"}


def test_rows_are_never_dropped_and_keep_their_order() -> None:
    table = pl.DataFrame({"a": ["x", None, "x", "?", "x"], "b": [1, 1, 1, None, 1]})
    data = read(table)
    assert data.table["a"].to_list() == ["x", None, "x", None, "x"]
    assert data.example.n_unique() == 5


def test_ids_of_the_user_that_repeat_are_told_apart() -> None:
    data = read(pl.DataFrame({"who": ["a", "b", "a"], "x": [1, 2, 3]}), id="who")
    assert sorted(data.example) == ["a", "a#2", "b"]
    assert [(step.name, step.column, step.touched) for step in data.lineage] == [("ids repeated", "who", 1)]


levels = st.sampled_from(["a", "A ", "b", " b", "B", "?", "", "x  y", "x y", "7.0", "7"])


@pytest.mark.parametrize("kind", [Kind.CATEGORY, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TEXT])
@settings(deadline=None)
@given(cells=st.lists(st.one_of(st.none(), levels), min_size=3, max_size=12))
def test_long_columns_are_read_like_short_ones(kind: Kind, cells: list[str | None]) -> None:
    form = CellFormat(
        missing=("?",), true=("a",), false=("b",), dates=("%Y",), spelling={"b": "B", "x y": "x y"}
    )
    column = Column("c", kind, format=form)
    raw = pl.Series("c", cells * 500, dtype=pl.String)  # long enough to be read through its levels
    typed, steps = clean_column(raw, column)
    short, short_steps = clean_column(raw[: len(cells)], column)
    assert typed.equals(parse_series(raw, column), null_equal=True)
    assert typed[: len(cells)].equals(short, null_equal=True)
    assert {s.name: s.touched for s in steps} == {s.name: 500 * s.touched for s in short_steps}
