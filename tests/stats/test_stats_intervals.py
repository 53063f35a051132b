"""Intervals by formula agree with scipy and with their definitions, and cover what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from holdfast.stats.interval import (
    Interval,
    effective_size,
    mean_t,
    on_logit_scale,
    paired_proportions,
    wilson,
)
from holdfast.stats.tails import critical, standardised, two_sided


@given(st.integers(1, 500), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_scipys(n, data, level):
    k = data.draw(st.integers(0, n))
    ours, theirs = wilson(k, n, level), stats.binomtest(k, n).proportion_ci(level, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_wilson_of_nothing_is_unknown():
    assert math.isnan(wilson(0, 0).low)


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=50).filter(lambda x: np.std(x) > 1e-3))
def test_mean_t_is_scipys(values):
    x = np.array(values)
    low, high = stats.t.interval(0.9, len(x) - 1, x.mean(), stats.sem(x))
    ours = mean_t(x, 0.9)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9, abs=1e-9)


def test_mean_t_of_clusters_is_the_t_of_their_means_when_they_are_equally_large():
    rng = np.random.default_rng(0)
    groups, values = np.repeat(np.arange(12), 5), rng.normal(size=60)
    means = values.reshape(12, 5).mean(axis=1)
    ours, of_means = mean_t(values, groups=groups), mean_t(means)
    assert (ours.low, ours.high) == pytest.approx((of_means.low, of_means.high))


def test_mean_t_takes_weights_as_the_sandwich_does():
    rng = np.random.default_rng(0)
    values, weight = rng.normal(size=40), rng.random(40) + 0.5
    mean = np.average(values, weights=weight)
    error = math.sqrt((weight**2 * (values - mean) ** 2).sum() * 40 / 39) / weight.sum()
    ours = mean_t(values, weight=weight)
    assert (ours.low + ours.high) / 2 == pytest.approx(mean)
    assert (ours.high - ours.low) / 2 == pytest.approx(critical(0.95, df=39) * error)


def test_one_row_has_no_interval():
    assert math.isnan(mean_t(np.array([1.0])).low)


def test_effective_size_of_equal_weights_is_their_number():
    assert effective_size(np.full(7, 2.5)) == pytest.approx(7)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 200))
def test_tango_holds_the_difference_and_mirrors(b, c, agreeing):
    n = b + c + agreeing
    interval = paired_proportions(c, b, n)
    if n == 0:
        assert math.isnan(interval.low)
        return
    assert interval.low <= (b - c) / n <= interval.high
    assert interval.high > interval.low
    mirrored = paired_proportions(b, c, n).flipped()
    assert (interval.low, interval.high) == pytest.approx((mirrored.low, mirrored.high), abs=1e-9)


@pytest.mark.parametrize(("b", "c", "n"), [(9, 3, 40), (12, 2, 50), (1, 6, 30)])
def test_tango_solves_the_score_equation(b, c, n):
    # The score statistic, by maximising the likelihood on a grid of the nuisance share.
    interval = paired_proportions(c, b, n)
    for delta in (interval.low, interval.high):
        shares = np.linspace(max(0, -delta), (1 - delta) / 2, 400_001)[1:-1]
        likelihood = b * np.log(shares + delta) + c * np.log(shares)
        likelihood += (n - b - c) * np.log(1 - 2 * shares - delta)
        share = shares[likelihood.argmax()]
        score = (b - c - n * delta) / math.sqrt(n * (2 * share + delta - delta**2))
        assert abs(score) == pytest.approx(1.96, abs=1e-3)


def test_tango_covers():
    rng = np.random.default_rng(0)
    for only_first, only_second, n in [(0.1, 0.1, 200), (0.02, 0.05, 300), (0.3, 0.2, 50)]:
        shares = [only_first, only_second, 1 - only_first - only_second]
        draws = rng.multinomial(n, shares, size=1500)
        held = [
            interval.low <= only_second - only_first <= interval.high
            for interval in (paired_proportions(int(a), int(b), n) for a, b, _ in draws)
        ]
        assert np.mean(held) > 0.935


def test_logit_interval_stays_inside_and_falls_back_to_wilson():
    interval = on_logit_scale(0.99, 0.02, units=50)
    assert 0 < interval.low < 0.99 < interval.high < 1
    perfect = on_logit_scale(1.0, 0.0, units=50)
    assert perfect.high == 1
    assert perfect.low == pytest.approx(wilson(50, 50).low)


def test_within_a_margin():
    assert Interval(-0.01, 0.019).within(0.02)
    assert not Interval(-0.02, 0.01).within(0.02)


def test_tails():
    assert two_sided(2.262157, df=9) == pytest.approx(0.05, abs=1e-6)
    assert standardised(0.0, 0.0) == 0
    assert two_sided(standardised(1.0, 0.0)) == 0
