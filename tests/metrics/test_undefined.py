"""What is undefined is absent with the reason, never 0."""

from __future__ import annotations

import math

import numpy as np
import pytest

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import PlanError, PredictionsError
from holdfast.metrics import Metric, default_metric, evaluate, names, per_class, resolve


def binary(target: list[object], prediction: list[object], **more: object) -> Predictions:
    return Predictions.of(
        example=range(len(target)), target=target, prediction=prediction, classes=["no", "yes"], **more
    )


def test_no_rows() -> None:
    for p in (
        binary([], []),
        Predictions.of(example=[], target=np.zeros(0), prediction=np.zeros(0)),
        Predictions.of(example=[], loss=np.zeros(0)),
    ):
        for name, estimate in evaluate(p).items():
            assert not estimate.known, name
            assert estimate.reason == "there are no rows"
            assert estimate.n == 0
            assert math.isnan(estimate.low)


def test_no_known_target() -> None:
    p = binary([None, None], ["yes", "no"])
    assert evaluate(p, "accuracy").reason == "no row has a known target and prediction"
    q = Predictions.of(example=[1, 2], target=[None, None], prediction=[1.0, 2.0])
    assert evaluate(q, "rmse").reason == "no row has a known target and prediction"


def test_unknown_targets_are_left_out_and_counted() -> None:
    p = binary(["yes", None, "no", "no"], ["yes", "yes", "no", "yes"])
    estimate = evaluate(p, "accuracy")
    assert estimate.n == 3
    assert estimate.value == pytest.approx(2 / 3)
    q = Predictions.of(example=range(4), target=[1.0, np.nan, 3.0, 4.0], prediction=[1.0, 2.0, 3.0, None])
    assert evaluate(q, "mae").n == 2
    assert evaluate(q, "mae").value == 0.0


def test_one_class_only() -> None:
    p = binary(["no"] * 30, ["no"] * 20 + ["yes"] * 10, probability=[0.2] * 20 + [0.7] * 10)
    found = evaluate(p)
    for name in ("auc", "average_precision", "balanced_accuracy", "mcc", "f1_macro"):
        assert found[name].reason == "every known target is 'no'", name
    assert found["recall"].reason == "no known target is 'yes'"
    assert found["precision"].value == 0.0
    assert found["f1"].value == 0.0
    assert found["accuracy"].value == pytest.approx(2 / 3)


def test_nothing_predicted_positive() -> None:
    p = binary(["no"] * 20 + ["yes"] * 10, ["no"] * 30)
    found = evaluate(p)
    assert found["precision"].reason == "no row is predicted to be 'yes'"
    assert found["mcc"].reason == "no row is predicted to be 'yes'"
    assert found["precision_macro"].reason == "no row is predicted to be 'yes'"
    assert found["recall"].value == 0.0
    assert found["recall"].high > 0.1
    assert found["f1"].value == 0.0
    assert found["auc"].reason == found["log_loss"].reason == "there are no probabilities"


def test_a_class_that_never_occurs() -> None:
    p = Predictions.of(
        example=range(40),
        target=["a", "b"] * 20,
        prediction=["a", "b", "b", "b"] * 10,
        classes=["a", "b", "c"],
    )
    found = per_class(p)
    assert found["c"]["precision"].reason == "no row is predicted to be 'c'"
    assert found["c"]["recall"].reason == found["c"]["f1"].reason == "no known target is 'c'"
    assert evaluate(p, "f1_macro").value == pytest.approx((2 / 3 + 0.8) / 2)


def test_regression_without_sense() -> None:
    p = Predictions.of(example=range(30), target=[0.0, 1.0, 2.0] * 10, prediction=[1.0] * 30)
    assert evaluate(p, "mape").reason == "10 of 30 targets are 0, which has no percentage error"
    q = Predictions.of(example=range(30), target=[5.0] * 30, prediction=np.arange(30.0))
    assert evaluate(q, "r2").reason == "every known target is 5, so there is no variance to explain"
    assert evaluate(q, "rmse").known
    rounded = Predictions.of(example=range(300), target=[0.1] * 300, prediction=np.linspace(0, 1, 300))
    assert evaluate(rounded, "r2").reason.startswith("every known target is 0.1")


def test_weights_that_are_all_zero_but_one_or_all() -> None:
    zero = binary(["no", "yes"] * 20, ["no", "no"] * 20, probability=[0.3, 0.4] * 20, weight=[0.0] * 40)
    assert {estimate.reason for estimate in evaluate(zero).values()} == {"all weights are 0"}
    numbers = Predictions.of(example=range(9), target=range(9), prediction=range(9), weight=[0.0] * 9)
    assert {estimate.reason for estimate in evaluate(numbers).values()} == {"all weights are 0"}
    one = binary(["no", "yes"] * 20, ["no", "yes"] * 20, weight=[1.0] + [0.0] * 39)
    assert evaluate(one, "accuracy").value == 1.0
    assert evaluate(one, "accuracy").low < 0.5
    assert evaluate(one, "recall").reason


def test_perfect_scores_keep_a_width() -> None:
    target = ["no"] * 80 + ["yes"] * 20
    p = binary(target, target, probability=[0.0] * 80 + [1.0] * 20)
    for name in (
        "accuracy",
        "balanced_accuracy",
        "recall",
        "precision",
        "f1",
        "mcc",
        "auc",
        "average_precision",
    ):
        estimate = evaluate(p, name)
        assert estimate.value == 1.0
        assert 0.5 < estimate.low < 0.99, (name, estimate)
        assert estimate.high == 1.0


def test_an_interval_holds_its_value_where_the_draws_do_not_reach_it() -> None:
    p = binary(["no"] * 280 + ["yes"] * 20, ["no"] * 299 + ["yes"])
    precision = evaluate(p, "precision")
    assert precision.value == precision.high == 1.0
    assert precision.low < 0.3
    assert precision.method == "Jeffreys draws"  # too many replicates of the rows have no row predicted


def test_few_rows_have_a_value_and_no_interval() -> None:
    p = Predictions.of(example=range(5), target=np.arange(5.0), prediction=np.arange(5.0) + 1)
    estimate = evaluate(p, "mse")
    assert estimate.value == 1.0
    assert math.isnan(estimate.low)
    assert "fewer than 20" in estimate.method
    assert str(estimate) == "1.000"


def test_few_groups_have_a_value_and_no_interval() -> None:
    rng = np.random.default_rng(0)
    for p in (
        binary(["no", "yes"] * 50, ["no", "no", "yes", "yes"] * 25, group=[i // 20 for i in range(100)]),
        Predictions.of(
            example=range(100),
            target=rng.normal(size=100),
            prediction=rng.normal(size=100),
            group=["a", "b"] * 50,
        ),
    ):
        for name, estimate in evaluate(p).items():
            if estimate.known:
                assert math.isnan(estimate.low), name
                assert "groups" in estimate.method


def test_unknown_metric_names_the_nearest_and_all() -> None:
    p = binary(["no", "yes"], ["no", "yes"])
    with pytest.raises(PlanError, match=r"no metric 'acuracy' for classification. Did you mean 'accuracy'"):
        evaluate(p, "acuracy")
    with pytest.raises(PlanError, match="There are: log_loss, brier, accuracy"):
        resolve("xyz", p)
    with pytest.raises(PlanError, match="no metric 'rmse' for classification"):
        resolve(resolve("rmse", Task.REGRESSION), p)
    with pytest.raises(PlanError, match=r"write e\.g\. 'pinball:0\.9'"):
        resolve("pinball:high", Task.REGRESSION)
    with pytest.raises(PlanError, match=r"between 0 and 1, not 1\.5"):
        resolve("pinball:1.5", Task.REGRESSION)
    assert resolve(" F1 ", p).name == "f1"
    assert names(None) == ("loss",)


def test_default_metrics() -> None:
    assert default_metric(binary(["no", "yes"], ["no", "yes"])).name == "accuracy"
    assert default_metric(binary(["no", "yes"], ["no", "yes"], probability=[0.1, 0.9])).name == "log_loss"
    assert default_metric(Predictions.of(example=[1], target=[1.0], prediction=[1.0])).name == "rmse"
    assert default_metric(Predictions.of(example=[1], loss=[1.0])).name == "loss"


def test_custom_function_with_a_wrong_shape_is_named() -> None:
    p = binary(["no", "yes"], ["no", "yes"])
    for wrong in (lambda q: 1.0, lambda q: np.zeros((len(q), 2)), lambda q: np.array(["a"] * len(q))):
        with pytest.raises(PredictionsError, match="'odd' should give one number per row"):
            evaluate(p, Metric.custom("odd", wrong, greater_is_better=True))


def test_per_class_of_numbers_is_refused() -> None:
    with pytest.raises(PredictionsError, match="Only classification"):
        per_class(Predictions.of(example=[1], target=[1.0], prediction=[1.0]))


def test_too_many_classes_for_a_table() -> None:
    labels = [f"c{i}" for i in range(1_500)]
    p = Predictions.of(example=range(1_500), target=labels, prediction=labels)
    with pytest.raises(PredictionsError, match="1,500 classes are too many"):
        evaluate(p, "f1")
