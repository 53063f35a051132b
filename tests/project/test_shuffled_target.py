"""A target that has nothing to do with the features must score as chance, with every learner, end to end."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.models.tabular.learner import available, portfolio

LEARNERS = tuple(name for name in portfolio() if available(name))


def noise(rows, seed):
    """Numbers, a category with a level for every third row, one with few, a date, gaps, twins."""
    rng = np.random.default_rng(seed)
    table = pl.DataFrame(
        {
            "number": rng.normal(size=rows),
            "counted": rng.poisson(3, rows),
            "street": [f"street {i}" for i in rng.integers(0, rows // 3, rows)],
            "town": [f"town {i}" for i in rng.integers(0, 40, rows)],
            "sort": rng.choice(list("abc"), rows),
            "day": pl.Series(np.datetime64("2021-01-01") + rng.integers(0, 700, rows)).cast(pl.Date),
        }
    ).with_columns(pl.when(pl.Series(values=rng.random(rows) < 0.1)).then(None).otherwise(pl.col("town")))
    return pl.concat([table, table.sample(rows // 20, seed=seed)])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_no_learner_classifies_better_than_chance(seed):
    table = noise(900, seed)
    rng = np.random.default_rng([seed, 1])
    table = table.with_columns(y=pl.Series(rng.choice(["no", "no", "yes"], len(table))))
    best = hf.train(table, target="y", learners=LEARNERS, folds=3, sealed=0, seed=seed)
    runs = {run.record.plan.learner: run for run in best.candidates}
    assert set(runs) >= set(LEARNERS)
    level = 1 - 0.05 / len(runs)
    for name, run in runs.items():
        verdict = hf.compare(runs["constant"], run, metric="log_loss", level=level)
        assert verdict.difference.low <= 0, f"{name} knows the answer: {verdict}"
        ranked = hf.evaluate(run.predictions, "auc", level=level)
        assert ranked.low <= 0.5 <= ranked.high, f"{name}: AUC {ranked}"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_no_learner_explains_noise(seed):
    table = noise(700, seed)
    rng = np.random.default_rng([seed, 2])
    table = table.with_columns(y=pl.Series(np.exp(rng.normal(size=len(table)))))
    best = hf.train(table, target="y", learners=LEARNERS, folds=3, sealed=0, seed=seed)
    runs = {run.record.plan.learner: run for run in best.candidates}
    level = 1 - 0.05 / len(runs)
    for name, run in runs.items():
        verdict = hf.compare(runs["constant"], run, metric="rmse", level=level)
        assert verdict.difference.low <= 0, f"{name} knows the answer: {verdict}"


def test_rows_sorted_by_class_are_no_hint():
    """The order of a file is no feature: sorted by class, it still scores as chance."""
    table = noise(600, 7)
    y = np.repeat(["no", "yes"], [len(table) // 2, len(table) - len(table) // 2])
    best = hf.train(
        table.with_columns(y=pl.Series(y)), target="y", learners=["constant", "lightgbm"], folds=3, sealed=0
    )
    for run in best.candidates:
        score = hf.evaluate(run.predictions, "auc", level=0.99)
        assert score.low <= 0.5 <= score.high
