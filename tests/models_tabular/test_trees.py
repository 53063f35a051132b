from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import ModelError
from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.oblivious import ObliviousTrees, oblivious_graph
from holdfast.models.tabular.trees import Trees, floor32, trees_graph

FEATURES = 3
EDGES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38]


def run(graph: bytes, X: np.ndarray, outputs: int) -> np.ndarray:
    return open_graph(graph, X.shape[1], outputs).run(["Y"], {"X": X})[0]


def random_trees(seed: int, *, columns: int, table: bool, strict: bool) -> Trees:
    """Trees of 0 to 6 splits; children come after their parents."""
    rng = np.random.default_rng(seed)
    feature, threshold, left, right, root, tree = [], [], [], [], [], []
    for t in range(5):
        splits = int(rng.integers(0, 7))
        first, leaves, open_ends = len(feature), 0, []
        root.append(first if splits else -1 - len(tree))
        for s in range(splits):
            feature.append(int(rng.integers(FEATURES)))
            threshold.append(float(rng.choice([rng.normal(), np.pi, 0.1, 1e300, -1e300, 0.0])))
            left.append(None)
            right.append(None)
            if s:
                side, parent = open_ends.pop(int(rng.integers(len(open_ends))))
                side[parent] = first + s
            open_ends += [(left, first + s), (right, first + s)]
        for side, parent in open_ends:
            side[parent] = -1 - len(tree) - leaves
            leaves += 1
        tree += [t] * (leaves if splits else 1)
    many = (len(tree), columns) if table else (len(tree),)
    return Trees(
        np.array(feature, dtype=np.int64),
        np.array(threshold, dtype=np.float64),
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        rng.random(len(feature)) < 0.5,
        np.array(root),
        np.array(tree),
        rng.normal(size=many),
        np.arange(5) % columns,
        rng.normal(size=columns) * 100,
        strict,
    )


def walked(trees: Trees, x: np.ndarray) -> np.ndarray:
    """The sums of one row, one split after the other, in float64."""
    sums = trees.base.copy()
    for t, root in enumerate(trees.root):
        at = root
        while at >= 0:
            cell, threshold = float(x[trees.feature[at]]), trees.threshold[at]
            below = cell < threshold if trees.strict else cell <= threshold
            goes_left = trees.missing_left[at] if np.isnan(cell) else below
            at = trees.left[at] if goes_left else trees.right[at]
        if trees.leaf.ndim == 2:
            sums += trees.leaf[-1 - at]
        else:
            sums[trees.column[t]] += trees.leaf[-1 - at]
    return sums


def adversarial(thresholds: np.ndarray, seed: int, rows: int = 60) -> np.ndarray:
    """Cells at thresholds, one float32 step from them, missing, infinite, tiny and huge."""
    rng = np.random.default_rng(seed)
    near = floor32(thresholds) if len(thresholds) else np.zeros(1, np.float32)
    with np.errstate(over="ignore"):
        up = np.nextafter(near, np.float32(np.inf))
    pool = np.concatenate([near, up, np.array(EDGES, np.float32), rng.normal(size=20).astype(np.float32)])
    return rng.choice(pool, (rows, FEATURES)).astype(np.float32)


@given(st.integers(0, 10_000), st.integers(1, 3), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_graph_takes_every_branch_as_a_slow_walk_does(
    seed: int, columns: int, table: bool, strict: bool
) -> None:
    trees = random_trees(seed, columns=columns, table=table, strict=strict)
    if strict:  # a library that splits by < has float32 thresholds
        with np.errstate(over="ignore"):
            trees = Trees(**{**_fields(trees), "threshold": trees.threshold.astype(np.float32).astype(float)})
    X = adversarial(trees.threshold, seed)
    expected = np.array([walked(trees, x) for x in X])
    found = run(trees_graph(trees, "identity", FEATURES), X, columns)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-4)


def _fields(trees: Trees) -> dict[str, object]:
    return {name: getattr(trees, name) for name in Trees.__slots__}


@given(st.floats(allow_nan=False), st.floats(width=32, allow_nan=False))
def test_rounding_a_threshold_down_moves_no_float32(threshold: float, x: float) -> None:
    rounded = float(floor32(np.array([threshold]))[0])
    assert (x <= threshold) == (x <= rounded)


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_oblivious_trees_read_their_leaf_number_in_bits(seed: int, columns: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    trees = ObliviousTrees(
        rng.integers(0, FEATURES, (4, depth)),
        rng.choice([0.0, np.inf, -1e38, *rng.normal(size=4)], (4, depth)).astype(np.float32),
        rng.normal(size=(4, 2**depth, columns)),
        rng.normal(size=columns),
    )
    X = adversarial(trees.border.astype(np.float64).ravel(), seed)
    bits = X[:, trees.feature] > trees.border  # (n, T, d)
    number = (bits * 2 ** np.arange(depth)).sum(axis=2)
    expected = trees.base + trees.leaf[np.arange(4), number].sum(axis=1)
    assert np.allclose(run(oblivious_graph(trees, "identity", FEATURES), X, columns), expected, atol=1e-5)


def test_links() -> None:
    trees = random_trees(3, columns=1, table=False, strict=False)
    small = Trees(**{**_fields(trees), "base": np.array([0.3])})
    X = adversarial(small.threshold, 0)
    sums = np.array([walked(small, x) for x in X])
    positive = 1 / (1 + np.exp(-sums))
    found = run(trees_graph(small, "sigmoid", FEATURES), X, 2)
    assert np.allclose(found, np.hstack([1 - positive, positive]), atol=1e-6)
    assert np.allclose(run(trees_graph(small, "exp", FEATURES), X, 1), np.exp(sums), rtol=1e-5)
    assert np.allclose(
        run(trees_graph(small, "shares", FEATURES), X, 2), np.hstack([1 - sums, sums]), atol=1e-5
    )
    three = random_trees(4, columns=3, table=True, strict=False)
    scores = np.array([walked(three, x) for x in X])
    softmax = np.exp(scores - scores.max(axis=1, keepdims=True))
    softmax /= softmax.sum(axis=1, keepdims=True)
    assert np.allclose(run(trees_graph(three, "softmax", FEATURES), X, 3), softmax, atol=1e-5)


def test_a_graph_of_another_shape_is_refused() -> None:
    graph = trees_graph(random_trees(1, columns=1, table=False, strict=False), "identity", FEATURES)
    with pytest.raises(ModelError, match="inputs and outputs"):
        open_graph(graph, FEATURES + 1, 1)
    with pytest.raises(ModelError, match="inputs and outputs"):
        open_graph(graph, FEATURES, 2)
    with pytest.raises(ModelError, match="cannot be opened"):
        open_graph(graph[: len(graph) // 2], FEATURES, 1)
    with pytest.raises(ModelError, match="cannot be opened"):
        open_graph(b"", FEATURES, 1)


def test_a_graph_may_not_read_other_files(tmp_path, monkeypatch) -> None:
    from onnx import TensorProto, helper

    (tmp_path / "secret").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    entry = weight.external_data.add()
    entry.key, entry.value = "location", "secret"
    graph = helper.make_graph(
        [helper.make_node("Add", ["X", "w"], ["Y"])],
        "reader",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 4])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    with pytest.raises(ModelError, match="cannot be opened"):
        open_graph(model.SerializeToString(), 4, 4)
