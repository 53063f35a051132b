"""What a finding suggests can be done: on the demo's table, with faults of every kind planted in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache

import numpy as np
import polars as pl
from toy_probe import ToyProbe, boosted, probe_of, tree, tree_regressor

from holdfast.core.dataset import Check, Dataset
from holdfast.core.finding import Finding
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.data.simulated import churn
from holdfast.debugging.bias import bias
from holdfast.debugging.calibration import calibration
from holdfast.debugging.case import case_of
from holdfast.debugging.cells import surprise
from holdfast.debugging.data_faults import data_faults
from holdfast.debugging.fit import fit
from holdfast.debugging.fixes import Asked, applicable
from holdfast.debugging.imbalance import imbalance
from holdfast.debugging.label_errors import label_errors
from holdfast.debugging.leakage import leakage
from holdfast.debugging.robustness import robustness
from holdfast.debugging.shortcut import shortcut
from holdfast.debugging.slices import slices
from holdfast.debugging.unstable import unstable
from holdfast.debugging.unusual import rare_levels, unusual_rows

LONGEST = 120  # characters of a title; where a query is long, 60 beside it
# Not near twins and times out of order, where the split is to blame, nor underfitting: no fix is for these.
KINDS = (
    "bias", "conflicting labels", "constant column", "drift", "fragile", "group split", "id-like",
    "impossible dates", "label errors", "leak", "miscalibrated", "missingness", "outliers", "overfitting",
    "proxy", "rare class", "rare levels", "redundant column", "shortcut", "threshold", "twins", "unstable",
    "unusual inputs", "weak slice",
)  # fmt: skip


def demo(n: int = 1_600) -> pl.DataFrame:
    """The demo's customers, and more faults: in cells, columns, labels and over time."""
    table, _ = churn(n)
    rng = np.random.default_rng(0)
    left = (table["churned"] == "Yes").to_numpy()
    day = table["last_login"].cast(pl.Datetime("us"))
    late = (day > day.median()).to_numpy()
    shop = np.where(rng.random(n) < 0.03, rng.choice([f"kiosk {k}" for k in range(9)], n), "store")
    odd = (shop != "store") | (rng.random(n) < 0.15)
    flipped = odd & (rng.random(n) < 0.5)
    income = pl.Series(np.where(odd & (shop == "store"), np.nan, rng.gamma(3, 900, n))).fill_nan(None)
    table = table.with_columns(pl.col(pl.Int64).cast(pl.Float64), pl.col(pl.Date).cast(pl.Datetime("us")))
    made = table.with_columns(
        shop=shop,
        income=income,
        one=pl.lit(1.0),
        age_in_days=pl.col("age") * 365.25,
        coastal=pl.col("region") == "Coast",
        wave=pl.Series(rng.normal(size=n) + 2 * late),
        monthly_charge=pl.when(pl.int_range(n) % 500 == 7).then(99_999.0).otherwise("monthly_charge"),
        signed_up=pl.when(pl.int_range(n) == 11).then(datetime(1890, 1, 1)).otherwise("signed_up"),
        y=pl.Series(np.where(left ^ flipped, "yes", "no")),
    ).drop("churned", "payment", "paperless", "support_calls", "contract")
    other = pl.when(pl.col("y") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes"))
    again = made.head(60).with_columns(y=other)
    nearly = made.slice(60, 90).with_columns(data_gb=pl.col("data_gb") + 1e-6)
    return pl.concat([made.sample(fraction=1.0, shuffle=True, seed=0), again, nearly])


def dataset_of(table: pl.DataFrame) -> Dataset:
    roles = {
        "y": Role.TARGET, "region": Role.SENSITIVE, "customer_id": Role.GROUP, "last_login": Role.TIME,
    }  # fmt: skip
    kinds = {pl.Float64: Kind.NUMBER, pl.Boolean: Kind.BOOLEAN, pl.Datetime: Kind.DATE}
    schema = Schema(
        tuple(
            Column(s.name, kinds.get(type(s.dtype), Kind.CATEGORY), roles.get(s.name, Role.FEATURE))
            for s in table
        )
    )
    twin = table.select(column.name for column in schema.features).hash_rows().to_numpy()
    ids = pl.Series([f"r{i}" for i in range(table.height)])
    checks = (
        Check("leak", "warning", "final_invoice", "it alone tells y"),
        Check("id-like", "note", "age_in_days", "nearly every row has its own"),
    )
    return Dataset(table, schema, ids, twin, checks=checks, content="demo")


def judged_kinds(dataset: Dataset, judged: Predictions) -> Iterator[Finding]:
    """What needs predictions alone."""
    yield from label_errors(judged, dataset)
    for look in (slices, calibration, imbalance, bias, data_faults):
        yield from look(dataset, judged)


def probed_kinds(dataset: Dataset, judged: Predictions, probe: ToyProbe) -> Iterator[Finding]:
    """What asks a model."""
    for look in (leakage, fit, robustness, unstable, shortcut):
        yield from look(dataset, judged, probe)


def remade(judged: Predictions, probability: np.ndarray) -> Predictions:
    """The same rows with other probabilities of "yes"."""
    target = judged.table["target"]
    return Predictions.of(example=judged.example, target=target, probability=probability, positive="yes")


@cache
def found() -> tuple[tuple[Dataset, Finding], ...]:
    """On the demo's table with classes, with a number to predict, and with made-up losses."""
    table = demo()
    everything: list[tuple[Dataset, Finding]] = []

    def keep(dataset: Dataset, findings: Iterable[Finding]) -> None:
        everything.extend((dataset, one) for one in findings)

    dataset = dataset_of(table)
    probe = probe_of(dataset, tree)
    keep(dataset, probed_kinds(dataset, probe.predictions(), probe))

    spent = pl.col("total_charge").fill_null(0.0) + pl.col("income").fill_null(0.0)
    numbers = dataset_of(table.with_columns(y=spent))
    probe = probe_of(numbers, tree_regressor)
    keep(numbers, judged_kinds(numbers, probe.predictions()))
    keep(numbers, robustness(numbers, probe.predictions(), probe))

    dataset = dataset_of(table.drop("final_invoice"))
    judged = probe_of(dataset, boosted).predictions()
    keep(dataset, judged_kinds(dataset, judged))
    assert judged.probability is not None
    yes = judged.probability[:, 1].astype(np.float64)
    keep(dataset, imbalance(dataset, remade(judged, yes**6)))  # so that hardly a row is called positive
    coast = (dataset.table["region"] == "Coast").to_numpy()
    keep(dataset, bias(dataset, remade(judged, np.where(coast, 0.9, yes))))
    case = case_of(dataset, Predictions.of(example=dataset.example, loss=surprise(dataset)))
    keep(dataset, (*unusual_rows(case), *rare_levels(case)))
    return tuple(everything)


def test_every_kind_is_found_somewhere_so_that_its_suggestions_are_tested():
    assert set(KINDS) <= {one.kind for _, one in found()}


def test_every_fix_that_a_finding_suggests_applies_to_it():
    wrong = set()
    for dataset, one in found():
        able = applicable(Asked(one, dataset, np.ones(len(dataset), dtype=bool)))
        wrong |= {(one.kind, str(s.fix)) for s in one.fixes if s.fix not in able}
    assert wrong == set()


def test_a_title_can_be_read_at_one_look():
    for _, one in found():
        assert len(one.title) <= max(LONGEST, len(one.where.query) + 60), one.title
        assert "nats" not in one.title and "nan" not in one.title.split()


def test_no_rows_are_made_between_those_of_a_class_that_has_hardly_any():
    rng = np.random.default_rng(0)
    label = rng.permutation(np.repeat(["a", "b", "c"], [900, 94, 6]))
    table = pl.DataFrame({"x": rng.normal(size=1_000) + (label == "b"), "y": label})
    dataset = dataset_of(table)
    chance = np.column_stack([np.full(1_000, 0.8), 0.1 + 0.05 * (label == "b"), np.full(1_000, 0.1)])
    judged = Predictions.of(
        example=dataset.example,
        target=label,
        probability=chance / chance.sum(axis=1, keepdims=True),
        classes=["a", "b", "c"],
    )
    (rare,) = imbalance(dataset, judged)
    suggested = {one.fix for one in rare.fixes}
    assert suggested and suggested <= set(applicable(Asked(rare, dataset, np.ones(1_000, dtype=bool))))
