"""Means, comparisons and rises against textbook formulas, and what is refused where there is too little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.finding import Finding, Where
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.debugging.corrected import corrected, promising
from holdfast.debugging.effect import Measured, counted, loss_rise, mean_of
from holdfast.debugging.losses import against_rest, loss_of, share_of_loss, three


def measured(n: int = 400, seed: int = 0, *, groups: int = 0) -> tuple[Measured, np.ndarray]:
    rng = np.random.default_rng(seed)
    inside = rng.random(n) < 0.3
    clusters = rng.integers(0, groups, n) if groups else None
    return Measured(rng.exponential(size=n) + 0.2 * inside, np.ones(n), clusters), inside


def test_a_mean_is_tested_as_students_t_does():
    from scipy.stats import ttest_1samp

    rows, _ = measured()
    effect = rows.mean()
    assert effect.value == pytest.approx(rows.values.mean())
    for bound in (0.9, 1.2):
        above = ttest_1samp(rows.values, bound, alternative="greater").pvalue
        assert effect.p_above(bound) == pytest.approx(above, rel=1e-6)
        assert effect.p_below(bound) == pytest.approx(1 - above, rel=1e-6)


def test_two_sides_are_compared_as_welch_does_but_with_the_smaller_sides_freedom():
    from scipy.stats import ttest_ind

    rows, inside = measured()
    effect = rows.against_rest(inside)
    welch = ttest_ind(rows.values[inside], rows.values[~inside], equal_var=False, alternative="greater")
    assert effect.value / effect.error == pytest.approx(welch.statistic, rel=0.01)
    assert effect.units == inside.sum() and effect.rows == inside.sum()
    assert welch.pvalue * 0.99 <= effect.p_above() <= welch.pvalue * 1.5
    estimate = effect.estimate("confirm rows")
    assert estimate.low < effect.value < estimate.high
    assert estimate.method == "Welch's t, confirm rows"


def test_a_mean_of_some_rows_is_the_mean_of_those_alone():
    rows, inside = measured(groups=60)
    assert rows.clusters is not None
    alone = Measured(rows.values[inside], rows.weight[inside], rows.clusters[inside]).mean()
    some = rows.mean(inside)
    assert (some.value, some.error, some.units) == (alone.value, alone.error, alone.units)
    assert some.estimate() == alone.estimate()
    assert "clustered by" in some.estimate().method


def test_rows_without_weight_do_not_count():
    rows, inside = measured()
    weighted = Measured(rows.values, np.where(inside, 0.0, 1.0))
    assert weighted.mean().value == pytest.approx(rows.values[~inside].mean())
    assert not weighted.against_rest(inside).enough


@pytest.mark.parametrize("few", [0, 5, 19])
def test_fewer_than_twenty_rows_are_not_tested_and_have_no_interval(few):
    values = np.random.default_rng(0).exponential(size=100)
    values[:few] += 100.0
    inside = np.arange(100) < few
    effect = Measured(values, np.ones(100)).against_rest(inside)
    assert effect.p_above() == 1.0 and not effect.enough
    assert np.isnan(effect.estimate().low)
    assert effect.estimate().known == (few > 0)


def test_few_groups_are_little_evidence_however_many_their_rows():
    n, groups = 900, np.arange(900) % 9
    rows = Measured(np.ones(n) + np.random.default_rng(0).normal(size=n), np.ones(n), groups)
    assert rows.mean().p_above() == 1.0
    assert np.isnan(rows.mean().estimate().low)
    alone = Measured(rows.values, rows.weight)
    assert alone.mean().p_above() < 1e-6


def test_a_rise_is_paired():
    rng = np.random.default_rng(0)
    hard = rng.exponential(size=500) * 10
    before = Predictions.of(example=range(500), loss=hard)
    after = Predictions.of(example=range(500), loss=hard + rng.normal(0.1, 0.2, 500))
    rise = loss_rise(before, after, before)
    assert rise.p_above() < 1e-6
    assert rise.error < mean_of(hard, before).error / 10


def test_a_loss_is_called_by_what_it_is():
    target, probability = ["no", "yes"] * 50, np.linspace(0.1, 0.9, 100)
    classes = Predictions.of(example=range(100), target=target, probability=probability, positive="yes")
    labels = Predictions.of(example=range(100), target=target, prediction=["no"] * 100)
    numbers = Predictions.of(example=range(100), target=np.arange(100.0), prediction=np.arange(100.0) + 3)
    given_loss = Predictions.of(example=range(100), loss=np.arange(100.0))
    names = [loss_of(p).short for p in (classes, labels, numbers, given_loss)]
    assert names == ["log loss", "error rate", "root mean squared error", "loss"]
    assert loss_of(numbers).told(9.0) == "3.00" and loss_of(numbers).mean == "mean squared error"
    assert against_rest(given_loss, np.arange(100) >= 50) == "loss 74.5, elsewhere 24.5"


@given(st.floats(1e-9, 1e12))
def test_three_digits_are_within_half_a_percent(value):
    assert float(three(value).replace(",", "")) == pytest.approx(value, rel=0.00501)


@given(st.permutations([f"r{i}" for i in range(12)]), st.lists(st.integers(0, 20), max_size=20))
def test_places_are_those_of_a_dictionary(ids, wanted):
    import polars as pl

    names = [f"r{i}" for i in wanted]
    found = places_in(pl.Series(ids, dtype=pl.String), pl.Series(names, dtype=pl.String))
    assert found.tolist() == [ids.index(name) if name in ids else -1 for name in names]


def test_a_share_of_the_loss_needs_losses_that_are_not_negative():
    p = Predictions.of(example=range(4), loss=[1.0, 2.0, 3.0, 4.0], weight=[1.0, 1.0, 1.0, 0.0])
    assert share_of_loss(p, np.array([False, False, True, True])) == pytest.approx(0.5)
    assert share_of_loss(Predictions.of(example=range(2), loss=[-1.0, 2.0]), np.array([0])) is None


def test_facts_stay_and_what_was_tested_is_corrected_together():
    found = [
        Finding("k", "t", Where(column=str(k)), 1, counted(1.0, 1), "of", p=p)
        for k, p in enumerate([0.03, None, 0.01, 0.9])
    ]
    kept = corrected(found)
    assert [(one.where.column, one.p) for one in kept] == [("1", None), ("2", pytest.approx(0.03))]
    assert promising(np.array([0.9, 0.01, 0.03])).tolist() == [1, 2]
