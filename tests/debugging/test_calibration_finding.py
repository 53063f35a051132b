"""Miscalibration is found where it is, named for what it is, and seldom where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from planted import bar, binary, clusters_of, columns, false_rates, honest, table
from scipy.special import expit, logit

from holdfast.core.predictions import Predictions
from holdfast.core.query import parse_query
from holdfast.debugging.calibration import calibration


def sharpened(chance: np.ndarray, by: float) -> np.ndarray:
    return expit(by * logit(chance))


@pytest.mark.parametrize("rare", [1.5, 12.0], ids=["common", "rare"])
def test_calibrated_predictions_are_seldom_accused(rare):
    trials = 120
    found = false_rates(calibration, lambda rng: honest(rng, 1_000, rng.beta(0.5, rare, 1_000)), trials)
    assert found.get("miscalibrated", 0) <= bar(trials)


def test_calibrated_predictions_of_clusters_are_seldom_accused():
    trials = 80
    found = false_rates(calibration, lambda rng: clusters_of(rng, 250, 6), trials)
    assert found.get("miscalibrated", 0) <= bar(trials)


def test_too_sure_predictions_are_one_finding_for_the_whole():
    rng = np.random.default_rng(0)
    dataset, p = honest(rng, 4_000, rng.beta(1, 1, 4_000))
    bold = binary(dataset, sharpened(p.positive_probability, 2.5), p.target_codes == 1)
    found = calibration(dataset, bold)
    whole = [one for one in found if not one.where.query]
    assert len(whole) == 1
    assert "overconfident" in whole[0].title
    assert whole[0].effect.low > whole[0].facts["reference"]
    assert whole[0].facts["confidence minus accuracy"].low > 0
    assert whole[0].p < 1e-6


def test_too_timid_predictions_are_called_underconfident():
    rng = np.random.default_rng(0)
    dataset, p = honest(rng, 4_000, rng.beta(0.5, 0.5, 4_000))
    timid = binary(dataset, sharpened(p.positive_probability, 0.4), p.target_codes == 1)
    assert "underconfident" in calibration(dataset, timid)[0].title


def test_a_slice_that_is_too_sure_is_found_by_its_query():
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        made, chance = columns(rng, 4_000), rng.beta(1, 1, 4_000)
        inside = made["level"] == "b"
        outcome = rng.random(4_000) < np.where(inside, sharpened(chance, 0.35), chance)
        dataset = table(made, np.where(outcome, "yes", "no"))
        slices = [one for one in calibration(dataset, binary(dataset, chance, outcome)) if one.where.query]
        hit = [one for one in slices if one.where.query == "level = 'b'"]
        found += bool(hit)
        for one in hit:
            assert parse_query(one.where.query).mask(dataset.table).sum() == one.size == inside.sum()
            assert one.effect.low > 0
            assert 0 < one.share_of_loss < 1
    assert found >= 19


def test_a_model_that_is_too_sure_everywhere_has_no_slices():
    trials, slices = 60, 0
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        dataset, p = honest(rng, 1_500, rng.beta(1, 1, 1_500))
        bold = binary(dataset, sharpened(p.positive_probability, 2.5), p.target_codes == 1)
        slices += any(one.where.query for one in calibration(dataset, bold))
    assert slices / trials <= bar(trials)


def test_of_several_classes_the_worst_is_named():
    rng, n = np.random.default_rng(3), 3_000
    chance = rng.dirichlet([0.6] * 4, n)
    code = (chance.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, 3)
    said = chance.copy()
    said[:, 2] *= 2.5
    said /= said.sum(axis=1, keepdims=True)
    target = np.array(list("abcd"))[code]
    dataset = table(columns(rng, n), target)
    p = Predictions.of(example=dataset.example, target=target, probability=said, classes=list("abcd"))
    assert calibration(dataset, p)[0].about == "c"


def test_without_probabilities_there_is_nothing_to_say():
    rng = np.random.default_rng(0)
    dataset, p = honest(rng, 300, rng.beta(1, 1, 300))
    labels = Predictions.of(
        example=dataset.example, target=p.table["target"], prediction=p.table["prediction"]
    )
    assert calibration(dataset, labels) == ()
    y = rng.normal(size=300)
    assert (
        calibration(
            table(columns(rng, 300), y), Predictions.of(example=dataset.example, target=y, prediction=y)
        )
        == ()
    )
