"""`review`: a person's word on labels, or on an analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.core.review import Analysis, Answer, LabelReview, Reviewed
from holdfast.debugging.label_errors import suggested_labels
from holdfast.debugging.relabelled import to_review
from holdfast.errors import (
    DecisionError,
    FileError,
    FindingError,
    HoldfastError,
    InputError,
    UnknownFindingError,
    UnknownRunError,
)  # fmt: skip
from holdfast.project.chain import ANALYSIS, REVIEW, body_of, proofs
from holdfast.project.handle import Project
from holdfast.project.history import history
from holdfast.project.judge import predictions_of
from holdfast.project.label_trial import label_trial
from holdfast.project.output import whole_numbers, write_output
from holdfast.project.runs import data_of, run_id, run_named
from holdfast.project.said import answered, reviewed
from holdfast.store.decisions import append_decision
from holdfast.store.findings import find_finding

_SHEET = ("example", "given", "suggested", "confident", "decision", "label")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The rows to review: columns example, given, suggested, confident, and the cells.

    A finding's rows come worst first. A blind sheet shows neither given nor suggested labels, in an
    order that says nothing. `given` are the labels by example id; `classes` those to choose
    from, () for numbers. `subject` is the finding, or the run whose sealed rows they are.
    """

    subject: str
    rows: pl.DataFrame
    given: Mapping[str, str]
    classes: tuple[str, ...]
    blind: bool
    sealed: bool = False


def sheet(project: Project, name: str, *, blind: bool = False, most: int | None = None) -> Sheet:
    """The rows of a finding, or blind ones to judge the run that a change of labels made.

    FindingError where there are no labels to review.
    """
    try:
        finding, run = find_finding(project.store, name)
    except UnknownFindingError as no_finding:
        try:
            return _of_run(project, run_id(project, name), most)
        except UnknownRunError:
            raise no_finding from None
    ids = [one.example for one in finding.where.examples][:most]
    if not ids:
        raise FindingError(f"{finding.id} points at no single rows, so there are no labels to review.")
    found = run_named(project, run)
    dataset, _ = data_of(project, found.record)
    predictions = predictions_of(found)
    labels = suggested_labels(predictions, ids).drop("quality")
    given = dict(zip(ids, labels["given"].cast(pl.String).to_list(), strict=True))
    if blind:
        order = np.random.default_rng(0).permutation(len(labels))
        labels = labels.select("example")[order]
    return Sheet(finding.id, _with_cells(labels, dataset), given, predictions.header.classes, blind)


def _of_run(project: Project, run: str, most: int | None) -> Sheet:
    """Blind: sealed rows that the run before or after a change of labels contradicts, and some others."""
    rows, pair = label_trial(project, run)
    ids = to_review(pair).head(len(pair) if most is None else most)
    targets = pair.before.table["target"].cast(pl.String)
    given = dict(zip(pair.before.example.to_list(), targets.to_list(), strict=True))
    shown = _with_cells(pl.DataFrame({"example": ids}), rows)
    return Sheet(run, shown, given, pair.before.header.classes, blind=True, sealed=True)


def _with_cells(labels: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    cells = dataset.table.select(column.name for column in dataset.schema.features)
    taken = [column for column in cells.columns if column in _SHEET]
    cells = cells.rename({column: f"{column} (cell)" for column in taken})
    return labels.join(cells.with_columns(example=dataset.example), "example", "left", maintain_order="left")


def still_to_do(project: Project, shown: Sheet, reviewer: str) -> Sheet:
    """The rows that this reviewer has not come to yet; all of them again where that is none."""
    done = list(answered(project, shown.subject, reviewer))
    left = shown.rows.filter(~pl.col("example").is_in(done))
    return replace(shown, rows=left) if len(left) else shown


def export_sheet(shown: Sheet, output: Path) -> Path:
    """Write a sheet as CSV or JSON lines with empty columns `decision` and `label` to fill in."""
    rows = shown.rows.with_columns(decision=pl.lit(""), label=pl.lit(""))
    front = [name for name in _SHEET if name in rows.columns]
    rows = whole_numbers(rows.select(*front, pl.exclude(front)))
    buffer = BytesIO()
    if output.suffix.lower() == ".jsonl":
        rows.write_ndjson(buffer)
    elif output.suffix.lower() == ".csv":
        rows.write_csv(buffer)
    else:
        raise FileError(f"Write a review to a name that ends in .csv or .jsonl, not {output.name!r}.")
    return write_output(output, buffer.getvalue())


def record_review(project: Project, shown: Sheet, answers: Sequence[Answer], *, reviewer: str) -> Reviewed:
    """Write one reviewer's answers down, and what all reviewers say together."""
    if not reviewer.strip():
        raise DecisionError("A review has a name: --as NAME")
    if not answers:
        raise InputError("The review answers no row, so there is nothing to write down.")
    review = LabelReview(shown.subject, tuple(answers), shown.blind, shown.sealed)
    decision = Decision(
        DecisionKind.LABELS_REVIEWED, shown.subject, reviewer.strip(), body=body_of(review, REVIEW)
    )
    append_decision(project.store, decision)
    found = reviewed(project, shown.subject)
    assert found is not None  # it was written just now
    return found


def review_analysis(project: Project, analysis: Analysis, *, reviewer: str, why: str) -> Decision:
    """A named person's word on a finding, proof, release, run or file: does it hold, and how far?"""
    if not reviewer.strip() or not why.strip():
        raise DecisionError("A review has a name and a reason: --as NAME --why 'what you looked at'")
    subject, digest = _subject(project, analysis.subject)
    kept = Analysis(subject, analysis.valid, analysis.limits, analysis.biases, digest)
    body = body_of(kept, ANALYSIS)
    return append_decision(
        project.store, Decision(DecisionKind.REVIEW, subject, reviewer.strip(), why.strip(), body)
    )


def _subject(project: Project, name: str) -> tuple[str, str]:
    """What is reviewed, and for a file the hash of what was read."""
    if Path(name).is_file():
        return Path(name).name, fingerprint_bytes(Path(name).read_bytes())
    shown = history(project)
    known = [one.id for one in proofs(project)] + [one.release.id for one in shown.stages]
    if name in known:
        return name, ""
    try:
        return find_finding(project.store, name)[0].id, ""
    except HoldfastError:
        return run_id(project, name), ""
