"""Which of many overlapping slices are worth a person's time: few, short, each about something new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.debugging.bins import Part, Predicates
from holdfast.debugging.lattice import Slice
from holdfast.stats.tails import standardised, two_sided

_SAME = 0.8  # Jaccard: two slices that share so many of their rows are one
_ALPHA = 0.05  # divided by the number of predicates that a slice could have been narrowed by
_FEWEST = 20  # rows on each side of a test

Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """What means and their spread are made of, float64 of shape (6, n): 1, w, wx, w^2, w^2 x, w^2 x^2."""

    columns: np.ndarray
    total: np.ndarray

    @staticmethod
    def of(loss: np.ndarray, weight: np.ndarray) -> Losses:
        """From a loss x and a weight w per row, each of shape (n,)."""
        squared = weight**2
        rows = (np.ones(len(loss)), weight, weight * loss, squared, squared * loss, squared * loss**2)
        columns = np.stack(rows)
        return Losses(columns, columns.sum(axis=1))

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """Over the rows of a mask (n,), shape (6,). Sums of unions and differences follow from these."""
        return np.asarray(self.columns @ rows.astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    parts: Parts
    rows: np.ndarray
    sums: np.ndarray


def distinct(
    slices: tuple[Slice, ...], predicates: Predicates, losses: Losses, *, most: int
) -> tuple[Parts, ...]:
    """At most `most` slices, the best first; `predicates` and `losses` are of the search rows.

    Each slice grows to neighbouring ranges whose mean loss is nearer to its own than to
    that elsewhere, and loses a part unless its rows lose more for certain than those that
    this takes in. It is kept if it shares at most 0.8 of its rows (Jaccard) with any that
    was kept before, and if it adds to that one: its rows outside lose more than others do,
    or, where most of its rows are inside, it loses more than the rest of that slice. Tests
    are one-sided at 0.05 divided by the number of predicates; they sort candidates and
    prove nothing.
    """
    alpha = _ALPHA / max(len(predicates), 1)
    kept: list[_Chosen] = []
    for one in slices:
        if len(kept) == most:
            break
        parts = tuple(Part(c, level, level) for c, level in zip(one.columns, one.levels, strict=True))
        if not _adds(_chosen(parts, predicates, losses), kept, losses, alpha):
            continue
        parts = _simplified(_widened(parts, predicates, losses), predicates, losses, alpha)
        chosen = _chosen(_widened(parts, predicates, losses), predicates, losses)
        if _adds(chosen, kept, losses, alpha):
            kept.append(chosen)
    return tuple(one.parts for one in kept)


def _chosen(parts: Parts, predicates: Predicates, losses: Losses) -> _Chosen:
    rows = predicates.mask(parts)
    return _Chosen(parts, rows, losses.sums(rows))


def _adds(one: _Chosen, kept: list[_Chosen], losses: Losses, alpha: float) -> bool:
    return all(_adds_to(known, one, losses, alpha) for known in kept)


def _adds_to(known: _Chosen, one: _Chosen, losses: Losses, alpha: float) -> bool:
    shared = losses.sums(known.rows & one.rows)
    either = known.sums + one.sums - shared
    if shared[0] > _SAME * either[0]:
        return False
    if 2 * shared[0] >= one.sums[0]:
        return _p_more(one.sums, known.sums - shared) <= alpha
    return _p_more(one.sums - shared, losses.total - either) <= alpha


def _p_more(inside: np.ndarray, outside: np.ndarray) -> float:
    """One-sided, Welch's: that the rows with the first sums lose no more on average than the others."""
    if min(inside[0], outside[0]) < _FEWEST or min(inside[1], outside[1]) <= 0:
        return 1.0
    means, variances = [], []
    for _, weight, loss, *squares in (inside, outside):
        mean = loss / weight
        means.append(mean)
        variances.append(max(squares[2] - 2 * mean * squares[1] + mean**2 * squares[0], 0.0) / weight**2)
    z = float(standardised(means[0] - means[1], np.sqrt(sum(variances))))
    return float(two_sided(z)) / 2 if z > 0 else 1.0


def _simplified(parts: Parts, predicates: Predicates, losses: Losses, alpha: float) -> Parts:
    while len(parts) > 1:
        sums = losses.sums(predicates.mask(parts))
        shorter = [tuple(part for part in parts if part != one) for one in parts]
        p = [_p_more(sums, losses.sums(predicates.mask(each)) - sums) for each in shorter]
        if max(p) <= alpha:
            break
        parts = shorter[int(np.argmax(p))]
    return parts


def _widened(parts: Parts, predicates: Predicates, losses: Losses) -> Parts:
    sums = losses.sums(predicates.mask(parts))
    while True:
        grown = []
        for part in parts:
            for new in predicates.wider(part):
                wider = tuple(new if one is part else one for one in parts)
                whole = losses.sums(predicates.mask(wider))
                added, inside, outside = map(_mean, (whole - sums, sums, losses.total - whole))
                grown.append((added - (inside + outside) / 2, wider, whole))
        best = max(grown, key=lambda one: one[0], default=None)
        if best is None or not best[0] > 0:
            return parts
        _, parts, sums = best


def _mean(sums: np.ndarray) -> float:
    return float(sums[2] / sums[1]) if sums[1] > 0 else 0.0
