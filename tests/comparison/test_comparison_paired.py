"""One verdict on two models: the right number, the right test, the right outcome."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made import classified, regressed
from scipy import stats

from holdfast.comparison.paired import compare
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.core.verdict import Outcome
from holdfast.errors import InputError, PlanError
from holdfast.metrics import Metric, names, resolve

DESIGNS = {
    "plain": lambda n: {},
    "two weights": lambda n: {"weight": 1.0 + np.arange(n) % 2},
    "many weights": lambda n: {"weight": 0.5 + np.random.default_rng(0).random(n)},
    "few clusters": lambda n: {"group": np.arange(n) % 12},
    "many clusters": lambda n: {"group": np.arange(n) % 60},
}
CASES = [(Task.CLASSIFICATION, name) for name in names(Task.CLASSIFICATION)]
CASES += [(Task.REGRESSION, name) for name in names(Task.REGRESSION)]


def two(task, n, **columns):
    make = classified if task is Task.CLASSIFICATION else regressed
    return make(n, noise=1.0, seed=1, **columns), make(n, noise=0.8, seed=2, **columns)


def gain(a, b, name):
    metric = resolve(name, a)
    return (metric.value(b) - metric.value(a)) * (1 if metric.greater_is_better else -1)


@pytest.mark.parametrize(("task", "name"), CASES)
@pytest.mark.parametrize("design", DESIGNS)
def test_the_difference_is_that_of_the_values_and_turns_with_the_models(task, name, design):
    a, b = two(task, 240, **DESIGNS[design](240))
    there, back = compare(a, b, metric=name), compare(b, a, metric=name)
    assert there.difference.value == pytest.approx(gain(a, b, name), abs=1e-9)
    assert back.difference.value == pytest.approx(-there.difference.value, abs=1e-9)
    assert there.difference.low <= there.difference.value <= there.difference.high
    width = there.difference.high - there.difference.low
    assert back.difference.low == pytest.approx(-there.difference.high, abs=0.15 * width)
    assert 0 < there.p <= 1
    assert there.p == pytest.approx(back.p, abs=0.03)
    assert (there.p <= 0.05) == (there.outcome in (Outcome.BETTER, Outcome.WORSE))


@pytest.mark.parametrize(("task", "name"), CASES)
def test_three_classes_and_large_tables_as_well(task, name):
    a, b = (
        (classified(6_000, noise=noise, seed=seed, classes=3) for noise, seed in ((1.0, 1), (0.8, 2)))
        if task is Task.CLASSIFICATION
        else two(task, 6_000)
    )
    verdict = compare(a, b, metric=name)
    assert verdict.difference.value == pytest.approx(gain(a, b, name), abs=1e-9)
    if name != "mape":  # ruled by the few targets near 0
        assert verdict.outcome is Outcome.BETTER


@pytest.mark.parametrize("name", ["auc", "log_loss", "f1", "average_precision", "accuracy", "mcc"])
def test_clusters_of_one_row_change_little(name):
    a, b = two(Task.CLASSIFICATION, 400)
    alone = compare(a, b, metric=name)
    grouped = compare(
        *two(Task.CLASSIFICATION, 400, group=[f"g{i // 2}" if i < 2 else None for i in range(400)]),
        metric=name,
    )
    assert grouped.difference.high == pytest.approx(alone.difference.high, abs=0.015)
    assert grouped.difference.low == pytest.approx(alone.difference.low, abs=0.015)


@pytest.mark.parametrize(("task", "name"), CASES)
def test_clusters_of_copies_do_not_pretend_to_be_new_rows(task, name):
    a, b = two(task, 120)
    copies = [
        Predictions(
            p.table[np.repeat(np.arange(120), 5)].with_columns(
                group=p.example[np.repeat(np.arange(120), 5)],
                example=Predictions.of(example=np.arange(600), loss=np.zeros(600)).example,
            ),
            p.header,
        )
        for p in (a, b)
    ]
    once, five = compare(a, b, metric=name), compare(*copies, metric=name)
    widths = [v.difference.high - v.difference.low for v in (once, five)]
    assert widths[1] == pytest.approx(widths[0], rel=0.3)


def test_accuracy_is_exact_mcnemar():
    a, b = two(Task.CLASSIFICATION, 300)
    right_a, right_b = (p.target_codes == p.prediction_codes for p in (a, b))
    lost, won = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    verdict = compare(a, b, metric="accuracy")
    assert verdict.p == pytest.approx(stats.binomtest(won, won + lost).pvalue)
    assert verdict.test.startswith(f"exact McNemar, {won} won and {lost} lost")
    assert compare(a, b, metric="error_rate").difference.value == verdict.difference.value


def test_means_of_many_rows_are_the_paired_t():
    a, b = two(Task.REGRESSION, 2_000)
    verdict = compare(a, b, metric="mae")
    losses = [np.abs(p.target_values - p.prediction_values) for p in (a, b)]
    theirs = stats.ttest_rel(*losses)
    assert verdict.p == pytest.approx(theirs.pvalue)
    interval = theirs.confidence_interval(0.95)
    assert (verdict.difference.low, verdict.difference.high) == pytest.approx((interval.low, interval.high))


def test_means_of_few_rows_flip_signs():
    a, b = two(Task.REGRESSION, 60)
    d = np.abs(a.target_values - a.prediction_values) - np.abs(b.target_values - b.prediction_values)
    theirs = stats.permutation_test(
        (d,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=20_000, rng=1
    )
    assert compare(a, b, metric="mae").p == pytest.approx(theirs.pvalue, abs=0.01)


@pytest.mark.parametrize(("task", "name"), CASES)
def test_a_model_equals_itself(task, name):
    a, _ = two(task, 20_000)
    verdict = compare(a, a, metric=name)
    assert verdict.p == 1
    assert verdict.difference.value == 0
    assert verdict.difference.low <= 0 <= verdict.difference.high
    # A row whose target is near 0 can lose any percentage, so of MAPE no number of rows shows it.
    assert verdict.outcome is (Outcome.UNDECIDED if name == "mape" else Outcome.EQUIVALENT)


def test_agreement_on_few_rows_is_no_proof_of_equality():
    for name in ("accuracy", "f1", "balanced_accuracy", "log_loss", "brier", "auc", "average_precision"):
        verdict = compare(classified(60), classified(60), metric=name)
        assert verdict.outcome is Outcome.UNDECIDED
        assert verdict.n_needed > 60
    perfect = Predictions.of(example=range(8), target=[0, 1] * 4, probability=[0.1, 0.9] * 4, classes=[0, 1])
    assert compare(perfect, perfect, metric="auc").outcome is Outcome.UNDECIDED


def test_one_class_or_no_probabilities_give_no_difference_and_the_reason():
    one = Predictions.of(example=range(5), target=["y"] * 5, probability=np.full(5, 0.8), classes=["n", "y"])
    verdict = compare(one, one, metric="auc")
    assert not verdict.difference.known
    assert "every known target is 'y'" in verdict.difference.reason
    assert (verdict.p, verdict.outcome, verdict.n_needed) == (1.0, Outcome.UNDECIDED, None)
    labels = Predictions.of(example=range(4), target=list("nyny"), prediction=list("nyyy"), model="labels")
    for name in ("auc", "average_precision", "log_loss"):
        assert compare(labels, labels, metric=name).difference.reason.endswith("there are no probabilities")


def test_a_target_that_does_not_vary_has_no_difference_of_r2():
    rng = np.random.default_rng(0)
    a, b = (
        Predictions.of(example=range(300), target=[0.1] * 300, prediction=0.1 + spread * rng.normal(size=300))
        for spread in (0.1, 0.2)
    )
    verdict = compare(a, b, metric="r2")
    assert not verdict.difference.known
    assert "no variance to explain" in verdict.difference.reason


def test_two_rows_decide_nothing():
    for task in (Task.CLASSIFICATION, Task.REGRESSION):
        for name in names(task):
            assert compare(*two(task, 2), metric=name).outcome is not Outcome.BETTER, name


def test_a_perfect_model_beats_a_poor_one():
    a = classified(300, noise=3.0)
    codes = a.target_codes
    b = Predictions.of(example=range(300), target=codes, probability=np.eye(2)[codes], classes=[0, 1])
    for name in names(Task.CLASSIFICATION):
        assert compare(a, b, metric=name).outcome is Outcome.BETTER, name
        assert compare(b, a, metric=name).outcome is Outcome.WORSE, name


def test_the_default_metric_is_one_that_both_can_answer():
    with_probability = classified(50)
    labels = Predictions.of(
        example=range(50),
        target=with_probability.table["target"],
        prediction=with_probability.table["prediction"],
    )
    losses = Predictions.of(example=range(50), loss=np.linspace(0, 1, 50))
    assert compare(with_probability, with_probability).metric == "log_loss"
    assert compare(with_probability, labels).metric == "accuracy"
    assert compare(with_probability, losses).metric == "loss"
    assert compare(losses, losses).metric == "loss"
    assert compare(regressed(50), regressed(50)).metric == "rmse"
    with pytest.raises(PlanError, match="no metric 'rmse'"):
        compare(with_probability, labels, metric="rmse")


def test_default_margins():
    a, b = two(Task.CLASSIFICATION, 200)
    assert compare(a, b, metric="f1").margin == 0.01
    assert compare(a, b, metric="log_loss").margin == pytest.approx(0.02 * resolve("log_loss", a).value(a))
    assert compare(a, b, metric="f1", margin=0.3).margin == 0.3
    with pytest.raises(InputError, match="more than 0"):
        compare(a, b, margin=0.0)
    with pytest.raises(InputError, match="level"):
        compare(a, b, level=1.5)


def test_precedence_of_the_outcomes():
    a = regressed(4_000, noise=1.0, seed=1)
    slightly = regressed(4_000, noise=0.9, seed=1)
    # Shown better although all of the interval lies inside the margin.
    verdict = compare(a, slightly, metric="mae", margin=0.5)
    assert verdict.outcome is Outcome.BETTER
    assert verdict.difference.high < 0.5
    near = regressed(4_000, noise=1.0, seed=2)
    assert compare(a, near, metric="mae", margin=0.2).outcome is Outcome.EQUIVALENT
    undecided = compare(a, near, metric="mae", margin=0.001)
    assert undecided.outcome is Outcome.UNDECIDED
    assert undecided.n_needed > 4_000


def test_rows_needed_are_enough_to_see_the_margin():
    first, second = regressed(400, noise=1.0, seed=1), regressed(400, noise=1.0, seed=2)
    needed = compare(first, second, metric="mae", margin=0.06).n_needed
    rng, seen = np.random.default_rng(0), 0
    for _ in range(200):
        e, f = np.abs(rng.normal(size=(2, needed)))
        a = Predictions.of(example=range(needed), loss=e)
        seen += compare(a, Predictions.of(example=range(needed), loss=f - 0.06)).outcome is Outcome.BETTER
    assert seen / 200 > 0.7


@pytest.mark.parametrize(
    "columns",
    [{"loss": [1.0]}, {"loss": np.arange(100.0), "group": ["g"] * 100}],
    ids=["one row", "one group"],
)
def test_no_rows_are_said_to_be_needed_where_no_spread_is_seen(columns):
    a = Predictions.of(example=range(len(columns["loss"])), **columns)
    b = Predictions.of(example=range(len(a)), **columns | {"loss": a.loss + 0.5})
    verdict = compare(a, b)
    assert verdict.outcome is Outcome.UNDECIDED
    assert verdict.n_needed is None
    assert "no spread is seen" in verdict.difference.method


def test_a_custom_metric_is_compared_as_a_mean():
    late = Metric.custom("late", lambda p: p.prediction_values > p.target_values, greater_is_better=False)
    a, b = two(Task.REGRESSION, 300)
    verdict = compare(a, b, metric=late)
    assert verdict.metric == "late"
    assert verdict.difference.value == pytest.approx(late.value(a) - late.value(b))


def test_equal_questions_get_equal_answers():
    a, b = two(Task.CLASSIFICATION, 200)
    assert compare(a, b, metric="f1", seed=3) == compare(a, b, metric="f1", seed=3)
    assert compare(a, b, metric="f1", seed=3) != compare(a, b, metric="f1", seed=4)


def test_names_in_the_verdict():
    a, b = two(Task.REGRESSION, 30)
    assert (compare(a, b).first, compare(a, b).second) == ("first", "second")
    assert compare(a.named("x"), b.named("y")).second == "y"
    assert compare(a.named("x"), b.named("x")).second == "x (second)"


def test_one_row_that_makes_the_difference_is_told_of():
    a, b = two(Task.REGRESSION, 400)
    wild = b.prediction_values.copy()
    wild[7] += 500
    heavy = Predictions.of(example=range(400), target=b.target_values, prediction=wild)
    assert "one row makes" in compare(a, heavy, metric="mae").difference.method
    assert "one row makes" not in compare(a, b, metric="mae").difference.method


def test_losses_alone_are_enough():
    rng = np.random.default_rng(0)
    easy = rng.random(805)
    a = Predictions.of(example=range(805), loss=easy)
    b = Predictions.of(example=range(805), loss=easy - 0.1 * rng.random(805))
    verdict = compare(a, b)
    assert verdict.outcome is Outcome.BETTER
    assert not math.isnan(verdict.difference.low)
