"""Models that were made fragile are found out; sound ones are not accused."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from toy_probe import boosted, clicks, dataset_of, forest, logistic, probe_of, ridge

from holdfast.core.predictions import Predictions
from holdfast.core.query import parse_query
from holdfast.debugging import perturb
from holdfast.debugging.case import case_of
from holdfast.debugging.cells import feature_numbers, surprise
from holdfast.debugging.robustness import robustness
from holdfast.debugging.unusual import rare_levels, unusual_rows


def table():
    n, rng = 400, np.random.default_rng(0)
    date = [datetime(2024, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 300, n)]
    number = (
        pl.Series(rng.standard_normal(n))
        .to_frame("a")
        .select(pl.when(pl.int_range(pl.len()) % 7 > 0).then("a"))
    )
    return dataset_of(
        {
            "number": number["a"],
            "count": rng.integers(0, 9, n).astype(float),
            "colour": rng.choice(["red", "green", "b"], n),
            "flag": rng.random(n) < 0.5,
            "day": pl.Series(date, dtype=pl.Datetime("us")),
            "y": rng.standard_normal(n),
        }
    )


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        (lambda d, rng: perturb.noisy(d, rng, share=1.0), {"number", "count"}),
        (perturb.with_gaps, {"number", "count", "colour", "flag", "day"}),
        (perturb.with_typos, {"colour"}),
        (lambda d, rng: perturb.emptied(d, "flag"), {"flag"}),
        (lambda d, rng: perturb.scaled(d, "number", 1000), {"number"}),
        (lambda d, rng: perturb.shifted(d, "day"), {"day"}),
        (lambda d, rng: perturb.unseen(d, "colour"), {"colour"}),
        (lambda d, rng: perturb.shuffled(d, "colour", rng.permutation(400)), {"colour"}),
    ],
    ids=["noise", "gaps", "typos", "empty", "unit", "shift", "unseen", "shuffled"],
)
def test_a_change_touches_the_cells_that_it_says_and_no_others(change, columns):
    before = table()
    after = change(before, np.random.default_rng(1))
    differ = {c for c in before.table.columns if not before.table[c].equals(after.table[c], null_equal=True)}
    assert differ == columns
    assert after.table.schema == before.table.schema
    assert after.example.equals(before.example)


def test_changes_are_as_large_as_they_say():
    before, rng = table(), np.random.default_rng(2)
    gaps = perturb.with_gaps(before, rng).table
    assert 0.06 < gaps["count"].null_count() / 400 < 0.14
    noise = (perturb.noisy(before, rng).table["number"] - before.table["number"]).drop_nulls()
    assert noise.std() == pytest.approx(0.1 * before.table["number"].std(), rel=0.15)
    assert (perturb.noisy(before, rng, share=1.0).table["count"] % 1 == 0).all()
    words, typos = before.table["colour"], perturb.with_typos(before, rng, share=0.5).table["colour"]
    hit = typos != words
    assert (words.str.len_chars() - typos.str.len_chars()).filter(hit).unique().to_list() == [1]
    assert not hit.filter(words == "b").any()
    assert 0.4 < hit.filter(words != "b").mean() < 0.6
    assert "colour" not in [c.name for c in perturb.without(before, "colour").schema.features]


def found_in(dataset, make, seed=0):
    probe = probe_of(dataset, make)
    return robustness(dataset, probe.predictions(), probe, seed=seed)


def test_a_unit_slip_that_misleads_a_linear_model_is_found():
    found = found_in(dataset_of(clicks(2000, 1)), logistic)
    fragile = {one.about: one for one in found if one.kind == "fragile"}
    slip = fragile["unit times 1000"]
    assert slip.where.column in ("x0", "x1", "x2", "x3")
    assert slip.effect.low > slip.facts["tolerated rise"] > 0
    assert slip.p <= 0.05
    assert slip.facts["changed predictions"].value > 0
    assert list(slip.remarks) == list(slip.examples)
    assert all(re.fullmatch(r"\w+ [01]\.\d\d, then \w+ [01]\.\d\d", told) for told in slip.remarks.values())
    assert not {"noise", "missing cells", "missing column", "unseen category"} & set(fragile)


def test_the_column_whose_range_misleads_is_named():
    class Brittle:
        """Sure of itself, and wrong, once x2 is larger than it ever was."""

        def fit(self, cells, target):
            self.model, self.most = logistic(0).fit(cells, target), cells[:, 2].max()
            return self

        def predict_proba(self, cells):
            p = self.model.predict_proba(cells)
            return np.where((cells[:, 2] > self.most / 2)[:, None], [[0.001, 0.999]], p)

    found = found_in(dataset_of(clicks(2000, 2)), lambda seed: Brittle())
    (shift,) = [one for one in found if one.about == "shifted range"]
    assert shift.where.column == "x2"


def test_a_model_that_follows_noise_is_found():
    class Jumpy:
        """Right on training-like cells, but a lookup: any cell off its grid is answered at random."""

        def fit(self, cells, target):
            self.classes_ = np.unique(target)
            return self

        def predict_proba(self, cells):
            on_grid = np.isclose(cells[:, 0] * 4, np.round(cells[:, 0] * 4), atol=1e-9)
            p = np.where(cells[:, 0] > 0, 0.95, 0.05)
            p = np.where(on_grid, p, 1 - p)
            return np.column_stack([1 - p, p])

    rng = np.random.default_rng(3)
    x = np.round(rng.standard_normal(2000) * 4 + 0.5) / 4
    label = np.where((x > 0) ^ (rng.random(2000) < 0.05), "yes", "no")
    found = found_in(dataset_of({"x": x, "z": rng.standard_normal(2000), "y": label}), lambda seed: Jumpy())
    assert "noise" in {one.about for one in found}


@pytest.mark.parametrize("make", [boosted, forest], ids=["boosted", "forest"])
def test_trees_on_a_clean_table_are_not_fragile(make):
    found = found_in(dataset_of(clicks(1500, 4)), make)
    assert [one for one in found if one.about in ("noise", "missing cells", "typos", "unseen category")] == []


def test_a_model_of_numbers_that_extrapolates_is_found():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((1000, 3))
    dataset = dataset_of(
        {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": x.sum(axis=1) + rng.standard_normal(1000)}
    )
    found = found_in(dataset, ridge)
    assert {"unit times 1000", "shifted range"} <= {one.about for one in found}
    assert all(one.effect_of.startswith("mean squared error with") for one in found if one.kind == "fragile")


def strange_rows(n: int = 2000, seed: int = 6):
    """The first 40 rows lie far out in both numbers."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 2))
    x[:40] += 8
    word = np.where(rng.random(n) < 0.02, rng.choice([f"rare{i}" for i in range(20)], n), "often")
    return dataset_of({"a": x[:, 0], "b": x[:, 1], "word": word, "y": rng.choice(["no", "yes"], n)}), rng


def predicted(dataset, wrong, rng):
    """Right with 0.7, but wrong with 0.95 on the rows of a mask."""
    truth = (dataset.target == "yes").to_numpy()
    p = np.where(truth, 0.7, 0.3) + rng.uniform(-0.1, 0.1, len(dataset))
    p = np.where(wrong, np.where(truth, 0.05, 0.95), p)
    return Predictions.of(example=dataset.example, target=dataset.target, probability=p)


def test_rows_unlike_the_others_on_which_the_model_fails_are_found():
    dataset, rng = strange_rows()
    case = case_of(dataset, predicted(dataset, np.arange(2000) < 40, rng))
    (found,) = unusual_rows(case)
    assert found.kind == "unusual inputs"
    assert found.p < 1e-6
    named = {int(one.example[1:]) for one in found.where.examples}
    assert len(named & set(range(40))) >= 30
    assert found.effect.low > 1
    assert all(0 <= one.score <= 0.02 for one in found.where.examples)


def test_rare_levels_on_which_the_model_fails_are_found_as_a_query():
    dataset, rng = strange_rows()
    rare = dataset.table["word"].str.starts_with("rare").to_numpy()
    (found,) = rare_levels(case_of(dataset, predicted(dataset, rare, rng)))
    assert found.p < 1e-6
    assert parse_query(found.where.query).mask(dataset.table).tolist() == rare.tolist()
    assert found.size == rare.sum()


def test_losses_that_have_nothing_to_do_with_cells_are_reported_in_at_most_one_of_twenty():
    reported = 0
    for seed in range(100):
        dataset, rng = strange_rows(600, seed)
        truth = (dataset.target == "yes").to_numpy()
        p = np.clip(np.where(truth, 0.7, 0.3) + rng.normal(0, 0.2, 600), 0.02, 0.98)
        case = case_of(dataset, Predictions.of(example=dataset.example, target=dataset.target, probability=p))
        reported += any(one.p <= 0.05 for one in unusual_rows(case))
    assert reported <= 5 + 2 * np.sqrt(100 * 0.05 * 0.95)


def test_surprise_is_high_where_cells_are_rare_and_does_not_mind_gaps_in_most_rows():
    cells = pl.Series([1.0, 2.0, 3.0, 4.0, 100.0] * 20 + [10_000.0])
    word = ["a"] * 100 + ["z"]
    dataset = dataset_of({"x": cells, "word": word, "y": np.arange(101.0)})
    assert int(surprise(dataset).argmax()) == 100
    empty = replace(dataset, table=dataset.table.with_columns(x=pl.lit(None, dtype=pl.Float64)))
    assert np.unique(surprise(empty)[:100]).size == 1


def test_features_become_numbers_with_gaps():
    dataset = table()
    numbers = feature_numbers(dataset)
    assert numbers.shape == (400, 5)
    assert np.isnan(numbers[:, 0]).sum() == dataset.table["number"].null_count()
    assert set(np.unique(numbers[:, 2])) == {0.0, 1.0, 2.0}
