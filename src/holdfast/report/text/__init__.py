"""Drawings for the terminal and for log files: a core value in, something to `show` out."""

from holdfast.report.text.board import comparison, leaderboard, verdict, verdicts
from holdfast.report.text.data import checks, data, found, schema, steps
from holdfast.report.text.frame import plain, show
from holdfast.report.text.progress import event, plan
from holdfast.report.text.runs import confusion, importance, metrics, record, run, runs, sealed

__all__ = [
    "checks",
    "comparison",
    "confusion",
    "data",
    "event",
    "found",
    "importance",
    "leaderboard",
    "metrics",
    "plain",
    "plan",
    "record",
    "run",
    "runs",
    "schema",
    "sealed",
    "show",
    "steps",
    "verdict",
    "verdicts",
]
