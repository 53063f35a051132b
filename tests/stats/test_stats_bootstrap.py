"""Resampling by sufficient statistics agrees with resampling rows, and with scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from holdfast.stats.bootstrap import (
    block_influence,
    blocks_of,
    bootstrap_sums,
    draw_rows,
    smooth_influence,
)
from holdfast.stats.cells import (
    Cells,
    bootstrap,
    cells_of,
    counts_by_cluster,
    gradient,
    row_influence,
    swap_within_cells,
    tables,
    with_cells,
    with_mean_weights,
)
from holdfast.stats.influence import covariance, mean_influence, standard_error, units_of
from holdfast.stats.quantiles import (
    acceleration,
    bca_bounds,
    cluster_bounds,
    percentile_bounds,
    percentile_p,
)

codes = st.integers(1, 60).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 3), min_size=n, max_size=n)] * 3)
)


def f1(made: np.ndarray) -> np.ndarray:
    hits = made[..., 1, 1]
    return 2 * hits / (2 * hits + made[..., 0, 1] + made[..., 1, 0])


def f1_gain(cells: Cells):
    target, first, second = cells.codes.T

    def gain(counts: np.ndarray) -> np.ndarray:
        return f1(tables(counts, target, second, 2)) - f1(tables(counts, target, first, 2))

    return gain


@pytest.fixture
def two_models():
    rng = np.random.default_rng(3)
    target = (rng.random(400) < 0.4).astype(np.int64)
    first = np.where(rng.random(400) < 0.25, 1 - target, target)
    second = np.where(rng.random(400) < 0.2, 1 - target, target)
    return target, first, second


@given(codes, st.booleans())
def test_cells_are_the_distinct_rows(columns, weighted):
    arrays = [np.array(column) for column in columns]
    weight = 0.5 + np.arange(len(arrays[0])) % 3 if weighted else None
    cells = cells_of(*arrays, weight=weight)
    rows = list(zip(*arrays, [1.0] * len(arrays[0]) if weight is None else weight, strict=True))
    assert sorted(set(rows)) == sorted(
        (*map(int, code), w) for code, w in zip(cells.codes, cells.weight, strict=True)
    )
    for j, row in zip(cells.row, rows, strict=True):
        assert (*cells.codes[j], cells.weight[j]) == row
    assert cells.count.tolist() == np.bincount(cells.row).tolist()


def test_a_wide_code_space_makes_the_same_cells():
    rng = np.random.default_rng(0)
    narrow = [rng.integers(0, 30, 200) for _ in range(3)]
    wide = [column * 40_000 for column in narrow]
    assert (cells_of(*wide).codes == cells_of(*narrow).codes * 40_000).all()


@given(codes)
def test_tables_are_confusion_matrices(columns):
    target, first, _ = (np.array(column) for column in columns)
    cells = cells_of(target, first)
    expected = np.zeros((4, 4))
    np.add.at(expected, (target, first), 1)
    assert (tables(cells.total, *cells.codes.T, 4) == expected).all()


def test_tables_of_many_classes_agree_with_those_of_few():
    rng = np.random.default_rng(0)
    target, prediction = rng.integers(0, 40, 500), rng.integers(0, 40, 500)
    cells = cells_of(target, prediction)
    expected = np.zeros((40, 40))
    np.add.at(expected, (target, prediction), 1)
    assert (tables(np.stack([cells.total] * 2), *cells.codes.T, 40) == expected).all()


def test_cell_bootstrap_agrees_with_scipys_paired_bootstrap(two_models):
    target, first, second = two_models
    cells = cells_of(target, first, second)
    ours = bootstrap(cells, f1_gain(cells), replicates=20_000, rng=np.random.default_rng(0))

    def by_rows(t, a, b, axis=-1):
        def score(p):
            return 2 * (t * p).sum(axis=axis) / (t.sum(axis=axis) + p.sum(axis=axis))

        return score(b) - score(a)

    theirs = stats.bootstrap(
        two_models, by_rows, paired=True, n_resamples=6_000, method="BCa", rng=1, vectorized=True
    )
    spread = theirs.bootstrap_distribution.std()
    assert ours.std() == pytest.approx(spread, rel=0.04)
    assert percentile_bounds(ours, 0.95) == pytest.approx(
        np.quantile(theirs.bootstrap_distribution, [0.025, 0.975]), abs=0.12 * spread
    )
    value = f1_gain(cells)(cells.total)
    skew = acceleration(gradient(cells, f1_gain(cells)), cells.count)
    assert bca_bounds(ours, value, skew, 0.95) == pytest.approx(
        tuple(theirs.confidence_interval), abs=0.15 * spread
    )


def test_gradient_is_one_rows_influence(two_models):
    cells = cells_of(*two_models)
    gain = f1_gain(cells)
    slopes = gradient(cells, gain)
    total = cells.total
    for j in range(len(total)):
        more, less = total.copy(), total.copy()
        more[j], less[j] = more[j] + 1, less[j] - 1
        assert slopes[j] == pytest.approx((gain(more) - gain(less)) / 2, rel=1e-2, abs=1e-6)
    # One row is a 400th of all: the slopes weighted by their rows cancel.
    assert (slopes * cells.count).sum() == pytest.approx(0, abs=1e-5)
    replicates = bootstrap(cells, gain, replicates=20_000, rng=np.random.default_rng(0))
    assert standard_error(row_influence(cells, slopes)) == pytest.approx(replicates.std(), rel=0.04)


def test_chunks_change_nothing(two_models):
    cells = cells_of(*two_models)
    gain = f1_gain(cells)
    whole = bootstrap(cells, gain, replicates=50, rng=np.random.default_rng(0))
    pieces = bootstrap(cells, gain, replicates=50, rng=np.random.default_rng(0), width=1_000_000)
    assert (whole == pieces).all()
    assert (gradient(cells, gain) == gradient(cells, gain, width=4_000_000)).all()


def test_clusters_are_drawn_whole(two_models):
    target, first, second = two_models
    groups = np.arange(400) // 20
    cells = cells_of(target, first, second)
    counts = counts_by_cluster(cells, groups)
    assert (counts.sum(axis=0) == cells.count).all()
    assert (counts.sum(axis=1) == 20).all()
    gain = f1_gain(cells)
    ours = bootstrap(cells, gain, replicates=4_000, rng=np.random.default_rng(0), groups=groups)
    by_rows = [
        f1_of(target[rows], second[rows]) - f1_of(target[rows], first[rows])
        for rows in draw_rows(400, 1_500, np.random.default_rng(1), groups)
    ]
    assert ours.std() == pytest.approx(np.std(by_rows), rel=0.08)


def f1_of(target: np.ndarray, prediction: np.ndarray) -> float:
    return 2 * (target * prediction).sum() / (target.sum() + prediction.sum())


def test_swaps_within_cells_are_swaps_of_rows(two_models):
    target, first, second = two_models
    cells = cells_of(target, first, second)
    t, a, b = cells.codes.T

    def gain(counts):
        kept = tables(counts, np.append(t, t), np.append(b, a), 2)
        return f1(kept) - f1(tables(counts, np.append(t, t), np.append(a, b), 2))

    ours = swap_within_cells(cells, gain, replicates=8_000, rng=np.random.default_rng(0))
    rng, by_rows = np.random.default_rng(1), []
    for _ in range(2_000):
        swap = rng.random(400) < 0.5
        one, two = np.where(swap, second, first), np.where(swap, first, second)
        by_rows.append(f1_of(target, two) - f1_of(target, one))
    assert ours.mean() == pytest.approx(0, abs=4 * ours.std() / np.sqrt(8_000))
    assert ours.std() == pytest.approx(np.std(by_rows), rel=0.06)
    whole = np.zeros(400, dtype=np.int64)
    only_two = {round(float(f), 12) for f in swap_within_cells(
        cells, gain, replicates=50, rng=np.random.default_rng(0), groups=whole
    )}  # fmt: skip
    assert len(only_two) == 2


def test_imagined_cells_and_mean_weights():
    weight = np.array([1.0, 3.0, 2.0])
    cells = with_mean_weights(cells_of(np.array([0, 0, 1])), weight)
    assert cells.total.tolist() == [4.0, 2.0]
    more = with_cells(cells, np.array([[1]]), 0.5)
    assert more.count.tolist() == [2, 1, 0.5]
    assert more.weight[-1] == pytest.approx(2.0)
    drawn = bootstrap(more, lambda counts: counts.sum(axis=-1), replicates=9, rng=np.random.default_rng(0))
    assert (drawn > 0).all()


def test_bootstrap_sums_have_the_moments_of_resampled_rows():
    rng = np.random.default_rng(0)
    for columns in (rng.normal(size=(2, 50)), rng.normal(size=(7, 50))):
        sums = bootstrap_sums(columns, replicates=20_000, rng=np.random.default_rng(1))
        assert sums.shape == (len(columns), 20_000)
        expected = 50 * np.cov(columns, bias=True)
        error = np.sqrt(np.outer(expected.diagonal(), expected.diagonal()) / 20_000)
        assert (np.abs(np.cov(sums) - expected) < 5 * error * np.sqrt(2)).all()
        assert np.abs(sums.mean(axis=1) - columns.sum(axis=1)).max() < 0.3


@settings(max_examples=30)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_draw_rows_keeps_clusters_whole(labels):
    groups = np.unique(labels, return_inverse=True)[1]
    size = np.bincount(groups)
    for rows in draw_rows(len(groups), 5, np.random.default_rng(0), groups):
        times = np.bincount(rows, minlength=len(groups))
        for cluster in range(len(size)):
            assert len(set(times[groups == cluster])) == 1
        assert np.bincount(groups, weights=times / size[groups]).sum() == pytest.approx(len(size))


def test_smooth_influence_is_the_delta_method():
    rng = np.random.default_rng(0)
    y, error = rng.normal(size=500), rng.normal(size=500)
    columns = np.stack([np.ones(500), y, y**2, error**2])

    def r2(sums):
        return 1 - sums[3] / (sums[2] - sums[1] ** 2 / sums[0])

    influence = smooth_influence(columns, r2)
    squares = (y - y.mean()) ** 2
    by_hand = squares * (error**2).sum() / squares.sum() ** 2 - error**2 / squares.sum()
    assert influence == pytest.approx(by_hand, abs=1e-8)
    assert influence.sum() == pytest.approx(0, abs=1e-9)


def test_mean_influence_and_covariance():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 30))
    assert covariance(mean_influence(values)) == pytest.approx(np.cov(values) / 30)
    groups = np.arange(30) // 3
    means = values.reshape(3, 10, 3).mean(axis=2)
    assert covariance(mean_influence(values), groups) == pytest.approx(np.cov(means) / 10)
    assert units_of(30, groups) == 10


def test_block_influence_of_a_median():
    rng = np.random.default_rng(0)
    errors = []
    values = rng.exponential(size=20_000)
    influence = block_influence(lambda keep: float(np.median(values[keep])), blocks_of(20_000, rng))
    errors.append(standard_error(influence))
    # The median of n exponentials has standard error 1 / sqrt(n).
    assert errors[0] == pytest.approx(1 / np.sqrt(20_000), rel=0.35)
    groups = np.arange(60) // 2
    block = blocks_of(60, rng, groups=groups)
    assert all(len(set(block[groups == c])) == 1 for c in range(30))


def test_bca_agrees_with_scipy_on_a_skewed_mean():
    rng = np.random.default_rng(0)
    x = rng.exponential(size=80)
    theirs = stats.bootstrap((x,), np.mean, n_resamples=20_000, method="BCa", rng=1).confidence_interval
    replicates = bootstrap_sums(x[np.newaxis], replicates=20_000, rng=rng)[0] / 80
    ours = bca_bounds(replicates, x.mean(), acceleration(mean_influence(x)), 0.95)
    assert ours == pytest.approx(tuple(theirs), abs=0.02)


def test_expanded_percentiles_are_as_wide_as_students():
    rng = np.random.default_rng(0)
    x = rng.normal(size=15)
    replicates = bootstrap_sums(x[np.newaxis], replicates=100_000, rng=rng)[0] / 15
    low, high = percentile_bounds(replicates, 0.95, units=15)
    exact = stats.t.interval(0.95, 14, x.mean(), stats.sem(x))
    assert high - low == pytest.approx(exact[1] - exact[0], rel=0.06)


def test_percentile_p_reaches_its_bounds():
    rng = np.random.default_rng(0)
    replicates = rng.normal(2.0, 1.0, 50_000)
    p = percentile_p(replicates, units=40)
    low, _ = percentile_bounds(replicates, 1 - p, units=40)
    assert low == pytest.approx(0, abs=0.03)
    assert 0 < percentile_p(replicates + 10, units=40) < 1e-10


def test_few_clusters_give_wide_bounds_and_one_gives_none():
    replicates = np.random.default_rng(0).normal(size=4_000)
    low, high = cluster_bounds(replicates, 0.0, 0.95, clusters=3)
    assert high > 4.3 * 1.2
    assert low < -4.3 * 1.2
    assert np.isnan(cluster_bounds(replicates, 0.0, 0.95, clusters=1)[0])
