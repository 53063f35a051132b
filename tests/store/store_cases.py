"""Values that the store's tests keep and read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from holdfast.core.dataset import Check, Dataset, Step
from holdfast.core.estimate import Estimate
from holdfast.core.learner import Curve
from holdfast.core.plan import Plan
from holdfast.core.predictions import Predictions
from holdfast.core.run import Cost, RunRecord, Status
from holdfast.core.schema import CellFormat, Column, Kind, Role, Schema
from holdfast.core.task import Task


@dataclass(frozen=True)
class Files:
    """A model, as far as the store can see one."""

    files: dict[str, bytes]
    id: str = "model"

    def predict(self, dataset: Dataset) -> Predictions:
        raise NotImplementedError


def record(name: str = "lightgbm-4f2a91", training: str = "t", learner: str = "lightgbm") -> RunRecord:
    plan = Plan(Task.CLASSIFICATION, learner, "auc", "log_loss", 5, 0, {"num_leaves": 31, "extra": True})
    return RunRecord(
        id=name,
        training=training,
        plan=plan,
        dataset="d" * 32,
        status=Status.FINISHED,
        started="2025-01-02T03:04:05.000006+00:00",
        model="m" * 32,
        cost=Cost(1.5, 1.25, 1e-6, 9e-5, 12345),
        curves=(Curve((1, 2), (0.5, 0.25), 2), Curve()),
        weights={"a-1": 0.25, "b-2": 0.75},
        scores={"auc": Estimate(0.9, 0.88, 0.92, n=100, method="DeLong"), "f1": Estimate.absent("no rows")},
        environment={"python": "3.11"},
        notes=("one", "zwei"),
        seed=7,
    )


def predictions(n: int = 5) -> Predictions:
    rng = np.random.default_rng(0)
    return Predictions.of(
        example=[f"e{i}" for i in range(n)],
        target=["Yes" if i % 2 else "No" for i in range(n)],
        probability=rng.uniform(size=n),
        classes=["No", "Yes"],
        positive="Yes",
        split=["search"] * n,
        fold=[0] * n,
    )


def dataset(n: int = 6) -> Dataset:
    """One column of each kind, with the cells that formats like to lose."""
    columns = (
        Column(
            "x", Kind.NUMBER, format=CellFormat(missing=("?",), thousands=","), why="9 of 9 cells are numbers"
        ),
        Column("ok", Kind.BOOLEAN, format=CellFormat(true=("yes",), false=("no",))),
        Column("größe", Kind.CATEGORY, Role.SENSITIVE, CellFormat(spelling={"s": "S"})),
        Column("day", Kind.DATE, Role.TIME, CellFormat(dates=("%Y-%m-%d",))),
        Column("said", Kind.TEXT),
        Column("empty", Kind.NUMBER),
        Column("churn", Kind.CATEGORY, Role.TARGET),
    )
    table = pl.DataFrame(
        {
            "x": [0.1, -0.0, None, 1e308, 5e-324, float("nan")],
            "ok": [True, False, None, True, True, False],
            "größe": ["S", "", None, "日本", " S", "a\nb"],
            "day": [
                datetime(2024, 2, 29, 23, 59, 59, 999999),
                None,
                datetime(1, 1, 1),
                datetime(9999, 12, 31),
            ]
            + [datetime(1969, 7, 20)] * 2,
            "said": ["long " * 300, "\x00", "'", '"', ",", None],
            "empty": [None] * 6,
            "churn": ["Yes", "No"] * 3,
        },
        schema={
            "x": pl.Float64,
            "ok": pl.Boolean,
            "größe": pl.String,
            "day": pl.Datetime("us"),
            "said": pl.String,
            "empty": pl.Float64,
            "churn": pl.String,
        },
    )
    return Dataset(
        table,
        Schema(columns),
        pl.Series("example", [f"{i:032x}" for i in range(n)]),
        np.arange(n, dtype=np.uint64) + np.uint64(2**63),
        lineage=(Step("trimmed", "größe", 2, "white space"),),
        checks=(Check("leak", "warning", "x", "x tells the answer", 6),),
        source="customers.csv",
        content="c" * 32,
    )
