"""`review`: a person's word on labels, or on an analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding
from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.core.labels import label_text
from holdfast.core.review import Analysis, Answer, LabelReview, Reviewed
from holdfast.data.load import load
from holdfast.debugging.label_errors import suggested_labels
from holdfast.errors import DecisionError, FileError, FindingError, HoldfastError, InputError, some
from holdfast.project.chain import body_of, of_kind, proofs, value_of
from holdfast.project.handle import Project
from holdfast.project.history import history
from holdfast.project.judge import predictions_of
from holdfast.project.output import write_output
from holdfast.project.runs import data_of, run_id, run_named
from holdfast.stats.agreement import krippendorff
from holdfast.store.decisions import append_decision
from holdfast.store.findings import find_finding

REVIEW, ANALYSIS = "label-review.v1", "analysis.v1"
KEEP, CHANGE, SKIP = "keep", "change", "skip"
_SHEET = ("example", "given", "suggested", "confident", "decision", "label")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The rows to review, worst first: columns example, given, suggested, confident, and the cells.

    A blind sheet has neither given nor suggested labels. `classes` are the labels to
    choose from, () for numbers.
    """

    finding: Finding
    rows: pl.DataFrame
    classes: tuple[str, ...]
    blind: bool


def sheet(project: Project, name: str, *, blind: bool = False, most: int | None = None) -> Sheet:
    """A finding's rows for a reviewer; FindingError where it points at no rows with labels."""
    finding, run = find_finding(project.store, name)
    ids = [one.example for one in finding.where.examples][:most]
    if not ids:
        raise FindingError(f"{finding.id} points at no single rows, so there are no labels to review.")
    found = run_named(project, run)
    dataset, _ = data_of(project, found.record)
    predictions = predictions_of(found)
    labels = suggested_labels(predictions, ids).drop("quality")
    cells = dataset.table.select(column.name for column in dataset.schema.features)
    taken = [column for column in cells.columns if column in (*_SHEET, "quality")]
    cells = cells.rename({column: f"{column} (cell)" for column in taken})
    rows = labels.join(cells.with_columns(example=dataset.example), "example", "left", maintain_order="left")
    if blind:
        # in an order that says nothing of what is suspected
        order = np.random.default_rng(0).permutation(len(rows))
        rows = rows.drop("given", "suggested", "confident")[order]
    return Sheet(finding, rows, predictions.header.classes, blind)


def export_sheet(shown: Sheet, output: Path) -> Path:
    """Write a sheet as CSV or JSON lines with empty columns `decision` and `label` to fill in."""
    rows = shown.rows.with_columns(decision=pl.lit(""), label=pl.lit(""))
    front = [name for name in _SHEET if name in rows.columns]
    rows = rows.select(*front, pl.exclude(front))
    buffer = BytesIO()
    if output.suffix.lower() == ".jsonl":
        rows.write_ndjson(buffer)
    elif output.suffix.lower() == ".csv":
        rows.write_csv(buffer)
    else:
        raise FileError(f"Write a review to a name that ends in .csv or .jsonl, not {output.name!r}.")
    return write_output(output, buffer.getvalue())


def read_answers(shown: Sheet, file: str | Path) -> tuple[Answer, ...]:
    """The answers in a filled-in sheet.

    Each row has `example` and a `decision` (keep, change or skip), or a `label`, or both;
    change without a label takes the suggested one. InputError names rows that the finding
    does not have, unknown labels and words that are no decision.
    """
    table = load(str(file)).table
    lacking = [name for name in ("example",) if name not in table.columns]
    if lacking or not {"decision", "label"} & set(table.columns):
        raise InputError(
            f"{file} has no column {'example' if lacking else 'decision or label'}. A review has the columns "
            "example, decision (keep, change or skip) and label: holdfast review labels FINDING --export FILE"
        )
    known = {row["example"]: row for row in shown.rows.iter_rows(named=True)}
    said = table.with_columns(pl.col("example").cast(pl.String).str.strip_chars())
    if absent := [name for name in said["example"].to_list() if name not in known]:
        raise InputError(
            f"{file} names {len(absent):,} rows that {shown.finding.id} does not have: {some(absent)}. "
            "Keep the ids of the exported sheet as they are."
        )
    if (twice := said["example"].is_duplicated()).any():
        raise InputError(f"{file} answers some rows twice: {some(said['example'].filter(twice).unique())}.")
    answers = []
    for row in said.iter_rows(named=True):
        words = (_text(row.get("decision")), _text(row.get("label")))
        answers.append(answer_for(shown, known[row["example"]], *words, where=str(file)))
    return tuple(answers)


def answer_for(
    shown: Sheet, row: Mapping[str, object], decision: str, label: str, *, where: str = "the review"
) -> Answer:
    """One answer from what was said of a row; InputError where it cannot be meant so."""
    name, word = str(row["example"]), decision.strip().lower()
    if word and word not in (KEEP, CHANGE, SKIP):
        raise InputError(f"{where}: {decision!r} for {name!r} is no decision; say keep, change or skip.")
    if word == SKIP or (not word and not label):
        return Answer(name, "")
    if shown.blind and not label:
        raise InputError(f"{where}: a blind review has a label for each row or skip; {name!r} has none.")
    chosen = label or _text(row["given"] if word == KEEP else row["suggested"])
    if shown.classes and chosen not in shown.classes:
        raise InputError(
            f"{where}: {chosen!r} for {name!r} is no label of this data. There are {some(shown.classes, 12)}."
        )
    if not shown.classes and not _is_number(chosen):
        raise InputError(f"{where}: {chosen!r} for {name!r} is no number, and this target is one.")
    return Answer(name, chosen)


def record_review(project: Project, shown: Sheet, answers: Sequence[Answer], *, reviewer: str) -> Reviewed:
    """Write one reviewer's answers down, and what all reviewers say together."""
    if not reviewer.strip():
        raise DecisionError("A review has a name: --as NAME")
    if not any(one.label for one in answers):
        raise InputError("The review answers no row, so there is nothing to write down.")
    review = LabelReview(shown.finding.id, tuple(answers), shown.blind)
    decision = Decision(
        DecisionKind.LABELS_REVIEWED, shown.finding.id, reviewer.strip(), body=body_of(review, REVIEW)
    )
    append_decision(project.store, decision)
    found = reviewed(project, shown.finding.id)
    assert found is not None  # it was written just now
    return found


def reviewed(project: Project, finding: str) -> Reviewed | None:
    """What all reviewers of a finding said together; a reviewer's later word replaces the earlier one."""
    said: dict[str, dict[str, str]] = {}
    for one in of_kind(project, DecisionKind.LABELS_REVIEWED):
        if one.subject == finding:
            review = value_of(LabelReview, one, REVIEW)
            said.setdefault(one.by, {}).update({each.example: each.label for each in review.answers})
    if not said:
        return None
    votes: dict[str, Counter[str]] = {}
    for answers in said.values():
        for example, label in answers.items():
            if label:
                votes.setdefault(example, Counter())[label] += 1
    agreed = {name: _winner(counts) for name, counts in votes.items()}
    labels = {name: label for name, label in agreed.items() if label is not None}
    given = _given(project, finding)
    changed = sum(given.get(name) != label for name, label in labels.items())
    return Reviewed(
        finding,
        labels,
        changed,
        len(labels) - changed,
        tuple(name for name, label in agreed.items() if label is None),
        {name: sum(bool(label) for label in answers.values()) for name, answers in said.items()},
        _agreement(said),
    )


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


def _given(project: Project, finding: str) -> dict[str, str]:
    found, run = find_finding(project.store, finding)
    dataset, _ = data_of(project, run_named(project, run).record)
    ids = [one.example for one in found.where.examples]
    inside = dataset.example.is_in(ids)
    labels = dataset.target.filter(inside)
    texts = labels.cast(pl.String) if labels.dtype.is_numeric() else label_text(labels)
    return dict(zip(dataset.example.filter(inside).to_list(), texts.to_list(), strict=True))


def _winner(counts: Counter[str]) -> str | None:
    first, *rest = counts.most_common(2)
    return None if rest and rest[0][1] == first[1] else first[0]


def _agreement(said: Mapping[str, Mapping[str, str]]) -> Estimate:
    rated = [(name, label) for answers in said.values() for name, label in answers.items() if label]
    if len(said) < 2:
        return Estimate.absent("one reviewer only", n=len(rated))
    units, labels = (pl.Series(values=list(one)) for one in zip(*rated, strict=True))
    found = krippendorff(
        units.rank("dense").to_numpy().astype(np.int64) - 1,
        labels.rank("dense").to_numpy().astype(np.int64) - 1,
        rng=np.random.default_rng(0),
    )
    if np.isnan(found.alpha):
        return Estimate.absent("no row has two reviewers", n=len(rated))
    return Estimate(
        found.alpha,
        found.interval.low,
        found.interval.high,
        0.95,
        found.units,
        "Krippendorff's alpha, bootstrap",
    )


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
