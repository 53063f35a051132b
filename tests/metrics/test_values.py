"""Values agree with scikit-learn's on random inputs, weighted or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import PlanError
from holdfast.metrics import Metric, confusion_table, evaluate, names, per_class, resolve


def classified(n: int, K: int, seed: int, *, weighted: bool = False, decimals: int = 3) -> Predictions:
    """Rows in which every class occurs in target and prediction, with many tied probabilities."""
    rng = np.random.default_rng(seed)
    probability = np.round(rng.dirichlet(np.ones(K), size=n), decimals)
    probability /= probability.sum(axis=1, keepdims=True)
    target = np.where(rng.random(n) < 0.5, probability.argmax(axis=1), rng.integers(0, K, n))
    target[:K] = np.arange(K)
    probability[:K] = np.eye(K)
    weight = rng.integers(1, 4, n).astype(float) if weighted else None
    return Predictions.of(
        example=np.arange(n), target=target, probability=probability, classes=range(K), weight=weight
    )


def regressed(n: int, seed: int, *, weighted: bool = False) -> Predictions:
    rng = np.random.default_rng(seed)
    target = rng.normal(3, 2, n)
    weight = rng.random(n) + 0.1 if weighted else None
    return Predictions.of(
        example=np.arange(n), target=target, prediction=target + rng.normal(0, 1, n), weight=weight
    )


def _averaged(score, average):  # type: ignore[no-untyped-def]
    return lambda y, label, _probability, w: score(y, label, average=average, sample_weight=w)


def _f1_family(average: str) -> dict[str, object]:
    suffix = "" if average == "binary" else f"_{average}"
    scores = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
    return {f"{name}{suffix}": _averaged(score, average) for name, score in scores.items()}


ORACLES = {
    "accuracy": lambda y, label, p, w: sk.accuracy_score(y, label, sample_weight=w),
    "error_rate": lambda y, label, p, w: 1 - sk.accuracy_score(y, label, sample_weight=w),
    "balanced_accuracy": lambda y, label, p, w: sk.balanced_accuracy_score(y, label, sample_weight=w),
    "mcc": lambda y, label, p, w: sk.matthews_corrcoef(y, label, sample_weight=w),
    "log_loss": lambda y, label, p, w: sk.log_loss(y, p, sample_weight=w, labels=range(p.shape[1])),
    "brier": lambda y, label, p, w: sk.brier_score_loss(
        y, p[:, 1] if p.shape[1] == 2 else p, sample_weight=w, labels=list(range(p.shape[1]))
    ),
    **_f1_family("macro"),
    **_f1_family("weighted"),
}
BINARY = {
    **_f1_family("binary"),
    "auc": lambda y, label, p, w: sk.roc_auc_score(y, p[:, 1], sample_weight=w),
    "average_precision": lambda y, label, p, w: sk.average_precision_score(y, p[:, 1], sample_weight=w),
}
MULTI = {
    **{name: ORACLES[f"{name}_macro"] for name in ("precision", "recall", "f1")},
    "auc": lambda y, label, p, w: np.mean(
        [sk.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in range(p.shape[1])]
    ),
    "average_precision": lambda y, label, p, w: np.mean(
        [sk.average_precision_score(y == k, p[:, k], sample_weight=w) for k in range(p.shape[1])]
    ),
}


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), K=st.sampled_from([2, 3, 5]), weighted=st.booleans())
def test_classification_agrees_with_sklearn(seed: int, K: int, weighted: bool) -> None:
    p = classified(120, K, seed, weighted=weighted)
    oracles = ORACLES | (BINARY if K == 2 else MULTI)
    assert set(oracles) == set(names(Task.CLASSIFICATION))
    seen = p.target_codes, p.prediction_codes, np.asarray(p.probability), p.weight
    for name, oracle in oracles.items():
        assert resolve(name, p).value(p) == pytest.approx(oracle(*seen), rel=1e-5, abs=1e-7), name


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), weighted=st.booleans())
def test_regression_agrees_with_sklearn(seed: int, weighted: bool) -> None:
    p = regressed(101, seed, weighted=weighted)
    y, predicted, w = p.target_values, p.prediction_values, p.weight
    oracles = {
        "rmse": sk.root_mean_squared_error(y, predicted, sample_weight=w),
        "mse": sk.mean_squared_error(y, predicted, sample_weight=w),
        "mae": sk.mean_absolute_error(y, predicted, sample_weight=w),
        "r2": sk.r2_score(y, predicted, sample_weight=w),
        "mape": sk.mean_absolute_percentage_error(y, predicted, sample_weight=w),
        "median_absolute_error": sk.median_absolute_error(y, predicted, sample_weight=w),
        "pinball": sk.mean_pinball_loss(y, predicted, sample_weight=w),
    }
    assert set(oracles) == set(names(Task.REGRESSION))
    for name, value in oracles.items():
        assert resolve(name, p).value(p) == pytest.approx(value, rel=1e-9), name
    tenth = resolve("pinball:0.1", p).value(p)
    assert tenth == pytest.approx(sk.mean_pinball_loss(y, predicted, sample_weight=w, alpha=0.1))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("K", [2, 4])
def test_every_estimate_holds_its_value(K: int, weighted: bool) -> None:
    for p in (classified(300, K, 1, weighted=weighted), regressed(300, 1, weighted=weighted)):
        for name, estimate in evaluate(p).items():
            assert estimate.value == pytest.approx(resolve(name, p).value(p)), name
            assert estimate.low < estimate.value < estimate.high, (name, estimate)
            assert estimate.n == 300
            assert estimate.method


def test_weights_count_like_repeated_rows() -> None:
    p = classified(90, 3, 5, weighted=True)
    repeats = np.asarray(p.weight).astype(int)
    rows = np.repeat(np.arange(len(p)), repeats)
    again = Predictions.of(
        example=np.arange(len(rows)),
        target=p.target_codes[rows],
        probability=np.asarray(p.probability)[rows],
        classes=range(3),
    )
    for name in names(Task.CLASSIFICATION):
        assert resolve(name, p).value(p) == pytest.approx(resolve(name, again).value(again), rel=1e-6), name


def test_per_class_agrees_with_sklearn() -> None:
    p = classified(200, 4, 2)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(p.target_codes, p.prediction_codes)
    found = per_class(p)
    assert list(found) == ["0", "1", "2", "3"]
    for k, of_class in enumerate(found.values()):
        assert of_class["precision"].value == pytest.approx(precision[k])
        assert of_class["recall"].value == pytest.approx(recall[k])
        assert of_class["f1"].value == pytest.approx(f1[k])
        area = sk.roc_auc_score(p.target_codes == k, np.asarray(p.probability)[:, k])
        assert of_class["auc"].value == pytest.approx(area)
        assert all(e.low < e.value < e.high for e in of_class.values())


def test_one_class_is_judged_by_name() -> None:
    p = Predictions.of(example=range(60), target=list("aBc") * 20, prediction=list("aBB") * 20)
    assert evaluate(p, "recall_B") == per_class(p)["B"]["recall"]
    assert evaluate(p, "Recall_c").value == 0.0
    assert evaluate(p, "precision_c").reason == "no row is predicted to be 'c'"
    assert evaluate(p, "recall_macro").value == pytest.approx(2 / 3)
    with pytest.raises(PlanError, match="recall_d"):
        evaluate(p, "recall_d")


def test_confusion_table_agrees_with_sklearn() -> None:
    p = classified(200, 4, 3, weighted=True)
    oracle = sk.confusion_matrix(p.target_codes, p.prediction_codes, sample_weight=p.weight)
    np.testing.assert_allclose(confusion_table(p), oracle)


def test_many_tables_at_once() -> None:
    p = classified(100, 3, 4)
    tables = np.stack([confusion_table(p.where(np.arange(100) < stop)) for stop in (50, 80, 100)])
    for name in names(Task.CLASSIFICATION):
        metric = resolve(name, p)
        if metric.family in ("accuracy", "confusion"):
            together = metric.of_counts(tables[np.newaxis], p.header.classes, None)
            alone = [metric.of_counts(table, p.header.classes, None) for table in tables]
            np.testing.assert_allclose(together, [alone], err_msg=name)
            assert metric.of_counts(tables.astype(np.float32), p.header.classes, None).shape == (3,)


def _five_if_missed(p: Predictions) -> np.ndarray:
    return 5.0 * (p.target_codes > p.prediction_codes)


def test_custom_metric_is_a_mean_of_rows() -> None:
    p = classified(150, 2, 6, weighted=True)
    cost = Metric.custom("cost", _five_if_missed, greater_is_better=False)
    estimate = evaluate(p, cost)
    assert estimate.value == pytest.approx(np.average(_five_if_missed(p), weights=p.weight))
    assert estimate.low < estimate.value < estimate.high


def test_losses_alone_have_a_mean() -> None:
    loss = np.random.default_rng(0).random(50)
    p = Predictions.of(example=range(50), loss=loss)
    assert list(evaluate(p)) == ["loss"]
    assert evaluate(p, "loss").value == pytest.approx(loss.mean())
