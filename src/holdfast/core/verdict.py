"""A comparison of two models."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.estimate import Estimate, decimals


class Outcome(StrEnum):
    """What a comparison says of the second model against the first."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"

    @property
    def reversed(self) -> Outcome:
        """The same comparison seen from the other side: what it says of the first against the second."""
        return _REVERSED.get(self, self)

    @staticmethod
    def of(difference: Estimate, margin: float) -> Outcome:
        """What an interval says: one side of no difference, all within the margin, or neither."""
        if difference.low > 0 or difference.high < 0:
            return Outcome.BETTER if difference.value > 0 else Outcome.WORSE
        within = -margin < difference.low and difference.high < margin
        return Outcome.EQUIVALENT if within else Outcome.UNDECIDED


_REVERSED = {Outcome.BETTER: Outcome.WORSE, Outcome.WORSE: Outcome.BETTER}


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """The second of two models against the first, on the same examples.

    `difference` is second minus first, oriented so that positive is better whatever
    the metric's own direction. `p` is two-sided and, among several comparisons,
    already corrected. `margin` is the largest difference that would not matter, in
    the metric's unit. `n_needed` is how many rows it would take to detect a
    difference of the margin's size with 80 % power (None when decided).
    """

    outcome: Outcome
    difference: Estimate
    p: float
    margin: float
    metric: str
    test: str
    n_needed: int | None = None
    first: str = "first"
    second: str = "second"

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        digits = decimals(self.margin, self.margin)
        text = (
            f"{self.second} is {_PHRASES[self.outcome]} {self.first} on {self.metric}: "
            f"{self.difference}, p = {self.p:.3g} ({self.test}; margin {self.margin:,.{digits}f})"
        )
        if self.n_needed is not None:
            text += f"; about {self.n_needed:,} rows would tell"
        return text


_PHRASES = {
    Outcome.BETTER: "better than",
    Outcome.WORSE: "worse than",
    Outcome.EQUIVALENT: "equivalent to",
    Outcome.UNDECIDED: "not told apart from",
}
