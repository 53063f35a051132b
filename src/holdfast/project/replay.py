"""`train --replay RUN`: the plan of an earlier run, fitted again without a clock."""

from __future__ import annotations

from holdfast.core.plan import Plan
from holdfast.errors import PlanError
from holdfast.project.candidates import Chosen, named
from holdfast.project.handle import Project
from holdfast.project.outcome import run_id
from holdfast.project.request import TrainRequest
from holdfast.project.roles import Prepared
from holdfast.project.runs import run_named


def replayed(request: TrainRequest, prepared: Prepared, project: Project | None) -> Chosen:
    """The candidates of the run that is to be made again: one learner, or an ensemble's members."""
    if project is None or request.replay is None:
        raise PlanError("A replay needs the project that keeps the run: --project DIR")
    run = run_named(project, request.replay)
    plan = run.record.plan
    if plan is None:
        raise PlanError(f"{run.id} was logged, not planned here, so it cannot be replayed.")
    if run.record.dataset != prepared.dataset.id:
        raise PlanError(
            f"{run.id} was fitted on dataset {run.record.dataset[:8]}, and this file reads as "
            f"{prepared.dataset.id[:8]}. Give the same file and the same options of its columns."
        )
    members = [run_named(project, member).record.plan for member in plan.members]
    plans = [member for member in members if member is not None] or [plan]
    candidates = tuple(_candidate(one, request, prepared) for one in plans)
    return Chosen(candidates)


def _candidate(plan: Plan, request: TrainRequest, prepared: Prepared):  # type: ignore[no-untyped-def]
    learner, tilde, number = plan.learner.partition("~")
    candidate = named(learner, plan.options, request, prepared, variant=tilde + number)
    if candidate.plan != plan:
        raise PlanError(
            f"{run_id(plan, prepared)} was made with seed {plan.seed}, {plan.folds} folds, loss {plan.loss} and "
            f"metric {plan.metric}. Replay it with the same: --seed {plan.seed} --folds {plan.folds} "
            f"--loss {plan.loss} --metric {plan.metric}"
        )
    return candidate
