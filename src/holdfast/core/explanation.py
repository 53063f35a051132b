"""Why a model answers as it does on one row."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one column's cell (`cell`, as text) moves an answer by."""

    column: str
    cell: str
    effect: Estimate


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer as a sum: `base` and all `contributions` (largest first) add up to `value`.

    `of` says what the numbers are ("log-odds of 'yes'", "probability of 'red'", "the
    prediction"). `base` is the mean answer to the background rows; its interval, like
    those of the contributions, says what a larger sample of rows and orders could change.
    Where they are log-odds, `probability` and `base_probability` are what `value` and `base` come to.
    """

    example: str
    of: str
    base: Estimate
    value: float
    contributions: tuple[Contribution, ...]
    probability: float | None = None
    base_probability: Estimate | None = None
