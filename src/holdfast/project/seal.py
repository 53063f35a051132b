"""Sealed rows: what is asked of them is written down before it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.comparison.ledger import Entry, Ledger
from holdfast.core.estimate import Estimate
from holdfast.errors import ModelError
from holdfast.metrics import Metric, evaluate
from holdfast.project.handle import Project
from holdfast.project.runs import data_of, run_named
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
    """The metrics of a run on sealed rows: one entry in the ledger.

    RoleError when there are no sealed rows, or when they have given all their answers.
    """
    run = run_named(project, name)
    if run.model is None:
        raise ModelError(f"{run.id} has no model that could predict sealed rows.")
    dataset, split = data_of(project, run.record)
    rows = dataset.take(split.sealed & dataset.target.is_not_null().to_numpy())
    ledger = ledger_of(project)
    ids = rows.example.to_list()
    charged = ledger.charge(ids, question=f"evaluate {run.id}", when="")
    append_entry(
        project.store, LedgerEntry("evaluate", run.id, dataset.id, metric=str(metric or "all")), rows.example
    )
    predictions = run.model.predict(rows)
    found = evaluate(predictions, metric, seed=seed)
    scores = found if isinstance(found, dict) else {str(metric): found}
    tied = int((split.role == "sealed").sum()) - len(rows)
    return Sealed(run.id, scores, len(rows), tied, charged.remaining(ids), ledger.budget)


def ledger_of(project: Project) -> Ledger:
    """The project's ledger, with the ids behind every entry."""
    kept = tuple(
        Entry(
            f"{entry.kind} {entry.run}", entry.at, frozenset(entry_examples(project.store, entry).to_list())
        )
        for entry in entries(project.store)
    )
    return Ledger(project.settings.decisions, entries=kept)
