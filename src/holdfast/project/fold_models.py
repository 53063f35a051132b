"""The models of a run's folds, from what the project keeps of every fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.core.plan import Plan
from holdfast.core.run import RunRecord
from holdfast.errors import DamagedError
from holdfast.models.tabular.served import TabularModel, combine, load
from holdfast.project.handle import Project
from holdfast.project.runs import run_named
from holdfast.store.folds import load_fold
from holdfast.training.fold import FoldFit, fold_key


def members_of(project: Project, record: RunRecord) -> list[tuple[Plan, float]]:
    """The plans that a run is a mix of, with their weights: its own, or an ensemble's members'."""
    assert record.plan is not None
    plan = replace(record.plan, decision="")  # its folds are those of the run before
    if not plan.members:
        return [(plan, 1.0)]
    runs = [(run_named(project, name).record.plan, weight) for name, weight in record.weights.items()]
    return [(plan, weight) for plan, weight in runs if plan is not None]


def fold_model(project: Project, record: RunRecord, k: int, roles: str) -> TabularModel | None:
    """The model that did not see fold k: a learner's own, or an ensemble's mix of its members'.

    Before calibration and decision; None where the project does not have it any more.
    """
    models, weights = [], []
    for member, weight in members_of(project, record):
        try:
            files = load_fold(project.store, fold_key(member, record.dataset, roles, k))
        except DamagedError:
            files = None
        if files is None:
            return None
        models.append(load(FoldFit.decode(files).files))
        weights.append(weight)
    return combine(models, np.array(weights) / np.sum(weights))
