"""ONNX graphs of dense learners, built node by node; `trees.finished_graph` closes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from holdfast.models.tabular.trees import Link, finished_graph

_AXIS = {"axis": 1}


class Builder:
    """The nodes and constants of one graph, named in the order in which they are added.

    Every method that adds something returns the name by which later nodes refer to it.
    The cells are called "X".
    """

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, np.ndarray] = {}

    def constant(self, value: np.ndarray | float) -> str:
        """An array or a number, kept as float32 (int64 where it holds integers)."""
        array = np.asarray(value)
        name = f"c{len(self._constants)}"
        self._constants[name] = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        return name

    def node(
        self, kind: str, *inputs: str, output: str = "", attributes: dict[str, Any] | None = None
    ) -> str:
        """One standard operator with one output."""
        from onnx import helper

        name = output or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **(attributes or {})))
        return name

    def columns(self, x: str, index: np.ndarray) -> str:
        """The columns of x at `index`, int of shape (m,) where repeats are allowed: (n, m)."""
        return self.node("Gather", x, self.constant(index), attributes=_AXIS)

    def imputed(self, x: str, fill: np.ndarray) -> str:
        """x with each nan replaced by its column's `fill`, shape (d,)."""
        return self.node("Where", self.node("IsNaN", x), self.constant(fill), x)

    def missing(self, x: str, index: np.ndarray) -> str:
        """1 where the cells of the columns at `index` are nan, else 0: (n, m)."""
        return self.node("Cast", self.node("IsNaN", self.columns(x, index)), attributes={"to": 1})

    def scaled(self, x: str, centre: np.ndarray, factor: np.ndarray) -> str:
        """(x - centre) * factor, each of shape (d,)."""
        return self.node("Mul", self.node("Sub", x, self.constant(centre)), self.constant(factor))

    def clipped(self, x: str, low: float, high: float) -> str:
        """x held inside [low, high]."""
        return self.node("Clip", x, self.constant(low), self.constant(high))

    def beside(self, parts: Sequence[str]) -> str:
        """The parts side by side."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, attributes=_AXIS)

    def affine(self, x: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """x @ weight + bias, with shapes (n, d), (d, m) and (m,)."""
        return self.node("Gemm", x, self.constant(weight), self.constant(bias))

    def finish(self, sums: str, base: np.ndarray, link: Link, features: int) -> bytes:
        """The model's bytes: "Y" = link(`sums` + base), with `base` of shape (K,)."""
        self.node("Identity", sums, output="sums")
        return finished_graph(self._nodes, self._constants, base, link, features)
