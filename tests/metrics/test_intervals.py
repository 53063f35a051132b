"""Intervals agree with slow, obvious oracles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import InputError
from holdfast.metrics import Metric, evaluate, names, resolve
from holdfast.stats.area import newcombe
from holdfast.stats.folded import folded_normal_mean
from holdfast.stats.mean import mean_interval


def binary(n: int, seed: int = 0, shift: float = 1.5) -> Predictions:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.4
    score = 1 / (1 + np.exp(-rng.normal(size=n) - shift * (positive - 0.5)))
    return Predictions.of(example=range(n), target=positive.astype(int), probability=score, classes=[0, 1])


def numbers(n: int, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    target = rng.lognormal(1, 0.5, n)
    return Predictions.of(example=range(n), target=target, prediction=target + rng.normal(size=n))


def repeated(p: Predictions, times: int, **changes: object) -> Predictions:
    """Each row several times; `group` names the row it came from unless changed."""
    rows = np.repeat(np.arange(len(p)), times)
    outputs = (
        {"target": p.target_codes[rows], "probability": np.asarray(p.probability)[rows], "classes": [0, 1]}
        if p.header.task is Task.CLASSIFICATION
        else {"target": p.target_values[rows], "prediction": p.prediction_values[rows]}
    )
    given = {"example": np.arange(len(rows)), "group": rows, **outputs, **changes}
    return Predictions.of(**given)  # type: ignore[arg-type]


def test_accuracy_is_wilson() -> None:
    p = binary(87)
    right = int((p.target_codes == p.prediction_codes).sum())
    oracle = stats.binomtest(right, 87).proportion_ci(0.9, method="wilson")
    estimate = evaluate(p, "accuracy", level=0.9)
    assert (estimate.low, estimate.high) == pytest.approx((oracle.low, oracle.high))
    wrong = evaluate(p, "error_rate", level=0.9)
    assert (1 - wrong.high, 1 - wrong.low) == pytest.approx((oracle.low, oracle.high))


def test_auc_is_delong_on_the_logit_scale() -> None:
    p = binary(900)
    positive = p.target_codes == 1
    score = np.asarray(p.positive_probability)
    above = np.sign(score[positive][:, np.newaxis] - score[~positive]) / 2 + 0.5
    m, q = above.shape
    error = np.sqrt(above.mean(axis=1).var(ddof=1) / m + above.mean(axis=0).var(ddof=1) / q)
    value = above.mean()
    half = stats.t.ppf(0.975, min(m, q) - 1) * error / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-(np.log(value / (1 - value)) + np.array([-half, half]))))
    estimate = evaluate(p, "auc")
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((value, low, high), abs=2e-6)


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy", "mcc"])
def test_confusion_metrics_are_the_bootstrap_of_rows(name: str) -> None:
    p = binary(300)
    estimate, of_counts = evaluate(p, name), resolve(name, p).of_counts

    def of_rows(rows: np.ndarray) -> float:
        table = np.bincount(p.target_codes[rows] * 2 + p.prediction_codes[rows], minlength=4).reshape(2, 2)
        return float(of_counts(table.astype(float), p.header.classes, p.header.positive))

    rng = np.random.default_rng(0)
    drawn = stats.bootstrap((np.arange(300),), of_rows, n_resamples=1_500, vectorized=False, rng=rng)
    low, high = drawn.confidence_interval
    assert estimate.low == pytest.approx(low, abs=0.1 * (high - low))
    assert estimate.high == pytest.approx(high, abs=0.1 * (high - low))


def test_a_mean_below_a_thousand_rows_is_no_narrower_than_scipys_bca() -> None:
    loss = np.random.default_rng(0).exponential(size=120)
    oracle = stats.bootstrap((loss,), np.mean, n_resamples=5_000, method="BCa", rng=np.random.default_rng(1))
    low, high = oracle.confidence_interval
    estimate = evaluate(Predictions.of(example=range(120), loss=loss), "loss")
    width = high - low
    assert low - 0.15 * width <= estimate.low <= low + 0.03 * width
    assert high - 0.03 * width <= estimate.high <= high + 0.3 * width
    assert estimate.method == "BCa"


def test_a_mean_from_a_thousand_rows_on_is_students() -> None:
    loss = np.random.default_rng(0).exponential(size=1_000)
    estimate = evaluate(Predictions.of(example=range(1_000), loss=loss), "loss")
    low, high = stats.t.interval(0.95, 999, loss.mean(), stats.sem(loss))
    assert (estimate.low, estimate.high) == pytest.approx((low, high))


def test_rmse_is_the_root_of_mse() -> None:
    for p in (numbers(300), numbers(3_000)):
        root, square = evaluate(p, "rmse"), evaluate(p, "mse")
        assert root.value**2 == pytest.approx(square.value)
        assert (root.low**2, root.high**2) == pytest.approx((square.low, square.high))


def test_median_bounds_are_order_statistics() -> None:
    p = numbers(501)
    rows = np.sort(np.abs(p.target_values - p.prediction_values))
    estimate = evaluate(p, "median_absolute_error")
    below, above = np.searchsorted(rows, [estimate.low, estimate.high])
    exact = stats.binom.cdf(above, 501, 0.5) - stats.binom.cdf(below, 501, 0.5)
    assert 0.95 <= exact <= 0.97


@pytest.mark.parametrize("make", [binary, numbers])
@pytest.mark.parametrize("times", [2, 5])
def test_rows_that_repeat_in_a_group_say_nothing_new(make, times: int) -> None:  # type: ignore[no-untyped-def]
    p = make(1_200)
    once, again, naive = evaluate(p), evaluate(repeated(p, times)), evaluate(repeated(p, times, group=None))
    for name, estimate in again.items():
        width, honest = estimate.high - estimate.low, once[name].high - once[name].low
        assert estimate.value == pytest.approx(once[name].value), name
        assert width == pytest.approx(honest, rel=0.12), name
        assert width > 1.25 * (naive[name].high - naive[name].low), name
        assert "clustered by 1,200 groups" in estimate.method


def test_few_groups_draw_whole_groups() -> None:
    p = repeated(binary(30), 10)
    estimate = evaluate(p, "f1")
    assert estimate.method == "cluster bootstrap, clustered by 30 groups"
    assert estimate.high - estimate.low > 2 * _width(evaluate(repeated(binary(30), 10, group=None), "f1"))


def _width(estimate) -> float:  # type: ignore[no-untyped-def]
    return estimate.high - estimate.low


@pytest.mark.parametrize("make", [binary, numbers])
def test_the_unit_of_weights_does_not_count(make) -> None:  # type: ignore[no-untyped-def]
    p = make(400)
    weight = np.random.default_rng(1).choice([1.0, 2.0, 5.0], 400)
    one, other = (evaluate(repeated(p, 1, group=None, weight=weight * unit)) for unit in (1.0, 64.0))
    for name, estimate in one.items():
        same = other[name]
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
            (same.value, same.low, same.high), rel=1e-3
        ), name
        assert estimate.method.endswith("weighted")


def test_many_sizes_of_weights_are_linearised() -> None:
    p = repeated(binary(500), 1, group=None, weight=np.random.default_rng(0).uniform(0.5, 1.5, 500))
    plain = evaluate(binary(500), "f1")
    estimate = evaluate(p, "f1")
    assert estimate.method == "linearised, logit scale, weighted"
    assert _width(estimate) == pytest.approx(_width(plain), rel=0.2)


def test_level_and_seed() -> None:
    p = binary(300)
    for name in names(Task.CLASSIFICATION):
        narrow, wide = evaluate(p, name, level=0.5), evaluate(p, name, level=0.99)
        assert wide.low < narrow.low < narrow.high < wide.high, name
        assert evaluate(p, name, seed=3) == evaluate(p, name, seed=3)
        assert evaluate(p)[name] == evaluate(p, name)
        other = evaluate(p, name, seed=4)
        assert other.low == pytest.approx(evaluate(p, name).low, abs=0.2 * _width(other)), name
    with pytest.raises(InputError, match="between 0 and 1"):
        evaluate(p, "accuracy", level=1.0)


def test_one_row_that_holds_much_of_the_sum_is_told_of() -> None:
    loss = np.ones(400)
    loss[7] = 100.0
    estimate = evaluate(Predictions.of(example=range(400), loss=loss), "loss")
    assert "one row holds 20% of the sum, with the top 1 % winsorised 1.000 [1.000, 1.000]" in estimate.method
    assert "winsorised" not in evaluate(numbers(2_000), "mae").method


def test_losses_are_not_below_zero_but_custom_metrics_may_be() -> None:
    p = Predictions.of(example=range(25), target=np.zeros(25), prediction=[0.0] * 24 + [5.0])
    assert evaluate(p, "mse").low == 0
    gain = Metric.custom("gain", lambda q: q.prediction_values - 0.1, greater_is_better=True)
    assert evaluate(p, gain).low < 0


def test_mean_interval_has_a_smallest_sample() -> None:
    rng = np.random.default_rng(0)
    interval, method = mean_interval(rng.random(19), 0.95, rng)
    assert np.isnan(interval.low)
    assert method == "none: fewer than 20 independent values"
    interval, _ = mean_interval(np.full(50, 3.0), 0.95, rng)
    assert (interval.low, interval.high) == (3.0, 3.0)


def test_newcombe_is_where_the_area_is_a_critical_value_away() -> None:
    for value, m, q in [(0.5, 20, 30), (0.9, 15, 200), (1.0, 20, 80), (0.0, 5, 5)]:
        interval = newcombe(value, m, q)
        for bound in (interval.low, interval.high):
            if 0 < bound < 1:
                first, second = bound / (2 - bound), 2 * bound**2 / (1 + bound)
                # Hanley and McNeil (1982) with both class sizes at their mean.
                half = (m + q) / 2 - 1
                spread = bound * (1 - bound) + half * (first + second - 2 * bound**2)
                assert abs(value - bound) == pytest.approx(1.96 * np.sqrt(spread / (m * q)), rel=1e-3)


def test_folded_normal_mean_is_the_mean() -> None:
    rng = np.random.default_rng(0)
    for mean, sd in [(0.0, 1.0), (0.3, 0.5), (-1.0, 0.2)]:
        drawn = np.abs(rng.normal(mean, sd, 400_000)).mean()
        assert folded_normal_mean(np.array(mean), np.array(sd)) == pytest.approx(drawn, rel=5e-3)


def test_a_rare_class_widens_the_mean_auc_by_its_share_only() -> None:
    """As wide as what a bootstrap of rows finds, where the rare class's own bound is twice as wide."""

    def sample(n: int, rng: np.random.Generator) -> Predictions:
        target = rng.choice(3, n, p=[0.6, 0.35, 0.05])
        score = rng.normal(size=(n, 3))
        score[np.arange(n), target] += 1.5
        probability = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
        return Predictions.of(example=range(n), target=target, probability=probability, classes=[0, 1, 2])

    rng = np.random.default_rng(0)
    truth = evaluate(sample(100_000, rng), "auc").value
    found = [evaluate(sample(1_000, rng), "auc") for _ in range(100)]
    spread = 3.92 * np.std([estimate.value for estimate in found])
    assert spread * 0.95 < np.mean([estimate.high - estimate.low for estimate in found]) < spread * 1.25
    assert np.mean([estimate.low <= truth <= estimate.high for estimate in found]) >= 0.92


def test_few_groups_make_no_interval_that_is_too_narrow() -> None:
    """Of 12 groups the linearised error alone held the truth in 90 % of samples only."""

    def sample(groups: int, rng: np.random.Generator) -> Predictions:
        n = 25 * groups
        group = np.arange(n) % groups
        odds = 1.5 * rng.normal(size=groups)[group] - 0.85
        target = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
        score = 1.2 * target + 0.7 * rng.normal(size=n) + 0.8 * rng.normal(size=groups)[group]
        return Predictions.of(
            example=range(n), target=target, probability=1 / (1 + np.exp(-score)), classes=[0, 1], group=group
        )

    rng, names = np.random.default_rng(0), ("auc", "average_precision")
    large = sample(8_000, rng)
    truth = {name: evaluate(large, name).value for name in names}
    samples = [sample(12, rng) for _ in range(200)]
    for name in names:
        found = [evaluate(p, name) for p in samples]
        assert np.mean([e.low <= truth[name] <= e.high for e in found]) >= 0.925, name
