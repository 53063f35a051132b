"""Faults of the data: each is found where it was planted, and clean tables are left alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from planted import bar, binary, clusters_of, columns, days, false_rates, honest, table
from toy_probe import dataset_of

from holdfast.core.predictions import Predictions
from holdfast.core.query import parse_query
from holdfast.core.schema import Role
from holdfast.debugging.data_faults import data_faults

STATISTICAL = {"missingness", "drift"}
KINDS = STATISTICAL | {
    "twins", "conflicting labels", "constant column", "redundant column", "outliers", "impossible dates",
}  # fmt: skip


def judged(made, seed=0, loss_at=None):
    """The columns as a dataset with a number as target, and predictions that err by 1 more at `loss_at`."""
    rng = np.random.default_rng(seed)
    n = len(made["normal"])
    y = rng.normal(size=n)
    dataset = table(made, y)
    off = rng.normal(size=n) + (0 if loss_at is None else np.where(loss_at, 1.0, 0.0))
    return dataset, Predictions.of(example=dataset.example, target=y, prediction=y + off)


def of_kind(found, kind):
    return [one for one in found if one.kind == kind]


@pytest.mark.parametrize("make", [
    lambda rng: judged(columns(rng, 1_000), seed=int(rng.integers(1 << 30))),
    lambda rng: honest(rng, 1_000, rng.beta(0.5, 1.5, 1_000)),
    lambda rng: clusters_of(rng, 250, 6),
], ids=["numbers", "labels", "clusters"])  # fmt: skip
def test_clean_tables_are_left_alone(make):
    found = false_rates(data_faults, make, 120)
    assert found.keys() <= KINDS
    assert all(rate <= bar(120) for rate in found.values()), found


def test_twins_are_counted_with_their_share_of_the_loss():
    made = {name: pl.Series(cells) for name, cells in columns(np.random.default_rng(0), 500).items()}
    doubled = {name: pl.concat([cells, cells[:40]]) for name, cells in made.items()}
    dataset, p = judged(doubled)
    (found,) = of_kind(data_faults(dataset, p), "twins")
    assert (found.size, found.facts["sets"], found.p) == (80, 40, None)
    assert found.effect.value == pytest.approx(80 / 540)
    rows = np.r_[0:40, 500:540]
    assert found.share_of_loss == pytest.approx(p.loss[rows].sum() / p.loss.sum())
    assert {one.example for one in found.where.examples} == {f"r{k}" for k in rows}


def test_conflicting_labels_name_the_minority_first_and_the_least_error():
    x = np.r_[[1.0] * 5, [2.0] * 4, np.arange(10.0, 60.0)]
    y = np.array(["a", "a", "a", "a", "b", "a", "a", "a", "a"] + ["a", "b"] * 25)
    dataset = dataset_of({"x": x, "y": y})
    p = Predictions.of(example=dataset.example, target=y, prediction=y)
    (found,) = of_kind(data_faults(dataset, p), "conflicting labels")
    assert found.size == 5
    assert found.effect.value == pytest.approx(1 / len(y))
    worst = found.where.examples[0]
    assert (worst.example, worst.score) == ("r4", 0.2)


def test_numbers_that_differ_on_equal_features_bound_the_error():
    x, rng = np.repeat(np.arange(200.0), 3), np.random.default_rng(0)
    y = x + rng.normal(size=600)
    dataset = dataset_of({"x": x, "y": y})
    p = Predictions.of(example=dataset.example, target=y, prediction=x)
    (found,) = of_kind(data_faults(dataset, p), "conflicting labels")
    assert found.size == 600
    assert found.effect.value == pytest.approx(1.0, abs=0.1)


def test_missing_cells_that_cost_are_found_by_their_query():
    hits = 0
    for seed in range(20):
        made = columns(np.random.default_rng(seed), 2_000)
        gap = made["waiting"].is_null().to_numpy()
        twice = {**made, "copy": pl.Series(np.where(gap, np.nan, 1.0 + np.arange(2_000) % 7)).fill_nan(None)}
        found = of_kind(data_faults(*judged(twice, seed, loss_at=gap)), "missingness")
        hits += len(found) == 1
        for one in found:
            assert one.where.query == "waiting is missing"
            assert one.facts["missing in the same rows"] == "copy"
            assert one.size == gap.sum()
            assert one.effect.low > 0
            assert one.p <= 0.05
    assert hits >= 19


def test_gaps_where_the_loss_is_lower_do_not_matter():
    made = columns(np.random.default_rng(0), 2_000)
    filled = made["waiting"].is_not_null().to_numpy()
    assert not of_kind(data_faults(*judged(made, loss_at=filled)), "missingness")


def test_constant_and_empty_columns_are_named():
    made = {
        **columns(np.random.default_rng(0), 300),
        "one": np.ones(300),
        "none": pl.Series([None] * 300, dtype=pl.Float64),
    }
    found = of_kind(data_faults(*judged(made)), "constant column")
    assert [one.title for one in found] == ["one never changes", "none is empty"]


def test_a_constant_with_gaps_is_not_constant():
    made = columns(np.random.default_rng(0), 300)
    made["seen"] = pl.Series([1.0, None, None] * 100)
    assert not of_kind(data_faults(*judged(made)), "constant column")


def test_columns_that_others_say_already_are_redundant():
    made = columns(np.random.default_rng(0), 2_000)
    made["fahrenheit"] = made["normal"] * 1.8 + 32
    made["number of level"] = np.array([float("abcdef".index(level) % 4) for level in made["level"]])
    made["nearly"] = made["skewed"] + np.random.default_rng(1).normal(size=2_000) * 0.5
    found = {one.where.column: one.about for one in of_kind(data_faults(*judged(made)), "redundant column")}
    assert found == {"fahrenheit": "normal", "number of level": "level"}


def test_of_two_columns_that_say_the_same_one_is_kept():
    made = columns(np.random.default_rng(0), 2_000)
    made["level again"] = np.char.upper(made["level"])
    (found,) = of_kind(data_faults(*judged(made)), "redundant column")
    assert found.where.column == "level again"


@pytest.mark.parametrize("drifting", ["normal", "level", "waiting"])
def test_a_column_that_drifts_is_found_and_the_others_are_not(drifting):
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        made = columns(rng, 1_500)
        late = (made["when"] > made["when"].median()).to_numpy()
        changed = {
            "normal": made["normal"] + 0.8 * late,
            "level": np.where(late & (rng.random(1_500) < 0.4), "new", made["level"]),
            "waiting": pl.select(
                pl.when(pl.Series(late & (rng.random(1_500) < 0.4))).then(None).otherwise(made["waiting"])
            ).to_series(),
        }
        found = of_kind(data_faults(*judged({**made, drifting: changed[drifting]}, seed)), "drift")
        hits += [one.where.column for one in found] == [drifting]
        for one in found:
            assert one.effect.low > 0
            assert one.effect.value >= 0.1
    assert hits >= 18


def test_many_rows_make_a_tiny_drift_significant_but_not_a_finding():
    rng = np.random.default_rng(0)
    made = columns(rng, 30_000)
    made["normal"] = made["normal"] + 0.1 * (made["when"] > made["when"].median()).to_numpy()
    assert not of_kind(data_faults(*judged(made)), "drift")


def test_without_a_time_nothing_is_said_of_drift():
    rng = np.random.default_rng(0)
    n = 1_000
    y = rng.normal(size=n)
    dataset = dataset_of({"x": np.arange(n) + rng.normal(size=n), "y": y})
    assert not of_kind(
        data_faults(dataset, Predictions.of(example=dataset.example, target=y, prediction=y)), "drift"
    )


@pytest.mark.parametrize(
    ("name", "factor", "sign"), [("normal", 1e3, ">="), ("skewed", 1e4, ">="), ("heavy", -1e4, "<=")]
)
def test_cells_in_another_unit_are_outliers(name, factor, sign):
    made = columns(np.random.default_rng(0), 2_000)
    slipped = np.arange(2_000) % 400 == 7
    made[name] = np.where(slipped, factor * (1 + np.abs(made[name])), made[name])
    dataset, p = judged(made, loss_at=slipped)
    (found,) = of_kind(data_faults(dataset, p), "outliers")
    assert f"{name} {sign}" in found.where.query
    assert (parse_query(found.where.query).mask(dataset.table) == slipped).all()
    assert found.size == slipped.sum() == 5


def test_a_code_for_a_number_is_an_outlier():
    made = columns(np.random.default_rng(0), 2_000)
    coded = np.arange(2_000) % 150 == 7
    made["skewed"] = np.where(coded, 99.0, np.minimum(made["skewed"], 45.0))
    dataset, p = judged(made)
    (found,) = of_kind(data_faults(dataset, p), "outliers")
    assert found.where.query == "skewed >= 99"
    assert found.size == coded.sum()


def test_a_few_wrong_signs_are_outliers():
    made = columns(np.random.default_rng(0), 3_000)
    made["price"] = made["skewed"] + 0.5
    usual = np.argsort(made["price"])[[1_500, 1_600]]
    made["price"][usual] *= -1
    dataset, p = judged(made)
    (found,) = of_kind(data_faults(dataset, p), "outliers")
    assert found.about == "sign"
    assert np.flatnonzero(parse_query(found.where.query).mask(dataset.table)).tolist() == sorted(
        usual.tolist()
    )


def test_negatives_at_the_foot_of_a_bell_are_no_outliers():
    made = columns(np.random.default_rng(0), 3_000)
    third = np.sort(made["normal"])[2]
    made["gain"] = made["normal"] - third + 0.001
    assert (made["gain"] < 0).sum() == 2
    assert not of_kind(data_faults(*judged(made)), "outliers")


def test_dates_that_cannot_be_are_found():
    made = columns(np.random.default_rng(0), 1_000)
    opened = made["opened"].to_numpy().copy()
    opened[3], opened[4:6] = np.datetime64("2099-01-01"), np.datetime64("1800-05-05")
    made["opened"] = pl.Series(opened)
    dataset, p = judged(made)
    found = of_kind(data_faults(dataset, p), "impossible dates")
    picked = {
        one.where.query.split()[1]: parse_query(one.where.query).mask(dataset.table)
        for one in found
        if one.where.query
    }
    assert np.flatnonzero(picked[">"]).tolist() == [3]
    assert np.flatnonzero(picked["<"]).tolist() == [4, 5]


def test_dates_in_the_wrong_order_are_found_with_their_rows():
    rng = np.random.default_rng(0)
    made = columns(rng, 1_000)
    start = rng.integers(0, 900, 1_000)
    length = rng.integers(1, 60, 1_000)
    length[[8, 80]] = -20
    made["opened"], made["closed"] = days(start, "2018-01-01"), days(start + length, "2018-01-01")
    (found,) = of_kind(data_faults(*judged(made)), "impossible dates")
    assert (found.where.column, found.about, found.size) == ("closed", "before opened", 2)
    assert {one.example for one in found.where.examples} == {"r8", "r80"}


def test_a_few_rows_say_little():
    made = {name: pl.Series(cells)[:8] for name, cells in columns(np.random.default_rng(0), 50).items()}
    assert not data_faults(*judged(made))


@pytest.mark.timeout(20)
def test_a_large_clean_table_takes_seconds_and_shows_no_gap_or_drift():
    rng, n = np.random.default_rng(0), 100_000
    more = {f"x{k}": rng.normal(size=n) for k in range(4)} | {
        f"c{k}": rng.integers(0, 12, n).astype(str) for k in range(4)
    }
    chance = rng.beta(1, 2, n)
    outcome = rng.random(n) < chance
    dataset = dataset_of(
        {**columns(rng, n), **more, "y": np.where(outcome, "yes", "no")},
        roles={"group": Role.SENSITIVE, "when": Role.TIME},
    )
    found = data_faults(dataset, binary(dataset, chance, outcome))
    assert not {one.kind for one in found} & STATISTICAL
