"""What rows that were not seen to differ may hide: where hardly any row differs, no spread is no proof."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.comparison.difference import Difference
from holdfast.stats.interval import Interval, more_than_seen
from holdfast.stats.tails import critical

# With so many rows that differ their own spread tells enough, and the usual interval stands.
ENOUGH = 20


def stretched(each: Difference, seen: tuple[int, int], n: int, moves: float, level: float) -> Difference:
    """The difference with what may differ unseen in its interval, and p no smaller than k signs allow.

    `seen` are the rows (of n) for and against the second model. There may be as many more
    of either as Clopper and Pearson's bound says, each of which `moves` the score by so
    much at most. Of k rows that differ, all one way, the sign test gives 2 ** (1 - k).
    """
    wins, losses = seen
    if wins + losses >= ENOUGH or not each.known:
        return each
    up, down = (moves * more_than_seen(k, n, level) for k in (wins, losses))
    interval = Interval(
        float(np.fmin(each.interval.low, each.value - down)),
        float(np.fmax(each.interval.high, each.value + up)),
    )
    if wins + losses:
        p = max(each.p, min(1.0, 2.0 ** (1 - wins - losses)))
        return replace(each, interval=interval, p=p, method=f"{each.method}; few rows differ")
    error = float(np.fmax(each.error, up / critical(level)))
    return replace(each, interval=interval, error=error, method="Clopper-Pearson: no row differs")
