"""Permutation importance (Breiman 2001), out of fold: what each column is worth to a model.

A probe and a judgement like any other: the model of each fold is asked again about rows
it was not fitted on, with one column's cells dealt out anew, and the answers are compared
with the original ones, paired.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from holdfast.comparison.paired import compare
from holdfast.core.curves import Importance
from holdfast.core.dataset import Dataset
from holdfast.core.predictions import Predictions
from holdfast.core.run import RunRecord
from holdfast.errors import DamagedError
from holdfast.models.tabular.served import TabularModel, combine, load
from holdfast.project.handle import Project
from holdfast.project.runs import data_of, run_named
from holdfast.store.folds import load_fold
from holdfast.training.fold import FoldFit, fold_key
from holdfast.training.schedule import roles_id

_ROWS = 2_000  # looked at in all; the interval says what that leaves open
_MOST_COLUMNS = 200


def importance(project: Project, record: RunRecord, *, seed: int = 0) -> tuple[Importance, ...]:
    """Every column's importance to a run, the largest first; empty where the folds are gone.

    How much worse the run's metric gets, positive where the column matters.
    """
    if record.plan is None:
        return ()
    dataset, split = data_of(project, record)
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(split.folds):
        model = _fold_model(project, record, k, roles_id(split))
        if model is None:
            return ()
        rows = np.flatnonzero((split.fold == k) & dataset.target.is_not_null().to_numpy())
        chosen = rng.permutation(rows)[: max(1, _ROWS // split.folds)]
        parts.append((model, dataset.take(np.sort(chosen))))
    base = _asked(parts)
    names = [column.name for column in parts[0][0].manifest.columns][:_MOST_COLUMNS]
    found = []
    for name in names:
        probed = _asked([(model, _shuffled(rows, name, rng)) for model, rows in parts])
        verdict = compare(probed, base, metric=record.plan.metric, seed=seed)
        found.append(Importance(name, verdict.difference))
    return tuple(sorted(found, key=lambda one: -one.drop.value))


def _fold_model(project: Project, record: RunRecord, k: int, roles: str) -> TabularModel | None:
    """The model that did not see fold k: a learner's own, or an ensemble's mix of its members'."""
    plan = record.plan
    assert plan is not None
    members = [(plan, 1.0)]
    if plan.members:
        runs = [(run_named(project, name).record.plan, weight) for name, weight in record.weights.items()]
        members = [(member, weight) for member, weight in runs if member is not None]
    models, weights = [], []
    for member, weight in members:
        try:
            files = load_fold(project.store, fold_key(member, record.dataset, roles, k))
        except DamagedError:
            files = None
        if files is None:
            return None
        models.append(load(FoldFit.decode(files).files))
        weights.append(weight)
    return combine(models, np.array(weights) / np.sum(weights))


def _asked(parts: list[tuple[TabularModel, Dataset]]) -> Predictions:
    answers = [model.predict(rows) for model, rows in parts]
    return replace(answers[0], table=pl.concat([answer.table for answer in answers]))


def _shuffled(rows: Dataset, column: str, rng: np.random.Generator) -> Dataset:
    dealt = rows.table[column].gather(rng.permutation(len(rows)))
    return replace(rows, table=rows.table.with_columns(dealt.alias(column)))
