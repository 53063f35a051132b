"""Training that goes on in a slice: inside it something is learned, outside of it no bit changes."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import halves, made

from holdfast.core.dataset import Dataset
from holdfast.core.query import Query, Term, parse_query
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.errors import PlanError
from holdfast.models.tabular.encode import encode
from holdfast.models.tabular.grafting import conditions, grafted
from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.learner import continuing, tabular_learner
from holdfast.models.tabular.recipe_fitting import fit_recipe
from holdfast.models.tabular.served import combine, load
from holdfast.models.tabular.trees import Trees, trees_graph
from holdfast.training.fold import output_of

SIGNS = ("=", "<", "<=", ">", ">=", "is missing", "is not missing")
LOSS = {0: "squared", 2: "log_loss", 3: "log_loss"}


def one_column(cells: pl.Series, kind: Kind) -> Dataset:
    n = len(cells)
    rng = np.random.default_rng(n)
    table = pl.DataFrame({"x": cells, "y": pl.Series([str(k) for k in rng.integers(0, 2, n)])})
    schema = Schema((Column("x", kind), Column("y", Kind.CATEGORY, Role.TARGET)))
    return Dataset(table, schema, pl.Series([f"r{i}" for i in range(n)]), np.arange(n, dtype=np.uint64))


def said_by_the_graph(data: Dataset, query: Query) -> np.ndarray:
    """What a tree of one leaf, 1.0, adds below the query's conditions, by the exported graph."""
    recipe, _ = fit_recipe(data, seed=0)
    X = encode(recipe, data.table.to_dict())
    splits = conditions(query, recipe)
    none, whole = np.zeros(0, np.int64), np.zeros(1, np.int64)

    def one_leaf(value: float) -> Trees:
        flag = np.zeros(0, bool)
        return Trees(
            none, np.zeros(0), none, none, flag, np.array([-1]), whole, np.full(1, value), whole, np.zeros(1)
        )

    nothing, leaf = one_leaf(0.0), one_leaf(1.0)
    graph = trees_graph(nothing, "identity", X.shape[1], grafts=grafted(leaf, splits))
    (found,) = open_graph(graph, X.shape[1], 1).run(None, {"X": X})
    assert set(np.unique(found)) <= {0.0, 1.0}
    by_hand = np.logical_and.reduce([split.holds(X) for split in splits])
    assert (by_hand == (found[:, 0] == 1)).all()
    return by_hand


numbers = st.one_of(
    st.none(),
    st.integers(-5, 5).map(float),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(min_value=1e15, max_value=1e15 + 64),
    st.sampled_from([0.0, -0.0, 0.1, -0.1, 16777217.0, 3e38, -3e38, 1e300, -1e300, 1e-40]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(numbers, min_size=2, max_size=40), st.sampled_from(SIGNS), st.data())
def test_splits_on_numbers_select_the_rows_of_the_query(cells, sign, data):
    column = pl.Series("x", cells, dtype=pl.Float64)
    if column.n_unique() < 2:
        return
    constant = data.draw(
        st.one_of(st.sampled_from([c for c in cells if c is not None]), st.floats(-1e6, 1e6))
    )
    dataset = one_column(column, Kind.NUMBER)
    query = Query((Term("x", sign, () if sign.startswith("is") else (constant,)),))
    found, wanted = said_by_the_graph(dataset, query), query.mask(dataset.table)
    center = fit_recipe(dataset, seed=0)[0].numbers[0].center
    known = column.fill_null(np.inf).to_numpy()
    with np.errstate(over="ignore"):
        same = np.float32(np.clip(known - center, -3.4e38, 3.4e38)) == np.float32(constant - center)
    blurred = same & (known != constant)  # float32 cannot tell the cell from the constant
    assert (found == wanted)[~blurred].all()


@pytest.mark.parametrize("sign", ["=", "<", "<=", ">", ">=", "in", "is missing", "is not missing"])
def test_a_constant_that_is_a_cell_is_never_blurred_by_rounding_to_float32(sign):
    cells = pl.Series("x", [0.1, 0.2, 0.3, 0.7, None, 16_777_217.0])
    dataset = one_column(cells, Kind.NUMBER)
    for constant in (0.1, 0.2, 0.3, 0.7, 16_777_217.0):
        query = Query((Term("x", sign, () if sign.startswith("is") else (constant,)),))
        assert (said_by_the_graph(dataset, query) == query.mask(dataset.table)).all()


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 40), st.booleans(), st.data())
def test_splits_on_categories_select_the_rows_of_the_query(levels, holes, data):
    rng = np.random.default_rng(levels)
    cells = [f"l{k}" for k in rng.integers(0, levels, 12 * levels + 12)]
    column = pl.Series("x", [None if holes and i % 9 == 0 else cell for i, cell in enumerate(cells)])
    dataset = one_column(column, Kind.CATEGORY)
    if not (lookups := fit_recipe(dataset, seed=0)[0].lookups):
        return
    level = data.draw(st.sampled_from(lookups[0].levels))
    sign = data.draw(st.sampled_from(["=", "in", "!=", "not in", "is missing", "is not missing"]))
    query = Query((Term("x", sign, () if sign.startswith("is") else (level,)),))
    try:
        found = said_by_the_graph(dataset, query)
    except PlanError as error:
        assert "Try --with augment" in str(error)
        assert sign not in ("=", "in") or levels > 15 or column.value_counts()["count"].min() < 5
        return
    assert (found == query.mask(dataset.table)).all()


def test_each_level_of_a_column_of_two_has_a_split_though_it_has_one_feature():
    column = pl.Series("x", ["Male"] * 30 + ["Female"] * 20)
    dataset = one_column(column, Kind.CATEGORY)
    for level in ("Male", "Female"):
        for sign in ("=", "!="):
            query = Query((Term("x", sign, (level,)),))
            assert (said_by_the_graph(dataset, query) == query.mask(dataset.table)).all()


@pytest.mark.parametrize("text", ["x = true", "x = false", "x is missing", "x is not missing"])
def test_splits_on_truth_values_select_the_rows_of_the_query(text):
    dataset = one_column(pl.Series("x", [True, False, None, True, False] * 4), Kind.BOOLEAN)
    query = parse_query(text)
    assert (said_by_the_graph(dataset, query) == query.mask(dataset.table)).all()


@pytest.mark.parametrize("sign", SIGNS)
def test_splits_on_dates_select_the_rows_of_the_query(sign):
    days = [None if d % 11 == 0 else datetime(2019, 12, 1) + timedelta(days=d) for d in range(120)]
    dataset = one_column(pl.Series("x", days, dtype=pl.Datetime("us")), Kind.DATE)
    for constant in ("2020-01-15", "2020-02-29 12:30", "1890-01-01"):
        query = Query((Term("x", sign, () if sign.startswith("is") else (constant,)),))
        assert (said_by_the_graph(dataset, query) == query.mask(dataset.table)).all()


@pytest.mark.parametrize(
    "text", ["length(x) > 7", "length(x) <= 4", "length(x) = 6", "x is missing", "length(x) is not missing"]
)
def test_splits_on_texts_select_the_rows_of_the_query(text):
    cells = pl.Series("x", [None if k % 7 == 0 else "é" * (k % 13) for k in range(60)])
    dataset = one_column(cells, Kind.TEXT)
    query = parse_query(text)
    assert (said_by_the_graph(dataset, query) == query.mask(dataset.table)).all()


def planted(classes: int, n: int = 3000) -> Dataset:
    """Where the plan is pro, the target follows the income, and nowhere else."""
    data = made(n, classes=classes)
    inside = (data.table["plan"] == "pro").fill_null(False).to_numpy()
    rich = (data.table["income"] > data.table["income"].median()).to_numpy()
    table = data.table
    if classes:
        cells = np.where(inside, np.where(rich, "c0", "c1"), table["y"].to_numpy())
        table = table.with_columns(pl.Series("y", cells))
    else:
        table = table.with_columns(pl.Series("y", table["y"].to_numpy() + np.where(inside & rich, 80.0, 0.0)))
    return Dataset(table, data.schema, data.example, data.twin, content=f"planted {classes}")


def fitted(train: Dataset, watched: Dataset, *, focus: str, **given_: str):
    classes = [] if given_.get("classes") == "0" else sorted(train.target.unique().to_list())
    loss = given_.get("loss", LOSS[len(classes)])
    # too calm to have learned the slice by itself, so that there is something to go on with
    options = {"num_leaves": 2, "rounds": 30, "patience": 10}
    learner = tabular_learner("lightgbm_small", loss=loss, classes=classes, options=options, focus=focus)
    return learner.fit(train, watched, budget=None, seed=3, progress=lambda _: None).model


def output(model, rows: Dataset) -> np.ndarray:
    return output_of(model.predict(rows), model.manifest.classes)


CASES = [(2, "log_loss"), (2, "balanced"), (2, "focal"), (3, "log_loss"), (3, "focal"), (0, "squared"),
         (0, "absolute"), (0, "huber"), (0, "quantile:0.7"), (0, "poisson")]  # fmt: skip


@pytest.mark.parametrize(("classes", "loss"), CASES)
@pytest.mark.parametrize("focus", ["plan = 'pro'", "plan = 'pro' and age >= 30 and since < '2022-01-01'"])
def test_outside_of_the_slice_no_bit_changes_and_inside_something_is_learned(classes, loss, focus):
    train, watched = halves(planted(classes))
    given_ = {"classes": str(classes), "loss": loss}
    before, after = fitted(train, watched, focus="", **given_), fitted(train, watched, focus=focus, **given_)
    inside = parse_query(focus).mask(watched.table)
    old, new = (output(model, watched) for model in (before, after))
    assert (old[~inside].tobytes(), old.shape) == (new[~inside].tobytes(), new.shape)
    assert (old[inside] != new[inside]).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_exported_graph_is_the_sum_of_both_native_boosters(classes):
    import lightgbm

    train, watched = halves(planted(classes))
    model = fitted(train, watched, focus="plan = 'pro'", classes=str(classes))
    member = model.manifest.members[0]
    texts = {name.rpartition("/")[2]: model.files[name].decode() for name in member.native}
    first, more = (lightgbm.Booster(model_str=texts[name]) for name in ("lightgbm.txt", "slice.txt"))
    recipe, _ = fit_recipe(train, seed=0)
    X = encode(recipe, watched.table.to_dict())
    inside = parse_query("plan = 'pro'").mask(watched.table).reshape(-1, 1)
    margins = [booster.predict(X, raw_score=True).reshape(len(X), -1) for booster in (first, more)]
    total = margins[0] + np.where(inside, margins[1], 0)
    if classes == 2:
        total = np.column_stack([1 / (1 + np.exp(total)), 1 / (1 + np.exp(-total))])
    elif classes == 3:
        total = np.exp(total - total.max(axis=1, keepdims=True))
        total /= total.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(output(model, watched), total, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_a_model_that_went_on_is_mixed_written_and_read_as_any_other(classes):
    train, watched = halves(planted(classes))
    models = [
        fitted(train, watched, focus=f"plan = '{plan}'", classes=str(classes)) for plan in ("pro", "plus")
    ]
    mixed = load(combine(models, np.array([0.25, 0.75])).files)
    expected = 0.25 * output(models[0], watched) + 0.75 * output(models[1], watched)
    np.testing.assert_allclose(output(mixed, watched), expected, rtol=1e-5, atol=1e-6)


def test_a_slice_with_too_few_rows_is_refused_with_their_number():
    train, watched = halves(planted(2))
    with pytest.raises(PlanError, match=r"rows to (train|stop early) on, and 20 are wanted"):
        fitted(train, watched, focus="income > 400000")


def test_a_learner_whose_training_cannot_go_on_names_those_whose_can():
    with pytest.raises(PlanError, match="training of linear cannot go on"):
        tabular_learner("linear", loss="log_loss", classes=["a", "b"], focus="plan = 'pro'")
    assert set(continuing()) == {"lightgbm", "lightgbm_small"}


def test_a_direction_of_the_column_that_the_slice_is_cut_by_cannot_be_kept():
    train, watched = halves(planted(2))
    learner = tabular_learner(
        "lightgbm_small",
        loss="log_loss",
        classes=["c0", "c1"],
        options={"monotone": "age:+1"},
        focus="age > 30",
    )
    with pytest.raises(PlanError, match="keep the direction of 'age'"):
        learner.fit(train, watched, budget=None, seed=0, progress=lambda _: None)
