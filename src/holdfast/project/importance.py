"""Permutation importance (Breiman 2001), out of fold: what each column is worth to a model.

A probe and a judgement like any other: the model of each fold is asked again about rows
it was not fitted on, with one column's cells dealt out anew, and the answers are compared
with the original ones, paired.
"""

from __future__ import annotations

import numpy as np

from holdfast.comparison.paired import compare
from holdfast.core.curves import Importance
from holdfast.core.run import Run
from holdfast.debugging.perturb import shuffled
from holdfast.errors import FindingError
from holdfast.metrics import named_or_default
from holdfast.project.handle import Project
from holdfast.project.probing import probe_of
from holdfast.project.runs import data_of

_ROWS = 2_000  # looked at in all; the interval says what that leaves open
_MOST_COLUMNS = 200


def importance(project: Project, run: Run, *, seed: int = 0) -> tuple[Importance, ...]:
    """Every column's importance to a run, the largest first; empty where its folds are gone.

    How much worse the run's metric gets, positive where the column matters.
    """
    plan = run.record.plan
    if plan is None:
        return ()
    dataset, split = data_of(project, run.record)
    probe = probe_of(project, run, dataset, split)
    if probe is None:
        return ()
    with probe:
        rng = np.random.default_rng(seed)
        known = np.flatnonzero(split.open & (split.fold >= 0) & dataset.target.is_not_null().to_numpy())
        rows = dataset.take(np.sort(rng.permutation(known)[:_ROWS]))
        try:
            before = probe.held_out(rows)
        except FindingError:
            return ()
        found, metric = [], named_or_default(plan.metric, plan.task)
        for column in dataset.schema.features[:_MOST_COLUMNS]:
            after = probe.held_out(shuffled(rows, column.name, rng.permutation(len(rows))))
            verdict = compare(after, before, metric=metric, seed=seed)
            found.append(Importance(column.name, verdict.difference))
    return tuple(sorted(found, key=lambda one: -one.drop.value))
