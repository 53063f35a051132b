"""Roles and folds: drawn from content, frozen, even, and blind to the order of rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_datasets import dataset

from holdfast.core.dataset import Dataset
from holdfast.core.schema import Role
from holdfast.core.split import CONFIRM, SEALED, SEARCH, Split
from holdfast.data.split import split
from holdfast.errors import ColumnError, PlanError

ROWS = st.lists(
    st.tuples(
        st.integers(0, 12), st.sampled_from("abc"), st.sampled_from(["g1", "g2", "g3", None, "g5", "g6"])
    ),
    min_size=40,
    max_size=80,
).filter(lambda rows: len({x for x, _, _ in rows}) > 9)


def made(rows: list[tuple[int, str, str | None]], **roles: str) -> Dataset:
    # Two rows of each class, so that no class has a single row whatever was drawn.
    rows = [*rows, *[(100 + i, label, f"g{i + 7}") for i, label in enumerate("aabbcc")]]
    x, y, g = zip(*rows, strict=True)
    return dataset({"x": list(x), "y": list(y), "g": pl.Series(g, dtype=pl.String)}, **roles)


def roles(data: Dataset, made: Split) -> pl.DataFrame:
    columns = {"id": data.example, "role": made.role, "fold": made.fold, "tied": made.tied}
    return pl.DataFrame(columns).sort("id")


def role_by_unit(data: Dataset, made: Split) -> dict[object, str]:
    group = data.schema.with_role(Role.GROUP)
    names = [None] * len(data) if group is None else data.table[group.name].to_list()
    units = [twin if name is None else name for name, twin in zip(names, data.twin.tolist(), strict=True)]
    return dict(zip(units, made.role.tolist(), strict=True))


def numbers(n: int, *, seed: int = 0, shares: tuple[float, ...] = (0.7, 0.3)) -> Dataset:
    rng = np.random.default_rng(seed)
    y = pl.Series(rng.choice(len(shares), n, p=shares)).cast(pl.String)
    return dataset({"x": rng.normal(size=n), "y": y})


@given(ROWS, st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_order_of_rows_does_not_count(rows: list, random, grouped: bool) -> None:
    role = {"group": "g"} if grouped else {}
    data = made(rows, **role)
    order = list(range(len(data)))
    random.shuffle(order)
    other = data.take(np.array(order))
    assert roles(data, split(data, folds=3)).equals(roles(other, split(other, folds=3)))


@given(ROWS, ROWS, st.booleans())
@settings(max_examples=40, deadline=None)
def test_adding_rows_moves_nobody(rows: list, more: list, grouped: bool) -> None:
    """Ids of copies may shift by a place, so roles are compared by what they are drawn from."""
    role = {"group": "g"} if grouped else {}
    before, after = made(rows, **role), made([*rows, *more], **role)
    first = split(before, folds=2)
    then = split(after, folds=2, salt=first.salt, cut=first.cut)
    old, new = role_by_unit(before, first), role_by_unit(after, then)
    assert old.items() <= new.items()


@given(ROWS, st.sampled_from([0.0, 0.2, 0.5]))
@settings(max_examples=40, deadline=None)
def test_twins_share_role_and_fold(rows: list, share: float) -> None:
    data = made(rows)
    made_split = split(data, folds=3, share=share)
    frame = pl.DataFrame({"twin": data.twin, "role": made_split.role, "fold": made_split.fold})
    assert frame.group_by("twin").agg(pl.col("role", "fold").n_unique()).drop("twin").to_numpy().max() == 1
    assert not made_split.tied.any()
    assert set(np.unique(made_split.fold[made_split.open])) == {0, 1, 2}
    assert (made_split.fold[~made_split.open] == -1).all()


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_groups_keep_together_and_tied_twins_are_marked(rows: list) -> None:
    data = made(rows, group="g")
    made_split = split(data, folds=2, share=0.3)
    frame = pl.DataFrame({"g": data.table["g"], "role": made_split.role, "fold": made_split.fold})
    together = frame.drop_nulls("g").group_by("g").agg(pl.col("role", "fold").n_unique())
    assert together.drop("g").to_numpy().max() == 1
    open_twins = set(data.twin[made_split.open].tolist())
    expected = [
        role == SEALED and twin in open_twins
        for role, twin in zip(made_split.role, data.twin.tolist(), strict=True)
    ]
    assert made_split.tied.tolist() == expected
    assert not (made_split.sealed & made_split.tied).any()


def test_shares_are_even_in_every_class() -> None:
    data = numbers(5_000, shares=(0.6, 0.37, 0.03))
    made_split = split(data)
    for label in "012":
        mine = (data.target == label).to_numpy()
        for role, share in ((SEALED, 0.2), (SEARCH, 0.4), (CONFIRM, 0.4)):
            expected = mine.sum() * share
            assert abs((mine & (made_split.role == role)).sum() - expected) <= max(2, 0.03 * expected)
        counts = np.bincount(made_split.fold[mine & made_split.open], minlength=5)
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(made_split.fold[made_split.open])
    assert sizes.max() - sizes.min() <= 1


def test_rows_sorted_by_class_do_not_matter() -> None:
    data = numbers(2_000)
    by_class = data.take(data.target.arg_sort().to_numpy())
    assert roles(data, split(data)).equals(roles(by_class, split(by_class)))


def test_a_rare_class_is_in_every_fold() -> None:
    data = dataset({"x": list(range(1_000)), "y": ["rare"] * 12 + ["common"] * 988})
    made_split = split(data)
    rare = made_split.fold[(data.target == "rare").to_numpy() & made_split.open]
    assert len(rare) >= 8
    assert set(rare) == set(range(5))


def test_a_class_of_one_row_is_no_obstacle() -> None:
    made_split = split(dataset({"x": list(range(20)), "y": ["a"] * 19 + ["odd"]}))
    assert made_split.role[-1] != SEALED


def test_heavy_twins_and_groups_leave_folds_even() -> None:
    rng = np.random.default_rng(3)
    x = np.concatenate([np.full(300, 1), np.full(200, 2), np.full(150, 3), rng.integers(10, 5_000, 5_000)])
    group = np.concatenate([np.repeat(np.arange(20), 50), rng.integers(20, 1_200, len(x) - 1_000)])
    y = pl.Series(rng.random(len(x)) < 0.1).cast(pl.String)
    for role in ({}, {"group": "g"}):
        data = dataset({"x": x, "g": pl.Series(group).cast(pl.String) + "c", "y": y}, **role)
        made_split = split(data, share=0)
        sizes = np.bincount(made_split.fold)
        assert sizes.max() - sizes.min() <= 12
        positives = np.bincount(made_split.fold[(y == "true").to_numpy()])
        assert positives.max() - positives.min() <= 12


def test_folds_of_a_number_are_even_in_its_deciles() -> None:
    rng = np.random.default_rng(1)
    data = dataset({"x": rng.normal(size=3_000), "y": rng.lognormal(size=3_000)})
    made_split = split(data, folds=10)
    decile = np.searchsorted(
        np.quantile(data.target.to_numpy(), np.arange(1, 10) / 10), data.target.to_numpy()
    )
    table = np.zeros((10, 10))
    np.add.at(table, (decile[made_split.open], made_split.fold[made_split.open]), 1)
    assert (np.ptp(table, axis=1) <= 3).all()
    assert abs((made_split.role == SEALED).mean() - 0.2) < 0.02


def test_missing_targets_have_roles_too() -> None:
    y = ["a", "b", None] * 100
    made_split = split(dataset({"x": list(range(300)), "y": pl.Series(y)}))
    assert np.isin(made_split.role, [SEALED, SEARCH, CONFIRM]).all()
    values = [1.0, None, 3.0] * 100
    made_split = split(dataset({"x": list(range(300)), "y": pl.Series(values)}))
    assert set(made_split.fold) == {-1, 0, 1, 2, 3, 4}


DAYS = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 4, 9), "1d", eager=True)


def timed(days: pl.Series) -> Dataset:
    rng = np.random.default_rng(2)
    y = pl.Series(rng.random(len(days)) < 0.5).cast(pl.String)
    return dataset({"when": days, "x": days.dt.day(), "y": y}, time="when")


def test_time_seals_the_last_rows_and_folds_are_blocks() -> None:
    data = timed(DAYS.sample(100, shuffle=True, seed=0))
    made_split = split(data)
    when = data.table["when"].to_numpy()
    assert made_split.cut == "2024-03-21T00:00:00"
    assert (made_split.role == SEALED).sum() == 20
    assert when[made_split.open].max() < when[~made_split.open].min()
    for fold in range(4):
        assert when[made_split.fold == fold].max() < when[made_split.fold == fold + 1].min()
    assert np.bincount(made_split.fold[made_split.open]).tolist() == [16] * 5


def test_the_cut_stays_when_later_rows_come() -> None:
    first = split(timed(DAYS))
    more = timed(pl.concat([DAYS, DAYS.dt.offset_by("200d")]))
    then = split(more, salt=first.salt, cut=first.cut)
    assert then.cut == first.cut
    assert (then.role[:100] == first.role).all()
    assert (then.role[100:] == SEALED).all()


def test_a_time_of_numbers_and_a_missing_time() -> None:
    years = [2000.0 + i // 10 for i in range(100)]
    years[95] = None
    data = dataset({"year": years, "x": list(range(100)), "y": ["a", "b"] * 50}, time="year")
    made_split = split(data, folds=4)
    assert made_split.cut == "2008.0"
    assert made_split.role[95] != SEALED
    assert (made_split.role == SEALED).sum() == 19
    assert (split(data, folds=4, cut="2005").role == SEALED).sum() == 49


def test_the_users_own_sealed_rows() -> None:
    data = dataset({"x": [*range(50), 3, 77, 78], "y": ["a", "b"] * 26 + ["a"]})
    mine = np.arange(53) >= 50
    made_split = split(data, sealed=mine)
    assert ((made_split.role == SEALED) == mine).all()
    assert made_split.tied.tolist() == [False] * 50 + [True, False, False]
    assert made_split.sealed.sum() == 2


def test_share_zero_opens_every_row() -> None:
    made_split = split(numbers(100), share=0)
    assert made_split.open.all()
    assert (made_split.fold >= 0).all()


@pytest.mark.parametrize(
    ("columns", "asked", "error", "message"),
    [
        ({"x": [1, 2] * 10}, {}, PlanError, "2 different rows to train on, too few for 5 folds.*--folds 2"),
        ({"g": ["a", "b", "c", "d"] * 5}, {"group": "g"}, PlanError, "groups of 'g' to train on"),
        ({}, {"share": 1.0}, PlanError, "sealed share is 1.0"),
        ({}, {"folds": 1}, PlanError, "1 folds leave nothing"),
        ({"t": [1.0] * 20}, {"time": "t"}, ColumnError, "'t' holds 1 distinct times"),
        ({"t": ["x", "y"] * 10}, {"time": "t"}, ColumnError, "'t' holds category cells"),
        ({"t": DAYS[:20]}, {"time": "t", "cut": "soon"}, PlanError, "cut 'soon' is not a time"),
    ],
)
def test_errors_name_the_mend(columns: dict, asked: dict, error: type[Exception], message: str) -> None:
    role = {name: asked[name] for name in ("group", "time") if name in asked}
    options = {name: value for name, value in asked.items() if name not in role}
    data = dataset({"x": list(range(20)), "y": ["a", "b"] * 10} | columns, **role)
    if "group" in role or "x" in columns:
        options["share"] = 0
    with pytest.raises(error, match=message):
        split(data, **options)
