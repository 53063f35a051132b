"""The two models around a change of labels, on the sealed rows that judge it."""

from __future__ import annotations

from holdfast.core.dataset import Dataset
from holdfast.debugging.proof import Pair
from holdfast.errors import FindingError
from holdfast.project.handle import Project
from holdfast.project.predict import served_model
from holdfast.project.runs import BEFORE, data_of, run_named
from holdfast.project.sealed_rows import sealed_rows
from holdfast.store.trainings import trainings


def label_trial(project: Project, run: str) -> tuple[Dataset, Pair]:
    """The sealed rows, and the predictions of the run and of the one that it was made from.

    FindingError where the run was not made by a fix.
    """
    after = run_named(project, run)
    training = next((one for one in trainings(project.store) if one.id == after.record.training), None)
    before = str(training.plan.get(BEFORE, "")) if training else ""
    if not before:
        raise FindingError(
            f"{run} was not made by a fix, so there is no change of labels to judge. "
            "Review a finding's labels: holdfast review labels FINDING"
        )
    dataset, split = data_of(project, after.record)
    rows = sealed_rows(project, dataset, split, apart=run)
    pair = Pair(
        served_model(run_named(project, before)).predict(rows).named("before"),
        served_model(after).predict(rows).named("after"),
    )
    return rows, pair
