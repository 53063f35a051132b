"""The columns of a Predictions table, and what its rows have in common."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

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

    @property
    def kinds(self) -> dict[str, pl.DataType]:
        """The type of each column of the table; a column without any value may be Null instead."""
        text, number = pl.String(), pl.Float64()
        outcome = {Task.CLASSIFICATION: text, Task.REGRESSION: number, None: pl.Null()}[self.task]
        probability = pl.Array(pl.Float32, len(self.classes)) if self.classes else pl.Null()
        kinds = (text, text, text, pl.Int64(), outcome, outcome, probability, number, number)
        return dict(zip(COLUMNS, kinds, strict=True))
