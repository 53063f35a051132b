"""Sampled contributions against exact enumeration, and what must hold whatever is drawn."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from toy_probe import clicks, dataset_of, logistic, probe_of

from holdfast.core.predictions import Predictions
from holdfast.debugging.explain import explain
from holdfast.errors import ColumnError, InputError, PredictionsError


def numbers(n=60, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return dataset_of({**{f"x{j}": rng.standard_normal(n) for j in range(d)}, "y": np.zeros(n)})


def predicting(f):
    """A model of numbers that is this function of the cells, float64 (n, d)."""

    def predict(rows):
        cells = rows.table.select(c.name for c in rows.schema.features).to_numpy()
        return Predictions.of(example=rows.example, target=rows.target, prediction=f(cells))

    return predict


def exact(dataset, row, f):
    """Shapley values by enumerating all subsets and all background rows, and the base."""
    cells = dataset.table.select(c.name for c in dataset.schema.features).to_numpy()
    d = cells.shape[1]

    def value(inside):
        mixed = cells.copy()
        mixed[:, list(inside)] = cells[row, list(inside)]
        return f(mixed).mean()

    found = []
    for j in range(d):
        others = [k for k in range(d) if k != j]
        total = 0.0
        for size in range(d):
            weight = factorial(size) * factorial(d - size - 1) / factorial(d)
            total += weight * sum(value((*s, j)) - value(s) for s in combinations(others, size))
        found.append(total)
    return np.array(found), value(())


def additive(x):
    return 2 * x[:, 0] - x[:, 1] ** 2 + 0.5 * np.sin(x[:, 2])


def interacting(x):
    return x[:, 0] * x[:, 1] + np.maximum(x[:, 1], x[:, 2])


@pytest.mark.parametrize("f", [additive, interacting])
def test_intervals_hold_the_exact_shapley_values_as_often_as_they_say(f):
    dataset = numbers()
    truth, base = exact(dataset, 7, f)
    inside, trials = 0, 40
    for seed in range(trials):
        found = explain(dataset, "r7", predicting(f), seed=seed)
        by_name = {one.column: one.effect for one in found.contributions}
        for j, true in enumerate(truth):
            inside += by_name[f"x{j}"].low <= true <= by_name[f"x{j}"].high
        inside += found.base.low <= base <= found.base.high
    assert inside >= 4 * trials * 0.95 - 2 * np.sqrt(4 * trials * 0.95 * 0.05)


@pytest.mark.parametrize("f", [additive, interacting])
def test_contributions_are_close_to_the_exact_ones(f):
    dataset = numbers()
    truth, _ = exact(dataset, 3, f)
    found = explain(dataset, "r3", predicting(f))
    by_name = {one.column: one.effect.value for one in found.contributions}
    assert [by_name[f"x{j}"] for j in range(3)] == pytest.approx(truth, abs=0.35)


@pytest.mark.parametrize("seed", range(3))
def test_contributions_add_up_to_the_answer_less_the_base(seed):
    found = explain(numbers(), "r5", predicting(interacting), seed=seed)
    total = sum(one.effect.value for one in found.contributions)
    assert found.base.value + total == pytest.approx(found.value, abs=1e-12)
    assert found.probability is None and found.base_probability is None  # a number has none


def test_a_column_that_the_model_ignores_contributes_exactly_nothing():
    found = explain(numbers(d=4), "r5", predicting(interacting))
    (idle,) = [one for one in found.contributions if one.column == "x3"]
    assert (idle.effect.value, idle.effect.low, idle.effect.high) == (0.0, 0.0, 0.0)
    assert found.contributions[-1] is idle


def test_of_two_classes_the_log_odds_of_the_positive_one_are_explained():
    dataset = dataset_of(clicks(400, 1, weights=(3.0, 1.0, 0.0, 0.0)))
    probe = probe_of(dataset, logistic)
    encoder, model = probe._models[0]

    def predict(rows):
        p = model.predict_proba(encoder(rows))
        return Predictions.of(
            example=rows.example, target=rows.target, probability=p, classes=["no", "yes"], positive="yes"
        )

    found = explain(dataset, "r9", predict)
    assert found.of == "log-odds of 'yes'"
    p = predict(dataset).positive_probability[9]
    assert found.value == pytest.approx(np.log(p / (1 - p)), abs=1e-4)
    assert found.probability == pytest.approx(p, abs=1e-6)
    usual = found.base_probability
    assert usual.low < usual.value < usual.high
    assert np.log(usual.value / (1 - usual.value)) == pytest.approx(found.base.value)
    first = found.contributions[0]
    assert first.column == "x0"
    assert first.cell == f"{dataset.table['x0'][9]:g}"
    # A logistic model is additive in log-odds: no contribution but a weight times a distance.
    weight = model[-1].coef_[0, 0] / model[0].scale_[0]
    truth = weight * (dataset.table["x0"][9] - dataset.table["x0"].mean())
    assert first.effect.low <= truth <= first.effect.high


def test_of_several_classes_the_probability_of_the_predicted_one_is_explained():
    dataset = numbers()

    def predict(rows):
        x = rows.table["x0"].to_numpy()
        scores = np.exp(np.stack([x, -x, np.zeros(len(x))], axis=1))
        p = scores / scores.sum(axis=1, keepdims=True)
        target = np.full(len(rows), "a")
        return Predictions.of(example=rows.example, target=target, probability=p, classes=["a", "b", "c"])

    row = int(dataset.table["x0"].arg_min())
    found = explain(dataset, f"r{row}", predict)
    assert found.of == "probability of 'b'"
    assert found.contributions[0].column == "x0"
    assert found.contributions[0].effect.low > 0


def test_columns_that_are_not_asked_for_keep_the_rows_own_cells():
    dataset = numbers()
    found = explain(dataset, "r4", predicting(additive), columns=["x0"])
    own = dataset.table["x0"][4]
    (only,) = found.contributions
    assert only.effect.value == pytest.approx(2 * (own - dataset.table["x0"].mean()), abs=0.5)
    assert found.base.value + only.effect.value == pytest.approx(found.value, abs=1e-12)


def test_the_model_is_asked_twice_however_many_columns_there_are():
    asked = []
    predict = predicting(additive)

    def counted(rows):
        asked.append(len(rows))
        return predict(rows)

    explain(numbers(d=6), "r4", counted)
    assert asked == [1, 100 * 2 * 7]


def test_wrong_questions_are_answered_clearly():
    dataset = numbers()
    with pytest.raises(InputError, match="no row 'nobody'"):
        explain(dataset, "nobody", predicting(additive))
    with pytest.raises(ColumnError, match="x9"):
        explain(dataset, "r1", predicting(additive), columns=["x9"])
    with pytest.raises(InputError, match="at least one column"):
        explain(dataset, "r1", predicting(additive), columns=[])

    def labels(rows):
        return Predictions.of(example=rows.example, target=["a"] * len(rows), prediction=["b"] * len(rows))

    with pytest.raises(PredictionsError, match="these are labels"):
        explain(dataset, "r1", labels)
