"""The real tables that quality is measured on, divided once into training and test files.

They are looked for in ../shared/data beside the checkout, or where HOLDFAST_BENCH_DATA says.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(os.environ.get("HOLDFAST_BENCH_DATA", Path(__file__).parents[2] / "shared" / "data"))
_TEST_SHARE = 0.25
_SEED = 20261120


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its file, its target, and columns that are left out for everybody (identifiers)."""

    name: str
    file: str
    target: str
    numeric: bool = False
    dropped: tuple[str, ...] = ()
    test_file: str = ""
    separator: str = ","


TABLES = (
    Table("telco_churn", "telco_churn/telco_churn.csv.gz", "Churn", dropped=("customerID",)),
    Table("adult_income", "adult_income/train.csv.gz", "class", test_file="adult_income/test.csv.gz"),
    Table(
        "credit_default",
        "credit_default/credit_default.csv.gz",
        "default.payment.next.month",
        dropped=("ID",),
    ),
    Table("california_housing", "california_housing/housing.csv.gz", "median_house_value", numeric=True),
    Table("titanic", "titanic/titanic.csv", "Survived", dropped=("PassengerId",)),
    Table("insurance_charges", "insurance_charges/insurance.csv", "charges", numeric=True),
    Table("covertype_sample", "covertype_sample/covtype_sample.csv.gz", "Cover_Type"),
)


def divided(table: Table, folder: Path, *, seed: int = _SEED) -> tuple[Path, Path]:
    """The training and the test file of a table, written to `folder` when they are not there.

    A quarter of the rows at random are the test rows (for adult_income its official ones).
    """
    train, test = folder / table.name / "train.csv", folder / table.name / "test.csv"
    if train.exists() and test.exists():
        return train, test
    rows = _read(table, table.file)
    if table.test_file:
        first, second = rows, _read(table, table.test_file)
        second = second.with_columns(pl.col(table.target).str.strip_suffix("."))
    else:
        mask = np.zeros(rows.height, dtype=bool)
        mask[np.random.default_rng(seed).permutation(rows.height)[: round(rows.height * _TEST_SHARE)]] = True
        first, second = rows.filter(~mask), rows.filter(mask)
    train.parent.mkdir(parents=True, exist_ok=True)
    first.write_csv(train)
    second.write_csv(test)
    return train, test


def _read(table: Table, file: str) -> pl.DataFrame:
    rows = pl.read_csv(
        ROOT / file, separator=table.separator, infer_schema_length=None, null_values=["NA", " "]
    )
    return rows.drop(table.dropped)
