"""What a fix must make better, by what its finding is about, and the guard that keeps it so.

What is asked of sealed rows is the weakness itself: the loss in the slice, the gap between
groups, the loss on rows broken as the probe broke them. Where a fact about data has no
measure of its own (twins, redundant columns), the main metric must gain.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Finding, FixName
from holdfast.core.guard import Guard, GuardKind
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.proof import ClaimKind, Proof
from holdfast.core.query import parse_query
from holdfast.core.run import Run
from holdfast.core.schema import Kind
from holdfast.core.verdict import Verdict
from holdfast.core.wording import as_written
from holdfast.debugging.calibration import KIND as MISCALIBRATED
from holdfast.debugging.changes import AIMS
from holdfast.debugging.gap_change import Groups, judge_gap
from holdfast.debugging.losses import loss_of
from holdfast.debugging.parts import parts_of
from holdfast.debugging.proof import Pair, Question
from holdfast.debugging.robustness import KIND as FRAGILE
from holdfast.debugging.robustness import broken_as, broken_how
from holdfast.metrics.by_group import gap
from holdfast.project.fixed import Fixed
from holdfast.project.handle import Project
from holdfast.project.predict import served_model
from holdfast.project.probing import asked
from holdfast.project.runs import data_of
from holdfast.project.same_rows import on_same_rows
from holdfast.promotion.power import power_of, spread_of
from holdfast.promotion.subject import LEVEL

BANDS = 4  # of a number's values, as parts that may not be harmed and groups that may differ
_BIAS = "bias"
_DECISIONS, _OF_DECISIONS = "balanced_accuracy", ("threshold", "rare class")  # kinds about decisions


def target_of(project: Project, fixed: Fixed, main: Question, sealed: tuple[Dataset, Dataset]) -> Question:
    """The weakness that the finding is about, as something that paired predictions can be judged by.

    `sealed` are the sealed rows in the versions that the models before and after know.
    """
    finding, query = fixed.finding, fixed.finding.where.query
    loss = loss_of(main.sealed.before)
    if finding.kind == _BIAS:
        return _gap(fixed, main)
    if finding.kind in _OF_DECISIONS:
        metric = AIMS.get(finding.about, _DECISIONS)
        return replace(main, name=f"{as_written(metric)}, all rows", metric=metric)
    if finding.kind == FRAGILE:
        return _broken(project, fixed, main, sealed)
    if query:
        return _inside(fixed, main, sealed[0])
    if finding.kind == MISCALIBRATED:  # many a metric does not see what recalibration changes
        return replace(main, name=f"{loss.compared}, all rows", metric=loss.metric)
    return replace(main, name=f"{main.name}, all rows")


def _inside(fixed: Fixed, main: Question, rows: Dataset) -> Question:
    """The mean loss in the finding's slice."""
    query, loss = fixed.finding.where.query, loss_of(main.sealed.before)
    inside, seen = parse_query(query), main.open
    if seen is not None:
        seen = seen.where(inside.mask(fixed.cells_of(seen.before)))
    name = f"{loss.compared} where {query}"
    return Question(name, loss.metric, seen, main.sealed.where(inside.mask(rows.table)))


def _broken(project: Project, fixed: Fixed, main: Question, sealed: tuple[Dataset, Dataset]) -> Question:
    """The mean loss on rows that are broken as the probe broke them."""
    finding, loss = fixed.finding, loss_of(main.sealed.before)
    before, after = (broken_as(finding, rows) for rows in sealed)
    asked = Pair(
        served_model(fixed.before).predict(before).named("before"),
        served_model(fixed.after).predict(after).named("after"),
    )
    seen = [_held_out(project, run, finding) for run in (fixed.before, fixed.after)]
    name = f"{loss.compared} with {broken_how(finding)}"
    return Question(name, loss.metric, Pair(*on_same_rows(*seen)), asked)


def _held_out(project: Project, run: Run, finding: Finding) -> Predictions:
    """The open rows, broken, each predicted by a model that was not fitted on it."""
    dataset, split = data_of(project, run.record)
    rows = dataset.take(split.open & dataset.target.is_not_null().to_numpy())
    with asked(project, run) as probe:
        assert probe is not None  # a run that was fitted again has a plan and a model of ours
        return probe.held_out(broken_as(finding, rows))


def _gap(fixed: Fixed, main: Question) -> Question:
    """The difference between the groups of a sensitive column, by the rate that the finding is about."""
    column, rate = fixed.finding.where.column, fixed.finding.about
    cells = fixed.dataset.table[column]
    parts = parts_of(cells, fixed.dataset.schema[column], bands=BANDS)
    names = np.array([*parts.names, ""])[parts.code]
    groups = Groups(dict(zip(fixed.dataset.example.to_list(), names.tolist(), strict=True)), rate)

    def smaller(before: Predictions, after: Predictions, metric: str, level: float) -> Verdict:
        del metric  # a gap has one of its own
        return judge_gap(before, after, groups, level)

    return replace(main, name=f"gap in {rate} by {column}", compare=smaller)


def cost_of(fixed: Fixed, main: Question) -> Question | None:
    """What a moved threshold gives away, which a metric of probabilities does not see: accuracy."""
    if fixed.change.fix is not FixName.THRESHOLD:
        return None
    return replace(main, name="accuracy, all rows", metric="accuracy")


def guard_of(proof: Proof, fixed: Fixed) -> Guard:
    """What a proven fix won: the column stays out, or the weakness stays as small as the fixed run has it."""
    column, target = fixed.finding.where.column, proof.target
    if proof.fix is FixName.DROP_COLUMN:
        return Guard(proof.finding, GuardKind.INVARIANCE, column=column, at_most=0.0, origin=proof.id)
    if fixed.finding.kind == _BIAS and fixed.dataset.schema[column].kind is Kind.CATEGORY:
        return _fairness(proof, fixed)
    # No guard breaks rows, or knows the bands of a number: there the whole model stays as good.
    if fixed.finding.kind in (_BIAS, FRAGILE):
        target = next(claim for claim in proof.claims if claim.kind is ClaimKind.MAIN)
    power = power_of(spread_of(target.open), target.open.n, target.margin) if target.open.known else None
    return Guard(
        proof.finding, GuardKind.NOT_WORSE, where=proof.query, metric=target.metric or "loss",
        margin=target.margin, reference=proof.after, origin=proof.id, power=power,
    )  # fmt: skip


def _fairness(proof: Proof, fixed: Fixed) -> Guard:
    """The gap between groups stays within what open rows show of the fixed run."""
    assert fixed.after.predictions is not None  # the proof has judged them
    judged = fixed.after.predictions.known
    column, rate = fixed.finding.where.column, fixed.finding.about
    cells = fixed.change.dataset.table[column]
    groups = cells[places_in(fixed.change.dataset.example, judged.example)].cast(pl.String)
    most = gap(judged, groups, rate, level=LEVEL).high
    return Guard(
        proof.finding, GuardKind.FAIRNESS, metric=rate.replace(" ", "_"), column=column, at_most=float(most),
        origin=proof.id,
    )  # fmt: skip
