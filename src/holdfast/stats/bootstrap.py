"""The bootstrap by rows (or whole clusters), for statistics that need more than a table of counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from holdfast.stats.influence import cluster_totals

_CHUNK = 4_000_000  # numbers held at once: 32 MB of float64

# So few columns are gathered row by row; more share a table of how often each row is drawn.
_FEW_COLUMNS = 4

Smooth = Callable[[np.ndarray], np.ndarray]
"""Sums of shape (c, ...) over rows -> values of shape (...) or (m, ...)."""


def draw_counts(n: int, replicates: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """`times_drawn` in chunks of shape (b, n) that bound the memory."""
    chunk = max(1, _CHUNK // max(n, 1))
    for start in range(0, replicates, chunk):
        yield times_drawn(min(chunk, replicates - start), n, rng)


def times_drawn(replicates: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n units is drawn, n at a time with replacement: float64 (replicates, n)."""
    drawn = rng.integers(0, max(n, 1), size=(replicates, n))
    drawn += np.arange(replicates)[:, np.newaxis] * n
    counts = np.bincount(drawn.ravel(), minlength=replicates * n)
    return counts.reshape(replicates, n).astype(np.float64)


def draw_rows(
    n: int, replicates: int, rng: np.random.Generator, groups: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Row positions (int64), one array per replicate: n rows, or all rows of C drawn clusters."""
    if groups is None:
        for _ in range(replicates):
            yield rng.integers(0, n, size=n)
        return
    order = np.argsort(groups, kind="stable")
    size = np.bincount(groups)
    start = np.cumsum(size) - size
    for _ in range(replicates):
        drawn = rng.integers(0, len(size), size=len(size))
        long = size[drawn]
        within = np.arange(long.sum()) - np.repeat(np.cumsum(long) - long, long)
        yield order[np.repeat(start[drawn], long) + within]


def bootstrap_sums(
    columns: np.ndarray,
    *,
    replicates: int,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Sums of columns of shape (c, n) over resampled rows, or clusters: shape (c, B).

    Every smooth function of means (RMSE, R2, a weighted mean, their differences) is a
    function of such sums; keep a column of weights (or ones) to divide by.
    """
    units = columns if groups is None else cluster_totals(columns, groups)
    n = units.shape[-1]
    if len(units) > _FEW_COLUMNS:
        return np.concatenate([units @ drawn.T for drawn in draw_counts(n, replicates, rng)], axis=-1)
    chunk = max(1, _CHUNK // max(n, 1))
    parts = []
    for start in range(0, replicates, chunk):
        drawn = rng.integers(0, n, size=(min(chunk, replicates - start), n))
        parts.append(np.stack([column[drawn].sum(axis=1) for column in units]))
    return np.concatenate(parts, axis=-1)


def smooth_influence(columns: np.ndarray, statistic: Smooth) -> np.ndarray:
    """Influences of rows, shape (..., n), on a smooth function of the sums of columns (c, n).

    The delta method with slopes by central differences.
    """
    sums = columns.sum(axis=1)
    scale = np.abs(columns).mean(axis=1)
    slopes = []
    for j, step in enumerate(1e-3 * np.where(scale > 0, scale, 1.0)):
        moved = np.repeat(sums[:, np.newaxis], 2, axis=1)
        moved[j] += (step, -step)
        high, low = np.moveaxis(np.asarray(statistic(moved)), -1, 0)
        slopes.append((high - low) / (2 * step))
    return np.asarray(np.moveaxis(np.stack(slopes), 0, -1) @ columns)


def blocks_of(
    n: int, rng: np.random.Generator, *, blocks: int = 200, groups: np.ndarray | None = None
) -> np.ndarray:
    """A random block for each of n rows, int64 of shape (n,); clusters (codes of shape (n,)) stay whole."""
    units = n if groups is None else int(groups.max()) + 1
    block = rng.permutation(units) % min(blocks, units)
    return block if groups is None else block[groups]


def block_influence(value: Callable[[np.ndarray], float], block: np.ndarray) -> np.ndarray:
    """Influences of blocks of rows on any statistic, shape (blocks,), by leaving out one at a time.

    `value` maps a mask of rows (bool, shape (n,)) to a number, `block` is each row's
    block. Consistent for medians too, since whole blocks are left out; for where
    drawing all rows again and again would take too long.
    """
    blocks = int(block.max()) + 1
    left_out = np.array([value(block != k) for k in range(blocks)])
    return np.asarray((left_out.mean() - left_out) * (blocks - 1) / blocks)
