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
from holdfast.models.tabular.served import TabularModel
from holdfast.project.fold_models import fold_model
from holdfast.project.handle import Project
from holdfast.project.runs import data_of
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
        model = fold_model(project, record, k, roles_id(split))
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


def _asked(parts: list[tuple[TabularModel, Dataset]]) -> Predictions:
    answers = [model.predict(rows) for model, rows in parts]
    return replace(answers[0], table=pl.concat([answer.table for answer in answers]))


def _shuffled(rows: Dataset, column: str, rng: np.random.Generator) -> Dataset:
    dealt = rows.table[column].gather(rng.permutation(len(rows)))
    return replace(rows, table=rows.table.with_columns(dealt.alias(column)))
