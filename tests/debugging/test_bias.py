"""Gaps between groups: equal to fairlearn's, found where planted, seldom found where there are none."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from fairlearn import metrics as fair
from planted import bar, binary, clusters_of, columns, false_rates, honest, table
from sklearn.metrics import precision_score
from toy_probe import dataset_of

from holdfast.core.finding import FixName
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Role
from holdfast.debugging.bias import bias
from holdfast.errors import PlanError, PredictionsError
from holdfast.metrics.by_group import gap, gap_between, rate_names, rates_by_group

ORACLE = {
    "selection rate": fair.selection_rate,
    "tpr": fair.true_positive_rate,
    "fpr": fair.false_positive_rate,
    "precision": precision_score,
}


def applicants(seed, n=3_000):
    """Groups of 60, 30 and 10 percent; the last is chosen less often."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    chance = np.clip(rng.beta(2, 2, n) - 0.15 * (group == "c"), 0.01, 0.99)
    outcome = rng.random(n) < chance
    p = Predictions.of(
        example=range(n), target=np.where(outcome, "yes", "no"), probability=chance, positive="yes",
        classes=["no", "yes"],
    )  # fmt: skip
    return p, group


@pytest.mark.parametrize("weighted", [False, True])
def test_rates_are_fairlearns(weighted):
    p, group = applicants(0)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(p)) if weighted else None
    if weighted:
        p = Predictions.of(
            example=p.example, target=p.table["target"], probability=p.positive_probability,
            classes=["no", "yes"], positive="yes", weight=weight,
        )  # fmt: skip
    params = {name: {"sample_weight": weight} for name in ORACLE} if weighted else None
    frame = fair.MetricFrame(
        metrics=ORACLE, y_true=p.target_codes, y_pred=p.prediction_codes, sensitive_features=group,
        sample_params=params,
    )  # fmt: skip
    ours = rates_by_group(p, pl.Series(group))
    for rate in ORACLE:
        for name in "abc":
            estimate = ours[name][rate]
            assert estimate.value == pytest.approx(frame.by_group.loc[name, rate], rel=1e-6)
            assert estimate.low < estimate.value < estimate.high
        assert gap(p, pl.Series(group), rate).value == pytest.approx(frame.difference()[rate], rel=1e-6)


def test_rates_of_numbers_are_their_errors():
    rng = np.random.default_rng(0)
    y, group = rng.normal(size=400), np.repeat(["a", "b"], 200)
    p = Predictions.of(example=range(400), target=y, prediction=y + np.where(group == "a", 0.5, -0.1))
    rates = rates_by_group(p, pl.Series(group))
    assert rate_names(p) == ("mean residual", "rmse", "mae")
    assert rates["a"]["mean residual"].value == pytest.approx(0.5)
    assert rates["b"]["rmse"].value == pytest.approx(0.1)
    assert rates["a"]["mae"].value == pytest.approx(0.5)


def test_a_group_with_few_rows_is_undecided_and_out_of_the_gap():
    p, group = applicants(0)
    group = group.astype(object)
    group[:12], group[12:40] = "tiny", None
    found = gap_between(p, pl.Series(group.tolist(), dtype=pl.String), "selection rate")
    assert found.undecided == ("tiny",)
    assert "tiny" not in (found.highest, found.lowest)
    assert found.estimate.n == len(p) - 40
    assert rates_by_group(p, pl.Series(group.tolist(), dtype=pl.String))["tiny"]["selection rate"].n == 12


def test_one_group_has_no_gap():
    p, _ = applicants(0)
    found = gap_between(p, pl.Series(["all"] * len(p)), "tpr")
    assert not found.estimate.known
    assert found.p == 1


def test_wrong_rates_and_lengths_are_named():
    p, group = applicants(0)
    with pytest.raises(PlanError, match="There are: selection rate, tpr"):
        gap(p, pl.Series(group), "luck")
    with pytest.raises(PredictionsError, match="one group for each row"):
        gap(p, pl.Series(group[:5]), "tpr")


def test_rows_that_cannot_be_judged_take_their_group_with_them():
    p, group = applicants(0, n=500)
    target = p.table["target"].to_list()
    target[:100] = [None] * 100
    some = Predictions.of(
        example=p.example, target=target, probability=p.positive_probability, classes=["no", "yes"]
    )
    rest = p.where(np.arange(500) >= 100)
    assert rates_by_group(some, pl.Series(group)) == rates_by_group(rest, pl.Series(group[100:]))


def test_the_interval_of_a_gap_holds_the_true_gap():
    held, trials = 0, 200
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        group = rng.choice(["a", "b", "c", "d"], 800, p=[0.4, 0.3, 0.2, 0.1])
        rate = np.select([group == "a", group == "b", group == "c"], [0.5, 0.45, 0.4], 0.35)
        taken = np.where(rng.random(800) < rate, "yes", "no")
        p = Predictions.of(example=range(800), target=taken[::-1], prediction=taken, positive="yes")
        found = gap(p, pl.Series(group), "selection rate")
        held += found.low <= 0.15 <= found.high
    assert held / trials >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / trials)


@pytest.mark.parametrize("make", [
    lambda rng: honest(rng, 600, rng.beta(0.5, 1.5, 600)),
    lambda rng: honest(rng, 1_500, rng.beta(0.5, 12, 1_500)),
    lambda rng: clusters_of(rng, 300, 6),
], ids=["common", "rare", "clusters"])  # fmt: skip
def test_groups_that_are_alike_are_seldom_told_apart(make):
    found = false_rates(bias, make, 100)
    assert found.get("bias", 0) <= bar(100)
    assert found.get("proxy", 0) == 0


def test_heavy_errors_are_seldom_taken_for_bias():
    def make(rng):
        y = rng.normal(size=800)
        dataset = table(columns(rng, 800), y)
        return dataset, Predictions.of(
            example=dataset.example, target=y, prediction=y + rng.standard_t(3, 800)
        )

    assert false_rates(bias, make, 100).get("bias", 0) <= bar(100)


def test_a_planted_gap_is_found_with_all_rates_of_all_groups_as_facts():
    told = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        dataset, p = honest(rng, 3_000, rng.beta(1, 1, 3_000))
        lower = np.where((dataset.table["group"] == "w").to_numpy(), 0.2, 0.0)
        harsh = binary(dataset, np.clip(p.positive_probability - lower, 0.01, 0.99), p.target_codes == 1)
        found = {one.about: one for one in bias(dataset, harsh) if one.kind == "bias"}
        told += {"selection rate", "tpr", "calibration"} <= found.keys()
        one = found["tpr"]
        assert one.where.column == "group"
        assert {f"tpr {name}" for name in "vwxy"} <= one.facts.keys()
        assert one.facts["tpr w"].value < one.facts["tpr v"].value
        assert one.effect.value == pytest.approx(
            max(one.facts[f"tpr {n}"].value for n in "vwxy" if n not in one.facts.get("undecided", ""))
            - one.facts["tpr w"].value
        )
        assert one.fixes[0].fix is FixName.FAIR
        shown = harsh.where(harsh.example.is_in(list(one.examples)).to_numpy())
        assert len(shown) == 10
        assert set(zip(shown.table["target"], shown.table["prediction"], strict=True)) == {("yes", "no")}
        assert set(dataset.table["group"].filter(dataset.example.is_in(list(one.examples)))) == {"w"}
    assert told >= 19


def test_numbers_are_cut_into_quarters_with_names_that_are_queries():
    rng = np.random.default_rng(0)
    n = 2_000
    age, y = rng.uniform(20, 80, n), rng.normal(size=n)
    dataset = dataset_of({"age": age, "x": rng.normal(size=n), "y": y}, roles={"age": Role.SENSITIVE})
    p = Predictions.of(
        example=dataset.example, target=y, prediction=y + rng.normal(size=n) + (age < 35) * 0.8
    )
    (found,) = [one for one in bias(dataset, p) if one.about == "mean residual"]
    groups = [name.removeprefix("mean residual ") for name in found.facts]
    assert len(groups) == 4
    assert sum("age >= " in name for name in groups) == 3
    assert found.title.startswith("age: mean residual is 0.")


def test_a_column_that_gives_the_group_away_is_a_proxy():
    rng = np.random.default_rng(0)
    dataset, p = honest(rng, 2_000, rng.beta(1, 1, 2_000))
    group = dataset.table["group"].to_numpy()
    height = rng.normal(size=2_000) + 3 * (group == "v")
    made = {**columns(rng, 2_000), "group": group, "height": height}
    proxied = table(made, dataset.table["y"].to_numpy())
    (proxy,) = [one for one in bias(proxied, p) if one.kind == "proxy"]
    assert (proxy.where.column, proxy.about, proxy.p) == ("height", "group", None)
    assert proxy.effect.low >= 0.3


def test_a_table_without_sensitive_columns_has_no_bias():
    rng = np.random.default_rng(0)
    dataset = dataset_of({**columns(rng, 400), "y": np.where(rng.random(400) < 0.5, "yes", "no")})
    assert bias(dataset, binary(dataset, rng.random(400), dataset.table["y"].to_numpy() == "yes")) == ()
