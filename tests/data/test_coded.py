"""A column of few different texts is read through its levels, and nothing that is read says so."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdfast as hf
from holdfast.core.dataset import Dataset
from holdfast.data import coded
from holdfast.data.coded import counts_of, is_coded, levels_in
from holdfast.data.hashing import hash_rows

WORDS = st.sampled_from(
    [
        "a",
        "A ",
        "b",
        "yes",
        "No",
        "12",
        "1.0",
        "$1,200.50",
        "2024-01-02",
        "",
        "n/a",
        "nan",
        "inf",
        "é ü",
        "x y z",
    ]
)
COLUMNS = st.lists(st.lists(st.one_of(st.none(), WORDS), min_size=4, max_size=9), min_size=1, max_size=4)


def cell_by_cell(table: pl.DataFrame, **said: str) -> Dataset:
    """The table read with no column coded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coded, "FEW", 0)
        return hf.read(table, **said)


@settings(max_examples=60, deadline=None)
@given(columns=COLUMNS)
def test_ids_schema_and_cells_are_those_of_reading_cell_by_cell(columns: list[list[str | None]]) -> None:
    rng = np.random.default_rng(0)
    texts = {f"c{k}": pl.Series(cells, dtype=pl.String) for k, cells in enumerate(columns)}
    table = pl.DataFrame(
        {name: cells.gather(rng.integers(0, len(cells), 2000)) for name, cells in texts.items()}
    )
    through, plain = hf.read(table), cell_by_cell(table)
    assert through.id == plain.id and through.schema == plain.schema
    assert through.example.equals(plain.example) and (through.twin == plain.twin).all()
    assert through.table.equals(plain.table, null_equal=True)
    assert through.table.schema == plain.table.schema
    touched = [[(s.name, s.column, s.touched) for s in data.lineage] for data in (through, plain)]
    assert touched[0] == touched[1]
    assert (hash_rows(table) == np.concatenate([hash_rows(table[:900]), hash_rows(table[900:])])).all()


def test_a_target_and_an_infinity_of_a_coded_column() -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "word": pl.Series(["north", "South", "north ", ""]).gather(rng.integers(0, 4, 3000)),
            "number": rng.normal(size=3000),
            "y": pl.Series(["yes", "No", "no"]).gather(rng.integers(0, 3, 3000)),
        }
    )
    through, plain = hf.read(table, target="y"), cell_by_cell(table, target="y")
    assert (through.id, through.checks) == (plain.id, plain.checks)
    broken = table.with_columns(amount=pl.Series(["1 €", "inf", "7 €"]).gather(np.arange(3000) % 3))
    with pytest.raises(hf.HoldfastError, match=r"amount.*row 2"):
        hf.read(broken, target="y")


def test_few_levels_are_coded_and_many_are_not() -> None:
    few = coded.coded(pl.Series("few", ["b", "a", None] * 500))
    assert is_coded(few) and few.dtype != coded.coded(pl.Series(["b", "a", None] * 500)).dtype
    levels, places = levels_in(few)
    assert levels.gather(places).to_list() == ["b", "a", None] * 500
    assert dict(counts_of(few).iter_rows()) == {"a": 500, "b": 500, None: 500}
    for cells in (
        pl.Series(["a"] * 1000),
        pl.Series(np.arange(2000)).cast(pl.String),
        pl.Series([1.0] * 2000),
    ):
        assert coded.coded(cells) is cells


def test_a_coded_column_without_any_known_cell() -> None:
    empty = coded.coded(pl.Series("none", [None] * 1500, dtype=pl.String))
    levels, places = levels_in(empty)
    assert levels.to_list() == [None] and not places.any()
