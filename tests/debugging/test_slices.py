"""Weak slices: planted ones are found and confirmed, where nothing is wrong nothing is found."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, FixName
from holdfast.core.predictions import Predictions
from holdfast.core.query import parse_query
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.debugging.predicates import Span, predicates
from holdfast.debugging.slices import slices
from holdfast.errors import RoleError

KINDS = {
    pl.Float64: Kind.NUMBER,
    pl.Boolean: Kind.BOOLEAN,
    pl.String: Kind.CATEGORY,
    pl.Datetime: Kind.DATE,
}
PARTS = (
    ("plan = 'basic'", "plan = 'standard'", "plan = 'premium'"),
    ("region = 'north'", "region = 'south'", "region = 'east'", "region = 'west'"),
    ("paperless = true", "paperless = false"),
    ("age < 35", "age >= 55", "age >= 35 and age < 50"),
    ("contract = 'month'", "contract = 'year'"),
    ("income is missing", "income < 50"),
)


def dataset_of(columns: dict[str, object], *, texts: tuple[str, ...] = ()) -> Dataset:
    """Columns as a Dataset, without a target of its own."""
    table = pl.DataFrame(columns)
    kinds = [Kind.TEXT if s.name in texts else KINDS[type(s.dtype)] for s in table]
    schema = Schema(tuple(Column(s.name, kind) for s, kind in zip(table, kinds, strict=True)))
    ids = pl.Series([f"r{i}" for i in range(table.height)])
    return Dataset(table, schema, ids, np.arange(table.height, dtype=np.uint64) + 1, content="toy")


def customers(n: int = 6_000, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    income = rng.gamma(3, 20, n).round(1)
    income[rng.random(n) < 0.25] = np.nan
    return dataset_of(
        {
            "plan": rng.choice(["basic", "standard", "premium"], n),
            "region": rng.choice(["north", "south", "east", "west"], n),
            "paperless": rng.random(n) < 0.5,
            "age": rng.normal(45, 15, n).round(),
            "contract": rng.choice(["month", "year"], n, p=[0.6, 0.4]),
            "income": pl.Series(income).fill_nan(None),
            "calls": rng.poisson(1.5, n).astype(float),
            "charge": rng.gamma(2, 30, n).round(2),
        }
    )


def lost(dataset: Dataset, loss: np.ndarray, **given: object) -> Predictions:
    return Predictions.of(example=dataset.example, loss=loss, **given)


def rows_of(finding: Finding, dataset: Dataset) -> np.ndarray:
    return parse_query(finding.where.query).mask(dataset.table)


def planted(dataset: Dataset, rng: np.random.Generator) -> np.ndarray:
    """The rows of a random query of two or three predicates, between 5 and 25 % of all."""
    while True:
        of = rng.choice(len(PARTS), rng.integers(2, 4), replace=False)
        rows = parse_query(" and ".join(str(rng.choice(PARTS[j])) for j in of)).mask(dataset.table)
        if 0.05 <= rows.mean() <= 0.25:
            return rows


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def found_share(trials: int, ratio: float = 2.5) -> float:
    """How often a planted slice comes out: a finding with more than 0.8 of its rows (Jaccard)."""
    dataset, found = customers(), 0
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        rows = planted(dataset, rng)
        loss = rng.exponential(size=len(dataset)) * np.where(rows, ratio, 1.0)
        findings = slices(dataset, lost(dataset, loss))
        found += any(jaccard(rows_of(one, dataset), rows) > 0.8 for one in findings)
    return found / trials


def false_share(trials: int, kind: str) -> float:
    """How often anything is found where the losses of all rows are exchangeable."""
    dataset, wrong = customers(1_500), 0
    n = len(dataset)
    groups = np.random.default_rng(1).integers(0, 300, n)
    for trial in range(trials):
        rng = np.random.default_rng(10_000 + trial)
        loss = {
            "exponential": lambda rng=rng: rng.exponential(size=n),
            "errors": lambda rng=rng: (rng.random(n) < 0.1) * 1.0,
            "heavy": lambda rng=rng: rng.lognormal(0, 1.5, n),
            "left-skewed": lambda rng=rng: -rng.lognormal(0, 1, n),
            "grouped": lambda rng=rng: rng.exponential(size=300)[groups] * rng.exponential(size=n),
        }[kind]()
        wrong += bool(slices(dataset, lost(dataset, loss, group=groups if kind == "grouped" else None)))
    return wrong / trials


def most(rate: float, trials: int) -> float:
    return rate + 2 * np.sqrt(rate * (1 - rate) / trials)


def test_a_planted_slice_with_two_and_a_half_times_the_loss_is_found_in_95_of_100_simulations():
    # 3,000 search rows, of which 5 to 25 % lose 2.5 times as much (exponential losses): ample power.
    # What is left to miss are cuts that lie between our bins.
    assert found_share(60) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 60)


@pytest.mark.parametrize("kind", ["exponential", "errors", "heavy", "left-skewed", "grouped"])
def test_where_losses_are_exchangeable_at_most_5_of_100_simulations_find_something(kind):
    assert false_share(60, kind) <= most(0.05, 60)


@pytest.mark.slow
def test_a_planted_slice_is_found_in_95_of_100_simulations_at_length():
    assert found_share(400) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 400)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["exponential", "errors", "heavy", "left-skewed", "grouped"])
def test_exchangeable_losses_seldom_give_a_finding_at_length(kind):
    assert false_share(400, kind) <= most(0.05, 400)


def inverted(n: int = 8_000, seed: int = 0) -> tuple[Dataset, Predictions, np.ndarray]:
    """Calibrated probabilities, but for one slice in which they mean the opposite."""
    dataset = customers(n, seed)
    rows = parse_query("plan = 'premium' and region = 'west'").mask(dataset.table)
    rng = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-1.5 * rng.normal(size=n)))
    target = rng.random(n) < np.where(rows, 1 - probability, probability)
    labels = np.where(target, "yes", "no")
    return (
        dataset,
        Predictions.of(example=dataset.example, target=labels, probability=probability, positive="yes"),
        rows,
    )


def test_a_finding_says_where_how_much_and_how_sure():
    dataset, p, rows = inverted()
    (found,) = slices(dataset, p)
    assert found.kind == "weak slice"
    assert found.where.query == "plan = 'premium' and region = 'west'"
    assert (rows_of(found, dataset) == rows).all()
    assert found.size == rows.sum() == found.facts["search rows"] + found.facts["confirm rows"]
    assert found.p is not None and found.p < 1e-6
    assert found.share_of_loss == pytest.approx(p.loss[rows].sum() / p.loss.sum())
    assert 0 < found.effect.low < found.effect.value < found.effect.high
    assert "log loss (nats)" in found.effect_of
    assert p.loss[p.example.is_in(found.examples).to_numpy()].min() >= np.sort(p.loss[rows])[-10]
    assert {FixName.COLLECT, FixName.CONTINUE, FixName.AUGMENT} <= {one.fix for one in found.fixes}


def test_the_numbers_of_a_finding_come_from_rows_that_the_search_has_not_seen():
    dataset, p, rows = inverted()
    split = np.where(np.random.default_rng(3).random(len(p)) < 0.5, "search", "confirm")
    told = p.table.with_columns(split=pl.Series(split).cast(p.table.schema["split"], strict=False))
    p = Predictions(told.with_columns(pl.Series("split", split)), p.header)
    (found,) = slices(dataset, p)
    confirm = split == "confirm"
    expected = p.loss[rows & confirm].mean() - p.loss[~rows & confirm].mean()
    assert found.effect.value == pytest.approx(expected)
    inside = found.facts["loss in the slice"]
    assert isinstance(inside, Estimate)
    assert inside.value == pytest.approx(p.loss[rows & confirm].mean())
    assert found.facts["confirm rows"] == (rows & confirm).sum()


def test_a_mistaken_slice_loses_more_than_the_model_itself_expects():
    dataset, p, _ = inverted()
    (found,) = slices(dataset, p)
    beyond = found.facts["beyond expectation"]
    assert isinstance(beyond, Estimate) and beyond.low > 0.1
    assert "the model itself expects" in found.title
    assert found.fixes[0].fix is FixName.CONTINUE


def test_a_hard_slice_is_found_too_but_loses_what_the_model_expects():
    dataset = customers(8_000)
    rows = parse_query("plan = 'premium' and region = 'west'").mask(dataset.table)
    rng = np.random.default_rng(0)
    probability = np.where(rows, 0.5, np.where(rng.random(len(rows)) < 0.5, 0.05, 0.95))
    target = rng.random(len(rows)) < probability
    labels = np.where(target, "yes", "no")
    p = Predictions.of(example=dataset.example, target=labels, probability=probability, positive="yes")
    (found,) = slices(dataset, p)
    beyond = found.facts["beyond expectation"]
    assert isinstance(beyond, Estimate) and beyond.low <= 0 <= beyond.high + 1e-3
    assert found.facts["expected loss"] == pytest.approx(np.log(2), abs=1e-6)
    assert found.fixes[0].fix is FixName.COLLECT


def test_a_longer_query_is_told_only_if_it_is_worse_than_the_shorter_one():
    dataset = customers(8_000)
    rng = np.random.default_rng(0)
    plain = parse_query("plan = 'premium'").mask(dataset.table)
    loss = rng.exponential(size=len(dataset)) * np.where(plain, 2.0, 1.0)
    assert [one.where.query for one in slices(dataset, lost(dataset, loss))] == ["plan = 'premium'"]
    worse = plain & parse_query("region = 'west'").mask(dataset.table)
    loss = loss * np.where(worse, 2.0, 1.0)
    queries = [one.where.query for one in slices(dataset, lost(dataset, loss))]
    assert "plan = 'premium' and region = 'west'" in queries


def test_neighbouring_ranges_are_told_as_one():
    dataset = customers(8_000)
    rng = np.random.default_rng(0)
    young = dataset.table["age"].to_numpy() < 40
    loss = rng.exponential(size=len(dataset)) * np.where(young, 2.0, 1.0)
    (found,) = slices(dataset, lost(dataset, loss))
    assert found.where.query == "age < 40"


def test_a_negative_loss_is_searched_as_well():
    dataset = customers()
    rng = np.random.default_rng(0)
    rows = parse_query("plan = 'basic' and contract = 'year'").mask(dataset.table)
    loss = rng.normal(size=len(dataset)) - 5 + 1.5 * rows
    found = slices(dataset, lost(dataset, loss))
    assert any(jaccard(rows_of(one, dataset), rows) > 0.8 for one in found)
    assert all(one.share_of_loss is None for one in found)


def test_regression_names_its_loss_and_needs_no_probabilities():
    dataset = customers()
    rng = np.random.default_rng(0)
    rows = parse_query("plan = 'basic' and contract = 'year'").mask(dataset.table)
    target = rng.normal(size=len(dataset)) * np.where(rows, 2, 1)
    p = Predictions.of(example=dataset.example, target=target, prediction=np.zeros(len(target)))
    (found,) = slices(dataset, p)
    assert "squared error" in found.title
    assert "expected loss" not in found.facts
    assert {"mae in the slice", "mae elsewhere"} <= set(found.facts)


def test_rows_of_one_group_are_no_independent_evidence():
    # Twelve customers with ever the same loss: a slice of a few of them proves nothing.
    n = 3_000
    rng = np.random.default_rng(0)
    customer = rng.integers(0, 12, n)
    dataset = dataset_of({"kind": rng.permutation(list("aaabbbcccddd"))[customer], "x": rng.normal(size=n)})
    loss = rng.exponential(size=12)[customer] + 0.1 * rng.random(n)
    assert slices(dataset, lost(dataset, loss))
    assert not slices(dataset, lost(dataset, loss, group=customer))


def test_rows_without_weight_do_not_count():
    dataset = customers()
    rng = np.random.default_rng(0)
    rows = parse_query("plan = 'basic'").mask(dataset.table)
    loss = rng.exponential(size=len(dataset))
    outliers = rows & (rng.random(len(rows)) < 0.3)
    loss[outliers] = 20.0
    assert slices(dataset, lost(dataset, loss))
    assert not slices(dataset, lost(dataset, loss, weight=np.where(outliers, 0.0, 1.0)))


def test_sealed_rows_are_refused():
    dataset = customers(500)
    p = lost(dataset, np.ones(500), split=["sealed"] * 500)
    with pytest.raises(RoleError):
        slices(dataset, p)


def test_tables_that_hold_nothing_to_look_at_give_no_finding():
    few = customers(40)
    assert slices(few, lost(few, np.ones(40))) == ()
    n = 2_000
    rng = np.random.default_rng(0)
    one = dataset_of({"same": ["x"] * n, "id": [f"c{k}" for k in range(n)]})
    assert slices(one, lost(one, rng.exponential(size=n))) == ()
    known = customers(n)
    assert slices(known, lost(known, np.zeros(n))) == ()
    assert slices(known, lost(known, np.ones(n), weight=np.zeros(n))) == ()


CELLS = {
    "number": st.one_of(
        st.floats(allow_nan=False), st.sampled_from([0.0, 1.0, 2.0]), st.floats(0.001, 1000.0), st.none()
    ),
    "boolean": st.one_of(st.booleans(), st.none()),
    "category": st.sampled_from(["a", "it's", 'say "x"', "", "b", None]),
    "date": st.one_of(
        st.datetimes(datetime(1999, 1, 1), datetime(2030, 1, 1)),
        st.integers(0, 10**7).map(lambda k: datetime(2024, 2, 28) + timedelta(microseconds=k)),
        st.none(),
    ),
    "text": st.one_of(st.text(max_size=12), st.none()),
}
DTYPES = {
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "category": pl.String,
    "date": pl.Datetime("us"),
    "text": pl.String,
}


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_the_text_of_each_predicate_gives_back_its_rows(data):
    n = data.draw(st.integers(0, 60))
    columns = {
        name: pl.Series(name, data.draw(st.lists(cells, min_size=n, max_size=n)), dtype=DTYPES[name])
        for name, cells in CELLS.items()
    }
    binned = predicates(dataset := dataset_of(columns, texts=("text",)), data.draw(st.integers(1, 8)))
    for j, parts in enumerate(binned.columns):
        met = np.zeros(n, dtype=int)
        for level in range(len(parts.terms)):
            span = (Span(j, level, level),)
            again = parse_query(str(binned.query(span))).mask(dataset.table)
            assert (again == binned.mask(span)).all()
            met += again
        assert met.max(initial=0) <= 1  # one predicate per column and slice
        for first in range(len(parts.edges) + 1):
            for last in range(first, len(parts.edges) + 1):
                if (first, last) != (0, len(parts.edges)):
                    span = (Span(j, first, last),)
                    text = str(binned.query(span))
                    assert (parse_query(text).mask(dataset.table) == binned.mask(span)).all(), text


def test_ranges_are_round_and_about_equally_full():
    rng = np.random.default_rng(0)
    n = 5_000
    days = [datetime(2020, 1, 1) + timedelta(days=int(k)) for k in rng.integers(0, 1500, n)]
    dataset = dataset_of(
        {
            "age": rng.normal(45, 15, n).round(),
            "amount": rng.lognormal(0, 2, n),
            "gain": np.where(rng.random(n) < 0.9, 0.0, rng.exponential(1_000, n)),
            "day": days,
            "note": ["x" * int(k) for k in rng.integers(0, 200, n)],
        },
        texts=("note",),
    )
    binned = predicates(dataset, 50)
    texts = {parts.column: list(map(str, parts.queries)) for parts in binned.columns}
    assert texts["age"][0] == "age < 25"
    assert texts["gain"][0] == "gain = 0"
    assert texts["day"][0].startswith("day < '2020-0") and texts["day"][0].endswith("-01'")
    assert all(text.startswith("length(note)") for text in texts["note"])
    for j, parts in enumerate(binned.columns):
        rows = np.bincount(binned.codes[:, j])
        assert 2 <= len(parts.terms) <= 11
        if parts.column != "gain":
            assert rows.max() < 0.2 * n
            assert max(len(str(edge)) for edge in parts.edges) <= 12


def test_only_features_are_binned():
    dataset = customers(500)
    schema = Schema(
        tuple(
            Column(c.name, c.kind, Role.IGNORED if c.name == "plan" else Role.FEATURE) for c in dataset.schema
        )
    )
    ignoring = Dataset(dataset.table, schema, dataset.example, dataset.twin)
    assert "plan" in {parts.column for parts in predicates(dataset, 20).columns}
    assert "plan" not in {parts.column for parts in predicates(ignoring, 20).columns}
