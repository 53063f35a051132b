"""Too much learned by heart, too little learned, and what more rows would gain, where the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_probe import boosted, clicks, dataset_of, logistic, probe_of, ridge, tree

import holdfast.debugging.fit as fit_module
from holdfast.debugging.case import case_of
from holdfast.debugging.fit import fit
from holdfast.debugging.learning_curve import exponent, learning_curve
from holdfast.debugging.leftover import leftover


def found_in(dataset, make, seed=0):
    probe = probe_of(dataset, make)
    return {one.kind: one for one in fit(dataset, probe.predictions(), probe, seed=seed)}, probe


def at_most(trials, rate=0.05):
    """How many of the trials may go wrong at this rate, two binomial standard errors allowed."""
    return trials * rate + 2 * np.sqrt(trials * rate * (1 - rate))


def noise(n, seed):
    rng = np.random.default_rng(seed)
    return dataset_of(
        {"a": rng.standard_normal(n), "b": rng.standard_normal(n), "y": rng.choice(["no", "yes"], n)}
    )


def linear(n, d, seed, noise=1.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    y = x.sum(axis=1) + noise * rng.standard_normal(n)
    return dataset_of({**{f"x{j:02}": x[:, j] for j in range(d)}, "y": y})


def crossed(n, seed):
    """Two numbers whose signs together, and neither alone, tell the label."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 3))
    same = x[:, 0] * x[:, 1] > 0
    return dataset_of(
        {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": np.where(same ^ (rng.random(n) < 0.1), "yes", "no")}
    )


def test_a_tree_that_learns_by_heart_overfits():
    found, probe = found_in(dataset_of(clicks(1200, 0)), tree)
    one = found["overfitting"]
    assert one.effect.low > 1
    assert one.p < 1e-6
    assert one.facts["training loss"].value < 0.01
    assert [fix.fix for fix in one.fixes] == ["regularise", "collect"]
    assert "underfitting" not in found
    assert sum(probe.fits) <= 2


def test_a_fitting_model_neither_overfits_nor_underfits():
    found, _ = found_in(dataset_of(clicks(2000, 1)), logistic)
    assert found == {}


def test_a_linear_model_of_a_crossed_effect_underfits_and_trees_do_not():
    found, _ = found_in(crossed(1500, 2), logistic)
    one = found["underfitting"]
    assert one.effect.low > 0.05
    assert one.p < 1e-6
    assert one.effect.value < one.facts["Brier score"]
    assert "overfitting" not in found
    assert "underfitting" not in found_in(crossed(1500, 2), boosted)[0]


def test_a_model_of_numbers_that_misses_a_square_underfits():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((800, 2))
    dataset = dataset_of(
        {"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] ** 2 + x[:, 1] + 0.5 * rng.standard_normal(800)}
    )
    found, _ = found_in(dataset, ridge)
    assert found["underfitting"].effect.low > 0.5


@pytest.mark.parametrize("trials", [10, pytest.param(150, marks=pytest.mark.slow)])
def test_where_there_is_nothing_to_learn_nothing_is_found(trials):
    reported = sum(bool(found_in(noise(300, seed), logistic, seed)[0]) for seed in range(trials))
    assert reported <= at_most(trials)


@pytest.mark.parametrize("trials", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_nothing_is_left_over_by_a_model_that_knows_the_truth(trials):
    above = 0
    for seed in range(trials):
        dataset = linear(500, 3, seed)
        probe = probe_of(dataset, ridge)
        rest = leftover(case_of(dataset, probe.predictions()), seed=seed)
        above += rest.saved.p_above() <= 0.05
        assert rest.squared == pytest.approx(1, abs=0.4)
        assert rest.guess == pytest.approx(4, abs=1.5)
    assert above <= at_most(trials)


def test_a_nearly_perfect_model_is_left_alone():
    rng = np.random.default_rng(8)
    x = rng.standard_normal((900, 2))
    truth = x[:, 0] + 0.003 * x[:, 1] ** 2
    found, _ = found_in(dataset_of({"a": x[:, 0], "b": x[:, 1], "y": truth}), ridge)
    assert "underfitting" not in found


def gain_of_least_squares(n, d, noise):
    """The truth: with m training rows least squares loses noise (1 + d / (m - d - 1))."""
    m = 0.8 * n
    return noise**2 * d * (1 / (m - d - 1) - 1 / (2 * m - d - 1))


@pytest.mark.parametrize("trials", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_the_gain_of_twice_the_data_is_held_by_its_interval_as_often_as_it_says(trials):
    n, d, inside = 480, 12, 0
    truth = gain_of_least_squares(n, d, 1.0)
    values = []
    for seed in range(trials):
        dataset = linear(n, d, seed)
        probe = probe_of(dataset, ridge)
        curve = learning_curve(case_of(dataset, probe.predictions()), probe, seed=seed)
        gain = curve.next_doubling()
        values.append(gain.value)
        inside += gain.low <= truth <= gain.high
    assert trials - inside <= at_most(trials)
    assert np.median(values) == pytest.approx(truth, rel=0.5)


def test_more_data_is_asked_for_where_the_curve_still_falls_and_not_where_it_is_flat():
    found, _ = found_in(linear(400, 20, 4, noise=2.0), ridge)
    one = found["more data"]
    assert one.effect.low > 0
    assert one.effect.low < gain_of_least_squares(400, 20, 2.0) < one.effect.high
    assert "more data" not in found_in(linear(2000, 2, 5), ridge)[0]


def test_points_of_accuracy_are_told_for_classes():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((500, 60))
    label = np.where(x[:, :30].sum(axis=1) + rng.standard_normal(500) > 0, "yes", "no")
    found, _ = found_in(dataset_of({**{f"x{j:02}": x[:, j] for j in range(60)}, "y": label}), logistic)
    points = found["more data"].facts["points of accuracy from twice the data"]
    assert 0.5 < points.value < 15


@pytest.mark.parametrize("c", [0.3, 0.5, 1.0, 1.5])
def test_a_power_law_is_recognised(c):
    shares = np.array([0.125, 0.25, 0.5, 1.0])
    assert exponent(shares, 0.4 + 0.2 * shares**-c) == pytest.approx(c)


def test_from_a_sample_the_curve_is_followed_to_all_rows_and_from_there_to_twice_as_many():
    n, part = 2400, 600
    truth = gain_of_least_squares(n, 12, 1.0)
    found = []
    for seed in range(20):
        dataset = linear(n, 12, seed)
        probe = replace(probe_of(dataset, ridge), affordable=part)
        curve = learning_curve(case_of(dataset, probe.predictions()), probe, seed=seed)
        assert curve.shares == pytest.approx((0.03125, 0.0625, 0.125, 0.25))
        assert len(curve.judged) == part
        found.append(curve.next_doubling())
    assert sum(gain.low <= truth <= gain.high for gain in found) >= 18
    nearer = gain_of_least_squares(part, 12, 1.0)
    assert np.median([gain.value for gain in found]) < nearer / 4


def test_what_is_told_of_a_sample_says_so_and_a_share_is_of_the_loss_of_all_rows():
    n, part = 2400, 400
    dataset = linear(n, 12, 0)
    probe = replace(probe_of(dataset, ridge), affordable=part)
    curve = learning_curve(case_of(dataset, probe.predictions()), probe)
    truth = 1 + 12 / (0.8 * n - 13)  # the mean squared error of least squares
    assert curve.loss_of_all() == pytest.approx(truth, abs=0.12)
    assert curve.loss_of_all() < curve.losses()[-1].value
    whole = learning_curve(case_of(dataset, probe.predictions()), replace(probe, affordable=n))
    assert whole.loss_of_all() == whole.losses()[-1].value

    wide = linear(1200, 60, 4, noise=2.0)
    probe = replace(probe_of(wide, ridge), affordable=600)
    one = {one.kind: one for one in fit(wide, probe.predictions(), probe)}["more data"]
    assert one.title.endswith("(told by 600 sampled rows)")
    assert one.size == 1200
    assert "saved by doubling 0.25 of the rows" in one.facts
    assert "saved by the last doubling" not in one.facts


def test_a_gap_on_sampled_rows_says_so(monkeypatch):
    monkeypatch.setattr(fit_module, "_ROWS", 800)
    found, _ = found_in(dataset_of(clicks(1200, 0)), tree)
    assert found["overfitting"].title.endswith("(of 800 sampled rows)")
    assert found["overfitting"].size == 800


def test_too_few_rows_have_no_learning_curve():
    dataset = linear(120, 2, 7)
    probe = probe_of(dataset, ridge)
    assert learning_curve(case_of(dataset, probe.predictions()), probe) is None
    assert probe.fits == []
