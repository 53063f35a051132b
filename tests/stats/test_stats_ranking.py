"""AUC and average precision agree with brute force and with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from holdfast.stats.auc import auc
from holdfast.stats.influence import covariance, standard_error
from holdfast.stats.ranking import average_precision, bootstrap_average_precision

ranked = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(1, 4)), min_size=2, max_size=40)


def arrays(rows):
    positive, score, weight = map(np.array, zip(*rows, strict=True))
    assume(positive.any() and not positive.all())
    return positive, score.astype(np.float32), weight.astype(np.float64)


def right_order(x: float, y: float) -> float:
    return 1.0 if x > y else 0.5 if x == y else 0.0


@given(ranked)
def test_auc_is_the_probability_of_the_right_order(rows):
    positive, score, _ = arrays(rows)
    pairs = [right_order(x, y) for x in score[positive] for y in score[~positive]]
    assert auc(positive, score)[0] == pytest.approx(np.mean(pairs))


@given(ranked)
def test_weights_are_repeated_rows(rows):
    positive, score, weight = arrays(rows)
    often = weight.astype(int)
    for area in (auc, average_precision):
        value, influence = area(positive, score, weight)
        repeated, moved = area(np.repeat(positive, often), np.repeat(score, often))
        assert value == pytest.approx(repeated)
        assert influence.sum() == pytest.approx(0, abs=1e-9)
        assert moved.sum() == pytest.approx(0, abs=1e-9)


@given(ranked)
def test_values_are_scikit_learns(rows):
    positive, score, weight = arrays(rows)
    assert auc(positive, score, weight)[0] == pytest.approx(
        roc_auc_score(positive, score, sample_weight=weight)
    )
    assert average_precision(positive, score, weight)[0] == pytest.approx(
        average_precision_score(positive, score, sample_weight=weight)
    )


def delong(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """DeLong's covariance by its definition, in m q comparisons per model."""
    order = np.vectorize(right_order)
    psi = [order(score[positive][:, None], score[~positive][None]) for score in scores]
    of_positive = np.stack([each.mean(axis=1) for each in psi])
    of_negative = np.stack([each.mean(axis=0) for each in psi])
    return np.cov(of_positive) / of_positive.shape[1] + np.cov(of_negative) / of_negative.shape[1]


def test_covariance_is_delongs():
    rng = np.random.default_rng(0)
    positive = rng.random(90) < 0.3
    scores = np.round(rng.normal(size=(3, 90)) + positive, 1)
    influence = np.stack([auc(positive, score)[1] for score in scores])
    assert covariance(influence) == pytest.approx(delong(positive, scores))


def test_clustered_variance_is_obuchowskis():
    rng = np.random.default_rng(0)
    groups = np.arange(200) // 4
    positive = rng.random(200) < 0.4
    score = rng.normal(size=200) + positive + rng.normal(size=50)[groups]
    value, influence = auc(positive, score)
    m, q = positive.sum(), (~positive).sum()
    psi = np.vectorize(right_order)(score[positive][:, None], score[~positive][None])
    ten, one = np.zeros(50), np.zeros(50)
    np.add.at(ten, groups[positive], psi.mean(axis=1) - value)
    np.add.at(one, groups[~positive], psi.mean(axis=0) - value)
    by_hand = np.sqrt(((ten / m + one / q) ** 2).sum() * 50 / 49)
    assert standard_error(influence, groups) == pytest.approx(by_hand, rel=0.02)


@given(ranked)
def test_average_precision_influence_is_its_slope(rows):
    positive, score, weight = arrays(rows)
    influence = average_precision(positive, score, weight)[1]
    for i in range(len(positive)):
        moved = [
            average_precision(positive, score, weight + step * (np.arange(len(weight)) == i))[0]
            for step in (1e-5, -1e-5)
        ]
        assert influence[i] == pytest.approx(weight[i] * (moved[0] - moved[1]) / 2e-5, abs=1e-5)


def test_average_precision_bootstrap_draws_within_classes():
    rng = np.random.default_rng(0)
    positive = np.arange(300) < 60
    scores = rng.normal(size=(2, 300)) + positive
    ours = bootstrap_average_precision(positive, scores, replicates=400, rng=np.random.default_rng(1))
    by_rows = []
    for _ in range(400):
        rows = np.append(rng.integers(0, 60, 60), rng.integers(60, 300, 240))
        by_rows.append([average_precision_score(positive[rows], score[rows]) for score in scores])
    theirs = np.array(by_rows).T
    assert ours.mean(axis=1) == pytest.approx(theirs.mean(axis=1), abs=0.01)
    assert ours.std(axis=1) == pytest.approx(theirs.std(axis=1), rel=0.15)
    # Paired: equal models never differ.
    twice = bootstrap_average_precision(positive, scores[[0, 0]], replicates=20, rng=rng)
    assert (twice[0] == twice[1]).all()


def test_average_precision_bootstrap_draws_whole_clusters():
    positive = np.arange(12) % 3 == 0
    score, groups = np.arange(12.0), np.arange(12) // 6
    found = bootstrap_average_precision(
        positive, score[np.newaxis], replicates=50, rng=np.random.default_rng(0), groups=groups
    )
    once = [average_precision(positive[rows], score[rows])[0] for rows in (groups == 0, groups == 1)]
    both = average_precision(positive, score)[0]
    assert set(found[0].round(9)) == {round(value, 9) for value in (*once, both)}


def test_one_class_has_no_area():
    positive = np.ones(3, dtype=bool)
    assert np.isnan(auc(positive, np.arange(3.0))[0])
    assert np.isnan(average_precision(~positive, np.arange(3.0))[0])
