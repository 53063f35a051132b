"""Tests, corrections, letters and power: exact where they can be, and true to their error rates."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from holdfast.stats.letters import letters
from holdfast.stats.multiplicity import benjamini_hochberg, holm
from holdfast.stats.paired import mcnemar, permutation_p, sign_flip
from holdfast.stats.power import rows_for_difference, rows_for_mcnemar
from holdfast.stats.resampled import corrected_t

p_values = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1))


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test(b, c):
    exact, mid = mcnemar(b, c)
    if b + c == 0:
        assert (exact, mid) == (1.0, 1.0)
        return
    assert exact == pytest.approx(stats.binomtest(b, b + c).pvalue, rel=1e-9)
    mass = stats.binom.pmf(min(b, c), b + c, 0.5)
    assert mid == pytest.approx(min(1, 2 * stats.binom.cdf(min(b, c), b + c, 0.5) - mass), rel=1e-9)


def test_sign_flip_counts_all_patterns_when_they_are_few():
    rng = np.random.default_rng(0)
    totals = rng.normal(size=(3, 9)).round(1)
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    ours = sign_flip(totals, pairs, rng=rng)
    for p, (i, j) in zip(ours, pairs, strict=True):
        d = totals[j] - totals[i]
        sums = np.array([np.dot(signs, d) for signs in product([1, -1], repeat=9)])
        assert p == pytest.approx(np.mean(np.abs(sums) >= abs(d.sum()) - 1e-9))


def test_sign_flip_agrees_with_scipys_permutations():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 60))
    second += 0.3
    theirs = stats.permutation_test(
        (first, second), lambda a, b, axis: (b - a).mean(axis=axis), permutation_type="samples",
        n_resamples=9_999, rng=1,
    )  # fmt: skip
    ours = sign_flip(np.stack([first, second]), np.array([[0, 1]]), rng=rng)
    assert ours[0] == pytest.approx(theirs.pvalue, abs=0.02)


def test_sign_flip_is_not_floored_by_its_replicates():
    rng = np.random.default_rng(0)
    second = 1 + 0.3 * rng.normal(size=400)
    p = sign_flip(np.stack([np.zeros(400), second]), np.array([[0, 1]]), rng=rng)
    # All signs but a few agree, so the exact p is astronomically small; never 0.
    assert 0 < p[0] < 1e-60


def test_sign_flip_tail_is_never_below_the_exact_p():
    # Equal sizes make the sum binomial: the hardest case for a normal tail.
    for n, wins in [(40, 38), (60, 52), (100, 80), (200, 140)]:
        d = np.where(np.arange(n) < wins, 1.0, -1.0)
        p = sign_flip(np.stack([np.zeros(n), d]), np.array([[0, 1]]), rng=np.random.default_rng(0))
        assert p[0] >= stats.binomtest(wins, n).pvalue


def test_sign_flip_of_equal_models_is_one():
    x = np.random.default_rng(0).normal(size=(1, 50)).repeat(2, axis=0)
    assert sign_flip(x, np.array([[0, 1]]), rng=np.random.default_rng(0))[0] == 1


def test_sign_flip_keeps_its_level_where_differences_are_skewed_and_few():
    rng, rejected = np.random.default_rng(0), 0
    for _ in range(400):
        common = rng.exponential(size=25)
        totals = np.stack([common * rng.exponential(size=25) for _ in range(2)])
        rejected += sign_flip(totals, np.array([[0, 1]]), rng=rng, replicates=999)[0] <= 0.05
    assert rejected / 400 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_permutation_p():
    permuted = np.linspace(-1, 1, 999)
    assert permutation_p(permuted, 0.9) == pytest.approx(0.101)
    assert permutation_p(permuted, 0.0) == 1
    assert 0 < permutation_p(np.random.default_rng(0).normal(size=9_999), 8.0) < 1e-13
    assert permutation_p(np.zeros(99), 0.0) == 1
    assert permutation_p(np.array([np.nan] * 99), 0.5) == 1


@given(p_values)
def test_holm_is_its_definition(p):
    m, order = len(p), np.argsort(p)
    expected, highest = np.empty(m), 0.0
    for k, i in enumerate(order):
        highest = max(highest, min(1.0, (m - k) * p[i]))
        expected[i] = highest
    assert holm(p) == pytest.approx(expected)


@given(p_values)
def test_benjamini_hochberg_is_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p, method="bh"))


@given(p_values, st.randoms())
def test_corrections_do_not_depend_on_the_order(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    for correct in (holm, benjamini_hochberg):
        assert correct(p[order]) == pytest.approx(correct(p)[order])
        assert (correct(p) >= p - 1e-15).all()


def test_corrections_of_one_and_of_none():
    for correct in (holm, benjamini_hochberg):
        assert correct(np.array([0.03])).tolist() == [0.03]
        assert correct(np.array([])).tolist() == []


def test_corrections_keep_their_error_rates_when_all_is_null():
    p = np.random.default_rng(0).random((4_000, 20))
    allowed = 0.05 + 2 * np.sqrt(0.05 * 0.95 / 4_000)
    assert np.mean([holm(row).min() <= 0.05 for row in p]) <= allowed
    assert np.mean([benjamini_hochberg(row).min() <= 0.05 for row in p]) <= allowed


@given(st.integers(1, 9).flatmap(lambda m: hnp.arrays(bool, (m, m))))
def test_items_share_a_letter_exactly_when_they_are_not_told_apart(raw):
    apart = np.triu(raw, 1)
    apart = apart | apart.T
    marks = letters(apart)
    for i, j in product(range(len(apart)), repeat=2):
        assert bool(set(marks[i]) & set(marks[j])) == (not apart[i, j])


def test_letters_run_down_from_the_best_and_beyond_the_alphabet():
    apart = ~np.eye(120, dtype=bool)
    marks = letters(apart)
    assert marks[:3] == ["a", "b", "c"]
    assert len(set(marks)) == 120
    assert all(len(mark) == 1 for mark in marks)


def test_rows_for_a_difference_give_the_power_they_promise():
    rng = np.random.default_rng(0)
    n = rows_for_difference(error=0.5 / np.sqrt(100), n=100, margin=0.1)
    d = rng.normal(0.1, 0.5, size=(4_000, n))
    z = d.mean(axis=1) / (d.std(axis=1, ddof=1) / np.sqrt(n))
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.8, abs=0.03)


def test_rows_for_mcnemar_give_the_power_they_promise():
    rng = np.random.default_rng(0)
    n = rows_for_mcnemar(discordant=0.15, margin=0.05)
    lost, won, _ = rng.multinomial(n, [0.05, 0.1, 0.85], size=4_000).T
    z = (won - lost) / np.sqrt(won + lost)
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.8, abs=0.03)
    # A margin cannot be seen on fewer discordant pairs than it has itself.
    assert rows_for_mcnemar(discordant=0.0, margin=0.05) == rows_for_mcnemar(discordant=0.05, margin=0.05)


def test_corrected_t_is_nadeau_and_bengios():
    d = np.array([0.02, 0.01, 0.035, 0.015, 0.02])
    mean, interval, p = corrected_t(d, 1 / 4)
    t = d.mean() / np.sqrt((1 / 5 + 1 / 4) * d.var(ddof=1))
    assert p == pytest.approx(2 * stats.t.sf(t, 4))
    assert mean == pytest.approx(0.02)
    assert (interval.low + interval.high) / 2 == pytest.approx(0.02)
    # Uncorrected it would be far surer.
    assert p > 2 * stats.ttest_1samp(d, 0).pvalue


def test_corrected_t_without_spread_is_degenerate():
    mean, interval, p = corrected_t(np.full(5, 0.1), 1 / 4)
    assert (mean, p) == (pytest.approx(0.1), 1.0)
    assert np.isnan(interval.low)
    assert corrected_t(np.zeros(3), 1 / 2)[2] == 1.0
