"""How sure a guard is to see that nothing got worse, said when it is made."""

from __future__ import annotations

import math

from scipy.special import ndtr

from holdfast.core.estimate import Estimate
from holdfast.errors import InputError
from holdfast.promotion.subject import LEVEL
from holdfast.stats.tails import critical


def power_of(spread: float, n: int, margin: float, *, level: float = LEVEL) -> float:
    """The power, in [0, 1], of a non-inferiority test at its margin between models that are alike.

    `spread` is the standard deviation of the paired differences of n rows, in the margin's
    unit. `level` is two-sided: the test asks whether the lower bound of such an interval lies
    above -margin. Normal approximation: P(Z < margin sqrt(n) / spread - z).

    >>> round(power_of(spread=0.5, n=2_000, margin=0.02), 3)
    0.557
    """
    if not margin > 0 or n < 0 or spread < 0:
        raise InputError(
            f"Power needs a margin above 0, not {margin!r}, and rows and a spread of at least 0."
        )
    if n == 0 or spread == 0:
        return 1.0 if n else 0.0
    return float(ndtr(margin * math.sqrt(n) / spread - critical(level)))


def spread_of(difference: Estimate) -> float:
    """The standard deviation of a row's difference that an interval implies, clusters and all.

    Serves every metric, also one that is no mean of rows. nan where there is no interval.

    >>> round(spread_of(Estimate(0.0, -0.0196, 0.0196, level=0.95, n=10_000)), 3)
    1.0
    """
    half = (difference.high - difference.low) / 2
    return half / critical(difference.level) * math.sqrt(difference.n)
