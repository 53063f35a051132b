"""Sealed rows: what is asked of them is written down before it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from holdfast.comparison.ledger import Ledger
from holdfast.core.estimate import Estimate
from holdfast.errors import ModelError
from holdfast.metrics import Metric, evaluate
from holdfast.project.handle import Project
from holdfast.project.runs import data_of, run_named
from holdfast.project.scores import every_score
from holdfast.store.ledger import LedgerEntry, append_entry, entries, entry_examples


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealed rows said of a run: every metric, over `rows` rows.

    `tied` rows were left out because an equal row is open. The rows may give `remaining`
    more answers of `budget`.
    """

    run: str
    scores: dict[str, Estimate]
    rows: int
    tied: int
    remaining: int
    budget: int


def evaluate_sealed(
    project: Project, name: str, *, metric: str | Metric | None = None, seed: int = 0
) -> Sealed:
    """The metrics of a run on sealed rows: one entry in the ledger, written before they are shown.

    RoleError when there are no sealed rows, or when they have given all their answers.
    """
    run = run_named(project, name)
    if run.model is None:
        raise ModelError(f"{run.id} has no model that could predict sealed rows.")
    dataset, split = data_of(project, run.record)
    rows = dataset.take(split.sealed & dataset.target.is_not_null().to_numpy())
    allow = partial(charged, project, rows.example.to_list())
    allow(entries(project.store))  # before the work; and again, with nobody in between, when it is kept
    answers = run.model.predict(rows)
    if metric is None:
        scores = every_score(run, answers, seed=seed)
    else:
        scores = {str(metric): evaluate(answers, metric, seed=seed)}
    facts = {name: score.value for name, score in scores.items() if score.known}
    entry = LedgerEntry("evaluate", run.id, dataset.id, metric=str(metric or "all"), facts=facts)
    append_entry(project.store, entry, rows.example, allow=allow)
    left = ledger_of(project, entries(project.store)).remaining(rows.example)
    tied = int(split.tied.sum())
    return Sealed(run.id, scores, len(rows), tied, left, project.settings.decisions)


def ledger_of(project: Project, kept: Sequence[LedgerEntry]) -> Ledger:
    """These entries as a ledger, with the ids behind every one."""
    return Ledger(
        project.settings.decisions,
        asked=tuple(frozenset(entry_examples(project.store, entry).to_list()) for entry in kept),
    )


def charged(project: Project, ids: Sequence[str], so_far: Sequence[LedgerEntry]) -> None:
    """Nothing where these rows may give one more answer; else a RoleError (see `Ledger.charge`)."""
    ledger_of(project, so_far).charge(ids)
