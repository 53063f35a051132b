"""The columns of a Predictions table, and what its rows have in common."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.core.task import Task

COLUMNS = (
    "example",
    "group",
    "split",
    "fold",
    "target",
    "prediction",
    "probability",
    "loss",
    "weight",
)


@dataclass(frozen=True, slots=True)
class Header:
    """What the rows of a Predictions table have in common.

    `task` is None when only per-item losses are known. `positive` and `threshold`
    belong to binary classification: the positive class is predicted where its
    probability is at least the threshold.
    """

    task: Task | None = None
    classes: tuple[str, ...] = ()
    positive: str | None = None
    threshold: float | None = None
    dataset: str = ""
    model: str = ""
    created_by: str = ""
