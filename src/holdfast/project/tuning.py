"""`train --tune`: a search whose trials the catalog keeps, so that it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from holdfast.core.fingerprint import fingerprint
from holdfast.core.plan import Option
from holdfast.core.space import Trial
from holdfast.core.work import Engine
from holdfast.errors import PlanError, some
from holdfast.models.tabular.learner import portfolio, search_space
from holdfast.project.candidates import named
from holdfast.project.keeping import Keeper
from holdfast.project.outcome import Judge
from holdfast.project.request import TrainRequest
from holdfast.store.trials import add_trial, load_trials
from holdfast.training.outcome import gather
from holdfast.training.schedule import Candidate, Finished, Job
from holdfast.training.tune import Search, tune

_KEPT = 8  # the best trials that become runs; more would crowd the leaderboard and the ensemble


def tuned(
    request: TrainRequest, judge: Judge, job: Job, engine: Engine, keeper: Keeper, deadline: float
) -> list[Finished]:
    """The best settings that were found until the deadline, as candidates fitted on all folds."""
    prepared = judge.prepared
    spaces = {name: search_space(name) for name in portfolio() if search_space(name)} | dict(request.spaces)
    if request.learners is not None:
        asked = [name for name in request.learners if isinstance(name, str)]
        if unknown := [name for name in asked if name not in spaces]:
            raise PlanError(
                f"There is no search space for {some(unknown)}. There is one for {some(spaces, 9)}."
            )
        spaces = {name: spaces[name] for name in asked}
    study = fingerprint(
        [prepared.dataset.id, prepared.roles, prepared.metric.name, prepared.loss, request.seed]
    )

    def candidate(learner: str, options: Mapping[str, Option], number: int) -> Candidate:
        return named(learner, options, request, prepared, variant=f"~{number}")

    def loss_of(finished: Finished) -> float:
        return float(judge.loss()(gather(prepared.rows, finished.fits)))

    search = Search(
        spaces, candidate, loss_of, _known(keeper, study), partial(_keep, keeper, study), request.seed
    )
    found = tune(search, job, engine, deadline=deadline, on_event=request.on_event)
    return sorted(found, key=loss_of)[:_KEPT]


def _known(keeper: Keeper, study: str) -> tuple[Trial, ...]:
    return () if keeper.store is None else load_trials(keeper.store, study)


def _keep(keeper: Keeper, study: str, trial: Trial) -> None:
    if keeper.store is not None:
        add_trial(keeper.store, study, trial)
