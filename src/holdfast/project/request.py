"""What `train` was asked, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from holdfast.core.events import OnEvent, silent
from holdfast.core.space import Space
from holdfast.data.roles import Overrides as Overrides
from holdfast.errors import PlanError
from holdfast.metrics import AnyMetric

Learned = str | object
"""A name of the portfolio, or a scikit-learn estimator."""


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """Everything that `train` takes. `budget` is in seconds; None is no limit.

    `answers` is the finding that the training is a fix for, "" for one of its own, and
    `before` the run that is fixed.
    """

    source: object
    columns: Overrides = field(default_factory=Overrides)
    project: str | Path | None = None
    budget: float | None = None
    learners: tuple[Learned, ...] | None = None
    metric: AnyMetric | None = None
    loss: str | None = None
    folds: int | None = None
    seed: int = 0
    sealed: float | None = None
    test: object = None
    tune: bool = False
    spaces: Mapping[str, Space] = field(default_factory=dict)
    replay: str | None = None
    on_event: OnEvent = silent
    command: str = ""
    answers: str = ""
    before: str = ""

    def __post_init__(self) -> None:
        if self.budget is not None and not 0 < self.budget < inf:
            raise PlanError(f"A budget is a number of seconds above 0, not {self.budget}.")
        if self.folds is not None and not 2 <= self.folds <= 50:
            raise PlanError(f"Use 2 to 50 folds, not {self.folds}.")
        if self.sealed is not None and not 0 <= self.sealed <= 0.9:
            raise PlanError(f"The share of sealed rows lies between 0 and 0.9, not {self.sealed}.")
        if self.tune and self.budget is None:
            raise PlanError("Tuning spends the rest of a budget; say how long: --tune --budget 10m")
