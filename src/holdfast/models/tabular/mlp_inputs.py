"""What the network reads of a table: scaled numbers, and each number piece by piece.

The pieces are the piecewise linear encoding of Gorishniy et al. 2022, "On embeddings
for numerical features in tabular deep learning": between two knots a piece rises from
0 to 1. Half of the knots are quantiles of the rows, half of the distinct values: a
column that is mostly zero keeps its resolution in the tail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.models.tabular.graphs import Builder
from holdfast.models.tabular.scaling import Scaling, fit_scaling

_MOST_PIECES = 512  # columns of pieces, over all numbers
_ROWS = 50_000  # that quantiles are taken of


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Scaled columns, then t pieces: piece k follows column `source[k]` from `knot[k]` on, by `slope[k]`."""

    scaling: Scaling
    source: np.ndarray
    knot: np.ndarray
    slope: np.ndarray

    @property
    def numbers(self) -> int:
        """The number of columns that hold numbers; they come first."""
        return len(self.scaling.numbers)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """float32 of shape (n, inputs)."""
        scaled = self.scaling(X)
        if not len(self.source):
            return scaled
        pieces = np.take(self.scaling.filled(X), self.source, axis=1)
        pieces -= self.knot
        with np.errstate(over="ignore"):  # what overflows is bounded in the next line
            pieces *= self.slope
        return np.concatenate([scaled, np.clip(pieces, 0, 1, out=pieces)], axis=1)

    def build(self, graph: Builder) -> str:
        """Nodes for what a call gives."""
        filled, scaled = self.scaling.build(graph)
        if not len(self.source):
            return scaled
        pieces = graph.scaled(graph.columns(filled, self.source), self.knot, self.slope)
        return graph.beside([scaled, graph.clipped(pieces, 0.0, 1.0)])


def fit_inputs(X: np.ndarray, pieces: int) -> Inputs:
    """The inputs of these rows with up to 2 x `pieces` pieces for each number (0: none)."""
    scaling = fit_scaling(X)
    count = min(pieces, _MOST_PIECES // max(2 * len(scaling.numbers), 1))
    source, knot, slope = [], [], []
    if count > 1:
        rows = scaling.filled(X[:: -(-len(X) // _ROWS)])
        for j in scaling.numbers:
            knots = _knots(rows[:, j], count)
            source.append(np.full(len(knots) - 1, j))
            knot.append(knots[:-1])
            slope.append(1 / np.diff(knots))
    if not source:
        nothing = np.zeros(0, dtype=np.float32)
        return Inputs(scaling, np.zeros(0, dtype=np.int64), nothing, nothing)
    return Inputs(
        scaling,
        np.concatenate(source),
        np.concatenate(knot).astype(np.float32),
        np.concatenate(slope).astype(np.float32),
    )


def _knots(values: np.ndarray, count: int) -> np.ndarray:
    at = np.linspace(0, 1, count + 1)
    knots = np.union1d(np.quantile(values, at), np.quantile(np.unique(values), at)).astype(np.float32)
    # Knots closer than float32 can tell apart would make a slope without end.
    apart = np.diff(knots, prepend=-np.inf) > 1e-6 * max(float(knots[-1] - knots[0]), 1e-30)
    return knots[apart]
