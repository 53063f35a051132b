"""A thousand customers, a model whose faults are known, and what guards are held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pytest

from holdfast.comparison.paired import compare
from holdfast.core.dataset import Dataset
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.core.verdict import Verdict
from holdfast.promotion.subject import LEVEL, Subject

N = 2_000


def compared(a: Predictions, b: Predictions, metric: str, margin: float | None) -> Verdict:
    return compare(a, b, metric=metric, margin=margin, level=LEVEL)


@dataclass(frozen=True)
class Formula:
    """A model that is a function of the table: the probability of "yes", shape (n,)."""

    of: Callable[[pl.DataFrame], np.ndarray]
    files: dict[str, bytes] = field(default_factory=lambda: {"graph.onnx": bytes(2_500_000)})
    id: str = "formula"

    def predict(self, dataset: Dataset) -> Predictions:
        return Predictions.of(
            example=dataset.example,
            probability=self.of(dataset.table),
            classes=["no", "yes"],
            positive="yes",
        )


@pytest.fixture(scope="session")
def customers() -> Dataset:
    """Six columns; the chance of a "yes" falls with tenure and does not know gender."""
    rng = np.random.default_rng(0)
    tenure = rng.integers(0, 60, N).astype(np.float64)
    chance = 0.8 - 0.01 * tenure
    table = pl.DataFrame(
        {
            "tenure": tenure,
            "charges": rng.normal(60, 20, N),
            "gender": rng.choice(["f", "m"], N),
            "contract": rng.choice(["monthly", "yearly"], N),
            "signed": pl.Series(np.datetime64("2020-01-01") + rng.integers(0, 900, N)).cast(
                pl.Datetime("us")
            ),
            "churn": np.where(rng.random(N) < chance, "yes", "no"),
        }
    )
    table = table.with_columns(
        charges=pl.when(pl.Series(rng.random(N) < 0.1)).then(None).otherwise("charges")
    )
    kinds = (Kind.NUMBER, Kind.NUMBER, Kind.CATEGORY, Kind.CATEGORY, Kind.DATE, Kind.CATEGORY)
    roles = (*[Role.FEATURE] * 2, Role.SENSITIVE, *[Role.FEATURE] * 2, Role.TARGET)
    columns = tuple(map(Column, table.columns, kinds, roles))
    ids = pl.Series([f"c{i}" for i in range(N)])
    return Dataset(table, Schema(columns), ids, np.arange(N, dtype=np.uint64))


@pytest.fixture(scope="session")
def predicted(customers: Dataset) -> Callable[..., Predictions]:
    """Predictions of the customers by a formula, calibrated unless one is given, as model `name`."""

    def predict(of: Callable[[pl.DataFrame], Any] | None = None, name: str = "now") -> Predictions:
        table = customers.table
        probability = 0.8 - 0.01 * table["tenure"].to_numpy() if of is None else of(table)
        return Predictions.of(
            example=customers.example,
            target=table["churn"],
            probability=probability,
            classes=["no", "yes"],
            positive="yes",
            model=name,
        )

    return predict


@pytest.fixture(scope="session")
def subject(customers: Dataset, predicted: Callable[..., Predictions]) -> Subject:
    """Everything of a model is at hand; it looks at tenure, and gender moves it by 0.01."""
    model = Formula(lambda t: 0.79 - 0.01 * t["tenure"].to_numpy() + 0.01 * (t["gender"] == "f").to_numpy())
    return Subject(
        predictions=predicted(),
        compare=compared,
        dataset=customers,
        model=model,
        champion=predicted(name="champion"),
        references={"before": predicted(name="before")},
        row_seconds=0.0008,
    )
