"""Drawings for the terminal and for log files: a core value in, something to `show` out."""

from holdfast.report.text.board import comparison, leaderboard, verdict
from holdfast.report.text.data import checks, data, schema, steps
from holdfast.report.text.frame import plain, show
from holdfast.report.text.progress import event, plan
from holdfast.report.text.runs import confusion, importance, metrics, run, runs

__all__ = [
    "checks",
    "comparison",
    "confusion",
    "data",
    "event",
    "importance",
    "leaderboard",
    "metrics",
    "plain",
    "plan",
    "run",
    "runs",
    "schema",
    "show",
    "steps",
    "verdict",
]
