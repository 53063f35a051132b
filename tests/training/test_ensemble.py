"""Greedy selection against exhaustive search, and honesty of the cross-fitted mix."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.training.ensemble import cross_fitted, greedy_weights


def squared(truth):
    return lambda output: float(((output - truth) ** 2).mean())


def test_opposite_errors_cancel():
    truth = np.random.default_rng(0).normal(size=(200, 1))
    weights = greedy_weights([truth + 1, truth - 1, truth + 5], squared(truth))
    assert weights.tolist() == [0.5, 0.5, 0.0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_close_to_the_best_grid_mix(seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(100, 1))
    outputs = [truth + rng.normal(size=(100, 1)) * scale for scale in (0.5, 0.8, 1.0)]
    loss = squared(truth)
    greedy = loss(sum(w * o for w, o in zip(greedy_weights(outputs, loss), outputs, strict=True)))
    grid = (np.array(c) / 10 for c in product(range(11), repeat=3) if sum(c) == 10)
    best = min(loss(sum(w * o for w, o in zip(c, outputs, strict=True))) for c in grid)
    assert greedy <= best * 1.01


def test_never_worse_than_the_best_member_on_its_own_rows():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(300, 1))
    outputs = [truth + rng.normal(size=(300, 1)) * s for s in (0.3, 1.0, 3.0)]
    loss = squared(truth)
    mixed = sum(w * o for w, o in zip(greedy_weights(outputs, loss), outputs, strict=True))
    assert loss(mixed) <= min(loss(o) for o in outputs) + 1e-6


def test_cross_fitting_removes_the_gain_of_choosing_among_noise():
    """Thirty useless members: chosen on all rows their mix looks better than it is."""
    rng = np.random.default_rng(2)
    truth = rng.normal(size=(150, 1))
    outputs = [rng.normal(size=(150, 1)) for _ in range(30)]
    fold = np.arange(150) % 5

    def fit(rows):
        return greedy_weights([o[rows] for o in outputs], squared(truth[rows]))

    loss = squared(truth)
    seen = loss(sum(w * o for w, o in zip(fit(np.ones(150, bool)), outputs, strict=True)))
    honest = loss(cross_fitted(outputs, fold, fit))
    assert honest > seen


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_broken_member_gets_no_weight(value):
    truth = np.zeros((10, 1))
    weights = greedy_weights([np.full((10, 1), value), truth + 1], squared(truth))
    assert weights.tolist() == [0.0, 1.0]
