"""The scorer of bare arrays gives the metric, as a loss."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.metrics import Metric, names, resolve, scorer


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_classification_scorer_is_the_metric(K: int, weighted: bool) -> None:
    rng = np.random.default_rng(K)
    n, classes = 300, tuple("abcd"[:K])
    probability = rng.dirichlet(np.ones(K), n)
    codes = np.where(rng.random(n) < 0.5, probability.argmax(axis=1), rng.integers(0, K, n))
    codes[::10] = -1
    weight = rng.random(n) if weighted else None
    target = [None if code < 0 else classes[code] for code in codes]
    p = Predictions.of(
        example=range(n), target=target, probability=probability, classes=classes, weight=weight
    )
    for name in names(Task.CLASSIFICATION):
        metric = resolve(name, p)
        loss = scorer(name, codes, classes=classes, positive=p.header.positive, weight=weight)
        sign = -1 if metric.greater_is_better else 1
        assert loss(probability) == pytest.approx(sign * metric.value(p), rel=1e-5), name
        if K == 2:
            assert loss(probability[:, 1]) == pytest.approx(sign * metric.value(p), rel=1e-5), name


@pytest.mark.parametrize("weighted", [False, True])
def test_regression_scorer_is_the_metric(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    target, predicted = rng.normal(size=200), rng.normal(size=200)
    target[::7] = np.nan
    weight = rng.random(200) if weighted else None
    p = Predictions.of(example=range(200), target=target, prediction=predicted, weight=weight)
    for name in (*names(Task.REGRESSION), "pinball:0.9"):
        metric = resolve(name, p)
        sign = -1 if metric.greater_is_better else 1
        loss = scorer(metric, target, weight=weight)
        assert loss(predicted) == pytest.approx(sign * metric.value(p)), name
        assert loss(predicted[:, np.newaxis]) == loss(predicted)


def test_the_first_class_may_be_positive() -> None:
    loss = scorer("recall", np.array([0, 0, 1]), classes=("bad", "good"), positive="bad")
    assert loss(np.array([0.9, 0.2, 0.1])) == -0.5
    assert loss(np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])) == -0.5


def test_undefined_is_the_worst_loss() -> None:
    assert scorer("auc", np.array([1, 1]), classes=("a", "b"), positive="b")(np.array([0.1, 0.9])) == np.inf
    assert scorer("r2", np.array([1.0, 1.0]))(np.array([1.0, 2.0])) == np.inf


def test_custom_metrics_see_predictions() -> None:
    def cost(p: Predictions) -> np.ndarray:
        return (p.table["target"] != p.table["prediction"]).to_numpy() * 2.0

    metric = Metric.custom("cost", cost, greater_is_better=False)
    probability = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert scorer(metric, np.array([0, 0]), classes=("a", "b"), positive="b")(probability) == 1.0
    error = Metric.custom("error", lambda p: p.target_values - p.prediction_values, greater_is_better=False)
    assert scorer(error, np.array([1.0, 2.0]))(np.array([0.0, 0.0])) == 1.5
