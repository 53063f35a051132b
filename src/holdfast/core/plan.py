"""A frozen description of how to make a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.fingerprint import fingerprint
from holdfast.core.task import Task

Option = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Plan:
    """One learner with its settings; together with a Dataset it determines a model.

    `learner` is a name of the portfolio; `options` are the learner's own settings over
    its tuned defaults. `loss` names what is minimised ("log_loss", "balanced", "focal";
    "squared", "absolute", "huber", "quantile", "poisson"), `metric` what the model is
    judged and chosen by.
    """

    task: Task
    learner: str
    metric: str
    loss: str
    folds: int
    seed: int
    options: Mapping[str, Option] = field(default_factory=dict)
    members: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Names the plan by its content."""
        return fingerprint(self)
