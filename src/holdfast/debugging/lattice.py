"""Where a model loses most: the exact best slices by SliceLine's score (Sagadeeva and Boehm 2021).

A slice takes one level of each of a few columns. Its score weighs how much more its rows
lose than all rows do against how few they are:

    alpha (mean loss in it / mean loss - 1) - (1 - alpha) (rows / rows in it - 1)

All slices of the same columns are the cells of one small table, and many such tables are
sums over one larger table, which a single pass over the rows fills: see `_blocks`. Columns
are left out where no cell can reach the best scores found so far: a slice has no more rows
than the smallest of all its parents, no more loss than the one that loses least, and no
row that loses more than the worst of each.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from holdfast.errors import InputError

Columns = tuple[int, ...]

# Of the larger tables: so many fit near the processor. Measured on 1,000,000 rows of 20 columns.
_MOST_CELLS = 131_072
_FEWEST_CELLS = 5_000
# Scores and sums that differ by less are equal but for rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Aim:
    """What to look for: the `top` best slices with at least `support` rows and at most `deepest` columns."""

    top: int = 10
    support: float = 1.0
    alpha: float = 0.95
    deepest: int = 3


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows that have level `levels[j]` of column `columns[j]` for all j; `loss` is their mean."""

    columns: Columns
    levels: tuple[int, ...]
    score: float
    size: float
    loss: float


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Rows, total loss and (if deeper slices follow) greatest loss; a cell for each slice of some columns."""

    size: np.ndarray
    loss: np.ndarray
    top: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Levels from 1 on (0: none) of each column and losses from 0 on, ordered by loss."""

    columns: tuple[np.ndarray, ...]
    levels: np.ndarray  # how many each column has, level 0 included
    loss: np.ndarray
    weight: np.ndarray | None

    @property
    def size(self) -> float:
        return float(len(self.loss) if self.weight is None else self.weight.sum())


def top_slices(
    codes: np.ndarray, loss: np.ndarray, aim: Aim, *, weight: np.ndarray | None = None
) -> tuple[Slice, ...]:
    """The slices with the highest scores above 0, the best first; no other slice has a higher one.

    `codes` are each row's levels, int of shape (n, m), -1 where a row has none of the
    column's; `loss` is float of shape (n,), lower is better. The score compares ratios, so
    losses lie at or above 0: InputError for others. Rows count as `weight` (n,), if given,
    in sizes, means and the support. Of equal scores the slice of fewer and earlier columns
    comes first.

    >>> codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 25)
    >>> best = top_slices(codes, (codes.sum(axis=1) == 2) * 1.0, Aim(top=1))[0]
    >>> best.columns, best.levels, best.size, round(best.score, 2)
    ((0, 1), (1, 1), 25.0, 2.7)
    """
    if loss.min(initial=0.0) < 0:
        raise InputError(
            "Slices are ranked by ratios of losses, which lie at or above 0; subtract the least."
        )
    rows = _rows(codes, loss, weight)
    total = float(rows.loss.sum() if rows.weight is None else rows.loss @ rows.weight)
    if total <= 0:
        return ()
    whole = _Cells(*(np.asarray(value) for value in (rows.size, total, rows.loss[-1])))
    best = _Best(aim, (rows.size, total))
    parents: dict[Columns, _Cells] = {(): whole}
    for depth in range(1, min(aim.deepest, codes.shape[1]) + 1):
        hopeful = [
            columns
            for columns in combinations(range(codes.shape[1]), depth)
            if best.can_gain(columns, parents)
        ]
        kept: dict[Columns, _Cells] = {}
        for columns, cells in _filled(rows, hopeful, deeper=depth < aim.deepest):
            best.offer(columns, cells)
            if depth < aim.deepest:
                kept[columns] = cells
        parents = kept
    return tuple(best.slices())


def score(size: np.ndarray, loss: np.ndarray, whole: tuple[float, float], aim: Aim) -> np.ndarray:
    """SliceLine's score of slices by their rows and total losses; `whole` are those of all rows."""
    rows, total = whole
    gain = (loss / size) / (total / rows) - 1
    return np.asarray(aim.alpha * gain - (1 - aim.alpha) * (rows / size - 1))


class _Best:
    """The best slices so far, and whether others can come to be among them."""

    def __init__(self, aim: Aim, whole: tuple[float, float]) -> None:
        self.aim, self.whole = aim, whole
        self.least = 0.0  # what a slice must exceed
        self.found: list[tuple[float, Columns, tuple[int, ...], float, float]] = []

    def can_gain(self, columns: Columns, parents: dict[Columns, _Cells]) -> bool:
        """Whether a slice of these columns may be among the best, by what all its parents allow."""
        above = [parents[part] for part, _ in _parents(columns) if part in parents]
        if len(above) < len(columns):
            return False  # no slice of a parent's columns could, and each of these is a part of one
        size, loss, top = (
            _least([np.expand_dims(getattr(cells, name), j) for j, cells in enumerate(above)])
            for name in ("size", "loss", "top")
        )
        enough = size >= max(self.aim.support, _ROUNDING)
        if not enough.any():
            return False
        size, loss, top = size[enough], loss[enough], top[enough]
        # With s rows the loss is at most min(s top, loss): the score grows until they meet,
        # and goes one way from there to the greatest s.
        with np.errstate(divide="ignore", invalid="ignore"):
            meet = np.clip(np.nan_to_num(loss / top), max(self.aim.support, _ROUNDING), size)
        reached = np.maximum(
            *(score(s, np.minimum(s * top, loss), self.whole, self.aim) for s in (meet, size))
        )
        return bool((reached > self.least - _ROUNDING).any())

    def offer(self, columns: Columns, cells: _Cells) -> None:
        """Take in the slices of these columns that belong among the best."""
        large = cells.size >= max(self.aim.support, _ROUNDING)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.where(large, score(cells.size, cells.loss, self.whole, self.aim), -np.inf)
        better = scores > (self.least - _ROUNDING if self.least else 0.0)
        if np.count_nonzero(better) > self.aim.top:
            better &= scores >= np.partition(scores[better], -self.aim.top)[-self.aim.top] - _ROUNDING
        for levels in zip(*(axis.tolist() for axis in np.nonzero(better)), strict=True):
            size, loss = float(cells.size[levels]), float(cells.loss[levels])
            self.found.append((float(scores[levels]), columns, levels, size, loss))
        if len(self.found) > 4 * self.aim.top:
            self._prune()

    def slices(self) -> Iterator[Slice]:
        """The best slices, the very best first."""
        self._prune()
        for reached, columns, levels, size, loss in self.found:
            yield Slice(columns, levels, reached, size, loss / size)

    def _prune(self) -> None:
        self.found.sort(key=lambda one: (-round(one[0], 9), len(one[1]), one[1:3]))
        del self.found[self.aim.top :]
        if len(self.found) == self.aim.top:
            self.least = max(self.found[-1][0], 0.0)


def _rows(codes: np.ndarray, loss: np.ndarray, weight: np.ndarray | None) -> _Rows:
    order = np.argsort(loss, kind="stable")
    levels = codes.max(axis=0, initial=-1).astype(np.int64) + 2
    kind = np.uint8 if levels.max(initial=0) <= 256 else np.int32
    columns = tuple((column[order].astype(np.int64) + 1).astype(kind) for column in codes.T)
    return _Rows(columns, levels, loss[order], None if weight is None else weight[order])


def _parents(columns: Columns) -> Iterator[tuple[Columns, int]]:
    """All but one of the columns, and that one."""
    for j, column in enumerate(columns):
        yield columns[:j] + columns[j + 1 :], column


def _least(arrays: Sequence[np.ndarray]) -> np.ndarray:
    found = arrays[0]
    for array in arrays[1:]:
        found = np.minimum(found, array)
    return found


def _filled(rows: _Rows, wanted: Sequence[Columns], *, deeper: bool) -> Iterator[tuple[Columns, _Cells]]:
    """The cells of each of the wanted sets of columns, level 0 left out."""
    most = int(np.clip(len(rows.loss), _FEWEST_CELLS, _MOST_CELLS))
    for block, answered in _blocks(wanted, rows.levels, most):
        whole = _table(rows, block, deeper=deeper)
        for columns in answered:
            others = tuple(j for j, column in enumerate(block) if column not in columns)
            real = (slice(1, None),) * len(columns)
            yield (
                columns,
                _Cells(
                    whole.size.sum(axis=others)[real],
                    whole.loss.sum(axis=others)[real],
                    whole.top.max(axis=others)[real] if deeper else whole.top,
                ),
            )


def _table(rows: _Rows, block: Columns, *, deeper: bool) -> _Cells:
    """Rows, loss and greatest loss by the levels of all columns of a block, level 0 included."""
    shape = tuple(int(rows.levels[column]) for column in block)
    cells = math.prod(shape)
    # Half the memory to pass through, wherever the numbers fit.
    kind = np.int32 if cells < 2**31 else np.int64
    code: np.ndarray = np.zeros(len(rows.loss), dtype=kind)
    for column, levels in zip(block, shape, strict=True):
        code *= levels
        code += rows.columns[column]
    code = code.astype(np.intp)
    loss = rows.loss if rows.weight is None else rows.loss * rows.weight
    top = np.zeros(cells if deeper else 0)
    if deeper:
        top[code] = rows.loss  # rows come in the order of their loss, and the last one stays
    return _Cells(
        np.bincount(code, weights=rows.weight, minlength=cells).reshape(shape),
        np.bincount(code, weights=loss, minlength=cells).reshape(shape),
        top.reshape(shape) if deeper else top,
    )


def _blocks(
    wanted: Sequence[Columns], levels: np.ndarray, most: int
) -> Iterator[tuple[Columns, list[Columns]]]:
    """Sets of columns that between them contain all wanted ones, and which each answers for.

    Greedy: a block begins with the first set that still waits and takes in whichever
    column completes most others, while its table keeps within `most` cells.
    """
    nothing = np.zeros(len(levels), dtype=np.int64)
    waiting: defaultdict[Columns, np.ndarray] = defaultdict(nothing.copy)  # of a part: what completes it
    for columns in wanted:
        for part, last in _parents(columns):
            waiting[part][last] = 1
    for first in wanted:
        if not waiting[first[:-1]][first[-1]]:
            continue
        block, depth = list(first), len(first)
        while True:
            gain = np.sum([waiting[part] for part in combinations(sorted(block), depth - 1)], axis=0)
            gain[block] = 0
            gain[math.prod(levels[block].tolist()) * levels > most] = 0
            if not gain.any():
                break
            block.append(int(gain.argmax()))
        every = combinations(sorted(block), depth)
        answered = [columns for columns in every if waiting[columns[:-1]][columns[-1]]]
        for columns in answered:
            for part, last in _parents(columns):
                waiting[part][last] = 0
        yield tuple(sorted(block)), answered
