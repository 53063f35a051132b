"""`train --replay RUN`: the plan of an earlier run, fitted again without a clock.

A run that a fix made was fitted on rows that no file holds; those are taken from the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.core.events import Said
from holdfast.core.plan import Plan
from holdfast.core.run import Run
from holdfast.errors import ModelError, PlanError
from holdfast.metrics import resolve
from holdfast.project.candidates import ESTIMATOR, Chosen, named, planned
from holdfast.project.handle import Project
from holdfast.project.request import TrainRequest
from holdfast.project.roles import Prepared
from holdfast.project.runs import ANSWERS, BEFORE, data_of, run_named, training_of
from holdfast.training.outcome import Rows
from holdfast.training.schedule import Candidate


def as_planned(request: TrainRequest, project: Project | None) -> TrainRequest:
    """The request with the seed, folds, loss and metric of the run that it replays."""
    if request.replay is None:
        return request
    plan, _ = _plan(request, project)
    return replace(
        request, seed=plan.seed, folds=plan.folds, loss=plan.loss, metric=plan.metric, budget=None, tune=False
    )


def stored(request: TrainRequest, project: Project | None) -> Prepared | None:
    """The rows that a replayed run was fitted on, where a fix made it; None for any other training."""
    if project is None or request.replay is None:
        return None
    run = run_named(project, request.replay)
    plan, training = run.record.plan, training_of(project, run.record)
    if plan is None or run.predictions is None or training is None or ANSWERS not in training.plan:
        return None
    if plan.decision:
        before = training.plan.get(BEFORE)
        raise PlanError(
            f"{run.id} is {before} decided anew ({plan.decision}): nothing was fitted for it. "
            f"Replay that one: --replay {before}"
        )
    dataset, split = data_of(project, run.record)
    request.on_event(
        Said(f"{run.id} answers {training.plan[ANSWERS]}: its rows are those that the fix left.")
    )
    header = run.predictions.header
    rows = Rows.of(dataset, split, header.classes, header.positive)
    return Prepared(dataset, split, rows, resolve(plan.metric, plan.task), plan.loss)


def replayed(request: TrainRequest, prepared: Prepared, project: Project | None) -> Chosen:
    """The candidates of the run that is to be made again: one learner, or an ensemble's pool."""
    plan, dataset = _plan(request, project)
    if dataset != prepared.dataset.id:
        raise PlanError(
            f"{request.replay} was fitted on dataset {dataset[:8]}, and this file reads as "
            f"{prepared.dataset.id[:8]}. Give the same file and the same options of its columns."
        )
    assert project is not None  # _plan has looked into it
    members = [run_named(project, member).record.plan for member in plan.members]
    plans = [member for member in members if member is not None] or [plan]
    return Chosen(tuple(_candidate(one, request, prepared) for one in plans))


def verified(request: TrainRequest, runs: Sequence[Run], project: Project | None) -> Run:
    """The run that was made again; ModelError when its model is not the same, byte for byte."""
    assert project is not None and request.replay is not None  # _plan has looked into both
    before = run_named(project, request.replay).record
    again = next(run for run in runs if run.id == before.id)
    if again.record.model != before.model:
        raise ModelError(
            f"{before.id} came out as model {again.record.model}, not {before.model}. Made with "
            f"{dict(before.environment)}, replayed with {dict(again.record.environment)}."
        )
    request.on_event(Said(f"Replayed {before.id}: the same model, hash {before.model}."))
    return again


def _plan(request: TrainRequest, project: Project | None) -> tuple[Plan, str]:
    if project is None or request.replay is None:
        raise PlanError("A replay needs the project that keeps the run: --project DIR")
    record = run_named(project, request.replay).record
    if record.plan is None:
        raise PlanError(f"{record.id} was logged, not planned here, so it cannot be replayed.")
    return record.plan, record.dataset


def _candidate(plan: Plan, request: TrainRequest, prepared: Prepared) -> Candidate:
    if ESTIMATOR in plan.options:
        raise PlanError(
            f"{plan.learner} was an object given from Python, {plan.options[ESTIMATOR]}, which no project "
            "keeps. Make it again with the same call: hf.train(..., learners=[...])"
        )
    learner, tilde, number = plan.learner.partition("~")
    again = named(learner, plan.options, request, prepared, variant=tilde + number).plan
    again = replace(again, treatment=plan.treatment)
    if again != plan:
        raise PlanError(f"The plan of {plan.learner} cannot be made again here: {plan} is now {again}.")
    return planned(plan, prepared.rows.classes)
