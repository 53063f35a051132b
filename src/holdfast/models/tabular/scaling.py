"""Numbers as dense learners like them: no gaps, one scale, no long tails.

Columns of two values become 0 and 1, and stay between them whatever comes later. All
others are centred at the median and divided by their interquartile range, then bounded
smoothly (Holzmüller et al. 2024, "Better by default"). Every column with gaps in
training gets a second one that says where.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.models.tabular.graphs import Builder

_BOUND = 3.0  # scaled numbers stay between -3 and 3
_FARTHEST = 1e6  # its square is safe in float32
_HUGE = 1e30  # cells are held below it, and factors too: no difference is infinite in float32


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """How each of d columns is filled and scaled.

    `fill`, `centre` and `factor` are float32 of shape (d,). `numbers`, `flags` and `gaps`
    are column positions: of numbers, of columns with two values, and of columns with gaps.
    """

    fill: np.ndarray
    centre: np.ndarray
    factor: np.ndarray
    numbers: np.ndarray
    flags: np.ndarray
    gaps: np.ndarray

    @property
    def columns(self) -> int:
        """The number of columns that a call gives."""
        return len(self.numbers) + len(self.flags) + len(self.gaps)

    def filled(self, X: np.ndarray) -> np.ndarray:
        """X with its gaps filled, float32 of shape (n, d)."""
        return np.clip(np.where(np.isnan(X), self.fill, X), -_HUGE, _HUGE)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """float32 of shape (n, numbers + flags + gaps): scaled numbers, flags, where gaps are."""
        with np.errstate(over="ignore"):  # what overflows is bounded in the next line
            Z = (self.filled(X) - self.centre) * self.factor
        numbers = np.clip(Z[:, self.numbers], -_FARTHEST, _FARTHEST)
        bounded = numbers / np.sqrt(1 + np.square(numbers / _BOUND))
        gaps = np.isnan(X[:, self.gaps]).astype(np.float32)
        return np.concatenate([bounded, np.clip(Z[:, self.flags], 0, 1), gaps], axis=1)

    def build(self, graph: Builder) -> tuple[str, str]:
        """Nodes for `filled` of all columns, and for what a call gives."""
        filled = graph.clipped(graph.imputed("X", self.fill), -_HUGE, _HUGE)
        scaled = graph.scaled(filled, self.centre, self.factor)
        parts = []
        if len(self.numbers):
            numbers = graph.clipped(graph.columns(scaled, self.numbers), -_FARTHEST, _FARTHEST)
            share = graph.node("Div", numbers, graph.constant(_BOUND))
            length = graph.node(
                "Sqrt", graph.node("Add", graph.node("Mul", share, share), graph.constant(1.0))
            )
            parts.append(graph.node("Div", numbers, length))
        if len(self.flags):
            parts.append(graph.clipped(graph.columns(scaled, self.flags), 0.0, 1.0))
        if len(self.gaps):
            parts.append(graph.missing("X", self.gaps))
        return filled, graph.beside(parts)


def fit_scaling(X: np.ndarray) -> Scaling:
    """The scaling of these rows, float32 of shape (n, d) with nan for gaps and d of at least 1.

    >>> scaling = fit_scaling(np.array([[1, 0], [2, 1], [3, 1], [4, np.nan]], dtype=np.float32))
    >>> scaling(np.array([[2.5, np.nan]], dtype=np.float32)).tolist()
    [[0.0, 1.0, 1.0]]
    """
    X, nan = np.clip(X, -_HUGE, _HUGE), np.isnan(X)
    empty = nan.all(axis=0)
    known = np.where(empty, np.float32(0), X)
    fill = np.nanmedian(known, axis=0).astype(np.float32)
    filled = np.where(nan, fill, X)
    low, high = np.nanmin(known, axis=0), np.nanmax(known, axis=0)
    two_valued = (nan | (low == X) | (high == X)).all(axis=0)
    width = np.where(two_valued, high - low, _width(filled, fill))
    factor = np.divide(1.0, width, out=np.zeros(X.shape[1]), where=width > 1 / _HUGE)
    return Scaling(
        fill,
        np.where(two_valued, low, fill).astype(np.float32),
        factor.astype(np.float32),
        np.flatnonzero(~two_valued),
        np.flatnonzero(two_valued),
        np.flatnonzero(nan.any(axis=0)),
    )


def _width(filled: np.ndarray, centre: np.ndarray) -> np.ndarray:
    # Where more than half of the cells are equal (zeros, mostly), the others give the scale.
    lower, upper = np.quantile(filled, [0.25, 0.75], axis=0)
    width = upper - lower
    for j in np.flatnonzero(width <= 0):
        distance = np.abs(filled[:, j] - centre[j])
        away = distance[distance > 0]
        width[j] = np.quantile(away, 0.75) if len(away) else 0.0
    return np.asarray(width)
