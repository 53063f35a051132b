"""Curves agree with scikit-learn's, and calibration error with what simulation says it should be."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from holdfast.core.curves import Pictures
from holdfast.core.predictions import Predictions
from holdfast.errors import PredictionsError
from holdfast.metrics import evaluate
from holdfast.metrics.calibration import reliability
from holdfast.metrics.curves import MOST_POINTS, pictures, precision_recall, residuals, roc, thinned


def made(
    n: int, seed: int = 0, *, bend: float = 1.0, decimals: int = 8, weighted: bool = False
) -> Predictions:
    """Binary rows whose log odds are `bend` times the true ones (1: calibrated)."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-0.5, 1.5, n)
    target = rng.random(n) < 1 / (1 + np.exp(-logit))
    score = np.round(1 / (1 + np.exp(-bend * logit)), decimals)
    weight = rng.integers(1, 4, n) if weighted else None
    return Predictions.of(
        example=np.arange(n), target=target.astype(int), probability=score, classes=[0, 1], weight=weight
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("decimals", [1, 2])
def test_roc_and_precision_recall_agree_with_sklearn(decimals: int, weighted: bool) -> None:
    p = made(400, decimals=decimals, weighted=weighted)
    y, score = p.target_codes, np.asarray(p.positive_probability)
    curve = roc(p, "1")
    false, true, threshold = sk.roc_curve(y, score, sample_weight=p.weight, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, false)
    np.testing.assert_allclose(curve.true_positive_rate, true)
    np.testing.assert_allclose(curve.threshold[1:], threshold[1:])
    assert curve.threshold[0] > 1
    assert curve.area.value == pytest.approx(sk.roc_auc_score(y, score, sample_weight=p.weight))
    steps = precision_recall(p, "1")
    precision, recall, threshold = sk.precision_recall_curve(y, score, sample_weight=p.weight)
    np.testing.assert_allclose(steps.precision, precision[:-1][::-1])
    np.testing.assert_allclose(steps.recall, recall[:-1][::-1])
    np.testing.assert_allclose(steps.threshold, threshold[::-1])
    assert steps.average_precision.value == pytest.approx(evaluate(p, "average_precision").value)


def test_curves_are_thinned_and_keep_their_shape() -> None:
    p = made(50_000)
    curve, steps = roc(p, "1"), precision_recall(p, "1")
    assert len(curve.threshold) <= MOST_POINTS
    assert len(steps.threshold) <= MOST_POINTS
    assert (curve.false_positive_rate[[0, -1]] == [0, 1]).all()
    assert (curve.true_positive_rate[[0, -1]] == [0, 1]).all()
    assert (np.diff(curve.threshold) < 0).all()
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(curve.area.value, abs=5e-4)


def test_thinning_keeps_both_ends() -> None:
    x = np.linspace(0, 1, 5_000)
    kept = thinned(x, x**3)
    assert kept[0] == 0
    assert kept[-1] == 4_999
    assert len(kept) <= MOST_POINTS
    assert thinned(np.zeros(500), np.zeros(500)).tolist() == [0]


def test_calibrated_predictions_have_no_error() -> None:
    curve = reliability(made(20_000))
    assert len(curve.count) == 15
    assert curve.count.sum() == 20_000
    assert curve.count.min() > 1_200
    assert curve.error.value < 0.01
    assert curve.error.low == 0
    assert abs(curve.error.value - curve.reference) < 0.01
    assert (curve.observed_low < curve.predicted).sum() >= 13
    assert (curve.predicted < curve.observed_high).sum() >= 13


def test_overconfidence_is_measured() -> None:
    big = reliability(made(1_000_000, seed=9, bend=2.0))
    curve = reliability(made(5_000, bend=2.0))
    assert big.error.value > 0.08
    assert curve.error.low < big.error.value < curve.error.high
    assert curve.error.value > 5 * curve.reference


def test_debiasing_removes_much_of_what_few_rows_add() -> None:
    """Calibrated predictions on 300 rows show a plain error of about 0.07; the reference knows the rest."""
    plain, errors, references = [], [], []
    for seed in range(30):
        curve = reliability(made(300, seed))
        share = curve.count / curve.count.sum()
        plain.append(float(share @ np.abs(curve.observed - curve.predicted)))
        errors.append(curve.error)
        references.append(curve.reference)
    value = np.mean([error.value for error in errors])
    assert np.mean(plain) > 0.06
    assert value < 0.65 * np.mean(plain)
    assert value == pytest.approx(np.mean(references), abs=0.006)
    assert np.mean([error.low == 0 for error in errors]) >= 0.9


@pytest.mark.slow
def test_error_interval_covers() -> None:
    truth = reliability(made(2_000_000, seed=99, bend=1.6)).error.value
    curves = [reliability(made(2_000, seed, bend=1.6)).error for seed in range(300)]
    assert np.mean([e.low <= truth <= e.high for e in curves]) > 0.92


def test_weights_count_in_calibration() -> None:
    p = made(600, weighted=True, decimals=2)
    rows = np.repeat(np.arange(600), np.asarray(p.weight).astype(int))
    again = Predictions.of(
        example=np.arange(len(rows)),
        target=p.target_codes[rows],
        probability=np.asarray(p.positive_probability)[rows],
        classes=[0, 1],
    )
    once, repeated = reliability(p), reliability(again)
    assert once.error.value >= 0
    assert np.average(once.observed, weights=once.count) == pytest.approx(
        np.average(repeated.observed, weights=repeated.count), abs=0.05
    )


def test_tied_scores_share_a_bin() -> None:
    p = Predictions.of(example=range(200), target=[0, 1] * 100, probability=[0.5] * 100 + [0.9] * 100)
    curve = reliability(p)
    np.testing.assert_allclose(curve.predicted, [0.5, 0.9], rtol=1e-6)
    assert curve.count.tolist() == [100, 100]


def test_reliability_without_probabilities_is_refused() -> None:
    with pytest.raises(PredictionsError, match="needs probabilities"):
        reliability(Predictions.of(example=[1, 2], target=["a", "b"], prediction=["a", "b"]))


def test_residuals_are_spread_over_the_predictions() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=5_000)
    p = Predictions.of(example=range(5_000), target=target, prediction=target / 2)
    drawn = residuals(p)
    assert drawn.n == 5_000
    assert len(drawn.residual) == MOST_POINTS
    np.testing.assert_allclose(drawn.residual, drawn.prediction)
    assert drawn.prediction[0] == target.min() / 2
    assert drawn.prediction[-1] == target.max() / 2


def test_pictures_are_what_applies() -> None:
    binary = pictures(made(300))
    assert [curve.label for curve in binary.roc] == ["1"]
    assert binary.confusion is not None
    assert binary.residuals is None
    rng = np.random.default_rng(0)
    many = Predictions.of(
        example=range(600), target=rng.integers(0, 12, 600), probability=rng.dirichlet(np.ones(12), 600)
    )
    assert len(pictures(many).roc) == len(pictures(many).reliability) == 10
    numbers = Predictions.of(example=range(9), target=np.arange(9.0), prediction=np.ones(9))
    assert pictures(numbers).residuals is not None
    assert pictures(numbers).confusion is None
    for nothing in (numbers.where(np.zeros(9, dtype=bool)), Predictions.of(example=[1], loss=[1.0])):
        assert pictures(nothing) == Pictures() or pictures(nothing).roc == ()
    labels = Predictions.of(example=range(4), target=["a", "b"] * 2, prediction=["a"] * 4)
    assert pictures(labels).confusion is not None
    assert pictures(labels).roc == ()
