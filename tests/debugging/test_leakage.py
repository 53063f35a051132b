"""Leaks that were planted are found and measured; clean tables show none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from toy_probe import boosted, clicks, dataset_of, logistic, probe_of, ridge

from holdfast.core.dataset import Check, Dataset
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Role
from holdfast.data.checks import check
from holdfast.data.read import read
from holdfast.debugging.leakage import leakage

SETS = Path(__file__).parents[3] / "shared" / "data"


def checked(columns: dict[str, object], **roles: Role) -> Dataset:
    dataset = dataset_of(columns, roles=roles)
    return replace(dataset, checks=check(dataset))


def leaking(n: int = 1500, seed: int = 0) -> Dataset:
    columns = clicks(n, seed)
    rng = np.random.default_rng(seed + 1)
    paid = np.where(columns["y"] == "yes", 10.0, 0.0) + rng.standard_normal(n)
    return checked({**columns, "paid_later": paid})


def folded(dataset: Dataset, fold: np.ndarray, seed: int = 0) -> Predictions:
    """Predictions of a foreign system, of which only the folds matter."""
    rng = np.random.default_rng(seed)
    return Predictions.of(
        example=dataset.example,
        target=dataset.target,
        probability=rng.uniform(0.2, 0.8, len(dataset)),
        fold=fold,
    )


def test_a_leaking_column_is_found_and_its_worth_measured():
    dataset = leaking()
    probe = probe_of(dataset, logistic)
    (found,) = leakage(dataset, probe.predictions(), probe)
    assert found.kind == "leak"
    assert found.where.column == "paid_later"
    assert found.effect.low > 0.2
    assert found.p is None
    assert found.facts["auc with"].value > 0.99 > 0.9 > found.facts["auc without"].value
    assert "paid_later alone tells y" in found.facts["check"]
    assert "no other number here can be trusted" in found.title
    assert [one.fix for one in found.fixes] == ["drop-column"]
    assert probe.fits == [1.0, 1.0]


@pytest.mark.skipif(not SETS.is_dir(), reason="the public sets are not on this machine")
def test_the_leak_in_public_payments_is_found_and_costs_most_of_the_score():
    whole = read(SETS / "payment_fraud" / "payment_fraud.csv.gz", target="label")
    rows = np.sort(np.random.default_rng(0).permutation(len(whole))[:15_000])
    part = whole.take(rows)
    dataset = replace(part, example=pl.Series([f"r{i}" for i in range(len(part))]))
    probe = probe_of(dataset, boosted)
    first = leakage(dataset, probe.predictions(), probe)[0]
    assert (first.kind, first.where.column) == ("leak", "accountAgeDays")
    assert first.facts["auc with"].value > 0.999
    assert first.facts["auc without"].high < 0.95


def test_without_a_model_the_leak_is_found_and_its_worth_left_open():
    dataset = leaking()
    (found,) = leakage(dataset, probe_of(dataset, logistic).predictions())
    assert found.kind == "leak"
    assert str(found.effect) == "absent: no model can be asked"


def test_a_cell_that_is_filled_in_after_the_outcome_is_a_leak():
    columns = clicks(1000, 3)
    reason = [
        text if label == "yes" else None for text, label in zip(columns["colour"], columns["y"], strict=True)
    ]
    dataset = checked({**columns, "reason": pl.Series(reason, dtype=pl.String)})
    probe = probe_of(dataset, logistic)
    (found,) = leakage(dataset, probe.predictions(), probe)
    assert (found.kind, found.where.column) == ("leak", "reason")
    assert found.effect.low > 0


def test_at_most_three_suspects_are_measured():
    columns = clicks(600, 4)
    names = [f"x{j}" for j in range(4)]
    doubted = tuple(Check("leak", "warning", name, f"{name} alone tells y") for name in names)
    dataset = dataset_of(columns, checks=doubted)
    probe = probe_of(dataset, logistic)
    found = leakage(dataset, probe.predictions(), probe)
    assert [one.where.column for one in found] == names
    assert [one.effect.known for one in found] == [True, True, True, False]
    assert len(probe.fits) == 4


def test_an_id_that_the_model_learns_is_found_and_one_that_it_ignores_is_not():
    columns = clicks(800, 5)
    dataset = checked({**columns, "row": np.arange(800.0)})
    probe = probe_of(dataset, boosted)
    (found,) = leakage(dataset, probe.predictions(), probe)
    assert (found.kind, found.where.column) == ("id-like", "row")
    assert found.effect.known

    class Blind:
        def fit(self, cells: np.ndarray, target: np.ndarray) -> Blind:
            self.model = boosted(0).fit(cells[:, :4], target)
            return self

        def predict_proba(self, cells: np.ndarray) -> np.ndarray:
            return self.model.predict_proba(cells[:, :4])

    blind = probe_of(dataset, lambda seed: Blind())
    assert leakage(dataset, blind.predictions(), blind) == ()


def test_a_clean_table_has_no_leak():
    dataset = checked(clicks(1500, 6))
    probe = probe_of(dataset, logistic)
    assert leakage(dataset, probe.predictions(), probe) == ()
    assert probe.fits == []


def test_a_leak_of_a_number_is_measured_in_its_squared_error():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((800, 2))
    y = x.sum(axis=1) + rng.standard_normal(800)
    dataset = checked({"a": x[:, 0], "b": x[:, 1], "paid": y + 0.02 * rng.standard_normal(800), "y": y})
    probe = probe_of(dataset, ridge)
    (found,) = leakage(dataset, probe.predictions(), probe)
    assert found.where.column == "paid"
    assert found.effect.low < 1.0 < found.effect.high
    assert found.facts["rmse with"].value < 0.1


def knowing(dataset: Dataset, fold: np.ndarray, known: int) -> Predictions:
    """The first rows and the last, as many, are known by heart."""
    guess = np.random.default_rng(12).uniform(0.2, 0.8, len(dataset))
    heart = np.arange(len(dataset))
    heart = (heart < known) | (heart >= len(dataset) - known)
    right = np.where((dataset.target == "yes").to_numpy(), 0.99, 0.01)
    probability = np.where(heart, right, guess)
    return Predictions.of(example=dataset.example, target=dataset.target, probability=probability, fold=fold)


def near_twins(n: int, copies: int, *, moved: float) -> Dataset:
    """`copies` rows come back, with one cell changed, in the fold after their own."""
    columns = {name: np.asarray(cells) for name, cells in clicks(n, 8).items()}
    again = {name: cells[:copies].copy() for name, cells in columns.items()}
    again["x0"] = again["x0"] + moved
    return dataset_of({name: np.concatenate([columns[name], again[name]]) for name in columns})


@pytest.mark.parametrize("moved", [5.0, 1e-5])
def test_near_twins_in_other_folds_are_counted_and_no_others(moved):
    dataset = near_twins(1000, 60, moved=moved)
    fold = np.arange(1060) % 5
    fold[1000:] = (np.arange(60) + 1) % 5
    (found,) = leakage(dataset, knowing(dataset, fold, 60))
    assert found.kind == "near twins"
    assert found.effect.high < 0
    assert found.size == 120
    named = {int(one.example[1:]) for one in found.where.examples}
    assert named == {*range(60), *range(1000, 1060)}
    assert leakage(dataset, folded(dataset, fold)) == ()  # a model that knows none of them by heart
    fold[1000:] = np.arange(60) % 5
    assert leakage(dataset, knowing(dataset, fold, 60)) == ()


def test_near_twins_of_rows_that_are_not_judged_count_too():
    dataset = near_twins(1000, 60, moved=5.0)
    judged = knowing(dataset, np.zeros(1060, dtype=int), 60).where(np.arange(1060) < 1000)
    (found,) = leakage(dataset, judged)
    assert found.size == 60


def test_rows_of_few_common_levels_are_no_near_twins():
    rng = np.random.default_rng(9)
    columns = {f"c{j}": rng.choice(["a", "b", "c"], 2000) for j in range(5)}
    dataset = dataset_of({**columns, "y": rng.choice(["no", "yes"], 2000)})
    assert leakage(dataset, folded(dataset, np.arange(2000) % 5)) == ()


def test_a_group_whose_rows_lie_in_several_folds_is_found():
    columns = clicks(600, 10)
    patient = np.array([f"p{i // 3}" for i in range(600)])
    dataset = dataset_of({**columns, "patient": patient}, roles={"patient": Role.GROUP})
    (found,) = leakage(dataset, folded(dataset, np.arange(600) % 5))
    assert (found.kind, found.where.column, found.size) == ("group split", "patient", 600)
    assert leakage(dataset, folded(dataset, np.arange(600) // 3 % 5)) == ()


def test_times_along_which_targets_are_alike_are_found_and_others_are_not():
    n, rng = 1200, np.random.default_rng(11)
    times = [datetime(2024, 1, 1) + timedelta(hours=int(h)) for h in rng.permutation(n)]
    hours = np.array([(t - datetime(2024, 1, 1)).total_seconds() / 3600 for t in times])
    date = pl.Series(times, dtype=pl.Datetime("us"))
    x = rng.standard_normal(n)
    season = np.sin(hours / 100)
    dataset = dataset_of({"x": x, "seen": date, "y": x + 2 * season})
    values = {"example": dataset.example, "target": dataset.target, "prediction": x}
    (found,) = leakage(dataset, Predictions.of(**values, fold=np.arange(n) % 5))
    assert (found.kind, found.where.column) == ("time order", "seen")
    assert found.effect.low > 0.4
    blocks = (hours * 5 // n).astype(int)
    assert leakage(dataset, Predictions.of(**values, fold=blocks)) == ()
    shuffled = dataset_of({"x": x, "seen": date, "y": rng.permutation(x + 2 * season)})
    values["target"] = shuffled.target
    assert leakage(shuffled, Predictions.of(**values, fold=np.arange(n) % 5)) == ()
