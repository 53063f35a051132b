"""One Plan fitted on one Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.core.estimate import Estimate
from holdfast.core.learner import Curve, Model
from holdfast.core.origin import Origin
from holdfast.core.plan import Plan
from holdfast.core.predictions import Predictions


class Status(StrEnum):
    """How a run stands. A run whose process died is dead, never finished."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model cost to make and costs to use.

    `fit_seconds` and `cpu_seconds` are summed over folds; `predict_seconds` is per row
    in large batches, `row_seconds` the median of one row alone; `size` is in bytes.
    """

    fit_seconds: float = 0.0
    cpu_seconds: float = 0.0
    predict_seconds: float = 0.0
    row_seconds: float = 0.0
    size: int = 0


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The facts of a run, as the catalog keeps them.

    `id` is short and readable (`catboost-4f2a91`), `training` names the command that
    made it together with others, `model` is the model's hash, `curves` has one learning
    curve per fold, `weights` the members' weights of an ensemble, by run id. `warnings`
    say why its scores may not hold in use.
    """

    id: str
    training: str
    plan: Plan | None
    dataset: str
    status: Status
    started: str
    model: str = ""
    cost: Cost = Cost()
    curves: tuple[Curve, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, Estimate] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Training:
    """One command, and the runs that it made together.

    `plan` says what was to be fitted, in order, as plain JSON values. `best` and
    `recommended` are ids of its runs, "" until they are known; `finished` is "" until
    then. Times are UTC, ISO 8601.
    """

    id: str
    command: str
    dataset: str
    started: str
    status: Status = Status.RUNNING
    plan: Mapping[str, object] = field(default_factory=dict)
    finished: str = ""
    best: str = ""
    recommended: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A run with its model and its out-of-fold predictions.

    `candidates` are all the runs of the same training, this one among them;
    `hf.leaderboard(run)` ranks them. `origin` are the rows that it was made of, where
    they are at hand. `metric` is what the training judged by (a `Metric`, of a layer above),
    a function of the user's own among them; None for a run from a project's disk, of whose
    metric the plan has the name.
    """

    record: RunRecord
    predictions: Predictions | None = None
    model: Model | None = None
    candidates: tuple[Run, ...] = ()
    origin: Origin | None = None
    metric: object = None

    @property
    def id(self) -> str:
        """The run's short readable name."""
        return self.record.id

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {value}" for name, value in self.record.scores.items())
        return f"Run({self.id}, {self.record.status}{', ' + scores if scores else ''})"
