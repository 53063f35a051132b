"""Which of many overlapping slices are worth a person's time: few, short, each about something new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.debugging.predicates import Predicates, Span, Spans
from holdfast.stats.tails import standardised, two_sided

_SAME = 0.8  # Jaccard: two slices that share so many of their rows are one
_ALPHA = 0.05  # divided by the number of parts that a slice could have been narrowed by
_FEWEST = 20  # rows on each side of a test
_ROUNDING = 1e-9  # of a mean: what sums that differ in order alone can differ by
_ROUNDS = 10  # of moving ranges; two or three are usual
_LARGEST = 2 / 3  # of the rows: where more are weak, it is the others that are special


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
    spans: Spans
    rows: np.ndarray
    sums: np.ndarray


def distinct(
    candidates: Sequence[Spans], predicates: Predicates, losses: Losses, *, fewest: float, most: int
) -> tuple[Spans, ...]:
    """At most `most` slices, the best first; `predicates` and `losses` are of the search rows.

    Each slice takes, within its columns, the ranges of at least `fewest` rows that set it
    off best, and loses a part unless its rows lose more for certain than those that this
    takes in. It is kept if it holds at most two thirds of the rows, shares at most 0.8 of
    them (Jaccard) with any that was kept before, and adds to that one (`compared`). Tests
    are one-sided at 0.05 divided by the number of parts there are; they sort candidates and
    prove nothing.
    """
    alpha = _ALPHA / max(len(predicates), 1)
    kept: list[_Chosen] = []
    for spans in candidates:
        if len(kept) == most:
            break
        if _adds(_chosen(spans, predicates, losses), kept, losses, alpha):
            shorter = _simplified(_fitted(spans, predicates, losses, fewest), predicates, losses, alpha)
            chosen = _chosen(_fitted(shorter, predicates, losses, fewest), predicates, losses)
            if _adds(chosen, kept, losses, alpha):
                kept.append(chosen)
    return tuple(one.spans for one in kept)


def _chosen(spans: Spans, predicates: Predicates, losses: Losses) -> _Chosen:
    rows = predicates.mask(spans)
    return _Chosen(spans, rows, losses.sums(rows))


def compared(rows: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows must lose more than which others, if a slice is to add to one that is known already.

    Its rows against the rest of the known slice, if most of them lie in there; else its
    rows outside against those in neither. Masks of shape (n,).
    """
    if 2 * (rows & known).sum() >= rows.sum():
        return rows, known & ~rows
    return rows & ~known, ~(rows | known)


def _adds(one: _Chosen, kept: list[_Chosen], losses: Losses, alpha: float) -> bool:
    if one.sums[1] > _LARGEST * losses.total[1]:
        return False
    return all(_differs(one, known) and _p_more_there(one, known, losses) <= alpha for known in kept)


def _differs(one: _Chosen, known: _Chosen) -> bool:
    return int((one.rows & known.rows).sum()) <= _SAME * int((one.rows | known.rows).sum())


def _p_more_there(one: _Chosen, known: _Chosen, losses: Losses) -> float:
    inside, outside = compared(one.rows, known.rows)
    return _p_more(losses.sums(inside), losses.sums(outside))


def _p_more(inside: np.ndarray, outside: np.ndarray) -> float:
    """One-sided, Welch's: that the rows with the first sums lose no more on average than the others."""
    if min(inside[0], outside[0]) < _FEWEST or min(inside[1], outside[1]) <= 0:
        return 1.0
    means, variances = [], []
    for _, weight, loss, *squares in (inside, outside):
        mean = loss / weight
        means.append(mean)
        variances.append(max(squares[2] - 2 * mean * squares[1] + mean**2 * squares[0], 0.0) / weight**2)
    gap = means[0] - means[1]
    if gap <= _ROUNDING * max(means):
        return 1.0
    return float(two_sided(standardised(gap, np.sqrt(sum(variances))))) / 2


def _simplified(spans: Spans, predicates: Predicates, losses: Losses, alpha: float) -> Spans:
    while len(spans) > 1:
        sums = losses.sums(predicates.mask(spans))
        shorter = [tuple(span for span in spans if span != one) for one in spans]
        p = [_p_more(sums, losses.sums(predicates.mask(each)) - sums) for each in shorter]
        if max(p) <= alpha:
            break
        spans = shorter[int(np.argmax(p))]
    return spans


def _fitted(spans: Spans, predicates: Predicates, losses: Losses, fewest: float) -> Spans:
    """The same columns with the ranges that set their rows off best: each in turn, until none moves."""
    for _ in range(_ROUNDS):
        before = spans
        for j, span in enumerate(spans):
            ranges = predicates.ranges(span)
            if ranges:
                rows = predicates.mask((*spans[:j], *spans[j + 1 :]))
                off = _set_off(predicates.codes[:, span.column], ranges, rows, losses, fewest)
                first, last = np.unravel_index(int(np.argmax(off)), off.shape)
                best = Span(span.column, int(first), int(last)) if np.isfinite(off.max()) else span
                spans = (*spans[:j], best, *spans[j + 1 :])
        if spans == before:
            break
    return spans


def _set_off(code: np.ndarray, ranges: int, rows: np.ndarray, losses: Losses, fewest: float) -> np.ndarray:
    """By first and last range, (ranges, ranges): how far these rows are set off from all others.

    The square root of the sum of squares between the two sides, which regression trees
    split by, with the sign of the difference; -inf for too few rows and for all ranges.
    """
    known = rows & (code >= 0) & (code < ranges)
    inside, columns = code[known], losses.columns[1:3, known]
    sums = np.stack([np.bincount(inside, weights=column, minlength=ranges) for column in columns])
    ends = np.concatenate([np.zeros((2, 1)), sums.cumsum(axis=1)], axis=1)
    weight, loss = ends[:, np.newaxis, 1:] - ends[:, :-1, np.newaxis]
    other_weight, other_loss = losses.total[1] - weight, losses.total[2] - loss
    asked = np.triu(weight >= fewest) & (other_weight > 0)
    asked[0, -1] = False
    off = np.full((ranges, ranges), -np.inf)
    a, b = weight[asked], other_weight[asked]
    off[asked] = (loss[asked] / a - other_loss[asked] / b) * np.sqrt(a * b)
    return off
