"""Average precision: the area under the precision-recall steps, from one sort per model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.stats.bootstrap import times_drawn

_CHUNK = 4_000_000  # numbers held at once: 32 MB of float64


@dataclass(frozen=True, slots=True, eq=False)
class _Ranking:
    """Rows from the highest score down, and the last place of each group of tied scores."""

    order: np.ndarray
    positive: np.ndarray
    last: np.ndarray

    @staticmethod
    def of(positive: np.ndarray, score: np.ndarray) -> _Ranking:
        order = np.argsort(score)[::-1]
        ordered = score[order]
        last = np.flatnonzero(np.concatenate((ordered[1:] != ordered[:-1], [True])))
        return _Ranking(order, positive[order], last)

    def masses(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cumulated positive and total mass at each group's end, for weights of shape (..., n)."""
        ordered = weight[..., self.order]
        every = np.cumsum(ordered, axis=-1)[..., self.last]
        return np.cumsum(ordered * self.positive, axis=-1)[..., self.last], every

    def area(self, weight: np.ndarray) -> np.ndarray:
        """Average precision for weights of shape (..., n)."""
        true, every = self.masses(weight)
        steps = np.diff(true, prepend=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((steps * np.where(every > 0, true / every, 0.0)).sum(axis=-1) / true[..., -1])


def average_precision(
    positive: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Average precision, and its influences of shape (n,); tied scores are one step.

    `positive` is bool and `score` a number (higher = more positive), each of shape (n,).
    nan when no positive row has weight. The influences are of rows drawn at random, so
    the share of positives varies as well.

    >>> value, _ = average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.3]))
    >>> round(value, 4)
    0.8333
    """
    n = len(score)
    own = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    if not own[positive].any():
        return float("nan"), np.full(n, np.nan)
    ranking = _Ranking.of(positive, score)
    true, every = ranking.masses(own)
    every = np.maximum(every, np.finfo(np.float64).tiny)
    total = true[-1]
    value = float(ranking.area(own))
    steps = np.diff(true, prepend=0.0)
    group = np.repeat(np.arange(len(true)), np.diff(ranking.last, prepend=-1))
    # A row lies within every step from its own down: it adds to their totals, and if positive to their hits.
    gain = np.cumsum((steps * (every - true) / every**2)[::-1])[::-1]
    harm = np.cumsum((steps * true / every**2)[::-1])[::-1]
    slope = np.where(ranking.positive, (true / every + gain)[group] - value, -harm[group]) / total
    influence = np.empty(n)
    influence[ranking.order] = slope
    return value, influence * own


def bootstrap_average_precision(
    positive: np.ndarray,
    scores: np.ndarray,
    *,
    replicates: int,
    rng: np.random.Generator,
    weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Replicates (r, B) of the average precision of r models with scores (r, n), paired.

    Rows are drawn within each class (stratified), so that no replicate lacks positives;
    with `groups` (cluster codes of shape (n,)) whole clusters are drawn instead.
    """
    n = len(positive)
    own = np.ones(n) if weight is None else weight
    rankings = [_Ranking.of(positive, score) for score in scores]
    strata = [np.flatnonzero(positive), np.flatnonzero(~positive)]
    chunk = max(1, _CHUNK // n)
    parts = []
    for start in range(0, replicates, chunk):
        b = min(chunk, replicates - start)
        drawn = np.empty((b, n))
        if groups is None:
            for rows in strata:
                drawn[:, rows] = times_drawn(b, len(rows), rng)
        else:
            drawn[:] = times_drawn(b, int(groups.max()) + 1, rng)[:, groups]
        drawn *= own
        parts.append(np.stack([ranking.area(drawn) for ranking in rankings]))
    return np.concatenate(parts, axis=-1)
