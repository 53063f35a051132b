"""Distances between samples: what they are, and how often chance alone makes them large."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.spatial.distance import jensenshannon

from holdfast.stats.divergence import jensen_shannon, population_stability, wasserstein

counts = hnp.arrays(np.int64, 6, elements=st.integers(0, 500)).filter(lambda c: c.sum() > 0)
values = hnp.arrays(np.float64, st.integers(2, 40), elements=st.floats(-100, 100))


@given(counts, counts)
def test_jensen_and_shannons_distance_is_scipys(first, second):
    assert jensen_shannon(first, second) == pytest.approx(jensenshannon(first, second, base=2), abs=1e-7)


@given(values, values)
def test_wassersteins_distance_is_scipys_in_standard_deviations(first, second):
    spread = first.std()
    if spread > 1e-6:
        expected = stats.wasserstein_distance(first, second) / spread
        assert wasserstein(first, second) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(counts)
def test_nothing_is_as_stable_as_itself(both):
    psi, p = population_stability(both, both)
    assert psi == 0
    assert p == 1


@given(counts, counts, st.permutations(range(6)))
def test_the_index_knows_no_order_of_bins_and_no_first_sample(first, second, order):
    psi, p = population_stability(first, second)
    assert (psi, p) == pytest.approx(population_stability(second[order], first[order]))


def test_the_index_is_the_sum_that_its_definition_says():
    first, second = np.array([30, 50, 20, 0]), np.array([10, 60, 25, 0])
    r, c = (first[:3] + 0.5) / (100 + 1.5), (second[:3] + 0.5) / (95 + 1.5)
    assert population_stability(first, second)[0] == pytest.approx(((r - c) * np.log(r / c)).sum())


@pytest.mark.parametrize("rows", [100, 400, 5_000])
@pytest.mark.parametrize("shares", [(0.1,) * 10, (0.5, 0.3, 0.1, 0.1)])
def test_without_drift_its_p_is_below_alpha_as_often_as_alpha_says(rows, shares):
    rng, trials = np.random.default_rng(0), 3_000
    first, second = rng.multinomial(rows, shares, size=(2, trials))
    p = np.array([population_stability(a, b)[1] for a, b in zip(first, second, strict=True)])
    for alpha in (0.05, 0.01):
        assert (p <= alpha).mean() <= alpha + 2 * np.sqrt(alpha * (1 - alpha) / trials)
    assert (p <= 0.05).mean() > 0.03


def test_what_an_index_means_depends_on_the_rows():
    rng, even = np.random.default_rng(1), np.full(10, 0.1)
    for rows, usual in ((200, 0.17), (20_000, 0.0017)):
        drawn = [population_stability(*rng.multinomial(rows, even, size=2))[0] for _ in range(2_000)]
        assert np.quantile(drawn, 0.95) == pytest.approx(usual, rel=0.08)


def test_rows_that_are_fewer_units_prove_less():
    first, second = np.array([500, 500]), np.array([420, 580])
    alone, together = (population_stability(first, second, units=u)[1] for u in (None, (50.0, 50.0)))
    assert alone < 0.001
    assert together > 0.2


def test_without_rows_or_bins_nothing_drifts():
    assert population_stability(np.array([5, 0]), np.array([7, 0])) == (0.0, 1.0)
    assert population_stability(np.array([5, 5]), np.array([0, 0])) == (0.0, 1.0)
    assert np.isnan(jensen_shannon(np.array([0, 0]), np.array([1, 1])))
    assert np.isnan(wasserstein(np.array([]), np.array([1.0])))
    assert wasserstein(np.ones(3), np.ones(2)) == 0
    assert wasserstein(np.ones(3), np.zeros(2)) == np.inf
