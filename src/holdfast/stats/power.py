"""How many rows it takes to see a difference."""

from __future__ import annotations

import math

from scipy.special import ndtri

POWER = 0.8


def rows_for_difference(
    error: float, n: int, margin: float, *, level: float = 0.95, power: float = POWER
) -> int:
    """Rows that detect a paired difference of `margin`, given the standard error seen on n rows.

    The error shrinks with the square root of the rows, clusters and all, so one formula
    serves every metric: n (z_{1-alpha/2} + z_power)^2 error^2 / margin^2.

    >>> rows_for_difference(error=0.01, n=1000, margin=0.01)
    7849
    """
    z = float(ndtri((1 + level) / 2) + ndtri(power))
    return max(1, math.ceil(n * (z * error / margin) ** 2))


def rows_for_mcnemar(discordant: float, margin: float, *, level: float = 0.95, power: float = POWER) -> int:
    """Pairs that McNemar's test needs to detect a difference of `margin` between two accuracies.

    `discordant` is the share of pairs that just one gets right (at least the margin).

    >>> rows_for_mcnemar(discordant=0.1, margin=0.05)
    312
    """
    rate = max(discordant, margin)
    z = float(ndtri((1 + level) / 2)) * math.sqrt(rate)
    z += float(ndtri(power)) * math.sqrt(max(rate - margin**2, 0.0))
    return max(1, math.ceil((z / margin) ** 2))
