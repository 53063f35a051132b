"""Whether the gap between groups became smaller, tested as the paired question that it is."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.core.predictions import Predictions
from holdfast.core.verdict import Outcome
from holdfast.debugging.gap_change import Groups, judge_gap
from holdfast.errors import FixError

ROWS = 3_000


def made(rng, shift_before, shift_after):
    """Two models of one table; group b is selected more often by as much as the shifts say."""
    group = np.where(rng.random(ROWS) < 0.4, "a", "b")
    score = rng.random(ROWS)
    truth = rng.random(ROWS) < score
    ids = [str(i) for i in range(ROWS)]

    def of(shift):
        chance = np.clip(score + np.where(group == "b", shift, 0.0) + rng.normal(0, 0.02, ROWS), 0.001, 0.999)
        return Predictions.of(
            example=ids, target=np.where(truth, "yes", "no"), probability=chance, classes=["no", "yes"],
            positive="yes",
        )  # fmt: skip

    return of(shift_before), of(shift_after), dict(zip(ids, group.tolist(), strict=True))


@pytest.mark.parametrize("rate", ["selection rate", "tpr", "fpr", "calibration"])
def test_a_gap_that_became_smaller_is_seen(rate):
    before, after, group = made(np.random.default_rng(0), 0.25, 0.0)
    verdict = judge_gap(before, after, Groups(group, rate), 0.995)
    assert verdict.outcome is Outcome.BETTER and verdict.difference.low > 0.05
    back = judge_gap(after, before, Groups(group, rate), 0.995)
    assert back.outcome is Outcome.WORSE
    assert back.difference.value == pytest.approx(-verdict.difference.value)


def test_models_that_are_alike_are_rarely_told_apart():
    told = 0
    for seed in range(120):
        before, after, group = made(np.random.default_rng(seed), 0.1, 0.1)
        told += judge_gap(before, after, Groups(group, "tpr"), 0.90).outcome is Outcome.BETTER
    assert told <= 6 + 2 * np.sqrt(120 * 0.05 * 0.95)


def test_one_group_alone_has_no_gap_and_an_unknown_rate_none_either():
    before, after, group = made(np.random.default_rng(0), 0.1, 0.0)
    with pytest.raises(FixError, match="Fewer than two groups"):
        judge_gap(before, after, Groups(dict.fromkeys(group, "a"), "tpr"), 0.95)
    with pytest.raises(FixError, match="cannot be tested"):
        judge_gap(before, after, Groups(group, "beauty"), 0.95)
