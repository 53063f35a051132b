"""A run that the user's own training loop logged, as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.estimate import Estimate
from holdfast.core.run import RunRecord


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one metric: how many, and the last of them with its step, None where none was given."""

    last: float
    step: int | None
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """What is known of a logged run.

    `files` are the bytes of each. `scores` are there where predictions are;
    `lower_is_better` names those of which less is better.
    """

    record: RunRecord
    series: Mapping[str, Series] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[str, Estimate] = field(default_factory=dict)
    lower_is_better: frozenset[str] = frozenset()
