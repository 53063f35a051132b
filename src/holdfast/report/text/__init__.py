"""Drawings for the terminal and for log files: a core value in, something to `show` out."""

from holdfast.report.text.anything import anything
from holdfast.report.text.board import comparison, leaderboard, verdict, verdicts
from holdfast.report.text.data import checks, data, found, schema, steps
from holdfast.report.text.findings import explanation, finding, findings
from holdfast.report.text.frame import plain, show
from holdfast.report.text.progress import event, plan
from holdfast.report.text.proofs import proof
from holdfast.report.text.releases import guards, history, refused, release, rollback, stage
from holdfast.report.text.reviews import analysis, reviewed, row_to_review
from holdfast.report.text.runs import (
    confusion,
    decided,
    importance,
    logged,
    metrics,
    positive,
    record,
    run,
    runs,
    sealed,
)

__all__ = [
    "analysis",
    "anything",
    "checks",
    "comparison",
    "confusion",
    "data",
    "decided",
    "event",
    "explanation",
    "finding",
    "findings",
    "found",
    "guards",
    "history",
    "importance",
    "leaderboard",
    "logged",
    "metrics",
    "plain",
    "plan",
    "positive",
    "proof",
    "record",
    "refused",
    "release",
    "reviewed",
    "rollback",
    "row_to_review",
    "run",
    "runs",
    "schema",
    "sealed",
    "show",
    "stage",
    "steps",
    "verdict",
    "verdicts",
]
