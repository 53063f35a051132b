"""Scaling and pieces: what they give, and that their graphs give the same."""

from __future__ import annotations

import numpy as np
import pytest
from dense_cases import mixed
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.graphs import Builder
from holdfast.models.tabular.mlp_inputs import fit_inputs
from holdfast.models.tabular.scaling import fit_scaling

CELLS = st.one_of(st.floats(width=32, allow_infinity=False), st.sampled_from([0.0, 1.0, float("nan")]))
TABLES = arrays.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=CELLS)


def graph_of(part, X: np.ndarray, columns: int) -> np.ndarray:
    graph = Builder()
    built = part.build(graph)
    sums = built if isinstance(built, str) else built[1]
    data = graph.finish(sums, np.zeros(columns), "identity", X.shape[1])
    return open_graph(data, X.shape[1], columns).run(["Y"], {"X": X})[0]


def test_numbers_flags_and_gaps():
    scaled = fit_scaling(mixed(2000))(mixed(2000))
    numbers, flags, gaps = scaled[:, :3], scaled[:, 3:6], scaled[:, 6:]
    assert np.abs(np.median(numbers, axis=0)).max() < 1e-6
    assert np.abs(numbers).max() <= 3
    assert set(np.unique(flags)) == {0, 1}
    assert gaps.mean(axis=0) == pytest.approx(0.2, abs=0.03)


def test_a_column_that_is_mostly_zero_keeps_its_tail():
    X = mixed(2000)
    tail = fit_scaling(X)(X)[:, 2][X[:, 2] > 0]
    assert tail.std() > 0.3
    inputs = fit_inputs(X, 16)
    pieces = inputs(X)[:, inputs.scaling.columns :][:, inputs.source == 2]
    assert len(np.unique(pieces[X[:, 2] > 0].round(3), axis=0)) > 150


@given(TABLES, TABLES)
@settings(max_examples=60)
def test_graphs_agree_on_any_cells(X, other):
    inputs = fit_inputs(X, 4)
    fresh = np.resize(other, (len(other), X.shape[1])).astype(np.float32)
    for part in (inputs, inputs.scaling):
        for rows in (X, fresh):
            expected = part(rows)
            assert np.isfinite(expected).all()
            assert graph_of(part, rows, expected.shape[1]) == pytest.approx(expected, abs=1e-4)


def test_pieces_add_up_to_the_rank():
    x = np.sort(np.random.default_rng(0).normal(size=500)).astype(np.float32)[:, None]
    inputs = fit_inputs(x, 8)
    pieces = inputs(x)[:, 1:]
    assert pieces.min() == 0
    assert pieces.max() == 1
    assert np.all(np.diff(pieces.sum(axis=1)) > 0)


def test_pieces_are_few_where_numbers_are_many():
    X = np.random.default_rng(0).normal(size=(50, 400)).astype(np.float32)
    assert len(fit_inputs(X, 32).source) == 0
    assert 0 < len(fit_inputs(X[:, :40], 32).source) <= 512
