"""A frozen description of how to make a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from holdfast.core.fingerprint import fingerprint
from holdfast.core.task import Task

Option = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to the training rows of each fold, and to no row that is judged.

    `name` is a fix's ("smote", "augment", "fair", ...), `where` a slice (core.query), `column`
    a sensitive column, `amount` how strong it is, in the treatment's own unit.
    """

    name: str
    where: str = ""
    column: str = ""
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One learner with its settings; together with a Dataset it determines a model.

    `learner` is a name of the portfolio; `options` are the learner's own settings over
    its tuned defaults. `loss` names what is minimised ("log_loss", "balanced", "focal";
    "squared", "absolute", "huber", "quantile", "poisson"), `metric` what the model is
    judged and chosen by. `treatment` changes the rows that each fold trains on. `decision`
    ("threshold:f1", "recalibrate", or several joined by "+") is what was chosen anew for a model
    after it was fitted.
    """

    task: Task
    learner: str
    metric: str
    loss: str
    folds: int
    seed: int
    options: Mapping[str, Option] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    treatment: Treatment | None = None
    decision: str = ""

    @property
    def id(self) -> str:
        """Names the plan by its content; one without treatment or decision as before there were any."""
        facts = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("treatment", "decision"):
            if not facts[name]:
                del facts[name]
        return fingerprint(facts)
