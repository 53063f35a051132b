"""Spend what is left of a budget on a search over the learners' settings.

Optuna's TPE proposes; every trial is a candidate like any other, fitted on the same
folds, so its out-of-fold predictions can be compared and mixed. Trials are kept by the
caller: a later search is told of them first and goes on where the last one stopped. The
best of them are candidates again, by their kept folds.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from holdfast.core.events import OnEvent, Said
from holdfast.core.plan import Option
from holdfast.core.space import Choices, Range, Space, Trial
from holdfast.core.work import Engine
from holdfast.training.interrupt import held_back
from holdfast.training.schedule import INTERRUPTED, Candidate, Finished, Fitted, Job, fit_all, recalled

if TYPE_CHECKING:
    import optuna

_MOST_TRIALS = 200
_BEST = 8  # trials that become runs; more would crowd the leaderboard and the ensemble
_LEARNER = "learner"


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What is searched: a space per learner, how a candidate is made and judged, what is known.

    `candidate` makes a candidate from a learner's name, options and a number that names
    it; `judge` gives a finished one's out-of-fold loss (lower is better). `known` are the
    trials that `save` has kept, each at the place that is its number.
    """

    spaces: Mapping[str, Space]
    candidate: Callable[[str, Mapping[str, Option], int], Candidate]
    judge: Callable[[Finished], float]
    known: Sequence[Trial]
    save: Callable[[Trial], None]
    seed: int


def tune(search: Search, job: Job, engine: Engine, *, deadline: float, on_event: OnEvent) -> list[Finished]:
    """The best trials, of this search and of those before it.

    It ends at the deadline (a time of `time.monotonic`), or at Ctrl-C.
    """
    finished: list[Finished] = []
    try:
        with held_back() as ctrl_c:
            finished += islice(_earlier(search, job), _BEST)
            if finished:
                on_event(Said(f"the best {len(finished)} of {len(search.known)} earlier trials count again"))
            study, number = _study(search), len(search.known)
            for _ in range(number, _MOST_TRIALS):
                ctrl_c.check()
                if time.monotonic() >= deadline:
                    break
                trial = study.ask()
                learner, options = _suggest(trial, search.spaces)
                candidate = search.candidate(learner, options, number)
                done = fit_all([candidate], job, engine, deadline=deadline, on_event=on_event, must=False)
                finished += done.finished
                number += _heard(study, trial, search, Trial(learner, options, _loss(search, done)))
    except KeyboardInterrupt:
        on_event(INTERRUPTED)
    return sorted(finished, key=search.judge)[:_BEST]


def _earlier(search: Search, job: Job) -> Iterator[Finished]:
    """What earlier searches finished, the best first, where its folds are still kept."""
    for number, trial in sorted(enumerate(search.known), key=lambda one: one[1].loss):
        if trial.within(search.spaces):
            kept = recalled(search.candidate(trial.learner, trial.options, number), job)
            if kept is not None:
                yield kept


def _loss(search: Search, fitted: Fitted) -> float:
    """A trial's loss, nan where it was not finished."""
    return search.judge(fitted.finished[0]) if fitted.finished else math.nan


def _heard(study: optuna.Study, asked: optuna.Trial, search: Search, trial: Trial) -> bool:
    """Tell the study what came of a trial, and keep it where it was finished: whether it was."""
    import optuna

    if math.isnan(trial.loss):
        study.tell(asked, state=optuna.trial.TrialState.FAIL)
        return False
    study.tell(asked, trial.loss)
    search.save(trial)
    return True


def _study(search: Search) -> optuna.Study:
    """A study that was told of every trial that is known."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():  # of `group`, whose interface may change: it is called here alone
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=search.seed, multivariate=True, group=True)
    study = optuna.create_study(sampler=sampler)
    for trial in search.known:
        if trial.within(search.spaces):  # they may have changed since
            _tell(study, search.spaces, trial)
    return study


def _suggest(trial: optuna.Trial, spaces: Mapping[str, Space]) -> tuple[str, dict[str, Option]]:
    learner = trial.suggest_categorical(_LEARNER, sorted(spaces))
    options: dict[str, Option] = {}
    for name, space in spaces[learner].items():
        key = f"{learner}.{name}"
        match space:
            case Range(integer=True):
                options[name] = trial.suggest_int(key, int(space.low), int(space.high), log=space.log)
            case Range():
                options[name] = trial.suggest_float(key, space.low, space.high, log=space.log)
            case Choices():
                options[name] = trial.suggest_categorical(key, space.values)
    return learner, options


def _tell(study: optuna.Study, spaces: Mapping[str, Space], known: Trial) -> None:
    """Add a trial of an earlier search."""
    import optuna

    params: dict[str, Option] = {_LEARNER: known.learner}
    distributions: dict[str, optuna.distributions.BaseDistribution] = {
        _LEARNER: optuna.distributions.CategoricalDistribution(sorted(spaces))
    }
    for name, space in spaces[known.learner].items():
        params[f"{known.learner}.{name}"] = known.options[name]
        distributions[f"{known.learner}.{name}"] = _distribution(space)
    trial = optuna.trial.create_trial(params=params, distributions=distributions, value=known.loss)
    study.add_trial(trial)


def _distribution(space: Range | Choices) -> optuna.distributions.BaseDistribution:
    import optuna

    if isinstance(space, Choices):
        return optuna.distributions.CategoricalDistribution(space.values)
    if space.integer:
        return optuna.distributions.IntDistribution(int(space.low), int(space.high), log=space.log)
    return optuna.distributions.FloatDistribution(space.low, space.high, log=space.log)
