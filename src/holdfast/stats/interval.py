"""Confidence intervals that have a formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import betaincinv

from holdfast.stats.influence import mean_influence, standard_error, units_of
from holdfast.stats.tails import critical


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a value; both nan when no honest interval exists."""

    low: float
    high: float

    def within(self, margin: float) -> bool:
        """Whether the whole interval lies inside (-margin, margin).

        >>> Interval(-0.004, 0.009).within(0.01), Interval(math.nan, math.nan).within(0.01)
        (True, False)
        """
        return -margin < self.low and self.high < margin

    def flipped(self) -> Interval:
        """The interval of the negative value."""
        return Interval(-self.high, -self.low)


UNKNOWN = Interval(math.nan, math.nan)


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion; n may be an effective (fractional) size.

    >>> interval = wilson(8, 10)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.49, 0.943)
    """
    if n <= 0:
        return UNKNOWN
    z2 = critical(level) ** 2
    rate = successes / n
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(max(rate * (1 - rate), 0) / n + z2 / (4 * n * n))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def more_than_seen(k: int, n: int, level: float = 0.95) -> float:
    """How many more of n rows there may be of a kind seen k times: Clopper and Pearson's upper bound, less k.

    >>> round(more_than_seen(0, 1000), 2), round(more_than_seen(5, 1000), 2), more_than_seen(1, 1)
    (3.68, 6.63, 0.0)
    """
    return n * float(betaincinv(k + 1, n - k, (1 + level) / 2)) - k if k < n else 0.0


def effective_size(weight: np.ndarray) -> float:
    """Kish's effective number of rows, (sum w)^2 / sum w^2.

    >>> effective_size(np.array([1.0, 1.0, 2.0]))
    2.6666666666666665
    """
    return float(weight.sum() ** 2 / (weight**2).sum())


def mean_t(
    values: np.ndarray,
    level: float = 0.95,
    weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Interval:
    """Student's interval for the (weighted) mean of values of shape (n,).

    With `groups` (cluster codes of shape (n,)) the standard error is clustered and the
    degrees of freedom are one less than the number of clusters. Unknown below two units.

    >>> interval = mean_t(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.446, 4.554)
    """
    units = units_of(len(values), groups)
    if units < 2:
        return UNKNOWN
    mean = float(np.average(values, weights=weight))
    error = standard_error(mean_influence(values, weight), groups)
    return normal(mean, error, level, df=units - 1)


def normal(value: float, error: float, level: float = 0.95, df: float | None = None) -> Interval:
    """value +- critical x standard error; Student's with `df`."""
    half = critical(level, df) * error
    return Interval(value - half, value + half)


def on_logit_scale(value: float, error: float, level: float = 0.95, *, units: float) -> Interval:
    """An interval inside (0, 1) for a value in [0, 1] with this standard error.

    Symmetric on the logit scale. At 0, at 1 or without spread the logit has no
    standard error; the bound is then Wilson's for `units` trials that all went one way
    (`units`: rows of the rarer class for a ranking metric).
    """
    if not 0 < value < 1 or error <= 0:
        bound = wilson(value * units, units, level)
        return Interval(min(value, bound.low), max(value, bound.high))
    middle = math.log(value / (1 - value))
    half = critical(level) * error / (value * (1 - value))
    return Interval(_logistic(middle - half), _logistic(middle + half))


def paired_proportions(only_first: int, only_second: int, n: int, level: float = 0.95) -> Interval:
    """Tango's score interval for P(second) - P(first) over n pairs (Stat. Med. 17, 1998).

    `only_first` and `only_second` count the pairs in which just that one succeeded.
    Keeps a width when there are no discordant pairs.

    >>> interval = paired_proportions(5, 15, 100)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.013, 0.192)
    """
    if n <= 0:
        return UNKNOWN
    z = critical(level)
    seen = (only_second - only_first) / n
    score = partial(_tango_score, only_second, only_first, n)
    return Interval(_root(score, z, seen, -1.0), _root(score, z, seen, 1.0))


def _tango_score(b: int, c: int, n: int, delta: float) -> float:
    """The score statistic of (b - c) / n against a true difference of delta."""
    linear = -b - c + (2 * n - b + c) * delta
    constant = -c * delta * (1 - delta)
    rate = (math.sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * rate + delta * (1 - delta))
    distance = b - c - n * delta
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)


def _root(score: Callable[[float], float], z: float, inner: float, outer: float) -> float:
    """Where |score| = z, by bisection from the observed difference (score 0) outward."""
    for _ in range(60):
        middle = (inner + outer) / 2
        if abs(score(middle)) < z:
            inner = middle
        else:
            outer = middle
    return inner


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
