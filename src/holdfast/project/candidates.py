"""Which learners a training fits, in what order, as plans and learners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.core.finding import FixName
from holdfast.core.plan import Option, Plan
from holdfast.errors import PlanError
from holdfast.models.tabular.learner import estimator_learner, portfolio, refusals, tabular_learner
from holdfast.models.tabular.losses import parse_loss
from holdfast.models.tabular.sklearn_estimator import described
from holdfast.project.request import TrainRequest
from holdfast.project.roles import Prepared
from holdfast.training.schedule import Candidate
from holdfast.training.treatment import TreatedLearner

ESTIMATOR = "estimator"  # the option that tells a plan of an object given from Python


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Candidates in the order in which they are fitted, and why others are not."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates' names."""
        return tuple(candidate.name for candidate in self.candidates)


def choose(request: TrainRequest, prepared: Prepared) -> Chosen:
    """The portfolio for this table, or the learners that were asked for."""
    parse_loss(prepared.loss, prepared.task)
    if request.learners is not None:
        asked = request.learners
        if not asked:
            raise PlanError("An empty list of learners fits nothing. Leave it out for the whole portfolio.")
        return Chosen(tuple(_asked(learned, request, prepared, i) for i, learned in enumerate(asked)))
    refused = refusals(prepared.dataset, rows=len(prepared.rows.index), loss=prepared.loss)
    fitted = [name for name in portfolio() if name not in refused]
    skipped = tuple((name, refused[name]) for name in portfolio() if name in refused)
    return Chosen(tuple(named(name, {}, request, prepared) for name in fitted), skipped)


def named(
    name: str,
    options: Mapping[str, Option],
    request: TrainRequest,
    prepared: Prepared,
    *,
    variant: str = "",
) -> Candidate:
    """A learner of the portfolio with some of its settings changed; `variant` tells it from others."""
    return planned(_plan(name + variant, options, request, prepared), prepared.rows.classes)


def planned(plan: Plan, classes: Sequence[str]) -> Candidate:
    """The learner of the portfolio that a plan describes, with the plan's treatment of its rows."""
    name = plan.learner.partition("~")[0]
    treatment = plan.treatment
    focus = treatment.where if treatment is not None and treatment.name == FixName.CONTINUE else ""
    learner = tabular_learner(name, options=plan.options, loss=plan.loss, classes=classes, focus=focus)
    if treatment is None or focus:
        return Candidate(plan, learner)
    return Candidate(plan, TreatedLearner(learner, treatment))


def _asked(learned: object, request: TrainRequest, prepared: Prepared, place: int) -> Candidate:
    if isinstance(learned, str):
        return named(learned, {}, request, prepared)
    name = type(learned).__name__.lower()
    taken = [type(other).__name__.lower() for other in (request.learners or ())[:place]]
    name += f"_{taken.count(name) + 1}" if name in taken else ""
    learner = estimator_learner(learned, name=name, loss=prepared.loss, classes=prepared.rows.classes)
    return Candidate(_plan(name, {ESTIMATOR: described(learned)}, request, prepared), learner)


def _plan(name: str, options: Mapping[str, Option], request: TrainRequest, prepared: Prepared) -> Plan:
    return Plan(
        task=prepared.task,
        learner=name,
        metric=prepared.metric.name,
        loss=prepared.loss,
        folds=prepared.split.folds,
        seed=request.seed,
        options=dict(options),
    )
