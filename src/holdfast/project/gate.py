"""`release`: put a run to the gate, and to a reviewer if it passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from holdfast.comparison.paired import compare
from holdfast.core.dataset import Dataset
from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.fingerprint import fingerprint
from holdfast.core.labels import label_text
from holdfast.core.predictions import Predictions
from holdfast.core.release import GuardSaid, Refused, Release, Stage, Standing, champion_of
from holdfast.core.run import Run
from holdfast.core.task import Task
from holdfast.core.verdict import Verdict
from holdfast.errors import DecisionError, ModelError
from holdfast.metrics import evaluate, named_or_default, resolve
from holdfast.project.chain import REFUSED, RELEASE, body_of, carried, guards, proofs, whoever
from holdfast.project.guard import check_run
from holdfast.project.handle import Project, home_of
from holdfast.project.history import stages
from holdfast.project.predict import served_model
from holdfast.project.runs import data_of, run_named
from holdfast.project.seal import charged, ledger_of
from holdfast.project.sealed_rows import sealed_rows
from holdfast.promotion.gate import failed, passes
from holdfast.store.decisions import append_decision
from holdfast.store.ledger import LedgerEntry, append_entry, entries

NOTHING_KNOWN = "a constant"  # what a first release is held against
_KIND = "gate"  # of a ledger's entry


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What the sealed rows said of a candidate: the verdict, both predictions, and the ledger's entry."""

    verdict: Verdict
    before: Predictions
    predictions: Predictions
    entry: LedgerEntry
    level: float
    remaining: int


def propose(
    project: Project, name: str, *, author: str | None = None, override: bool = False
) -> Release | Refused:
    """Put a run to the gate: guards first, then the champion on sealed rows, one entry in the ledger.

    A refusal says no and no number. What passes waits for a reviewer (`approve`); while it waits
    the same question gives the same release, and is neither asked nor paid for again. With
    `override` the author puts it forward although the gate says no, and the record names them.
    """
    run, by = run_named(project, name), whoever(author)
    known = stages(project)
    held = champion_of(known)
    if held is not None and held.release.run == run.id:
        raise DecisionError(f"{run.id} is the champion already, as {held.release.id}.")
    if (waiting := _waiting(known, run, held)) is not None:
        return waiting
    if run.record.plan is None:
        raise ModelError(f"{run.id} was logged, not planned here, so its sealed rows are not known.")
    checked = check_run(project, run, guards(project))
    stopping = failed(checked)
    if stopping and not override:
        return _refuse(project, Refused(run.id, "", by, tuple(map(GuardSaid.of, stopping))))
    answer = _ask(project, run, held, by)
    fixes = _carried(project, run, held)
    why = passes(answer.verdict, carries_proof=bool(fixes)) if not stopping else ""
    if not why and not override:
        return _refuse(project, Refused(run.id, "", by))
    proposed = replace(
        _proposed(run, held, answer),
        why=why or "the gate said no",
        author=by,
        guards=tuple(map(GuardSaid.of, checked)),
        fixes=fixes,
        overrode="" if why else by,
    )
    body = body_of(proposed, RELEASE)
    append_decision(project.store, Decision(DecisionKind.PROPOSAL, proposed.id, by, proposed.why, body))
    return proposed


def _waiting(known: Sequence[Stage], run: Run, held: Stage | None) -> Release | None:
    """The release of this run that waits for a reviewer, held against the same champion."""
    champion = held.release.run if held else ""
    for stage in known:
        asked = (stage.release.run, stage.release.champion)
        if stage.standing is Standing.PROPOSED and asked == (run.id, champion):
            return stage.release
    return None


def release(
    candidate: Run | str,
    *,
    author: str | None = None,
    override: bool = False,
    project: str | Path | Project = ".",
) -> Release | Refused:
    """Put a run to the gate of its project: a Release that waits for a reviewer, or a refusal.

    Guards are checked first, on open rows; then the champion is met on sealed rows, one decision of the
    ledger. A refusal says no and no number. `author` is by default the user of this machine.
    """
    home = home_of(project)
    name = candidate if isinstance(candidate, str) else candidate.id
    return propose(home, name, author=author, override=override)


def _proposed(run: Run, held: Stage | None, answer: _Answer) -> Release:
    """The release as the sealed rows speak of it."""
    verdict = answer.verdict
    metric = resolve(verdict.metric, answer.predictions)
    return Release(
        id=f"release-{fingerprint([run.id, answer.entry.number, run.record.model])[:4]}",
        run=run.id,
        champion=held.release.run if held else "",
        metric=metric.name,
        greater_is_better=metric.greater_is_better,
        score=evaluate(answer.predictions, metric),
        champion_score=evaluate(answer.before, metric),
        difference=verdict.difference,
        margin=verdict.margin,
        rows=len(answer.predictions),
        level=answer.level,
        why="",
        author="",
        model=run.record.model,
        dataset=run.record.dataset,
        entry=answer.entry.number,
        remaining=answer.remaining,
    )


def _ask(project: Project, run: Run, held: Stage | None, by: str) -> _Answer:
    """The candidate against the champion on the sealed rows, charged before it is looked at."""
    dataset, split = data_of(project, run.record)
    rows = sealed_rows(project, dataset, split)
    ids = rows.example.to_list()
    kept = entries(project.store)
    ledger = ledger_of(project, kept)
    ledger.charge(ids)
    plan = run.record.plan
    assert plan is not None  # `propose` has looked
    metric = named_or_default(plan.metric, plan.task)
    entry = LedgerEntry(_KIND, run.id, dataset.id, metric.name, facts={"author": by})
    entry = append_entry(project.store, entry, rows.example, allow=partial(charged, project, ids))
    after = served_model(run).predict(rows).named(run.id)
    if held is None:
        known = split.open & dataset.target.is_not_null().to_numpy()
        before = _constant(dataset.take(known), rows, after)
    else:
        before = served_model(run_named(project, held.release.run)).predict(rows).named(held.release.run)
    verdict = compare(before, after, metric=metric, level=1 - 2 * ledger.level)
    left = ledger_of(project, entries(project.store)).remaining(ids)
    return _Answer(verdict, before, after, entry, ledger.level, left)


def _constant(known: Dataset, rows: Dataset, like: Predictions) -> Predictions:
    """What one predicts who knows the open rows' targets and weights, and no column."""
    if like.header.task is Task.REGRESSION:
        value = float(np.average(known.target.to_numpy(), weights=known.weight))
        return Predictions.of(
            example=rows.example, target=rows.target, prediction=np.full(len(rows), value),
            group=like.table["group"], weight=like.weight, model=NOTHING_KNOWN,
        )  # fmt: skip
    labels = label_text(known.target)
    hits = [(labels == name).to_numpy() for name in like.header.classes]
    shares = [float(np.average(hit, weights=known.weight)) for hit in hits]
    return Predictions.of(
        example=rows.example, target=label_text(rows.target), probability=np.tile(shares, (len(rows), 1)),
        classes=like.header.classes, positive=like.header.positive, group=like.table["group"],
        weight=like.weight, model=NOTHING_KNOWN,
    )  # fmt: skip


def _carried(project: Project, run: Run, held: Stage | None) -> tuple[str, ...]:
    """The proven fixes between the champion and this run, oldest first."""
    champion = held.release.run if held is not None else ""
    fixes = carried(proofs(project), run.id, champion)
    if held is not None and fixes and fixes[0].before != champion:
        return ()  # proven against other models than the champion
    return tuple(one.id for one in fixes)


def _refuse(project: Project, refused: Refused) -> Refused:
    body = body_of(refused, REFUSED)
    why = "guards failed on open rows" if refused.guards else "the sealed rows said no"
    kept = append_decision(project.store, Decision(DecisionKind.REFUSAL, refused.run, refused.by, why, body))
    return Refused(refused.run, kept.at, refused.by, refused.guards)
