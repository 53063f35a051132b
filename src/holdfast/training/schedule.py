"""Fit candidates in a fixed order until the budget is spent.

Every fold is a piece of work of its own. A candidate counts only when all its folds are
done, and it is given up as soon as its first folds show that the rest cannot be done in
time: what was fitted is a choice made by the clock, so it is recorded, and a replay
fits exactly that list again without a clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from holdfast.core.events import FoldFitted, LearnerFitted, OnEvent, Said, Skipped
from holdfast.core.fingerprint import fingerprint, fingerprint_bytes
from holdfast.core.learner import Curve, Learner
from holdfast.core.plan import Plan
from holdfast.core.split import SEARCH, Split
from holdfast.core.work import Done, Engine, Work
from holdfast.training.fold import FoldFit, fold_key, fold_seed
from holdfast.training.interrupt import HeldBack, held_back

INTERRUPTED = Said("interrupted: what was done by then is kept")
_INTERRUPTED = "interrupted"  # why a learner was given up that Ctrl-C met
_WORK = "holdfast.training.fold:fit_fold"
_AHEAD = 2  # folds that wait at the workers, so that none is idle while this process judges


@dataclass(frozen=True, slots=True)
class Candidate:
    """A learner to be fitted, by the plan that names it."""

    plan: Plan
    learner: Learner

    @property
    def name(self) -> str:
        """The learner's name."""
        return self.plan.learner


@dataclass(frozen=True, slots=True, eq=False)
class Cache:
    """Where finished folds are kept, so that a killed command loses none."""

    load: Callable[[str], FoldFit | None]
    save: Callable[[str, FoldFit], None]


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A candidate with all its folds."""

    candidate: Candidate
    fits: tuple[FoldFit, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What came of a list of candidates: those `finished`, in order, and why each other was `given_up`.

    `failed` are those of the latter that had an error of their own. `interrupted` says
    that Ctrl-C was pressed, which may have cost no candidate anything.
    """

    finished: tuple[Finished, ...]
    given_up: Mapping[str, str]
    failed: tuple[Skipped, ...] = ()
    interrupted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What all candidates are fitted on.

    `dataset` is the engine's shared handle of the Dataset, `dataset_id` and `roles`
    name it and its split, `fold` is int of shape (n,) with -1 for rows that take no
    part. `score` turns one fold's output and its number into the metric's value;
    `finished` is told of each candidate while the next ones are being fitted. Elapsed
    time is counted from `started`, a time of `time.monotonic`.
    """

    dataset: object
    dataset_id: str
    roles: str
    fold: np.ndarray
    folds: int
    classes: tuple[str, ...]
    score: Callable[[np.ndarray, int], float]
    cache: Cache
    finished: Callable[[Finished], None]
    started: float = field(default_factory=time.monotonic)


def roles_id(split: Split) -> str:
    """Names a split: a dataset's rows have the same roles and folds under the same name."""
    parts = (split.role == SEARCH, split.open, split.tied, split.fold.astype(np.int64))
    return fingerprint([split.folds, *(fingerprint_bytes(part.tobytes()) for part in parts)])


def recalled(candidate: Candidate, job: Job) -> Finished | None:
    """The candidate as an earlier command finished it; None where not all of its folds are kept."""
    keys = (fold_key(candidate.plan, job.dataset_id, job.roles, k) for k in range(job.folds))
    fits = tuple(fit for key in keys if (fit := job.cache.load(key)) is not None)
    return Finished(candidate, fits) if len(fits) == job.folds else None


def fit_all(
    candidates: Sequence[Candidate],
    job: Job,
    engine: Engine,
    *,
    deadline: float | None,
    on_event: OnEvent,
    must: bool = True,
) -> Fitted:
    """Fit the candidates, each on all folds.

    `deadline` is a time of `time.monotonic`; the first candidate is finished whatever
    the deadline says, where it `must` be. Ctrl-C keeps what is done.
    """
    first = candidates[0].name if must else None
    schedule = _Schedule(candidates, job, engine, deadline, on_event, first)
    interrupted = False
    try:
        with held_back() as ctrl_c:
            schedule.run(ctrl_c)
    except KeyboardInterrupt:
        schedule.take_finished()
        schedule.give_up_rest(_INTERRUPTED)
        interrupted = True
    finished = tuple(
        Finished(candidate, tuple(schedule.done[candidate.name][k] for k in range(job.folds)))
        for candidate in candidates
        if len(schedule.done[candidate.name]) == job.folds
    )
    skipped = _skipped(schedule, anything=bool(finished))
    for one in skipped:
        on_event(one)
    return Fitted(finished, schedule.given_up, tuple(one for one in skipped if one.failed), interrupted)


def _skipped(schedule: _Schedule, *, anything: bool) -> list[Skipped]:
    """What is said of those that were given up; of Ctrl-C once, and nothing before `anything` was done."""
    reasons = schedule.given_up
    cut = [name for name, reason in reasons.items() if reason == _INTERRUPTED]
    skipped = [Skipped(name, reasons[name], name in schedule.failed) for name in reasons if name not in cut]
    return [*skipped, Skipped(", ".join(cut), _INTERRUPTED)] if cut and anything else skipped


class _Schedule:
    """The bookkeeping of one call of `fit_all`: what waits, runs, is done or given up."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        job: Job,
        engine: Engine,
        deadline: float | None,
        on_event: OnEvent,
        first: str | None,
    ) -> None:
        self.job, self.engine, self.on_event = job, engine, on_event
        self.started, self.deadline = job.started, deadline
        self.first = first
        self.queue = [(candidate, k) for candidate in candidates for k in range(job.folds)]
        self.running: dict[str, tuple[Candidate, int]] = {}
        self.done: dict[str, dict[int, FoldFit]] = {candidate.name: {} for candidate in candidates}
        self.scores: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
        self.given_up: dict[str, str] = {}
        self.failed: set[str] = set()
        self.usable = first is None  # who needs none has one

    def run(self, ctrl_c: HeldBack) -> None:
        """Until nothing is left to do, or the time is."""
        while True:
            self.feed()
            if not self.running:
                return
            wait = None if self.deadline is None else max(self.deadline - time.monotonic(), 0.0)
            with ctrl_c.listening():
                done = self.engine.wait(None if self.must_finish_first() else wait)
            if done is None:
                self.give_up_rest("the budget was spent")
                return
            self.hear(done)

    def hear(self, done: Done) -> None:
        """Keep a fold that a worker is done with, or give its candidate up."""
        candidate, k = self.running[done.key]
        if done.error:
            del self.running[done.key]
            self.failed.add(candidate.name)
            self.drop(candidate.name, done.error)
            return
        files, output, curve = cast("tuple[Mapping[str, bytes], np.ndarray, Curve]", done.value)
        fit = FoldFit(files, output, curve, done.seconds, done.cpu_seconds)
        self.job.cache.save(done.key, fit)
        del self.running[done.key]
        self.take(candidate, k, fit, reused=False)
        self.drop_hopeless(candidate)

    def take_finished(self) -> None:
        """Keep what workers have finished by now."""
        while self.running and (done := self.engine.wait(0.0)) is not None:
            self.hear(done)

    def must_finish_first(self) -> bool:
        """Whether the first candidate, which every budget affords, is still being fitted."""
        name = self.first
        return name is not None and name not in self.given_up and len(self.done[name]) < self.job.folds

    def key(self, candidate: Candidate, k: int) -> str:
        """The durable name of one fold's fit."""
        return fold_key(candidate.plan, self.job.dataset_id, self.job.roles, k)

    def feed(self) -> None:
        """Keep every worker busy, in order; folds that an earlier command finished are taken."""
        while self.queue and len(self.running) < self.engine.workers + _AHEAD:
            candidate, k = self.queue.pop(0)
            kept = self.job.cache.load(self.key(candidate, k))
            if kept is not None:
                self.take(candidate, k, kept, reused=True)
                continue
            key = self.key(candidate, k)
            seed = fold_seed(candidate.plan, k)
            arguments = (candidate.learner, self.job.dataset, self.job.fold, k, self.job.classes, seed)
            self.engine.submit(Work(key, _WORK, arguments))
            self.running[key] = (candidate, k)

    def take(self, candidate: Candidate, k: int, fit: FoldFit, *, reused: bool) -> None:
        """Count a finished fold, and tell."""
        name, folds = candidate.name, self.job.folds
        self.done[name][k] = fit
        score = self.job.score(fit.output, k)
        self.scores[name].append(score)
        elapsed = time.monotonic() - self.started
        self.on_event(FoldFitted(name, len(self.done[name]), folds, score, elapsed, self.eta(), reused))
        if len(self.done[name]) == folds:
            seconds = sum(f.seconds for f in self.done[name].values())
            mean = sum(self.scores[name]) / folds
            self.on_event(LearnerFitted(name, mean, seconds, elapsed, first=not self.usable))
            self.usable = True
            fits = self.done[name]
            self.job.finished(Finished(candidate, tuple(fits[k] for k in range(folds))))

    def remaining(self, name: str) -> float:
        """Seconds that the candidate's other folds would take, judged by those that are done."""
        fits = [fit.seconds for fit in self.done[name].values()]
        return (self.job.folds - len(fits)) * sum(fits) / len(fits) / self.engine.workers if fits else 0.0

    def eta(self) -> float | None:
        """Seconds until the budget ends; without one, None."""
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0.0)

    def drop_hopeless(self, candidate: Candidate) -> None:
        """Give a candidate up when its other folds cannot be done in time."""
        name = candidate.name
        if self.deadline is None or name == self.first or name in self.given_up:
            return
        need, left = self.remaining(name), self.deadline - time.monotonic()
        if need > left:
            self.drop(name, f"{need:.0f} s more were needed and {max(left, 0):.0f} s were left")

    def drop(self, name: str, reason: str) -> None:
        """Forget a candidate; its finished folds stay in the cache."""
        if name in self.given_up:
            return
        self.given_up[name] = reason
        self.queue = [(candidate, k) for candidate, k in self.queue if candidate.name != name]
        for key in [key for key, (candidate, _) in self.running.items() if candidate.name == name]:
            self.engine.cancel(key)
            del self.running[key]

    def give_up_rest(self, reason: str) -> None:
        """Forget every candidate that is not done."""
        for name, fits in self.done.items():
            if len(fits) < self.job.folds:
                self.drop(name, reason)
