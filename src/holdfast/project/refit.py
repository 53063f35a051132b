"""A run fitted again after a change of its rows or of its plan: the candidate that a fix makes."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace

from holdfast.comparison.board import leaderboard
from holdfast.core.events import Event, OnEvent
from holdfast.core.plan import Plan
from holdfast.core.run import Run
from holdfast.core.split import Split
from holdfast.debugging.fixes import Change
from holdfast.engine.local import LocalEngine
from holdfast.errors import FixError, PlanError
from holdfast.metrics import named_or_default
from holdfast.models.tabular.learner import calmer
from holdfast.project.candidates import ESTIMATOR, Chosen, planned
from holdfast.project.fitting import PRELOAD, fit_chosen
from holdfast.project.fold_models import members_of
from holdfast.project.handle import Project
from holdfast.project.keeping import keeping
from holdfast.project.outcome import Judge
from holdfast.project.redecide import decided_anew
from holdfast.project.request import TrainRequest
from holdfast.project.roles import Prepared
from holdfast.training.outcome import Rows
from holdfast.training.schedule import INTERRUPTED, Candidate


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """What to fit again: a run, the roles of its rows, and the change; `answers` names the finding."""

    run: Run
    split: Split
    change: Change
    answers: str
    on_event: OnEvent
    command: str = ""


def refitted(project: Project, asked: Refit) -> Run:
    """The run's plan, changed, fitted on the changed rows with the same roles and folds, and kept.

    A mix is mixed anew from its members, each fitted again. FixError where no learner of
    the run can carry the change out.
    """
    if asked.run.record.plan is None:
        raise FixError(f"{asked.run.id} was logged, not planned here, so Holdfast cannot fit it again.")
    prepared, (hear, interrupted) = _prepared(asked), _heard(asked.on_event)
    request = TrainRequest(
        source=prepared.dataset,
        project=project.path,
        seed=asked.run.record.seed,
        on_event=hear,
        command=asked.command,
        answers=asked.answers,
        before=asked.run.id,
    )
    if asked.change.decision:
        chosen = Chosen(())
        with keeping(project, request, prepared, chosen) as keeper:
            run = decided_anew(asked.run, asked.change, Judge(prepared, keeper.training, request.seed))
            keeper.keep([run], leaderboard([run], metric=prepared.metric), {})
            return run
    chosen = Chosen(candidates_of(project, asked.run, asked.change, prepared.rows.classes))
    with (
        closing(LocalEngine(preload=PRELOAD)) as engine,
        keeping(project, request, prepared, chosen) as keeper,
    ):
        judge = Judge(prepared, keeper.training, request.seed)
        runs, given_up = fit_chosen(request, chosen, judge, engine, keeper, time.monotonic())
        if interrupted:
            raise FixError(
                "The fix was interrupted, so nothing was asked of sealed rows. The folds that were fitted "
                "are kept: the same command goes on from there."
            )
        board = leaderboard(runs, metric=prepared.metric)
        mixed = next((run for run in runs if run.record.weights), None)
        fitted = mixed or next(run for run in runs if run.id == board.best)
        decided = _as_decided(fitted, asked, judge)
        keeper.keep(runs if decided is fitted else [*runs, decided], board, given_up)
    return decided


def _heard(on_event: OnEvent) -> tuple[OnEvent, list[Event]]:
    """Passes events on, and keeps those that say of Ctrl-C."""
    interrupted: list[Event] = []

    def hear(event: Event) -> None:
        if event == INTERRUPTED:
            interrupted.append(event)
        on_event(event)

    return hear, interrupted


def _as_decided(fitted: Run, asked: Refit, judge: Judge) -> Run:
    """The fitted run with the decisions that the run before had been given, made anew on these rows."""
    plan = asked.run.record.plan
    assert plan is not None  # `refitted` has looked
    for decision in filter(None, plan.decision.split("+")):
        try:
            fitted = decided_anew(fitted, replace(asked.change, decision=decision), judge)
        except FixError:
            continue  # on these rows the usual decision is as good
    return fitted


def _prepared(asked: Refit) -> Prepared:
    plan, split = asked.run.record.plan, asked.split.where(asked.change.kept)
    assert plan is not None and asked.run.predictions is not None  # `refitted` has looked
    dataset = asked.change.dataset
    header = asked.run.predictions.header
    rows = Rows.of(dataset, split, header.classes, header.positive)
    metric = named_or_default(plan.metric, plan.task)
    return Prepared(dataset, split, rows, metric, asked.change.loss or plan.loss)


def candidates_of(
    project: Project, run: Run, change: Change, classes: tuple[str, ...]
) -> tuple[Candidate, ...]:
    """A run's learners with their changed plans; none where only a decision changes.

    One that cannot carry the change out stays as it is in a mix whose rows are the same,
    and is left out otherwise. FixError where none can.
    """
    if change.decision:
        return ()
    found, reasons, changed = [], [], 0
    for plan, _ in members_of(project, run.record):
        try:
            found.append(planned(_changed(plan, change), classes))
            changed += 1
        except PlanError as error:
            reasons.append(str(error))
            same = change.treatment is not None or change.calmer
            if same and ESTIMATOR not in plan.options:
                found.append(planned(plan, classes))
    if not changed:
        raise FixError(
            f"No learner of {run.id} can do this. {' '.join(reasons)} "
            "Choose another fix with --with, or fix another run: --run RUN"
        )
    return tuple(found)


def _changed(plan: Plan, change: Change) -> Plan:
    if ESTIMATOR in plan.options:
        raise PlanError(f"{plan.learner} was an object given from Python, which no project keeps.")
    options = dict(plan.options)
    if change.calmer:
        options = calmer(plan.learner.partition("~")[0], plan.task, options)
    if change.monotone is not None:
        name, direction = change.monotone
        options["monotone"] = f"{name}:{direction:+d}"
    if plan.treatment and change.treatment and change.treatment != plan.treatment:
        raise PlanError(
            f"{plan.learner} was trained with {plan.treatment.name}, which this would undo. "
            "Fix the run before it, or choose another fix."
        )
    treatment = change.treatment or plan.treatment
    return replace(plan, options=options, loss=change.loss or plan.loss, treatment=treatment)
