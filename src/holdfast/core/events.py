"""What a long job says while it works; faces draw it, nothing depends on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.core.dataset import Dataset
from holdfast.core.split import Split


@dataclass(frozen=True, slots=True)
class DataRead:
    """The table has been read, checked and split."""

    dataset: Dataset
    split: Split | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be fitted, in order, and what will not and why; and for what of it settings are searched."""

    learners: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    folds: int
    metric: str
    budget: float | None
    resumed: int = 0
    tuned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoldFitted:
    """One fold of one learner is done, the `fold`-th of `folds`. `score` is the metric on its rows."""

    learner: str
    fold: int
    folds: int
    score: float
    elapsed: float
    eta: float | None
    reused: bool = False


@dataclass(frozen=True, slots=True)
class LearnerFitted:
    """All folds of a learner are done: a usable model."""

    learner: str
    score: float
    seconds: float
    elapsed: float
    first: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A learner was not fitted, and why; `failed` where it was for an error of its own."""

    learner: str
    reason: str
    failed: bool = False

    def __str__(self) -> str:
        return f"{self.learner} was left out: {self.reason}"


@dataclass(frozen=True, slots=True)
class Said:
    """One line for the reader."""

    text: str


Event = DataRead | Planned | FoldFitted | LearnerFitted | Skipped | Said
OnEvent = Callable[[Event], None]


def silent(event: Event) -> None:
    """Listen to nothing."""
