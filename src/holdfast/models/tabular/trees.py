"""Trees of any library as one ONNX graph, exact in what each split decides.

A float32 cell must take the branch it takes in the library, also at the threshold
itself: a float64 threshold is rounded towards minus infinity, because for float32 x
`x <= t` is `x <= floor32(t)`. Only the sum of the leaves is rounded anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

Link = Literal["identity", "exp", "sigmoid", "softmax", "shares"]
"""What turns sums into outputs; "shares" are probabilities already."""

OPSET, TREES_OPSET, IR_VERSION = 18, 5, 10  # read by every onnxruntime from 1.22 on
_LESS_OR_EQUAL, _LESS = 0, 1  # modes of a node
_SUM = 1


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Binary trees in flat arrays: m splits, L leaves, T trees.

    A row goes `left` where its `feature` is at most `threshold` (float64 of shape (m,);
    less than it if `strict`), or is nan and `missing_left`. Children of 0 and more are
    splits, -1 - i is leaf i; so are the `root`s, of shape (T,). `tree` names each leaf's
    tree, int of shape (L,). `leaf` is float64 of shape (L, K), or (L,) where each tree
    adds to one of K columns only: `column`, int of shape (T,). `base`, float64 of shape
    (K,), is added to the sum over all trees.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    root: np.ndarray
    tree: np.ndarray
    leaf: np.ndarray
    column: np.ndarray
    base: np.ndarray
    strict: bool = False


def floor32(threshold: np.ndarray) -> np.ndarray:
    """float64 -> the largest float32 that is not above it.

    >>> bool(floor32(np.array(0.1)) <= 0.1), bool(np.float64(np.float32(0.1)) <= 0.1)
    (True, False)
    """
    with np.errstate(over="ignore"):
        nearest = threshold.astype(np.float32)
        return np.where(nearest > threshold, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def child_positions(is_leaf: np.ndarray) -> np.ndarray:
    """For libraries whose leaves are nodes too: what Trees calls each node, int of shape (nodes,).

    >>> child_positions(np.array([False, True, False, True, True])).tolist()
    [0, -1, 1, -2, -3]
    """
    return np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1)


def joined(first: Trees, second: Trees) -> Trees:
    """The sum of two sets of trees that add to the same columns; the base is the first's."""
    splits, leaves = len(first.feature), len(first.leaf)

    def moved(child: np.ndarray) -> np.ndarray:
        return np.where(child >= 0, child + splits, child - leaves)

    return Trees(
        feature=np.concatenate([first.feature, second.feature]),
        threshold=np.concatenate([first.threshold, second.threshold]),
        left=np.concatenate([first.left, moved(second.left)]),
        right=np.concatenate([first.right, moved(second.right)]),
        missing_left=np.concatenate([first.missing_left, second.missing_left]),
        root=np.concatenate([first.root, moved(second.root)]),
        tree=np.concatenate([first.tree, second.tree + len(first.root)]),
        leaf=np.concatenate([first.leaf, second.leaf]),
        column=np.concatenate([first.column, second.column]),
        base=first.base,
        strict=first.strict,
    )


def trees_graph(trees: Trees, link: Link, features: int, *, grafts: Trees | None = None) -> bytes:
    """An ONNX model of the trees: "X" float32 (n, features) -> "Y" float32 (n, K).

    One column under "sigmoid" or "shares" is the second class's: "Y" then has shape (n, 2).
    `grafts` come last, with their leaves as they are: a row to which they add 0 gets, bit for
    bit, what it gets without them.
    """
    trees = _with_split_roots(trees)
    if trees.leaf.ndim == 2:
        return _table_graph(trees, link, features)
    trees = _centred(trees) if grafts is None else joined(_centred(trees), grafts)
    columns = len(trees.base)
    node = _ensemble(trees, trees.leaf, trees.column[trees.tree], columns)
    return finished_graph([node], {}, trees.base, link, features)


def finished_graph(
    nodes: list[Any],
    constants: dict[str, np.ndarray],
    base: np.ndarray,
    link: Link,
    features: int,
    trees_opset: int = TREES_OPSET,
) -> bytes:
    """Nodes that make "sums" (n, K) from "X" (n, features), then base and link: a serialised model."""
    from onnx import TensorProto, helper, numpy_helper

    constants = constants | {"base": base.astype(np.float32)}
    steps: list[tuple[str, list[str], dict[str, Any]]] = [("Add", ["sums", "base"], {})]
    match link:
        case "exp":
            steps.append(("Exp", ["sums+"], {}))
        case "softmax":
            steps.append(("Softmax", ["sums+"], {"axis": -1}))
        case "sigmoid":
            constants["signs"] = np.array([-1, 1], np.float32)
            steps += [("Mul", ["sums+", "signs"], {}), ("Sigmoid", ["sums+*"], {})]
        case "shares" if len(base) == 1:
            constants |= {"signs": np.array([-1, 1], np.float32), "ones": np.array([1, 0], np.float32)}
            steps += [("Mul", ["sums+", "signs"], {}), ("Add", ["sums+*", "ones"], {})]
    marks = {"Add": "+", "Mul": "*"}
    for i, (kind, inputs, attributes) in enumerate(steps):
        output = "Y" if i == len(steps) - 1 else inputs[0] + marks[kind]
        nodes = [*nodes, helper.make_node(kind, inputs, [output], **attributes)]
    outputs = 2 if len(base) == 1 and link in ("sigmoid", "shares") else len(base)
    graph = helper.make_graph(
        nodes,
        "trees",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, outputs])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", trees_opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    return bytes(model.SerializeToString(deterministic=True))


def _table_graph(trees: Trees, link: Link, features: int) -> bytes:
    # A leaf of the operator has one value, so each tree tells which leaf it reached
    # (exact in float32 below 2**24 leaves) and a table has that leaf's K values.
    from onnx import TensorProto, helper

    count = len(trees.root)
    node = _ensemble(trees, np.arange(len(trees.leaf)), trees.tree, count)
    node.output[0] = "reached"
    nodes = [
        node,
        helper.make_node("Cast", ["reached"], ["leaf"], to=TensorProto.INT32),
        helper.make_node("Gather", ["leaves", "leaf"], ["values"], axis=0),
        helper.make_node("ReduceSum", ["values", "trees"], ["sums"], keepdims=0),
    ]
    constants = {"leaves": trees.leaf.astype(np.float32), "trees": np.array([1])}
    return finished_graph(nodes, constants, trees.base, link, features)


def _ensemble(trees: Trees, leaf: np.ndarray, target: np.ndarray, targets: int) -> Any:
    from onnx import AttributeProto, helper, numpy_helper

    node = helper.make_node("TreeEnsemble", ["X"], ["sums"], domain="ai.onnx.ml")
    threshold = trees.threshold if trees.strict else floor32(trees.threshold)
    mode = _LESS if trees.strict else _LESS_OR_EQUAL
    node.attribute.extend(
        [
            helper.make_attribute("n_targets", targets),
            helper.make_attribute("aggregate_function", _SUM),
            helper.make_attribute("nodes_splits", numpy_helper.from_array(threshold.astype(np.float32))),
            helper.make_attribute(
                "nodes_modes", numpy_helper.from_array(np.full(len(threshold), mode, np.uint8))
            ),
            helper.make_attribute("leaf_weights", numpy_helper.from_array(leaf.astype(np.float32))),
        ]
    )
    lists = {
        "tree_roots": trees.root,
        "nodes_featureids": trees.feature,
        "nodes_truenodeids": np.where(trees.left < 0, -1 - trees.left, trees.left),
        "nodes_trueleafs": trees.left < 0,
        "nodes_falsenodeids": np.where(trees.right < 0, -1 - trees.right, trees.right),
        "nodes_falseleafs": trees.right < 0,
        "nodes_missing_value_tracks_true": trees.missing_left,
        "leaf_targetids": target,
    }
    for name, values in lists.items():  # make_attribute would look at every single one of the integers
        node.attribute.append(
            AttributeProto(name=name, type=AttributeProto.INTS, ints=values.astype(np.int64).tolist())
        )
    return node


def _with_split_roots(trees: Trees) -> Trees:
    """The same trees, where one that is a single leaf starts with a split that does not matter."""
    stump = trees.root < 0
    if not stump.any():
        return trees
    added, m = int(stump.sum()), len(trees.feature)
    root = trees.root.copy()
    root[stump] = np.arange(m, m + added)
    leaf, nothing = trees.root[stump], np.zeros(added, dtype=np.int64)
    return replace(
        trees,
        feature=np.append(trees.feature, nothing),
        threshold=np.append(trees.threshold, nothing.astype(np.float64)),
        left=np.append(trees.left, leaf),
        right=np.append(trees.right, leaf),
        missing_left=np.append(trees.missing_left, nothing.astype(bool)),
        root=root,
    )


def _centred(trees: Trees) -> Trees:
    """The same sums, each tree's mean leaf moved to the base, so that float32 adds small numbers only."""
    mean = np.bincount(trees.tree, trees.leaf) / np.bincount(trees.tree)
    base = trees.base.astype(np.float64).copy()
    np.add.at(base, trees.column, mean)
    return replace(trees, leaf=trees.leaf - mean[trees.tree], base=base)
