"""A number that never travels alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from holdfast.errors import InputError

_TINY = 1e-5  # numbers below are written with a power of ten


@dataclass(frozen=True, slots=True, repr=False)
class Estimate:
    """A value with its interval, level, sample size and method.

    `low` and `high` bound the value at confidence `level` (both `nan` when a value
    exists but no honest interval does). No data gives an *absent* estimate: `value`
    is `nan` and `reason` says why. It is never 0.

    >>> print(Estimate(0.8123, 0.79, 0.83, n=1200, method="Wilson"))
    0.812 [0.790, 0.830]
    >>> Estimate(0.8123, 0.79, 0.83, n=1200, method="Wilson")
    0.812 [0.790, 0.830] (n=1,200)
    >>> print(Estimate(4e-7, 2e-7, 6e-7, n=1200))
    4e-07 [2e-07, 6e-07]
    >>> print(Estimate(-0.0001, -0.02, 0.02, n=1200))
    0.000 [-0.020, 0.020]
    >>> print(Estimate.absent("no positive rows"))
    absent: no positive rows
    """

    value: float
    low: float
    high: float
    level: float = 0.95
    n: int = 0
    method: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise InputError(f"A confidence level lies between 0 and 1, not {self.level!r}.")

    @classmethod
    def absent(cls, reason: str, *, n: int = 0, level: float = 0.95) -> Estimate:
        """An estimate that does not exist, and why."""
        return cls(math.nan, math.nan, math.nan, level, n, "none", reason)

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)

    def __repr__(self) -> str:
        return f"{self} (n={self.n:,})"

    def __str__(self) -> str:
        if not self.known:
            return f"absent: {self.reason}"
        if math.isnan(self.low):
            return significant(self.value)
        if 0 < max(abs(self.value), abs(self.low), abs(self.high)) < _TINY:
            return f"{self.value:.2g} [{self.low:.2g}, {self.high:.2g}]"
        digits = decimals(self.value, self.high - self.low)
        return f"{self.value:z,.{digits}f} [{self.low:z,.{digits}f}, {self.high:z,.{digits}f}]"


def decimals(value: float, width: float) -> int:
    """How many decimals are worth showing for a value whose interval has this width.

    >>> decimals(0.8123, 0.04), decimals(48211.7, 900.0)
    (3, 0)
    """
    scale = width if width > 0 and math.isfinite(width) else abs(value) / 100
    if scale <= 0 or not math.isfinite(scale):
        return 3
    return max(0, min(6, 1 - math.floor(math.log10(scale))))


def significant(value: float) -> str:
    """A number without an interval, to four significant digits.

    >>> significant(0.123456), significant(48211.7), significant(4.1e-07)
    ('0.1235', '48,212', '4.1e-07')
    """
    if abs(value) < _TINY or not math.isfinite(value):
        return f"{value:.4g}"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"
