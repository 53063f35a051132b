"""The power that is stated is the power that a guard has."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.core.estimate import Estimate
from holdfast.errors import InputError
from holdfast.promotion.power import power_of, spread_of
from holdfast.promotion.subject import LEVEL
from holdfast.stats.interval import mean_t
from holdfast.stats.power import rows_for_difference


def test_alike_models_are_shown_to_be_no_worse_as_often_as_stated() -> None:
    rng, trials, n, spread, margin = np.random.default_rng(0), 2_000, 400, 0.5, 0.05
    shown = 0
    for differences in rng.normal(0, spread, (trials, n)):
        shown += mean_t(differences, LEVEL).low > -margin
    stated = power_of(spread, n, margin)
    assert 0.6 < stated < 0.7
    assert abs(shown / trials - stated) < 2 * np.sqrt(stated * (1 - stated) / trials) + 0.005


def test_power_agrees_with_the_rows_that_give_it() -> None:
    n = rows_for_difference(0.01, 1_000, 0.02, level=LEVEL, power=0.8)
    assert power_of(0.01 * np.sqrt(1_000), n, 0.02) == pytest.approx(0.8, abs=0.001)


def test_an_interval_says_what_its_rows_spread() -> None:
    values = np.random.default_rng(1).normal(0, 0.3, 5_000)
    bounds = mean_t(values, 0.95)
    assert spread_of(Estimate(0.0, bounds.low, bounds.high, 0.95, 5_000)) == pytest.approx(
        values.std(), rel=0.01
    )


def test_the_ends() -> None:
    assert power_of(0.5, 0, 0.1) == 0.0
    assert power_of(0.0, 10, 0.1) == 1.0
    assert power_of(0.5, 10**9, 0.1) == 1.0
    with pytest.raises(InputError, match="margin above 0"):
        power_of(0.5, 10, 0.0)
