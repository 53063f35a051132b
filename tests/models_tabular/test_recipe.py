from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import CITIES, FORMAT, halves, made

from holdfast.core.cells import parse_cell, parse_series
from holdfast.core.dataset import Dataset
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.errors import ModelError
from holdfast.models.tabular.encode import Encoder, date_parts, encode
from holdfast.models.tabular.recipe import DATE_PARTS, Number, Parts, Recipe
from holdfast.models.tabular.recipe_fitting import fit_recipe

RAW = {
    "age": st.none() | st.sampled_from(["31", " 1e300 ", "?", "-0", "x", ""]) | st.floats(allow_nan=True),
    "income": st.integers(-(10**20), 10**20) | st.text(max_size=4),
    "member": st.booleans() | st.sampled_from(["yes", "No", "maybe", None]),
    "plan": st.sampled_from(["basic", "plus", "pro", "never seen", "?", None]),
    "city": st.sampled_from([*CITIES, "Atlantis", None, ""]),
    "since": st.sampled_from(["2021-02-03 04:05:06", "yesterday", None]) | st.datetimes(datetime(1970, 1, 1)),
    "note": st.text() | st.none(),
}


def column(values: list[object], kind: Kind, target: list[str]) -> Dataset:
    dtype = {Kind.NUMBER: pl.Float64, Kind.DATE: pl.Datetime("us")}.get(kind, pl.String)
    table = pl.DataFrame({"x": pl.Series(values, dtype=dtype, strict=False), "y": pl.Series(target)})
    schema = Schema((Column("x", kind), Column("y", Kind.CATEGORY, Role.TARGET)))
    ids = pl.Series([str(i) for i in range(len(table))])
    return Dataset(table, schema, ids, np.arange(len(table), dtype=np.uint64), content="one column")


@pytest.mark.parametrize("classes", [2, 4, 0])
def test_a_recipe_survives_json_exactly(classes: int) -> None:
    recipe, X = fit_recipe(made(classes=classes), seed=0)
    again = Recipe.parse(recipe.data)
    assert again.id == recipe.id
    assert again.names == recipe.names
    assert X.shape == (600, len(recipe.names))
    table = made(classes=classes, seed=5).table
    assert np.array_equal(encode(again, table.to_dict()), encode(recipe, table.to_dict()), equal_nan=True)


@given(st.fixed_dictionaries(RAW), st.fixed_dictionaries(RAW))
@settings(max_examples=80, deadline=None)
def test_one_row_at_a_time_is_the_batch(first: dict[str, object], second: dict[str, object]) -> None:
    columns = [column for column in made(50).schema.features if column.name in RAW]
    rows = [{c.name: parse_cell(row[c.name], c) for c in columns} for row in (first, second)]  # type: ignore[arg-type]
    dtypes = made(50).table.schema
    batch = {c.name: pl.Series(c.name, [row[c.name] for row in rows], dtype=dtypes[c.name]) for c in columns}
    encoder = RECIPES
    singles = np.concatenate([encoder.row(row) for row in rows])
    assert np.array_equal(encoder.rows(batch, 2), singles, equal_nan=True)
    assert np.isfinite(singles[~np.isnan(singles)]).all()


RECIPES = Encoder.of(fit_recipe(made(), seed=0)[0])


def test_training_rows_do_not_see_their_own_target() -> None:
    """A category with two rows a level says nothing about a random target, out-of-fold."""
    rng = np.random.default_rng(0)
    n = 4000
    levels = [f"l{i // 2}" for i in rng.permutation(n)]
    target = [str(k) for k in rng.integers(0, 2, n)]
    recipe, X = fit_recipe(column(levels, Kind.CATEGORY, target), seed=0)
    hit = np.array(target) == max(target)
    inside = encode(recipe, {"x": pl.Series(levels)})[:, 0]
    assert abs(np.corrcoef(X[:, 0], hit)[0, 1]) < 0.05
    assert abs(np.corrcoef(inside, hit)[0, 1]) > 0.5  # what a leak would look like


def test_rows_with_equal_features_share_their_inner_fold() -> None:
    levels = [f"l{i % 50}" for i in range(400)]
    target = [str(i % 2) for i in range(400)]
    dataset = column(levels, Kind.CATEGORY, target)
    twins = replace(dataset, twin=np.array([i % 50 for i in range(400)], dtype=np.uint64))
    _, X = fit_recipe(twins, seed=0)
    assert np.unique(X[:, 0]).size == 1  # all rows of a level are held out together: the overall mean


def test_target_means_are_shrunk_and_counts_are_logarithms() -> None:
    levels = ["a"] * 90 + [f"b{i}" for i in range(30) for _ in range(7)]
    target = ["1"] * 90 + ["0"] * 210
    recipe, _ = fit_recipe(column(levels, Kind.CATEGORY, target), seed=0)
    share, occurs = encode(recipe, {"x": pl.Series(["a", "b3", "never", None])}).T
    assert share == pytest.approx([(90 + 10 * 0.3) / 100, 3 / 17, 0.3, 0.3], rel=1e-6)
    assert occurs[:3] == pytest.approx(np.log1p([90, 7, 1]), rel=1e-6)


def test_few_levels_become_one_column_each_and_rare_ones_none() -> None:
    levels = [*["a", "b", "c"] * 40, "rare", None, None]
    recipe, X = fit_recipe(column(levels, Kind.CATEGORY, ["0", "1", "1"] * 41), seed=0)
    assert recipe.names == ("x = a", "x = b", "x = c", "x is missing")
    assert X.sum(axis=1).tolist() == [1.0] * 120 + [0.0, 1.0, 1.0]
    assert encode(recipe, {"x": pl.Series(["never seen"])}).tolist() == [[0, 0, 0, 0]]


def test_two_levels_need_one_column_and_one_level_none() -> None:
    two, _ = fit_recipe(column(["a", "b", "a"] * 20, Kind.CATEGORY, ["0", "1", "1"] * 20), seed=0)
    one, X = fit_recipe(column(["a"] * 60, Kind.CATEGORY, ["0", "1", "1"] * 20), seed=0)
    assert two.names == ("x = b",)
    assert one.names == () and X.shape == (60, 0)


def test_date_parts_are_those_of_the_calendar() -> None:
    moments = [datetime(1969, 12, 31, 23, 59), datetime(1970, 1, 1), datetime(2024, 2, 29, 13, 45, 30)]
    stamps = pl.Series(moments, dtype=pl.Datetime("us")).to_physical().to_numpy()
    parts = date_parts(stamps, DATE_PARTS[:6]).astype(int).tolist()
    assert parts == [[m.year, m.month, m.day, m.weekday(), m.hour, m.minute] for m in moments]


def test_parts_that_never_change_are_left_out() -> None:
    moments = [datetime(2024, 1, 1 + i % 28) for i in range(60)]
    recipe, _ = fit_recipe(column(moments, Kind.DATE, ["0", "1"] * 30), seed=0)
    assert recipe.dates[0].parts == ("day", "weekday", "days")


def test_a_far_away_number_keeps_its_digits() -> None:
    values = [1.7e9 + i / 100 for i in range(200)]
    recipe, X = fit_recipe(column(values, Kind.NUMBER, ["0", "1"] * 100), seed=0)
    assert np.unique(X[:, 0]).size == 200
    assert np.unique(encode(Recipe((Number("x"),)), {"x": pl.Series(values)})).size < 3
    assert recipe.numbers[0].center == pytest.approx(1.7e9)


def test_only_training_rows_are_looked_at() -> None:
    train, _ = halves(made())
    before, _ = fit_recipe(train, seed=0)
    assert {level for lookup in before.lookups for level in lookup.levels} <= {
        *train.table["plan"].drop_nulls(), *train.table["city"],
    }  # fmt: skip


def test_raw_text_and_typed_cells_give_the_same_features() -> None:
    raw = pl.Series("age", [" 31 ", "?", "1e2"])
    typed = parse_series(raw, Column("age", Kind.NUMBER, format=FORMAT))
    assert encode(Recipe((Number("age"),)), {"age": typed}).tolist() == pytest.approx(
        np.array([[31.0], [np.nan], [100.0]]), nan_ok=True
    )


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b'{"numbers":[["a","b"]],"dates":[],"texts":[],"lookups":[]}',
        b'{"numbers":[["a",1e999]],"dates":[],"texts":[],"lookups":[]}',
        b'{"numbers":[],"dates":[["d",["century"]]],"texts":[],"lookups":[]}',
        b'{"numbers":[],"dates":[],"texts":[],"lookups":[{"column":"c","levels":["a"],"names":["n"],"table":[[1]]}]}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_recipe_is_named(data: bytes) -> None:
    with pytest.raises(ModelError, match="recipe"):
        Recipe.parse(data)


ODD = (
    "a Z9\t\x1c\x1f\x85\xa0\u2003\u3000\u200b\u200d\u0301\u01c5\u00aa\u2163\u0663\u07c0_"
    "\u2014\u201c\u00e9\u6f22\u00df\U0001d400\U0001f600"
)


@given(st.lists(st.none() | st.text() | st.text(ODD), max_size=8))
@settings(max_examples=150, deadline=None)
def test_one_text_gives_what_its_column_gives(texts):
    parts = ("words", "characters", "digits", "capitals", "marks")
    recipe = Recipe(texts=(Parts("note", parts),))
    encoder = Encoder.of(recipe)
    whole = encoder.rows({"note": pl.Series(texts, dtype=pl.String)}, len(texts))
    for text, expected in zip(texts, whole, strict=True):
        np.testing.assert_array_equal(encoder.row({"note": text})[0], expected)
