"""Small tables with every kind of column, made from a seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.schema import CellFormat, Column, Kind, Role, Schema

CITIES = [f"city {i}" for i in range(40)]
FORMAT = CellFormat(missing=("?",), dates=("%Y-%m-%d %H:%M:%S",), true=("yes",), false=("no",))


def columns_of(target: Column) -> tuple[Column, ...]:
    features = (
        Column("age", Kind.NUMBER, format=FORMAT),
        Column("income", Kind.NUMBER, format=FORMAT),
        Column("member", Kind.BOOLEAN, format=FORMAT),
        Column("plan", Kind.CATEGORY, format=FORMAT),
        Column("city", Kind.CATEGORY, format=FORMAT),
        Column("since", Kind.DATE, format=FORMAT),
        Column("note", Kind.TEXT, format=FORMAT),
        Column("country", Kind.CATEGORY, format=FORMAT),  # constant
    )
    return (*features, target)


def made(n: int = 600, *, classes: int = 2, seed: int = 0, shuffled: bool = False) -> Dataset:
    """`classes` 0 is a regression; `shuffled` takes all signal out of the target."""
    rng = np.random.default_rng(seed)
    age, income = rng.normal(40, 12, n), rng.lognormal(10, 1, n)
    plan, city = rng.integers(0, 3, n), rng.integers(0, len(CITIES), n)
    signal = age / 12 + np.where(plan == 1, 1.5, 0) + np.sin(city) * 1.5 + rng.normal(0, 0.5, n)
    if shuffled:
        signal = rng.permutation(signal)
    if classes:
        cuts = np.quantile(signal, np.arange(1, classes) / classes)
        target = pl.Series("y", [f"c{k}" for k in np.digitize(signal, cuts)])
    else:
        target = pl.Series("y", signal * 10 + 100)
    start = datetime(2020, 1, 1)
    moments = [start + timedelta(hours=int(h)) for h in rng.integers(0, 20_000, n)]
    table = pl.DataFrame(
        {
            "age": _holes(pl.Series(age), rng, 0.1),
            "income": pl.Series(income),
            "member": _holes(pl.Series(rng.random(n) < 0.5), rng, 0.05),
            "plan": _holes(pl.Series([["basic", "plus", "pro"][k] for k in plan]), rng, 0.1),
            "city": pl.Series([CITIES[k] for k in city]),
            "since": _holes(pl.Series(moments, dtype=pl.Datetime("us")), rng, 0.05),
            "note": pl.Series([f"Call {k} at 5 pm!" * (k % 3) for k in city]),
            "country": pl.Series(["FR"] * n),
            "y": target,
        }
    )
    schema = Schema(columns_of(Column("y", Kind.CATEGORY if classes else Kind.NUMBER, Role.TARGET)))
    twin = table.drop("y").hash_rows(seed=0).to_numpy()
    ids = pl.Series([f"r{i}" for i in range(n)])
    return Dataset(table, schema, ids, twin, content=f"made {n} {classes} {seed} {shuffled}")


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Two thirds and one third of the rows."""
    third = np.arange(len(dataset)) % 3 == 0
    return dataset.take(~third), dataset.take(third)


def weighted(dataset: Dataset, weight: np.ndarray) -> Dataset:
    """The same rows with a weight column."""
    column = Column("w", Kind.NUMBER, Role.WEIGHT)
    table = dataset.table.with_columns(pl.Series("w", weight))
    content = f"{dataset.content} weighted {weight.sum()}"
    return replace(dataset, table=table, schema=Schema((*dataset.schema.columns, column)), content=content)


def raw_cells(dataset: Dataset, row: int) -> dict[str, object]:
    """One row as a web form would send it: everything text."""
    cells = dataset.table.row(row, named=True)
    return {name: _written(cell) for name, cell in cells.items()}


def _written(cell: object) -> str:
    match cell:
        case None:
            return " ? "
        case bool():
            return "Yes" if cell else "NO "
        case datetime():
            return cell.strftime("%Y-%m-%d %H:%M:%S")
        case _:
            return f" {cell} " if isinstance(cell, float) else str(cell)


def _holes(cells: pl.Series, rng: np.random.Generator, share: float) -> pl.Series:
    missing = pl.Series(rng.random(len(cells)) < share)
    return pl.select(pl.when(~missing).then(cells)).to_series()
