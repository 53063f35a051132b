"""What a search may try for each setting of a learner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.plan import Option
from holdfast.errors import PlanError


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included; `log` searches their logarithm."""

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise PlanError(
                f"A search range needs low < high, and low > 0 on a log scale: not {self.low} to {self.high}."
            )

    @property
    def first(self) -> Option:
        """One of its values."""
        return int(self.low) if self.integer else self.low

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Choices:
    """One of a few values."""

    values: tuple[Option, ...]

    @property
    def first(self) -> Option:
        """One of its values."""
        return self.values[0]

    def __contains__(self, value: object) -> bool:
        return value in self.values


Space = Mapping[str, Range | Choices]
"""A learner's search space, by option name."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting of a learner that was tried, and its out-of-fold loss (lower is better)."""

    learner: str
    options: Mapping[str, Option]
    loss: float

    def within(self, spaces: Mapping[str, Space]) -> bool:
        """Whether a search of these spaces could have tried it."""
        space = spaces.get(self.learner, {})
        same = bool(space) and set(self.options) == set(space)
        return same and all(value in space[name] for name, value in self.options.items())


def parse_range(name: str, text: object) -> Range | Choices:
    """A range as it is written by hand: `[2, 200, "log"]`, `[0.5, 1.0]` or `["a", "b"]`.

    >>> parse_range("num_leaves", [2, 200, "log"])
    Range(low=2, high=200, log=True, integer=True)
    """
    if not isinstance(text, list | tuple) or len(text) < 2:
        raise PlanError(f'The search range of {name!r} must look like [2, 200, "log"] or ["a", "b"].')
    numbers = [value for value in text if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == 2 and (len(text) == 2 or text[2:] in (["log"], ("log",))):
        return Range(numbers[0], numbers[1], len(text) == 3, all(isinstance(v, int) for v in numbers))
    return Choices(tuple(text))
