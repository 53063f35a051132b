"""Guards on predictions: shown to hold, shown to be broken, too few rows to tell, nothing to tell by."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from holdfast.core.guard import RATES, Guard, GuardKind, GuardStatus
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Kind
from holdfast.errors import (
    ColumnError,
    HoldfastError,
    InputError,
    PlanError,
    PredictionsError,
    QueryError,
)
from holdfast.metrics.by_group import rate_names
from holdfast.promotion.guards import check, check_all
from holdfast.promotion.subject import Subject

PASSED, FAILED, UNDECIDED, NOT_RUN = GuardStatus
Predicted = Callable[..., Predictions]


def blurred(table) -> np.ndarray:
    """A much worse model: half of what is known of tenure is forgotten."""
    return np.clip(0.5 + 0.4 * np.sin(7.0 * table["tenure"].to_numpy()), 0.01, 0.99)


def nudged(by: float) -> Callable[..., np.ndarray]:
    """Probabilities moved by a random step of so much."""
    return lambda t: np.clip(
        0.8 - 0.01 * t["tenure"].to_numpy() + np.random.default_rng(1).normal(0, by, len(t)), 0.01, 0.99
    )


def floor(**limits: float) -> Guard:
    return Guard("g", GuardKind.FLOOR, metric="auc", **limits)


@pytest.mark.parametrize(
    ("guard", "status"),
    [
        (floor(at_least=0.5), PASSED),
        (floor(at_least=0.9), FAILED),
        (floor(at_least=0.68), UNDECIDED),
        (replace(floor(at_most=0.9), metric="log_loss"), PASSED),
        (replace(floor(at_most=0.3), metric="log_loss"), FAILED),
        (replace(floor(at_least=0.5), where="tenure < 0"), UNDECIDED),
        (Guard("g", GuardKind.CALIBRATION, at_most=0.08), PASSED),
        (Guard("g", GuardKind.FAIRNESS, column="gender", metric="selection_rate", at_most=0.2), PASSED),
        (Guard("g", GuardKind.FAIRNESS, column="contract", metric="tpr", at_most=0.02), UNDECIDED),
        (Guard("g", GuardKind.NOT_WORSE, metric="log_loss", reference="before", margin=0.01), PASSED),
        (Guard("g", GuardKind.CHAMPION, metric="accuracy"), PASSED),
    ],
)
def test_a_model_that_is_as_it_should_be(guard: Guard, status: GuardStatus, subject: Subject) -> None:
    assert check(guard, subject).status is status


def test_a_broken_limit_is_shown_with_the_number(subject: Subject) -> None:
    checked = check(replace(floor(at_least=0.9), where="tenure < 30"), subject)
    assert checked.status is FAILED
    assert checked.estimate is not None
    assert checked.estimate.high < 0.9
    assert checked.estimate.level == 0.9
    assert str(checked.estimate) in checked.said
    assert "where tenure < 30, to be at least 0.9: it is not" in checked.said


def test_calibration_fails_where_probabilities_are_off(subject: Subject, predicted: Predicted) -> None:
    guard = Guard("g", GuardKind.CALIBRATION, at_most=0.05)
    off = replace(subject, predictions=predicted(lambda t: 0.95 - 0.01 * t["tenure"].to_numpy()))
    assert check(guard, off).status is FAILED
    near = replace(guard, at_most=check(guard, off).estimate.value)
    assert check(near, off).status is UNDECIDED
    assert "no number of rows soon" in check(near, off).said


def test_calibration_of_many_classes_is_that_of_the_worst(subject: Subject) -> None:
    rng = np.random.default_rng(3)
    probability = rng.dirichlet([2.0, 2.0, 2.0], 2_000)
    target = np.array([rng.choice(3, p=row) for row in probability])
    target = np.where((target == 2) & (rng.random(2_000) < 0.5), 0, target)  # class 2 comes half as often
    p = Predictions.of(example=range(2_000), target=target, probability=probability, classes=["0", "1", "2"])
    checked = check(Guard("g", GuardKind.CALIBRATION, at_most=0.05), replace(subject, predictions=p))
    assert checked.status is FAILED
    assert "of class '0', the worst" in checked.said or "of class '2', the worst" in checked.said
    assert checked.estimate is not None
    assert checked.estimate.level > 0.96


def test_fairness_fails_where_the_groups_are_treated_apart(subject: Subject, predicted: Predicted) -> None:
    def unfair(t) -> np.ndarray:
        return np.where(t["gender"] == "f", 0.9, 0.4)

    guard = Guard("g", GuardKind.FAIRNESS, column="gender", metric="selection_rate", at_most=0.1)
    checked = check(guard, replace(subject, predictions=predicted(unfair)))
    assert checked.status is FAILED
    assert "selection rate by gender, highest for 'f' and lowest for 'm', is" in checked.said


def by_tenure(**fields) -> Guard:
    return Guard("g", GuardKind.FAIRNESS, column="tenure", metric="selection_rate", at_most=0.2, **fields)


def test_a_column_of_numbers_is_no_column_of_groups_until_it_is_cut(subject: Subject) -> None:
    with pytest.raises(ColumnError, match=r"'tenure' holds 60 different .* bands = \[\d+, \d+\]$") as caught:
        check(by_tenure(), subject)
    assert str(caught.value).startswith("The guard 'g' cannot be checked: ")
    checked = check(by_tenure(bands=(20, 40)), subject)
    assert checked.status is FAILED
    assert "highest for '< 20' and lowest for '>= 40'" in checked.said
    assert check(replace(by_tenure(), where="tenure in (1, 2)"), subject).estimate is not None
    mended = str(caught.value).rsplit("bands = ", 1)[1]
    assert check(by_tenure(bands=tuple(json.loads(mended))), subject).status is FAILED


def test_what_has_no_groups_says_so(subject: Subject) -> None:
    with pytest.raises(ColumnError, match=r"bands cut numbers .* 'gender' holds a category"):
        check(replace(by_tenure(bands=(1,)), column="gender"), subject)
    with pytest.raises(ColumnError, match=r"different values, .* column = \"gender\""):
        check(replace(by_tenure(), column="signed"), subject)
    with pytest.raises(ColumnError, match="is the target"):
        check(replace(by_tenure(), column="churn"), subject)


def test_groups_that_are_too_small_are_named(subject: Subject) -> None:
    checked = check(by_tenure(bands=(0.5, 30)), subject)
    few = int((subject.dataset.table["tenure"] < 0.5).sum())
    assert ("Too few rows to compare: '< 0.5'." in checked.said) is (few < 30)
    checked = check(by_tenure(bands=(-5, 30)), subject)
    assert "'< -5'" not in checked.said


def test_yes_and_no_are_groups_by_these_words(subject: Subject, customers) -> None:
    table = customers.table.with_columns(gender=customers.table["gender"] == "f")
    schema = customers.schema.replaced(replace(customers.schema["gender"], kind=Kind.BOOLEAN))
    boolean = replace(subject, dataset=replace(customers, table=table, schema=schema))
    said = check(replace(by_tenure(), column="gender"), boolean).said
    assert "'yes'" in said
    assert "'no'" in said
    where = replace(floor(at_least=0.5), where="gender = 'Yes'")
    assert check(where, boolean).status is PASSED
    assert check(where, boolean).estimate == check(replace(where, where="gender = true"), boolean).estimate


def test_every_rate_that_groups_are_compared_by_can_be_guarded(subject: Subject) -> None:
    three = Predictions.of(example=[1], target=["a"], prediction=["b"], classes=["a", "b", "c"])
    numbers = Predictions.of(example=[1], target=[1.0], prediction=[2.0])
    names = {name for p in (subject.predictions, three, numbers) for name in rate_names(p)}
    assert {name.replace(" ", "_") for name in names} == set(RATES)
    for name in rate_names(subject.predictions):
        guard = Guard("g", GuardKind.FAIRNESS, column="gender", metric=name, at_most=0.9)
        assert check(guard, subject).status is PASSED


def test_no_worse_than_a_run_that_was_much_better(subject: Subject, predicted: Predicted) -> None:
    worse = replace(subject, predictions=predicted(blurred))
    for guard in (
        Guard("g", GuardKind.NOT_WORSE, metric="log_loss", reference="before", margin=0.01),
        Guard("g", GuardKind.NOT_WORSE, metric="auc", reference="before", where="tenure > 10"),
        Guard("g", GuardKind.CHAMPION, metric="log_loss"),
    ):
        assert check(guard, worse).status is FAILED
        assert "it is worse" in check(guard, worse).said


@pytest.mark.parametrize(("power", "status"), [(None, UNDECIDED), (0.79, UNDECIDED), (0.8, FAILED)])
def test_what_is_not_shown_to_be_no_worse_fails_if_it_should_have_been(
    power: float | None, status: GuardStatus, subject: Subject, predicted: Predicted
) -> None:
    guard = Guard("g", GuardKind.CHAMPION, metric="log_loss", margin=1e-6, power=power)
    checked = check(guard, replace(subject, predictions=predicted(nudged(0.01))))
    assert checked.status is status
    if status is UNDECIDED:
        assert "more rows would tell" in checked.said


def test_a_loss_within_the_margin_is_no_loss(subject: Subject, predicted: Predicted) -> None:
    """Significantly worse and yet non-inferior: that is what a margin is for."""
    slightly = predicted(lambda t: np.clip(0.8 - 0.01 * t["tenure"].to_numpy(), 0, 1) * 0.5 + 0.25)
    guard = Guard("g", GuardKind.CHAMPION, metric="log_loss", margin=0.1, power=0.9)
    checked = check(guard, replace(subject, predictions=slightly))
    assert checked.estimate is not None
    assert checked.estimate.high < 0
    assert checked.status is PASSED
    assert check(replace(guard, margin=0.001), replace(subject, predictions=slightly)).status is FAILED


def test_two_models_are_compared_on_the_rows_that_both_predict(
    subject: Subject, predicted: Predicted
) -> None:
    older = predicted(name="before")
    half = older.where(np.arange(len(older)) < 1_000)
    guard = Guard("g", GuardKind.NOT_WORSE, metric="log_loss", reference="before", margin=0.01)
    checked = check(guard, replace(subject, references={"before": half}))
    assert (checked.status, checked.estimate.n) == (PASSED, 1_000)
    elsewhere = Predictions.of(example=["x"], target=["no"], prediction=["no"], classes=["no", "yes"])
    checked = check(guard, replace(subject, references={"before": elsewhere}))
    assert checked.status is UNDECIDED


def test_what_is_not_at_hand_is_never_a_pass(subject: Subject) -> None:
    bare = Subject(predictions=subject.predictions, compare=subject.compare)
    labels = subject.predictions.table
    only_labels = Predictions.of(
        example=labels["example"], target=labels["target"], prediction=labels["prediction"]
    )
    for guard in (
        replace(floor(at_least=0.5), where="tenure < 6"),
        Guard("g", GuardKind.FAIRNESS, column="gender", metric="tpr", at_most=0.9),
        Guard("g", GuardKind.CHAMPION, metric="log_loss"),
        Guard("g", GuardKind.NOT_WORSE, metric="log_loss", reference="before"),
        Guard("g", GuardKind.INVARIANCE, column="gender", at_most=1.0),
        Guard("g", GuardKind.DIRECTION, column="tenure", direction="never raises"),
        Guard("g", GuardKind.LATENCY, at_most=1e9),
        Guard("g", GuardKind.SIZE, at_most=1e9),
    ):
        checked = check(guard, bare)
        assert (checked.status, checked.estimate) == (NOT_RUN, None)
        assert checked.said.startswith("Not run: ")
    bare = replace(bare, predictions=only_labels)
    assert check(Guard("g", GuardKind.CALIBRATION, at_most=0.9), bare).status is NOT_RUN
    assert check(floor(at_least=0.1), bare).status is UNDECIDED


def test_examples_that_must_be_right(subject: Subject) -> None:
    p = subject.predictions
    right = p.example.filter(p.target_codes == p.prediction_codes).to_list()
    wrong = p.example.filter(p.target_codes != p.prediction_codes).to_list()

    def of(*ids: str) -> Guard:
        return Guard("g", GuardKind.EXAMPLES, examples=ids)

    assert check(of(*right[:12]), subject).said == "12 of 12 examples right."
    assert check(of(right[0], right[0]), subject).said == "1 of 1 example right."
    assert check(of(*right[:12]), subject).status is PASSED
    checked = check(of(right[0], "nobody", wrong[0], wrong[1]), subject)
    assert checked.status is FAILED
    assert f"wrong: '{wrong[0]}', '{wrong[1]}'" in checked.said
    checked = check(of(right[0], "nobody"), subject)
    assert checked.status is UNDECIDED
    assert "'nobody'" in checked.said


def test_numbers_are_right_within_a_distance(subject: Subject) -> None:
    p = Predictions.of(example=["a", "b", "c"], target=[1.0, 2.0, None], prediction=[1.4, 3.0, 0.0])
    of_numbers = replace(subject, predictions=p)
    guard = Guard("g", GuardKind.EXAMPLES, examples=("a",), at_most=0.5)
    assert check(guard, of_numbers).status is PASSED
    assert check(replace(guard, examples=("a", "b")), of_numbers).status is FAILED
    assert check(replace(guard, examples=("a", "c")), of_numbers).status is UNDECIDED
    with pytest.raises(PlanError, match=r"at_most = 0\.5"):
        check(replace(guard, at_most=None), of_numbers)
    with pytest.raises(PlanError, match="Leave out the line at_most"):
        check(guard, subject)
    losses = Predictions.of(example=["a"], loss=[0.5])
    with pytest.raises(PlanError, match="only losses"):
        check(guard, replace(subject, predictions=losses))


@pytest.mark.parametrize(
    ("guard", "error", "said"),
    [
        (replace(floor(at_least=0.5), metric="aucc"), PlanError, "Did you mean 'auc'"),
        (floor(at_least=80), InputError, r"at_least = 80, and auc lies between 0 and 1\..*at_least = 0\.8$"),
        (replace(floor(at_most=-1), metric="log_loss"), InputError, "log_loss is never below 0"),
        (replace(floor(at_least=-2), metric="mcc"), InputError, "mcc lies between -1 and 1"),
        (Guard("g", GuardKind.CHAMPION, metric="auc", margin=1.0), InputError, "margin = 0.01"),
        (replace(floor(at_least=0.5), where="tenur < 6"), ColumnError, "Did you mean 'tenure'"),
        (replace(floor(at_least=0.5), where="tenure = 'a'"), QueryError, "compared with a number"),
        (Guard("g", GuardKind.FAIRNESS, column="gendre", metric="tpr", at_most=0.1), ColumnError, "'gender'"),
        (Guard("g", GuardKind.FAIRNESS, column="gender", metric="rmse", at_most=0.1), PlanError, "no rate"),
        (Guard("g", GuardKind.CHAMPION, metric="log_los"), PlanError, "Did you mean 'log_loss'"),
    ],
)
def test_what_does_not_fit_names_the_guard(
    guard: Guard, error: type[HoldfastError], said: str, subject: Subject
) -> None:
    with pytest.raises(error, match=said) as caught:
        check(guard, subject)
    assert str(caught.value).startswith("The guard 'g' cannot be checked: ")


def test_a_table_that_lacks_predicted_rows_names_them(subject: Subject, customers) -> None:
    short = replace(subject, dataset=customers.take(np.arange(1_990)))
    with pytest.raises(PredictionsError, match="lacks 10 of the 2,000 predicted examples: 'c1990'"):
        check(replace(floor(at_least=0.5), where="tenure < 6"), short)


def test_the_table_may_be_in_any_order_and_hold_more(subject: Subject, customers) -> None:
    guard = replace(floor(at_least=0.5), where="tenure < 30 and gender = 'f'")
    mixed = customers.reordered(np.random.default_rng(0).permutation(len(customers)))
    fewer = subject.predictions.where(np.arange(len(customers)) % 2 == 0)
    first = check(guard, replace(subject, predictions=fewer)).estimate
    assert first == check(guard, replace(subject, predictions=fewer, dataset=mixed)).estimate
    assert 200 < first.n < 300


def test_a_limit_that_the_interval_straddles_says_how_many_rows_would_tell(subject: Subject) -> None:
    value = check(floor(at_least=0.5), subject).estimate.value
    checked = check(floor(at_least=value - 0.005), subject)
    assert checked.status is UNDECIDED
    more = int(checked.said.split("about ")[1].split(" more")[0].replace(",", ""))
    assert 10_000 < more < 100_000  # three times the distance needs a ninth of the rows
    fewer = check(floor(at_least=value - 0.015), subject)
    assert fewer.status is UNDECIDED
    assert int(fewer.said.split("about ")[1].split(" more")[0].replace(",", "")) < more / 8


def test_a_limit_at_the_truth_is_broken_in_five_percent_of_samples(subject: Subject) -> None:
    """And it is shown to hold in five percent: one-sided bounds, both ways."""
    rng, trials, statuses = np.random.default_rng(5), 400, []
    truth = 0.7
    guard = Guard("g", GuardKind.FLOOR, metric="accuracy", at_least=truth)
    for _ in range(trials):
        right = rng.random(500) < truth
        p = Predictions.of(example=range(500), target=["y"] * 500, prediction=np.where(right, "y", "n"))
        statuses.append(check(guard, replace(subject, predictions=p)).status)
    most = trials * 0.05 + 2 * np.sqrt(trials * 0.05 * 0.95)
    assert statuses.count(FAILED) <= most
    assert statuses.count(PASSED) <= most
    assert statuses.count(FAILED) + statuses.count(PASSED) > trials * 0.04


def test_all_guards_in_their_order(subject: Subject) -> None:
    guards = [floor(at_least=0.5), Guard("size", GuardKind.SIZE, at_most=1.0)]
    assert [one.guard for one in check_all(guards, subject)] == guards
    assert [one.status for one in check_all(guards, subject)] == [PASSED, FAILED]


@pytest.mark.parametrize(
    "guard",
    [
        replace(floor(at_least=0.5), metric="accuracy"),
        Guard("g", GuardKind.CHAMPION, metric="accuracy"),
        Guard("g", GuardKind.INVARIANCE, column="gender", at_most=0.02),
        Guard("g", GuardKind.DIRECTION, column="tenure", direction="never lowers", where="tenure >= 0"),
    ],
)
def test_one_row_is_no_rows(guard: Guard, subject: Subject, customers) -> None:
    one = np.flatnonzero(np.arange(len(customers)) == 7)
    table = replace(customers.take(one), table=customers.table[one])
    alone = replace(subject, predictions=subject.predictions.where(np.arange(len(customers)) == 7))
    alone = alone if guard.kind in (GuardKind.FLOOR, GuardKind.CHAMPION) else replace(alone, dataset=table)
    said = check(guard, alone).said
    assert "1 rows" not in said
    assert "1 row" in said or said.startswith("Not run")
