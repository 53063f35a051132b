"""Losses of dense learners: gradients against differences, scales, ranges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dense_cases import matrix, setting

from holdfast.core.task import Task
from holdfast.errors import PlanError
from holdfast.models.tabular.losses import LOSSES
from holdfast.models.tabular.objectives import objective_of

NUMERIC = ["squared", "absolute", "huber", "quantile:0.2", "quantile:0.9", "poisson"]


def case(loss: str, classes: int):
    rng = np.random.default_rng(len(loss))
    y = rng.gamma(2, 50, 40) if classes == 1 else rng.integers(0, classes, 40)
    rows = matrix(np.zeros((40, 1)), y)
    objective = objective_of(rows, setting(classes, loss))
    return rows, objective, rng.normal(0, 0.5, (40, objective.outputs))


@pytest.mark.parametrize(
    ("loss", "classes"),
    [*((name, k) for name in LOSSES[Task.CLASSIFICATION] for k in (2, 3)), *((name, 1) for name in NUMERIC)],
)
def test_gradient_is_that_of_the_value(loss, classes):
    rows, objective, raw = case(loss, classes)
    # Held predictions have no slope; the range is not what is tested here.
    objective = replace(objective, low=-1e9, high=1e9)
    weight, step = np.ones(40), 1e-6
    slope = objective.gradient(raw, objective.targets(rows.y).astype(np.float64))
    scale = {"squared": 2 * objective.spread**2, "huber": objective.spread**2}.get(
        loss, 2 * objective.spread if loss == "absolute" else objective.spread
    )
    for row, column in [(0, 0), (7, objective.outputs - 1), (23, 0)]:
        moved = raw.copy()
        moved[row, column] += step
        up = objective.value(moved, rows.y, weight)
        moved[row, column] -= 2 * step
        down = objective.value(moved, rows.y, weight)
        numeric = 40 * (up - down) / (2 * step) / scale
        assert slope[row, column] == pytest.approx(numeric, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("loss", NUMERIC)
def test_a_perfect_raw_output_predicts_the_target(loss):
    rows, objective, _ = case(loss, 1)
    raw = objective.targets(rows.y)
    raw = np.log(np.maximum(raw, 1e-7)) if loss == "poisson" else raw
    assert objective.predictions(raw)[:, 0] == pytest.approx(rows.y, rel=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
def test_start_predicts_the_shares(classes):
    rows, objective, _ = case("log_loss", classes)
    share = objective.predictions(objective.start(rows.y, np.ones(40))[None, :])[0]
    assert share == pytest.approx(np.bincount(rows.y, minlength=classes) / 40, abs=0.02)


def test_predictions_stay_in_the_range_of_training():
    rows, objective, _ = case("squared", 1)
    far = objective.predictions(np.array([[-1e6], [1e6]]))[:, 0]
    assert far.tolist() == [rows.y.min(), rows.y.max()]


def test_balanced_rows_count_the_same_in_every_class():
    y = np.array([0] * 90 + [1] * 10)
    rows = matrix(np.zeros((100, 1)), y)
    weight = objective_of(rows, setting(2, "balanced")).weights(rows)
    assert weight[y == 0].sum() == pytest.approx(weight[y == 1].sum())


def test_poisson_refuses_negative_targets():
    rows = matrix(np.zeros((3, 1)), np.array([1.0, 2.0, -1.0]))
    with pytest.raises(PlanError, match=r"counts.*-1"):
        objective_of(rows, setting(1, "poisson"))
