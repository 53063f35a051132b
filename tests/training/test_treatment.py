"""What a fix does to a fold's training rows, and what it never does to any other row."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from holdfast.core.dataset import Dataset
from holdfast.core.finding import FixName
from holdfast.core.labels import label_text
from holdfast.core.plan import Treatment
from holdfast.core.query import parse_query
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.data.read import read
from holdfast.errors import FixError, PlanError
from holdfast.models.tabular.learner import tabular_learner
from holdfast.training import treatment as module
from holdfast.training.fold import output_of
from holdfast.training.treatment import TreatedLearner, treated

SETS = Path(__file__).parents[3] / "shared" / "data"
BALANCING = (FixName.OVERSAMPLE, FixName.UNDERSAMPLE, FixName.SMOTE)
SLICE = "amount >= 0 and city = 'Oslo'"
KINDS = {
    "amount": Kind.NUMBER, "visits": Kind.NUMBER, "city": Kind.CATEGORY, "member": Kind.BOOLEAN,
    "since": Kind.DATE, "note": Kind.TEXT, "sex": Kind.CATEGORY,
}  # fmt: skip


def table(n: int = 900, *, shares: tuple[float, ...] = (0.8, 0.15, 0.05), seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    label = rng.choice(len(shares), n, p=shares)
    hole = rng.random((n, 5)) < 0.1
    since = [datetime(2020, 1, 1) + timedelta(hours=int(h)) for h in rng.integers(0, 30_000, n)]

    def with_holes(cells: list[object], k: int) -> list[object]:
        return [None if empty else cell for cell, empty in zip(cells, hole[:, k], strict=True)]

    return pl.DataFrame(
        {
            "amount": with_holes((rng.normal(0, 3, n) + label).tolist(), 0),
            "visits": rng.integers(0, 20, n).astype(float),
            "city": with_holes(rng.choice(["Oslo", "Rome", "Bonn"], n).tolist(), 1),
            "member": with_holes([bool(b) for b in rng.random(n) < 0.3], 2),
            "since": pl.Series(with_holes(since, 3), dtype=pl.Datetime("us")),
            "note": with_holes([f"note {i}" for i in range(n)], 4),
            "sex": rng.choice(["f", "m"], n),
            "y": [f"c{k}" for k in label],
        }
    )


def dataset(cells: pl.DataFrame, *, only: tuple[str, ...] = tuple(KINDS)) -> Dataset:
    cells = cells.select(*only, "y")
    target = Column("y", Kind.NUMBER if cells["y"].dtype.is_numeric() else Kind.CATEGORY, Role.TARGET)
    schema = Schema((*(Column(name, KINDS[name]) for name in only), target))
    ids = pl.Series([f"r{i}" for i in range(len(cells))])
    return Dataset(cells, schema, ids, np.arange(len(cells), dtype=np.uint64) * 7, content="made")


def numbered(n: int = 900) -> Dataset:
    cells = table(n)
    amount = cells["amount"].fill_null(0).to_numpy()
    return dataset(cells.with_columns(pl.Series("y", amount * 2 + np.random.default_rng(1).normal(0, 1, n))))


def watched_of(data: Dataset) -> Dataset:
    return data.take(np.arange(len(data)) % 5 == 0)


def made_rows(before: Dataset, after: Dataset) -> Dataset:
    return after.take(~after.example.is_in(before.example.implode()).to_numpy())


CASES = [*((name, data) for name in (*BALANCING, FixName.FAIR) for data in ("mixed",)),
         (FixName.AUGMENT, "mixed"), (FixName.AUGMENT, "numbers")]  # fmt: skip


def a_case(name: FixName, which: str) -> tuple[Dataset, Treatment]:
    two = dataset(table(shares=(0.8, 0.2)))
    data = numbered() if which == "numbers" else (two if name is FixName.FAIR else dataset(table()))
    return data, Treatment(name, where=SLICE if name is FixName.AUGMENT else "", column="sex", amount=3.0)


@pytest.mark.parametrize(("name", "which"), CASES)
def test_watched_rows_stay_as_they_are_and_everything_comes_from_training_rows(name, which):
    data, treatment = a_case(name, which)
    watched = watched_of(data)
    after = treated(data, watched, treatment, seed=4)
    inside = after.example.is_in(watched.example.implode())
    kept = after.take(inside.to_numpy())
    assert kept.reordered(kept.example.arg_sort().to_numpy()).table.equals(
        watched.reordered(watched.example.arg_sort().to_numpy()).table
    )
    origin = after.example.str.split("+").list.first()
    assert after.example.n_unique() == len(after)
    assert origin.is_in(data.example.implode()).all()
    place = data.example.to_frame("o").with_row_index("at")
    at = origin.to_frame("o").join(place, "o", "left", maintain_order="left")["at"].to_numpy()
    assert (after.twin == data.twin[at]).all()
    assert after.schema == data.schema and after.table.schema == data.table.schema
    assert (
        not made_rows(data, after).example.str.split("+").list.first().is_in(watched.example.implode()).any()
    )


@pytest.mark.parametrize(("name", "which"), CASES)
def test_a_treatment_is_the_same_for_the_same_seed_and_another_for_another(name, which):
    data, treatment = a_case(name, which)
    first, again, other = (treated(data, watched_of(data), treatment, seed=s) for s in (4, 4, 5))
    assert first.table.equals(again.table) and first.example.equals(again.example)
    assert first.id == again.id and first.id != other.id and first.id != data.id
    if name is not FixName.FAIR:  # which is drawn as evenly as can be
        assert not (first.table.equals(other.table) and first.example.equals(other.example))


@pytest.mark.parametrize("name", BALANCING)
def test_balancing_leaves_every_class_with_as_many_rows_to_fit_on(name):
    data = dataset(table())
    after = treated(data, watched := watched_of(data), Treatment(name), seed=0)
    fitted = after.take(~after.example.is_in(watched.example.implode()).to_numpy())
    counts = fitted.target.value_counts()["count"]
    assert counts.n_unique() == 1 and len(counts) == 3
    smallest, largest = (
        f(data.take(np.arange(900) % 5 != 0).target.value_counts()["count"]) for f in (min, max)
    )
    assert counts[0] == (smallest if name is FixName.UNDERSAMPLE else largest)


def test_a_synthetic_row_lies_between_two_near_rows_of_its_class():
    cells = table().with_columns(pl.col("amount").fill_null(0.0), visits=pl.col("visits") + 0.25)
    data = dataset(cells, only=("amount", "visits"))
    made = made_rows(data, treated(data, data.take(np.zeros(900, dtype=bool)), Treatment("smote"), seed=0))
    center = data.table.select("amount", "visits").to_numpy().mean(axis=0)
    scale = data.table.select("amount", "visits").to_numpy().std(axis=0)
    for label in ("c1", "c2"):
        own, rows = (one.take((one.target == label).to_numpy()) for one in (data, made))
        X, points = (
            (one.table.select("amount", "visits").to_numpy() - center) / scale for one in (own, rows)
        )
        order = {name: i for i, name in enumerate(own.example.to_list())}
        sources = rows.example.str.split("+").list.first().to_list()
        for name, point in zip(sources, points, strict=True):
            source = X[order[name]]
            near = X[np.argsort(((X - source) ** 2).sum(axis=1), kind="stable")[:7]]  # itself, five, a tie
            way = near - source
            along = ((point - source) * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-12)
            off = np.abs(source + np.clip(along, 0, 1)[:, None] * way - point).max(axis=1).min()
            assert off < 1e-5


def test_what_is_made_has_cells_that_the_column_could_have():
    data = dataset(table())
    made = made_rows(data, treated(data, watched_of(data), Treatment(FixName.SMOTE), seed=0))
    assert len(made) > 500
    for name in ("city", "member", "sex", "note"):
        assert set(made.table[name].unique().to_list()) <= set(data.table[name].unique().to_list())
    assert (
        made.table["since"]
        .drop_nulls()
        .is_between(data.table["since"].min(), data.table["since"].max())
        .all()
    )
    assert (made.table["visits"] == made.table["visits"].round()).all()
    assert made.table["amount"].is_nan().sum() == 0 and made.table["amount"].null_count() > 0
    assert made.table["note"].n_unique() > 50  # each has the text of its own source


@pytest.mark.parametrize("only", [("amount", "visits"), ("city", "sex"), ("member",), ("note",), ("since",)])
@pytest.mark.parametrize("name", BALANCING)
def test_tables_of_one_kind_are_balanced_too(name, only):
    data = dataset(table(), only=only)
    after = treated(data, data.take(np.zeros(len(data), dtype=bool)), Treatment(name), seed=0)
    assert after.target.value_counts()["count"].n_unique() == 1


def test_a_class_of_two_rows_is_enough_for_synthetic_ones_and_a_class_of_one_is_not():
    cells = table(shares=(0.9, 0.1))
    for rare in (2, 1):
        label = pl.Series("y", ["rare"] * rare + cells["y"].to_list()[rare:])
        data = dataset(cells.with_columns(label))
        nothing = data.take(np.zeros(len(data), dtype=bool))
        if rare == 2:
            after = treated(data, nothing, Treatment(FixName.SMOTE), seed=0)
            assert after.target.value_counts()["count"].n_unique() == 1
        else:
            with pytest.raises(FixError, match="class rare has one"):
                treated(data, nothing, Treatment(FixName.SMOTE), seed=0)


@pytest.mark.parametrize("data", ["mixed", "numbers"])
def test_augmented_rows_are_in_the_slice_and_are_three_for_each(data):
    rows = numbered() if data == "numbers" else dataset(table())
    watched = watched_of(rows)
    after = treated(rows, watched, Treatment(FixName.AUGMENT, where=SLICE, amount=3.0), seed=0)
    made = made_rows(rows, after)
    free = rows.take(np.arange(len(rows)) % 5 != 0)
    assert len(made) == 3 * parse_query(SLICE).mask(free.table).sum()
    assert parse_query(SLICE).mask(made.table).all()
    source = made.example.str.split("+").list.first().to_frame("e")
    own = source.join(rows.table.with_columns(e=rows.example), "e", "left", maintain_order="left")
    assert own["y"].equals(made.target)
    assert (own["amount"] != made.table["amount"]).mean() > 0.9


@pytest.mark.parametrize("name", [*BALANCING, FixName.FAIR])
def test_what_is_for_classes_is_refused_for_numbers(name):
    with pytest.raises(FixError, match="this target is a number"):
        treated(numbered(), watched_of(numbered()), Treatment(name, column="sex"), seed=0)


def test_a_slice_without_two_training_rows_is_refused():
    with pytest.raises(FixError, match="has 0 of the rows"):
        treated(
            dataset(table()), watched_of(dataset(table())), Treatment("augment", where="amount > 99"), seed=0
        )


def test_an_id_that_looks_like_a_copys_is_never_taken_twice():
    data = dataset(table())
    ids = pl.Series("example", [f"a+{i}" for i in range(len(data) - 1)] + ["a"])
    after = treated(replace(data, example=ids), watched_of(data), Treatment(FixName.OVERSAMPLE), seed=0)
    assert after.example.n_unique() == len(after)


def test_a_hundred_thousand_rows_take_seconds():
    data = dataset(table(100_000, shares=(0.7, 0.3)))
    for name in (*BALANCING, FixName.AUGMENT):
        started = time.perf_counter()
        treated(data, watched_of(data), Treatment(name, where=SLICE, amount=3.0), seed=0)
        assert time.perf_counter() - started < 30, name


def test_a_treated_learner_is_sent_to_workers_and_fits():
    learner = tabular_learner("lightgbm_small", loss="log_loss", classes=["c0", "c1", "c2"])
    sent = pickle.loads(pickle.dumps(TreatedLearner(learner, Treatment(FixName.SMOTE))))
    data = dataset(table())
    fitted = sent.fit(data, watched_of(data), budget=None, seed=0, progress=lambda _: None)
    plain = learner.fit(data, watched_of(data), budget=None, seed=0, progress=lambda _: None)
    rare = [output_of(one.model.predict(data), learner.classes)[:, 2].mean() for one in (fitted, plain)]
    assert rare[0] > 2 * rare[1]


@pytest.mark.parametrize("name", [FixName.OVERSAMPLE, FixName.UNDERSAMPLE, FixName.FAIR])
def test_a_missing_library_is_named_with_the_line_that_installs_it(name, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    learner = tabular_learner("linear", loss="log_loss", classes=["a", "b"])
    with pytest.raises(PlanError, match=r"needs (fairlearn|imbalanced-learn): pip install 'holdfast\[fix\]'"):
        TreatedLearner(learner, Treatment(name))


def gaps(data: Dataset, probability: np.ndarray, column: str) -> tuple[float, float, float]:
    """The groups' largest difference in true and in false positive rate, and the accuracy."""
    classes = sorted(label_text(data.target).unique().to_list())
    truth = (label_text(data.target) == classes[1]).to_numpy()
    said, group = probability[:, 1] >= 0.5, data.table[column].to_numpy()
    rates = [[said[(group == g) & (truth == v)].mean() for g in np.unique(group)] for v in (True, False)]
    return max(rates[0]) - min(rates[0]), max(rates[1]) - min(rates[1]), float((said == truth).mean())


def fair_and_plain(data: Dataset, column: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    rng = np.random.default_rng(0)
    test = rng.random(len(data)) < 0.4
    train = data.take(~test)
    watched = train.take(rng.random(len(train)) < 0.15)
    classes = sorted(label_text(data.target).unique().to_list())
    learner = tabular_learner("lightgbm_small", loss="log_loss", classes=classes)
    found = []
    for one in (learner, TreatedLearner(learner, Treatment(FixName.FAIR, column=column))):
        model = one.fit(train, watched, budget=None, seed=1, progress=lambda _: None).model
        judged = data.take(test)
        found.append(gaps(judged, output_of(model.predict(judged), tuple(classes)), column))
    return found[0], found[1]


def biased(n: int) -> Dataset:
    """Men were said yes to more often at equal merit, and the model is shown who is one."""
    rng = np.random.default_rng(3)
    cells = table(n, shares=(1.0,), seed=3)
    merit = cells["visits"].to_numpy() / 5 - 2
    chance = 1 / (1 + np.exp(-(merit + np.where(cells["sex"] == "m", 1.2, -1.2))))
    label = np.where(rng.random(n) < chance, "yes", "no")
    return dataset(cells.with_columns(pl.Series("y", label)))


def test_a_constraint_narrows_a_planted_gap_between_groups_at_little_cost():
    plain, fair = fair_and_plain(biased(6_000), "sex")
    assert plain[0] > 0.4 and plain[1] > 0.3
    assert fair[0] < 0.5 * plain[0] and fair[1] < 0.5 * plain[1]
    assert fair[2] > plain[2] - 0.08


@pytest.mark.skipif(not (SETS / "adult_income").is_dir(), reason="the public data sets are not here")
def test_a_constraint_narrows_the_gap_between_the_sexes_in_the_census():
    plain, fair = fair_and_plain(read(SETS / "adult_income/train.csv.gz", target="class"), "sex")
    assert fair[0] < 0.5 * plain[0] and fair[1] < 0.75 * plain[1]
    assert fair[2] > plain[2] - 0.01
