"""`train --tune`: a search whose trials the catalog keeps, so that it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from holdfast.core.fingerprint import fingerprint
from holdfast.core.plan import Option
from holdfast.core.space import Trial
from holdfast.core.work import Engine
from holdfast.errors import PlanError, some
from holdfast.models.tabular.learner import portfolio, search_space
from holdfast.project.candidates import ESTIMATOR, Chosen, named
from holdfast.project.keeping import Keeper
from holdfast.project.outcome import Judge
from holdfast.project.request import TrainRequest
from holdfast.project.roles import Prepared
from holdfast.store.trials import add_trial, load_trials
from holdfast.training.outcome import gather
from holdfast.training.schedule import Candidate, Finished, Job
from holdfast.training.tune import Search, tune


def searched(request: TrainRequest, chosen: Chosen, prepared: Prepared) -> TrainRequest:
    """The request with a search space for every learner that will be tuned, where it asks for tuning.

    PlanError before anything is fitted where no learner has one, or where one names options
    that its learner lacks.
    """
    if not request.tune:
        return request
    known = {name: search_space(name) for name in (*portfolio(), *request.spaces)} | dict(request.spaces)
    fitted = [one.name for one in chosen.candidates if ESTIMATOR not in one.plan.options]
    spaces = {name: known[name] for name in fitted if known[name]}
    if not spaces:
        some_known = [name for name, space in known.items() if space]
        raise PlanError(
            f"There is no search space for {some(chosen.names)}. There is one for {some(some_known, 9)}."
        )
    for name, space in spaces.items():
        named(name, {option: values.first for option, values in space.items()}, request, prepared)
    return replace(request, spaces=spaces)


def tuned(
    request: TrainRequest, judge: Judge, job: Job, engine: Engine, keeper: Keeper, deadline: float
) -> list[Finished]:
    """The best settings that were found until the deadline, as candidates fitted on all folds."""
    prepared = judge.prepared
    study = fingerprint(
        [prepared.dataset.id, prepared.roles, prepared.metric.name, prepared.loss, request.seed]
    )

    def candidate(learner: str, options: Mapping[str, Option], number: int) -> Candidate:
        return named(learner, options, request, prepared, variant=f"~{number}")

    def loss_of(finished: Finished) -> float:
        return float(judge.loss()(gather(prepared.rows, finished.fits)))

    search = Search(
        request.spaces, candidate, loss_of, _known(keeper, study), partial(_keep, keeper, study), request.seed
    )
    return tune(search, job, engine, deadline=deadline, on_event=request.on_event)


def _known(keeper: Keeper, study: str) -> tuple[Trial, ...]:
    return () if keeper.store is None else load_trials(keeper.store, study)


def _keep(keeper: Keeper, study: str, trial: Trial) -> None:
    if keeper.store is not None:
        add_trial(keeper.store, study, trial)
