"""The interval of an area under the ROC curve when one class has few rows."""

from __future__ import annotations

import math
from collections.abc import Callable

from holdfast.stats.interval import Interval, on_logit_scale
from holdfast.stats.tails import critical

# With fewer rows of the rarer class DeLong's variance is too small where the area is large.
_MANY = 200


def auc_interval(
    value: float, error: float, positives: int, negatives: int, level: float = 0.95, *, units: int
) -> Interval:
    """DeLong's interval on the logit scale, from the area and its standard error.

    The critical value is Student's with one less than `units` degrees of freedom (rows of
    the rarer class, or clusters). With fewer than 200 of them it is no narrower on either
    side than Newcombe's (method 5, Stat. Med. 25, 2006), whose variance follows the bound.

    >>> interval = auc_interval(0.9, 0.03, 40, 100, units=40)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.821, 0.946)
    """
    if units < 2:
        return newcombe(value, positives, negatives, level)
    wider = critical(level, df=units - 1) / critical(level)
    interval = on_logit_scale(value, error * wider, level, units=units)
    if units >= _MANY:
        return interval
    other = newcombe(value, positives, negatives, level)
    return Interval(min(interval.low, other.low), max(interval.high, other.high))


def lacking(
    value: float, error: float, positives: int, negatives: int, level: float = 0.95
) -> tuple[float, float]:
    """By how much DeLong's interval is too narrow below and above, as squares to widen a mean's by.

    0 from 200 rows of the rarer class on; else what Newcombe's squared widths have more.
    """
    rarer = min(positives, negatives)
    if rarer >= _MANY:
        return 0.0, 0.0
    wide, own = newcombe(value, positives, negatives, level), on_logit_scale(value, error, level, units=rarer)
    below = (value - wide.low) ** 2 - (value - own.low) ** 2
    above = (wide.high - value) ** 2 - (own.high - value) ** 2
    return max(below, 0.0), max(above, 0.0)


def newcombe(value: float, positives: int, negatives: int, level: float = 0.95) -> Interval:
    """Where the area is `critical` standard errors away, by Hanley and McNeil's variance at the bound."""
    z = critical(level)

    def above(bound: float) -> bool:
        return value - bound > z * math.sqrt(_variance(bound, positives, negatives))

    def below(bound: float) -> bool:
        return bound - value > z * math.sqrt(_variance(bound, positives, negatives))

    return Interval(_bisect(above, 0.0, value), _bisect(below, 1.0, value))


def _variance(area: float, positives: int, negatives: int) -> float:
    half = (positives + negatives) / 2
    shape = (2 * half - 1) - (3 * half - 3) / ((2 - area) * (1 + area))
    return max(area * (1 - area) * shape / (positives * negatives), 0.0)


def _bisect(outside: Callable[[float], bool], far: float, near: float) -> float:
    """The last point on the way from `far` to `near` that is outside."""
    for _ in range(50):
        middle = (far + near) / 2
        if outside(middle):
            far = middle
        else:
            near = middle
    return far
