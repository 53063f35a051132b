"""What holds for every kind of finding that asks a model, on tables of all sorts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from toy_probe import ToyProbe, boosted, boosted_numbers, clicks, dataset_of, logistic, probe_of, tree

from holdfast.core.dataset import Check, Dataset
from holdfast.core.finding import Finding
from holdfast.core.predictions import Predictions
from holdfast.debugging.fit import fit
from holdfast.debugging.leakage import leakage
from holdfast.debugging.robustness import robustness
from holdfast.debugging.shortcut import shortcut
from holdfast.debugging.unstable import unstable
from holdfast.errors import RoleError

KINDS = [fit, leakage, robustness, shortcut, unstable]


def binary(n: int = 400) -> tuple[Dataset, ToyProbe]:
    dataset = dataset_of(clicks(n, 0), checks=(Check("leak", "warning", "x0", "x0 alone tells y"),))
    return dataset, probe_of(dataset, tree)


def odd() -> tuple[Dataset, ToyProbe]:
    """An empty column, a constant one, yes and no, dates, gaps, and numbers to predict."""
    n, rng = 300, np.random.default_rng(1)
    day = [datetime(2024, 1, 1) + timedelta(days=int(k)) for k in rng.integers(0, 90, n)]
    gaps = pl.Series([None if k % 4 == 0 else float(k % 11) for k in range(n)], dtype=pl.Float64)
    columns = {
        "empty": pl.Series([None] * n, dtype=pl.Float64),
        "same": np.ones(n),
        "flag": rng.random(n) < 0.5,
        "day": pl.Series(day, dtype=pl.Datetime("us")),
        "gaps": gaps,
        "word": pl.Series([None if k % 9 == 0 else f"w{k % 3}" for k in range(n)], dtype=pl.String),
    }
    y = gaps.fill_null(0.0).to_numpy() + rng.standard_normal(n)
    dataset = dataset_of({**columns, "y": y}, checks=(Check("id-like", "note", "", "some"),))
    return dataset, probe_of(dataset, boosted_numbers)


def three_classes() -> tuple[Dataset, ToyProbe]:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((400, 3))
    dataset = dataset_of(
        {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": np.array(["p", "q", "r"])[(x + 0.5).argmax(axis=1)]}
    )
    return dataset, probe_of(dataset, boosted)


def tiny() -> tuple[Dataset, ToyProbe]:
    """Five rows of either class, in turn, so that every fold trains on both."""
    columns = clicks(10, 3)
    dataset = dataset_of({**columns, "y": np.where(np.arange(10) % 2 == 0, "yes", "no")})
    return dataset, probe_of(dataset, logistic)


TABLES = [binary, odd, three_classes, tiny]


def check(found: tuple[Finding, ...], dataset: Dataset) -> None:
    known = set(dataset.example.to_list())
    assert len({one.id for one in found}) == len(found)
    for one in found:
        assert one.p is None or 0 <= one.p <= 0.05
        assert 0 < one.size <= len(dataset)
        assert one.effect_of
        assert one.title
        assert {suspect.example for suspect in one.where.examples} | set(one.examples) <= known
        assert all(0 <= suspect.score <= 1 for suspect in one.where.examples)
        assert one.share_of_loss is None or 0 <= one.share_of_loss <= 1
        assert one.where.column == "" or one.where.column in dataset.schema


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", KINDS)
def test_findings_are_whole_whatever_the_table_holds(kind, table):
    dataset, probe = table()
    check(kind(dataset, probe.predictions(), probe), dataset)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_finds_the_same(kind):
    dataset, probe = binary(200)
    first, second = (kind(dataset, probe.predictions(), probe, seed=3) for _ in range(2))
    assert [(one.id, one.p, str(one.effect)) for one in first] == [
        (one.id, one.p, str(one.effect)) for one in second
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_groups_and_weights_are_respected(kind):
    """Rows that come four times over, as groups, tell no more than once: intervals do not shrink."""
    columns = {name: np.asarray(cells) for name, cells in clicks(200, 5).items()}
    often = dataset_of({name: np.repeat(cells, 4) for name, cells in columns.items()})
    probe = probe_of(often, tree)
    alone = probe.predictions()
    weight = np.where(np.arange(800) % 8 < 4, 1.0, 2.0)
    group = [f"g{i // 4}" for i in range(800)]
    grouped = replace(alone, table=alone.table.with_columns(group=pl.Series(group), weight=pl.Series(weight)))
    check(kind(often, grouped, probe), often)
    effects = {one.id: one.effect for one in kind(often, alone, probe)}
    for one in kind(often, grouped, probe):
        other = effects.get(one.id)
        if other is not None and "clustered" in one.effect.method:
            assert one.effect.high - one.effect.low > 0.8 * (other.high - other.low)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_without_a_target_show_nothing(kind):
    dataset, probe = binary(100)
    unknown = Predictions.of(
        example=dataset.example,
        target=[None] * 100,
        probability=[0.5] * 100,
        classes=["no", "yes"],
        split=["search"] * 100,
    )
    assert kind(dataset, unknown, probe) == ()


@pytest.mark.parametrize("kind", [leakage, robustness])
def test_trained_rows_are_refused(kind):
    dataset, probe = binary(100)
    p = probe.predictions()
    trained = replace(p, table=p.table.with_columns(split=pl.lit("trained")))
    with pytest.raises(RoleError):
        kind(dataset, trained, probe)


def test_leaks_are_found_where_only_losses_are_known():
    dataset, _ = binary(300)
    (found,) = leakage(dataset, Predictions.of(example=dataset.example, loss=np.arange(300.0)))
    assert found.kind == "leak"


@pytest.mark.parametrize("kind", KINDS)
def test_labels_without_probabilities_are_enough(kind):
    dataset, probe = binary(300)

    class Labels:
        name, learner, affordable = "labels", "labels", 20_000

        def held_out(self, rows):
            return bare(probe.held_out(rows))

        def trained(self, rows):
            return bare(probe.trained(rows))

        def refitted(self, rows, *, share=1.0, seed=0):
            return bare(probe.refitted(rows, share=share, seed=seed))

    check(kind(dataset, bare(probe.predictions()), Labels()), dataset)


def bare(p: Predictions) -> Predictions:
    return Predictions.of(
        example=p.example, target=p.table["target"], prediction=p.table["prediction"], fold=p.table["fold"]
    )
