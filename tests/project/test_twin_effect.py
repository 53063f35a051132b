"""Twins in the report: what equal rows do to the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.metrics import resolve
from holdfast.project.report import facts_of
from holdfast.project.twin_effect import twins_of
from holdfast.report import text


def copied(times):
    """A hundred rows, the first ten of them `times` over."""
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"x": rng.normal(size=100), "y": rng.normal(size=100)})
    return pl.concat([table, *[table[:10]] * (times - 1)])


def judged(dataset):
    return hf.Predictions.of(
        example=dataset.example, target=dataset.target, prediction=np.arange(len(dataset)) / len(dataset)
    )


def test_each_set_counts_once_with_all_of_its_rows():
    dataset = hf.read(copied(3), target="y")
    predictions = judged(dataset)
    found = twins_of(dataset, predictions, resolve("mae", predictions))
    assert (found.rows, found.sets, found.metric) == (30, 10, "mae")
    error = np.abs(predictions.target_values - predictions.prediction_values)
    assert found.all_rows.value == pytest.approx(error.mean())
    weight = np.where(pl.Series(values=dataset.twin).is_duplicated().to_numpy(), 1 / 3, 1.0)
    assert found.each_once.value == pytest.approx(np.average(error, weights=weight))
    assert found.each_once.low < found.each_once.value < found.each_once.high


def test_a_table_without_twins_says_nothing_of_them():
    dataset = hf.read(copied(1), target="y")
    predictions = judged(dataset)
    assert twins_of(dataset, predictions, resolve("mae", predictions)) is None


def test_the_report_and_show_have_the_figure(tmp_path, in_this_process):
    hf.train(copied(4), target="y", learners=["constant", "linear"], folds=2, project=tmp_path)
    facts = facts_of(hf.open(tmp_path), "best", pictures=False)
    assert facts.twins.metric == "rmse" and facts.twins.rows == 4 * facts.twins.sets
    assert facts.twins.all_rows.value != facts.twins.each_once.value
    drawn = text.plain(text.run(facts))
    assert f"each set once  {facts.twins.each_once}" in drawn
    assert "Twins" not in text.plain(text.run(replace(facts, twins=None)))
