"""A model that hangs on one column is found; one that uses several is not accused."""

from __future__ import annotations

import numpy as np
import pytest
from toy_probe import boosted, clicks, dataset_of, logistic, probe_of, ridge

from holdfast.debugging.shortcut import shortcut


def found_in(dataset, make, seed=0):
    probe = probe_of(dataset, make)
    return shortcut(dataset, probe.predictions(), probe, seed=seed)


@pytest.mark.parametrize("make", [logistic, boosted])
def test_a_column_that_carries_the_model_is_found_with_its_share(make):
    (found,) = found_in(dataset_of(clicks(1500, 0, weights=(0.2, 0.2, 4.0, 0.2))), make)
    assert found.kind == "shortcut"
    assert found.where.column == "x2"
    assert found.effect.low > 0.7
    assert found.effect.high <= 1
    assert found.p < 1e-6
    assert found.facts["importance of x2"].low > 0.5


def test_importance_that_is_spread_is_no_shortcut():
    assert found_in(dataset_of(clicks(1500, 1)), logistic) == ()


def test_a_first_that_is_not_far_ahead_of_the_second_is_no_shortcut():
    assert found_in(dataset_of(clicks(1500, 2, weights=(2.0, 1.6, 0.0, 0.0))), logistic) == ()


def test_a_model_that_knows_nothing_has_no_shortcut():
    assert found_in(dataset_of(clicks(800, 3, weights=(0.0, 0.0, 0.0, 0.0))), logistic) == ()


def test_shortcuts_are_not_sought_in_two_columns():
    columns = clicks(500, 4, weights=(3.0, 0.0, 0.0, 0.0))
    assert found_in(dataset_of({name: columns[name] for name in ("x0", "x1", "y")}), logistic) == ()


def test_the_share_of_a_linear_model_is_what_its_weights_say():
    """Shuffling column j of a linear model of independent columns costs twice its weight squared."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((6000, 3))
    y = x @ [3.0, 1.0, 0.5] + 0.1 * rng.standard_normal(6000)
    (found,) = found_in(dataset_of({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}), ridge)
    truth = 9 / (9 + 1 + 0.25)
    assert found.effect.low < truth < found.effect.high
    assert found.facts["importance of a"].low < 18 < found.facts["importance of a"].high


def test_equal_columns_are_called_a_shortcut_in_at_most_one_of_twenty():
    """The truth lies at the border: the first holds exactly half, and the second a third of that."""
    reported = sum(bool(found_in(border(400, seed), ridge, seed)) for seed in range(40))
    assert reported <= 40 * 0.05 + 2 * np.sqrt(40 * 0.05 * 0.95)


def border(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 5))
    y = x @ np.sqrt([6.0, 2.0, 2.0, 1.0, 1.0]) + 0.5 * rng.standard_normal(n)
    return dataset_of({**{f"x{j}": x[:, j] for j in range(5)}, "y": y})
