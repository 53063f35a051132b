"""The exact search for the best slices, against trying every one of them."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.debugging import lattice
from holdfast.debugging.lattice import Aim, top_slices
from holdfast.errors import InputError


def every_score(
    codes: np.ndarray, loss: np.ndarray, aim: Aim, weight: np.ndarray | None = None
) -> list[float]:
    """The best scores by looking at each slice there is, one at a time."""
    weight = np.ones(len(loss)) if weight is None else weight
    rows, mean = weight.sum(), np.average(loss, weights=weight)
    found = []
    for depth in range(1, aim.deepest + 1):
        for columns in combinations(range(codes.shape[1]), depth):
            for levels in product(*(range(codes[:, column].max() + 1) for column in columns)):
                inside = (codes[:, columns] == levels).all(axis=1)
                size = weight[inside].sum()
                if size < aim.support or size == 0 or mean == 0:
                    continue
                gain = np.average(loss[inside], weights=weight[inside]) / mean - 1
                found.append(aim.alpha * gain - (1 - aim.alpha) * (rows / size - 1))
    return sorted((score for score in found if score > 1e-9), reverse=True)[: aim.top]


def best_scores(
    codes: np.ndarray, loss: np.ndarray, aim: Aim, weight: np.ndarray | None = None
) -> list[float]:
    return [one.score for one in top_slices(codes, loss, aim, weight=weight) if one.score > 1e-9]


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Aim]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, m = draw(st.integers(1, 60)), draw(st.integers(1, 7))
    codes = rng.integers(-1, draw(st.integers(1, 4)), size=(n, m))
    kinds = {
        "few values": lambda: rng.integers(0, 3, n).astype(float),
        "skewed": lambda: rng.exponential(size=n) ** 2,
        "one row": lambda: (np.arange(n) == 0).astype(float),
        "left-skewed": lambda: 9.0 - np.minimum(rng.exponential(size=n), 9.0),
        "slice": lambda: rng.random(n) + 3.0 * (codes[:, : min(m, 3)] == 0).all(axis=1),
    }
    loss = kinds[draw(st.sampled_from(sorted(kinds)))]()
    alpha = draw(st.sampled_from((0.5, 0.9, 0.95, 0.99)))
    aim = Aim(
        top=draw(st.integers(1, 30)),
        support=draw(st.integers(1, max(1, n // 5))),
        alpha=alpha,
        deepest=draw(st.integers(1, 4)),
    )
    return codes, loss, aim


@given(tables())
@settings(max_examples=300, deadline=None)
def test_the_best_slices_are_those_that_trying_all_finds(table):
    codes, loss, aim = table
    assert best_scores(codes, loss, aim) == pytest.approx(every_score(codes, loss, aim), abs=1e-8)


@given(tables(), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_rows_count_as_their_weight(table, seed):
    codes, loss, aim = table
    weight = np.random.default_rng(seed).choice([0.0, 0.5, 1.0, 3.0], len(loss))
    weight[0] = 1.0
    expected = every_score(codes, loss, aim, weight)
    assert best_scores(codes, loss, aim, weight) == pytest.approx(expected, abs=1e-8)


@given(tables())
@settings(max_examples=50, deadline=None)
def test_each_slice_states_its_own_rows_and_mean(table):
    codes, loss, aim = table
    for one in top_slices(codes, loss, aim):
        inside = (codes[:, one.columns] == one.levels).all(axis=1)
        assert one.size == inside.sum() >= aim.support
        assert one.loss == pytest.approx(loss[inside].mean())


@given(tables())
@settings(max_examples=50, deadline=None)
def test_how_the_work_is_cut_into_blocks_changes_no_score(table):
    codes, loss, aim = table
    with pytest.MonkeyPatch.context() as patch:
        scores = []
        for cells in (1, 30, 10_000):
            patch.setattr(lattice, "_FEWEST_CELLS", cells)
            patch.setattr(lattice, "_MOST_CELLS", cells)
            scores.append(best_scores(codes, loss, aim))
    assert scores[0] == pytest.approx(scores[1], abs=1e-8)
    assert scores[0] == pytest.approx(scores[2], abs=1e-8)


def test_more_columns_than_rows_hide_no_slice():
    # A bound that takes the columns for the rows prunes the true best slice here.
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 10, size=(40, 50))
    loss = np.where((codes[:, :2] == 0).all(axis=1), 1.6, 0.1)
    codes[:5, :2], loss[:5] = 0, 1.6
    aim = Aim(top=5, support=5, deepest=2)
    assert best_scores(codes, loss, aim) == pytest.approx(every_score(codes, loss, aim))
    best = top_slices(codes, loss, aim)[0]
    assert (best.columns, best.levels) == ((0, 1), (0, 0))


def test_thirty_columns_of_ten_levels_lose_no_slice_to_a_shared_id():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 10, size=(500, 30))
    loss = rng.exponential(size=500) ** 2
    aim = Aim(top=2_000, support=1, alpha=0.99, deepest=2)
    ours = best_scores(codes, loss, aim)
    assert len(ours) > 500
    assert ours == pytest.approx(every_score(codes, loss, aim))


def test_a_table_without_columns_or_without_loss_has_no_slice():
    assert top_slices(np.empty((5, 0), dtype=np.int64), np.ones(5), Aim()) == ()
    assert top_slices(np.zeros((5, 2), dtype=np.int64), np.zeros(5), Aim()) == ()
    assert top_slices(np.empty((0, 2), dtype=np.int64), np.empty(0), Aim()) == ()


def test_a_loss_below_0_is_refused():
    with pytest.raises(InputError, match="subtract the least"):
        top_slices(np.zeros((2, 1), dtype=np.int64), np.array([-1.0, 1.0]), Aim())


def test_of_equal_slices_the_shorter_comes_first():
    codes = np.repeat([[0, 0, 0], [1, 1, 0]], 50, axis=0)
    best = top_slices(codes, (codes[:, 0] == 1) * 1.0, Aim(top=3))
    assert [one.columns for one in best] == [(0,), (1,), (0, 1)]


def test_the_bound_leaves_out_what_cannot_be_among_the_best(monkeypatch):
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 3, size=(3_000, 8))
    loss = 0.2 + 5.0 * (codes[:, 0] == 0) * (codes[:, 1] == 0)
    seen = []
    filled = lattice._filled
    monkeypatch.setattr(
        lattice,
        "_filled",
        lambda rows, wanted, **how: seen.append(len(wanted)) or filled(rows, wanted, **how),
    )
    top_slices(codes, loss, Aim(top=1, support=30))
    assert seen[:2] == [8, 28]
    assert seen[2] < 56 / 2
