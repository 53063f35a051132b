"""Runs by the names that people give them: best, recommended, an id, a learner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.core.dataset import Dataset
from holdfast.core.run import Run, RunRecord, Status, Training
from holdfast.core.split import Split
from holdfast.errors import UnknownRunError
from holdfast.models.tabular.folder import MANIFEST
from holdfast.models.tabular.served import load
from holdfast.project.handle import Project
from holdfast.project.history import champion
from holdfast.store.datasets import load_dataset
from holdfast.store.runs import find_run, load_run, run_files
from holdfast.store.runs import runs as load_records
from holdfast.store.splits import load_split
from holdfast.store.trainings import trainings

BEST, RECOMMENDED, CHAMPION = "best", "recommended", "champion"
ANSWERS, BEFORE = "answers", "before"  # in a training's plan: the finding that it fixes, and the run


def newest_training(project: Project) -> Training:
    """The training that finished last and is no fix of another's run; UnknownRunError when none has."""
    done = [
        one
        for one in trainings(project.store)
        if one.status is Status.FINISHED and one.best and ANSWERS not in one.plan
    ]
    if not done:
        raise UnknownRunError(
            f"No training has finished in {project.path}. Start one: holdfast train FILE --target COLUMN"
        )
    return done[-1]


def run_named(project: Project, name: str) -> Run:
    """The run of that name, with its predictions and its model."""
    run = load_run(project.store, run_id(project, name))
    files = run_files(project.store, run.id)
    return replace(run, model=load(files) if MANIFEST in files else None)


def run_id(project: Project, name: str) -> str:
    """The id behind best, recommended, champion, a learner's name or the start of an id."""
    if name == CHAMPION:
        held = champion(project)
        if held is None:
            raise UnknownRunError("Nothing is released yet, so there is no champion: holdfast release RUN")
        return held.release.run
    if name in (BEST, RECOMMENDED):
        training = newest_training(project)
        return training.best if name == BEST else training.recommended
    return find_run(project.store, name, also=(BEST, RECOMMENDED, CHAMPION))


def records(project: Project, training: str | None = None) -> tuple[RunRecord, ...]:
    """The records of all runs, or of one training's, oldest first."""
    return load_records(project.store, training)


def listed(project: Project) -> tuple[RunRecord, ...]:
    """Every run once, those of the newest training first.

    A training that is done again, such as a fix that was killed before it was proven, makes runs
    of the same ids; by its id the newest is found, so that one is listed.
    """
    newest: dict[str, RunRecord] = {}
    for record in records(project):
        newest.pop(record.id, None)
        newest[record.id] = record
    began = {training.id: training.started for training in trainings(project.store)}
    return tuple(sorted(newest.values(), key=lambda one: began.get(one.training, one.started), reverse=True))


def newest_runs(project: Project) -> Sequence[Run]:
    """The runs of the newest training with their predictions, and without their models."""
    training = newest_training(project)
    return [
        load_run(project.store, record.id, training.id)
        for record in records(project, training.id)
        if record.status is Status.FINISHED
    ]


def training_of(project: Project, record: RunRecord) -> Training | None:
    """The training that a run is of; None where the project does not have it."""
    return next((one for one in trainings(project.store) if one.id == record.training), None)


def data_of(project: Project, record: RunRecord) -> tuple[Dataset, Split]:
    """The dataset that a run was fitted on, and every row's role and fold."""
    if not record.dataset:
        raise UnknownRunError(f"{record.id} was logged without a table, so its rows cannot be looked at.")
    dataset = load_dataset(project.store, record.dataset)
    folds = 5 if record.plan is None else record.plan.folds
    split = load_split(project.store, dataset, folds)
    if split is None:
        raise UnknownRunError(
            f"The split that {record.id} was fitted with is not in {project.path}. Train on the same file "
            "again, which keeps it: holdfast train FILE --target COLUMN"
        )
    return dataset, split
