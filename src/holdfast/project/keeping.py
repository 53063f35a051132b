"""What a training leaves on disk while it works and when it ends; without a project, nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from holdfast.core.events import Said
from holdfast.core.leaderboard import Leaderboard
from holdfast.core.run import Run, Status
from holdfast.errors import DamagedError
from holdfast.project.candidates import Chosen
from holdfast.project.handle import Project
from holdfast.project.request import TrainRequest
from holdfast.project.roles import Prepared
from holdfast.project.runs import ANSWERS, BEFORE
from holdfast.store.datasets import save_dataset
from holdfast.store.folds import count_folds, load_fold, save_fold
from holdfast.store.runs import save_run
from holdfast.store.splits import save_split
from holdfast.store.store import Store
from holdfast.store.trainings import finish_training, heartbeat, interrupted, start_training
from holdfast.training.fold import FoldFit, fold_key
from holdfast.training.schedule import Cache


def _nothing(*_: object) -> None:
    return None


NOWHERE = Cache(load=_nothing, save=_nothing)


@dataclass(frozen=True, slots=True, eq=False)
class Keeper:
    """Where the folds and runs of one training go. `training` names it.

    `reused` is how many of its folds were fitted before.
    """

    training: str
    cache: Cache
    store: Store | None = None
    reused: int = 0

    def keep(self, runs: Sequence[Run], board: Leaderboard, given_up: Mapping[str, str]) -> None:
        """The runs, which are best and recommended, and why learners are missing: it is finished."""
        if self.store is None:
            return
        for run in runs:
            save_run(self.store, run)
        finish_training(
            self.store, self.training, best=board.best, recommended=board.recommended, skipped=given_up
        )


@contextmanager
def keeping(
    project: Project | None, request: TrainRequest, prepared: Prepared, chosen: Chosen
) -> Iterator[Keeper]:
    """A keeper for the time of a training; the training is failed when the block raises."""
    if project is None or request.replay:  # a replay proves that a run can be made again, and adds none
        yield Keeper("in memory", NOWHERE)
        return
    store = project.store
    save_dataset(store, prepared.dataset)
    save_split(store, prepared.dataset, prepared.split)
    for dead in interrupted(store):
        finish_training(store, dead.id, Status.DEAD)  # told once; its folds are taken up by their keys
        request.on_event(
            Said(f"An earlier training was cut off. What it finished is kept: {dead.command or dead.id}")
        )
    plan: dict[str, object] = {
        "learners": chosen.names,
        "skipped": chosen.skipped,
        "folds": prepared.split.folds,
        "metric": prepared.metric.name,
        "budget": request.budget,
    }
    if request.answers:
        plan |= {ANSWERS: request.answers, BEFORE: request.before}
    training = start_training(store, request.command, dataset=prepared.dataset.id, plan=plan)
    keys = [
        fold_key(one.plan, prepared.dataset.id, prepared.roles, k)
        for one in chosen.candidates
        for k in range(prepared.split.folds)
    ]
    try:
        with heartbeat(store, training.id):
            yield Keeper(training.id, _cache(store), store, count_folds(store, keys))
    except BaseException:
        finish_training(store, training.id, Status.FAILED)
        raise


def _cache(store: Store) -> Cache:
    def load(key: str) -> FoldFit | None:
        try:
            files = load_fold(store, key)
        except DamagedError:
            return None  # it is fitted again, which replaces it
        return None if files is None else FoldFit.decode(files)

    def save(key: str, fit: FoldFit) -> None:
        save_fold(store, key, fit.encode(), seconds=fit.seconds)

    return Cache(load, save)
