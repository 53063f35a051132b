"""The bootstrap by sufficient statistics.

A metric that sees the rows only through a table of counts is resampled exactly without
touching rows: n rows drawn with replacement give cell counts that are one multinomial draw
over the J distinct cells. With cells of (target, prediction A, prediction B) it is paired by
construction, and costs O(n + B J) where resampling rows costs O(n B).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

# Replicates are made in chunks of about this many numbers (32 MB of float64).
_CHUNK = 4_000_000

Statistic = Callable[[np.ndarray], np.ndarray]
"""Weighted cell counts of shape (..., J) -> values of shape (...) or (m, ...)."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """J distinct joint cells of n rows.

    `codes` is int64 of shape (J, c), `count` the rows in each cell (J,), `weight` the
    weight of one such row, float64 (J,), and `row` the cell of each row, int64 (n,).
    """

    codes: np.ndarray
    count: np.ndarray
    weight: np.ndarray
    row: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """The weighted counts, float64 of shape (J,)."""
        return np.asarray(self.count * self.weight)


def cells_of(*codes: np.ndarray, weight: np.ndarray | None = None) -> Cells:
    """The distinct joint cells of integer codes (each of shape (n,), not negative) and their counts.

    Rows of one cell share one weight, so many distinct weights make many cells.

    >>> cells = cells_of(np.array([0, 1, 1]), np.array([1, 1, 1]))
    >>> cells.codes.tolist(), cells.count.tolist()
    ([[0, 1], [1, 1]], [1, 2])
    """
    columns = list(codes)
    levels = np.ones(1)
    if weight is not None:
        levels, weight_code = np.unique(weight, return_inverse=True)
        columns.append(weight_code)
    sizes = [int(column.max(initial=0)) + 1 for column in columns]
    joint, distinct, count = _joint(columns, sizes)
    parts = np.stack(np.unravel_index(distinct, sizes), axis=1)
    if weight is None:
        return Cells(parts, count, np.ones(len(count)), joint)
    return Cells(parts[:, :-1], count, levels[parts[:, -1]], joint)


def _joint(columns: list[np.ndarray], sizes: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each row's cell, the cells' mixed-radix codes in rising order, and the cells' counts."""
    n = len(columns[0])
    space = float(np.prod(np.asarray(sizes, dtype=np.float64)))
    kind = np.int32 if space < 2**31 else np.int64
    code: np.ndarray = columns[0].astype(kind)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        np.multiply(code, size, out=code)
        np.add(code, column, out=code, casting="unsafe")
    if space > max(4 * n, 1_000_000):
        distinct, row, count = np.unique(code, return_inverse=True, return_counts=True)
        return row, distinct, count
    seen = np.bincount(code, minlength=int(space))
    distinct = np.flatnonzero(seen)
    place = np.zeros(len(seen), dtype=np.int64)
    place[distinct] = np.arange(len(distinct))
    return place[code], distinct, seen[distinct]


def bootstrap(
    cells: Cells,
    statistic: Statistic,
    *,
    replicates: int,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
    width: int = 1,
) -> np.ndarray:
    """Replicates of the statistic, shape (..., B): rows drawn with replacement.

    `width` is how many numbers the statistic makes per replicate (it bounds memory).
    With `groups` (cluster codes of shape (n,)) whole clusters are drawn instead; meant
    for few clusters, since it holds a table of clusters by cells.
    """
    draw = multinomial_draws(cells.count, rng) if groups is None else cluster_draws(cells, groups, rng)
    chunk = max(1, _CHUNK // max(len(cells.count), width))
    parts = []
    for start in range(0, replicates, chunk):
        drawn = draw(min(chunk, replicates - start))
        parts.append(statistic(drawn * cells.weight))
    return np.concatenate(parts, axis=-1)


def swap_within_cells(
    cells: Cells,
    statistic: Statistic,
    *,
    replicates: int,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
    width: int = 1,
) -> np.ndarray:
    """Permuted values of shape (B,): in each row two models change places at random.

    `statistic` sees weighted counts of shape (b, 2 J): the rows of each cell that stay,
    then those that change places. With `groups` whole clusters change places.
    """
    by_cluster = None if groups is None else counts_by_cluster(cells, groups)
    chunk = max(1, _CHUNK // max(2 * len(cells.count), width))
    parts = []
    for start in range(0, replicates, chunk):
        b = min(chunk, replicates - start)
        if by_cluster is None:
            moved = rng.binomial(cells.count, 0.5, size=(b, len(cells.count)))
        else:
            moved = rng.integers(0, 2, size=(b, len(by_cluster))) @ by_cluster
        parts.append(statistic(np.hstack([(cells.count - moved) * cells.weight, moved * cells.weight])))
    return np.concatenate(parts)


def multinomial_draws(count: np.ndarray, rng: np.random.Generator) -> Callable[[int], np.ndarray]:
    """A function that gives b draws of cell counts, shape (b, J), for n rows drawn from `count` (J,)."""
    n = count.sum()
    share = count / n
    return lambda b: rng.multinomial(round(n), share, size=b)


def cluster_draws(cells: Cells, groups: np.ndarray, rng: np.random.Generator) -> Callable[[int], np.ndarray]:
    """A function that gives b draws of cell counts, shape (b, J), for whole clusters drawn."""
    table = counts_by_cluster(cells, groups)
    clusters = len(table)
    share = np.full(clusters, 1 / clusters)
    return lambda b: rng.multinomial(clusters, share, size=b).astype(np.float64) @ table


def counts_by_cluster(cells: Cells, groups: np.ndarray) -> np.ndarray:
    """Rows of each cluster in each cell, float64 of shape (C, J)."""
    clusters, size = int(groups.max()) + 1, len(cells.count)
    joint = np.bincount(groups * size + cells.row, minlength=clusters * size)
    return joint.reshape(clusters, size).astype(np.float64)


def gradient(cells: Cells, statistic: Statistic, *, width: int = 1) -> np.ndarray:
    """The statistic's change per unit of weight in each cell, shape (..., J): one row's influence.

    A forward difference of a thousandth of a row; exact enough for any smooth function of counts.
    """
    step = 1e-3 * float(cells.weight.min())
    total = cells.total
    chunk = max(1, _CHUNK // max(len(total), width))
    base = statistic(total[np.newaxis])
    parts = []
    for start in range(0, len(total), chunk):
        stop = min(start + chunk, len(total))
        moved = np.repeat(total[np.newaxis], stop - start, axis=0)
        moved[np.arange(stop - start), np.arange(start, stop)] += step
        parts.append((statistic(moved) - base) / step)
    return np.concatenate(parts, axis=-1)


def with_cells(cells: Cells, codes: np.ndarray, count: float) -> Cells:
    """The same rows, and `count` imagined rows of mean weight in each further cell of codes (k, c)."""
    k = len(codes)
    mean = cells.total.sum() / cells.count.sum()
    return replace(
        cells,
        codes=np.concatenate([cells.codes, codes]),
        count=np.append(cells.count, np.full(k, count)),
        weight=np.append(cells.weight, np.full(k, mean)),
    )


def with_mean_weights(cells: Cells, weight: np.ndarray) -> Cells:
    """The same cells, each with the mean of its rows' weights (n,): the totals are then exact."""
    return replace(cells, weight=np.bincount(cells.row, weights=weight) / cells.count)


def row_influence(cells: Cells, slopes: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Influences of shape (..., n) of the rows from the cells' `gradient` of shape (..., J).

    `weight` of shape (n,) is each row's own weight; default its cell's.
    """
    own = cells.weight[cells.row] if weight is None else weight
    return np.asarray(slopes[..., cells.row] * own)


def tables(counts: np.ndarray, first: np.ndarray, second: np.ndarray, classes: int) -> np.ndarray:
    """Confusion tables of shape (..., K, K) from cell counts (..., J) with codes `first`, `second` (J,).

    >>> tables(np.array([2.0, 3.0]), np.array([0, 1]), np.array([0, 0]), 2).tolist()
    [[2.0, 0.0], [3.0, 0.0]]
    """
    place = first * classes + second
    flat = counts.reshape(-1, counts.shape[-1])
    if len(place) * classes**2 <= 4096:
        spread = np.zeros((len(place), classes**2))
        spread[np.arange(len(place)), place] = 1
        summed = flat.astype(np.float64, copy=False) @ spread
    else:
        order = np.argsort(place, kind="stable")
        starts = np.flatnonzero(np.diff(place[order], prepend=-1))
        summed = np.zeros((len(flat), classes**2))
        summed[:, place[order][starts]] = np.add.reduceat(flat[:, order], starts, axis=1)
    return summed.reshape(*counts.shape[:-1], classes, classes)
