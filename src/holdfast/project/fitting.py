"""The body of `train`: prepare, fit in order, mix, judge, keep."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from holdfast.comparison.board import leaderboard
from holdfast.core.events import DataRead, Planned, Skipped
from holdfast.core.run import Run
from holdfast.core.work import Engine
from holdfast.engine.inline import InlineEngine
from holdfast.engine.local import LocalEngine, portable
from holdfast.errors import PlanError
from holdfast.project.candidates import Chosen, choose
from holdfast.project.handle import Project, find_project, project_at
from holdfast.project.keeping import Keeper, keeping
from holdfast.project.outcome import Judge, ensemble_run, learner_run, timed
from holdfast.project.replay import as_planned, replayed, stored, verified
from holdfast.project.request import TrainRequest
from holdfast.project.roles import Prepared, prepare, settled
from holdfast.project.tuning import searched, tuned
from holdfast.training.schedule import INTERRUPTED, Finished, Job, fit_all

# Exporting, mixing and judging come after the last fit: this share of the budget, at
# least so many seconds, is kept for them.
_RESERVE_SHARE, _RESERVE = 0.08, 2.0
PRELOAD = ("holdfast.training.fold", "holdfast.models.tabular.learner", "sklearn.linear_model", "lightgbm")


def fit(request: TrainRequest, *, started: float) -> Run:
    """Carry the request out; `started` is the time of `time.monotonic` from which its budget runs."""
    with closing(_engine(request)) as engine:
        project = None if request.project is None else find_project(request.project)
        request = as_planned(request, project)
        kept = stored(request, project)
        prepared = kept or prepare(request, project)
        chosen = _chosen(request, prepared, project)
        request = searched(request, chosen, prepared)
        if (
            request.project is not None and kept is None
        ):  # made only now: a wrong question leaves nothing behind
            project = project or project_at(request.project, request.columns)
            if not settled(prepared, project):
                prepared = prepare(request, project)
                chosen = _chosen(request, prepared, project)
        request.on_event(DataRead(prepared.dataset, prepared.split, time.monotonic() - started))
        with keeping(project, request, prepared, chosen) as keeper:
            request.on_event(_planned(request, prepared, chosen, keeper))
            judge = Judge(prepared, keeper.training, request.seed)
            runs, given_up = fit_chosen(request, chosen, judge, engine, keeper, started)
            board = leaderboard(runs, metric=prepared.metric)
            keeper.keep(runs, board, given_up)
    if request.replay:
        return verified(request, runs, project)
    best = next(run for run in runs if run.id == board.best)
    return replace(best, candidates=tuple(runs))


def _chosen(request: TrainRequest, prepared: Prepared, project: Project | None) -> Chosen:
    return replayed(request, prepared, project) if request.replay else choose(request, prepared)


def _engine(request: TrainRequest) -> LocalEngine | InlineEngine:
    estimators = [learned for learned in request.learners or () if not isinstance(learned, str)]
    if all(portable(estimator) for estimator in estimators):
        return LocalEngine(preload=PRELOAD)
    return InlineEngine()


def _planned(request: TrainRequest, prepared: Prepared, chosen: Chosen, keeper: Keeper) -> Planned:
    return Planned(
        chosen.names,
        chosen.skipped,
        prepared.split.folds,
        prepared.metric.name,
        request.budget,
        resumed=keeper.reused,
        tuned=tuple(request.spaces) if request.tune else (),
    )


def fit_chosen(
    request: TrainRequest, chosen: Chosen, judge: Judge, engine: Engine, keeper: Keeper, started: float
) -> tuple[list[Run], dict[str, str]]:
    """The runs of the candidates that were fitted, their mix, and why the others are missing."""
    prepared = judge.prepared
    judged: dict[str, Run] = {}  # while the workers fit what comes next
    job = Job(
        dataset=engine.share(prepared.dataset),
        dataset_id=prepared.dataset.id,
        roles=prepared.roles,
        fold=prepared.fold,
        folds=prepared.split.folds,
        classes=prepared.rows.classes,
        score=judge.fold_score,
        cache=keeper.cache,
        finished=lambda one: judged.update({one.candidate.name: learner_run(one, judge)}),
    )
    deadline = None
    if request.budget is not None and request.replay is None:
        deadline = started + request.budget - max(_RESERVE, _RESERVE_SHARE * request.budget)
    fitted = fit_all(chosen.candidates, job, engine, deadline=deadline, on_event=request.on_event)
    finished, given_up = list(fitted.finished), dict(fitted.given_up)
    if fitted.interrupted and not finished:
        kept = ": its finished folds are kept, and it goes on from there" if keeper.store else ""
        raise PlanError(f"Interrupted before a first model was finished. Run it again{kept}.")
    if fitted.interrupted:
        request.on_event(INTERRUPTED)
    elif request.tune and deadline is not None:
        finished += tuned(request, judge, replace(job, finished=_unheard), engine, keeper, deadline)
    if not finished:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in given_up.items())
        raise PlanError(f"No learner was fitted. {reasons}")
    runs = _with_ensemble(finished, judged, judge)
    return [_noted(run, fitted.failed) for run in runs], given_up


def _noted(run: Run, failed: Sequence[Skipped]) -> Run:
    """The run, whose record says which learners it could not be compared with, and why."""
    notes = (*run.record.notes, *map(str, failed))
    return replace(run, record=replace(run.record, notes=notes))


def _with_ensemble(finished: Sequence[Finished], judged: Mapping[str, Run], judge: Judge) -> list[Run]:
    runs = [judged.get(one.candidate.name) or learner_run(one, judge) for one in finished]
    mixed = ensemble_run(runs, finished, judge) if len(runs) > 1 else None
    everything = runs if mixed is None else [*runs, mixed]
    return [timed(run, judge.prepared) for run in everything]


def _unheard(finished: Finished) -> None:
    """Trials are many; the best of them are judged at the end."""
    del finished
