"""Temperature and threshold: found when they matter, left alone when they do not."""

import numpy as np
import pytest

from holdfast.stats.tempering import tempered
from holdfast.training.decision import best_threshold, calibrate, choose_threshold, fit_temperature


def f1(tables):
    hit, false, missed = tables[..., 1, 1], tables[..., 0, 1], tables[..., 1, 0]
    return 2 * hit / (2 * hit + false + missed)


def scores(n, sharpness, seed=0):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1.5, 1.5, size=n)
    codes = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    positive = 1 / (1 + np.exp(-sharpness * logit))
    return np.stack([1 - positive, positive], axis=1), codes, np.arange(n) % 5


@pytest.mark.parametrize("sharpness", [0.5, 2.0, 3.0])
def test_temperature_undoes_sharpening(sharpness):
    probability, codes, fold = scores(20_000, sharpness)
    calibration, adjusted = calibrate(probability, codes, fold)
    assert calibration.kept
    assert calibration.after < calibration.before
    assert calibration.temperature == pytest.approx(sharpness, rel=0.1)
    assert np.allclose(adjusted.sum(axis=1), 1)


def test_calibrated_probabilities_are_left_alone():
    kept = [calibrate(*scores(2000, 1.0, seed))[0].kept for seed in range(20)]
    assert sum(kept) <= 6  # "by more than one standard error" happens by chance in about one of six


def test_tempering_keeps_the_order_of_classes():
    probability = np.random.default_rng(0).dirichlet(np.ones(4), size=50)
    assert (tempered(probability, 2.5).argmax(1) == probability.argmax(1)).all()


def test_fit_temperature_against_a_grid():
    probability, codes, _ = scores(1000, 1.7)
    grid = np.exp(np.linspace(-1.6, 1.6, 400))
    rows = np.arange(len(codes))
    losses = [-np.log(tempered(probability, t)[rows, codes]).mean() for t in grid]
    assert fit_temperature(probability, codes) == pytest.approx(grid[int(np.argmin(losses))], rel=0.02)


def test_threshold_against_trying_every_cut():
    probability, codes, _ = scores(400, 1.0)
    score, positive = probability[:, 1], codes == 1

    def value(threshold):
        table = np.bincount(2 * positive + (score >= threshold), minlength=4).reshape(2, 2)
        return f1(table)

    best = max(value(t) for t in score)
    assert value(best_threshold(score, positive, f1)) == pytest.approx(best)


def test_a_helpful_threshold_is_kept_with_its_figures():
    probability, codes, fold = scores(5000, 1.0)
    chosen, decided = choose_threshold(probability[:, 1], codes == 1, fold, f1)
    assert chosen.kept
    assert chosen.after > chosen.before
    assert 0.1 < chosen.threshold < 0.5
    assert decided.dtype == bool
