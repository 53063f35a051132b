"""Classes that are given up, and thresholds that cost more than they should."""

from __future__ import annotations

import numpy as np
import pytest
from planted import bar, binary, clusters_of, columns, false_rates, honest, table

from holdfast.core.finding import FixName
from holdfast.core.predictions import Predictions
from holdfast.debugging.imbalance import imbalance
from holdfast.errors import InputError


def rare(rng, n, *, telling):
    """One in 30 is "yes"; the chances said rank them well or not at all, and never reach one half."""
    outcome = rng.random(n) < 1 / 30
    lift = np.where(outcome, 1.5, 0.0) if telling else 0.0
    chance = 0.03 * np.exp(np.minimum(rng.normal(size=n) * 0.4 + lift, 2.5))
    dataset = table(columns(rng, n), np.where(outcome, "yes", "no"))
    return dataset, binary(dataset, chance, outcome)


def test_a_class_that_is_never_predicted_but_ranked_well_is_given_up():
    dataset, p = rare(np.random.default_rng(0), 3_000, telling=True)
    (found,) = [one for one in imbalance(dataset, p) if one.kind == "rare class"]
    positives = int((p.target_codes == 1).sum())
    assert found.about == "yes"
    assert found.size == found.effect.n == positives
    assert found.effect.value == 0
    assert found.effect.high < 0.1
    assert found.p < 0.05
    assert found.share_of_loss > 2 * positives / len(p)
    names = [fix.fix for fix in found.fixes]
    assert {FixName.THRESHOLD, FixName.CLASS_WEIGHTS, FixName.OVERSAMPLE} < set(names)
    assert FixName.COLLECT not in names


def test_a_class_that_nothing_tells_apart_is_a_plain_fact_that_asks_for_more_data():
    dataset, p = rare(np.random.default_rng(0), 3_000, telling=False)
    (found,) = [one for one in imbalance(dataset, p) if one.kind == "rare class"]
    assert found.p is None
    assert "never predicted" in found.title
    assert found.fixes[-1].fix is FixName.COLLECT


def test_a_class_without_skill_that_is_sometimes_named_is_seldom_accused():
    def make(rng):
        outcome = rng.random(1_500) < 0.1
        chance = np.where(rng.random(1_500) < 0.02, 0.6, rng.beta(1, 9, 1_500) / 2)
        dataset = table(columns(rng, 1_500), np.where(outcome, "yes", "no"))
        return dataset, binary(dataset, chance, outcome)

    assert false_rates(imbalance, make, 100).get("rare class", 0) <= bar(100)


def test_a_class_that_is_found_is_not_given_up():
    rng = np.random.default_rng(0)
    assert not [
        x for x in imbalance(*honest(rng, 2_000, rng.beta(0.3, 0.5, 2_000))) if x.kind == "rare class"
    ]


def test_labels_alone_show_a_class_that_is_never_predicted():
    target = np.repeat(["a", "b", "c"], [200, 150, 30])
    dataset = table(columns(np.random.default_rng(0), 380), target)
    predicted = np.where(target == "c", "a", target)
    p = Predictions.of(example=dataset.example, target=target, prediction=predicted)
    (found,) = imbalance(dataset, p)
    assert (found.kind, found.about, found.p) == ("rare class", "c", None)
    assert FixName.THRESHOLD not in [fix.fix for fix in found.fixes]


@pytest.mark.parametrize("make", [
    lambda rng: honest(rng, 1_500, rng.beta(1, 2, 1_500)),
    lambda rng: clusters_of(rng, 300, 6),
], ids=["rows", "clusters"])  # fmt: skip
def test_a_threshold_that_suits_the_costs_is_seldom_moved(make):
    # Calibrated chances and these costs make 1 / (1 + 3) the best threshold there is.
    def look(dataset, p):
        best = binary(
            dataset, p.positive_probability, p.target_codes == 1, group=p.table["group"], threshold=0.25
        )
        return imbalance(dataset, best, costs=(1.0, 3.0))

    assert false_rates(look, make, 120).get("threshold", 0) <= bar(120)


def test_a_threshold_that_ignores_the_costs_is_moved_to_where_they_put_it():
    gains = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        dataset, p = honest(rng, 4_000, rng.beta(1, 1, 4_000))
        found = [one for one in imbalance(dataset, p, costs=(1.0, 9.0)) if one.kind == "threshold"]
        gains += found
    assert len(gains) >= 19
    assert np.median([one.facts["threshold"] for one in gains]) == pytest.approx(0.1, abs=0.05)
    one = gains[0]
    assert one.effect.low > 0
    assert one.p < 0.05
    assert one.effect_of.startswith("cost saved")
    assert one.fixes[0].fix is FixName.THRESHOLD


def test_what_a_threshold_saves_is_counted_on_the_confirm_rows():
    rng = np.random.default_rng(5)
    dataset, p = honest(rng, 4_000, rng.beta(1, 1, 4_000))
    halves = np.where(rng.random(4_000) < 0.5, "search", "confirm")
    p = Predictions.of(
        example=dataset.example, target=p.table["target"], probability=p.positive_probability,
        classes=["no", "yes"], positive="yes", split=halves,
    )  # fmt: skip
    (found,) = [one for one in imbalance(dataset, p, costs=(1.0, 9.0)) if one.kind == "threshold"]
    truth, score, seen = p.target_codes == 1, p.positive_probability, halves == "confirm"

    def paid(threshold):
        taken = score >= threshold
        return (1.0 * (taken & ~truth) + 9.0 * (~taken & truth))[seen].mean()

    assert found.effect.value == pytest.approx(paid(0.5) - paid(found.facts["threshold"]))
    assert found.effect.n == seen.sum()


def test_f1_and_balanced_accuracy_ask_for_another_threshold_and_say_that_log_loss_does_not():
    rng = np.random.default_rng(0)
    found = imbalance(*honest(rng, 4_000, rng.beta(0.8, 6, 4_000)))
    moved = {one.about: one for one in found if one.kind == "threshold"}
    assert moved.keys() == {"F1", "balanced accuracy"}
    assert all("accuracy and log loss do not ask for it" in one.title for one in moved.values())
    assert all(one.effect.low > 0 for one in moved.values())


def test_regression_has_no_classes_and_costs_are_checked():
    y = np.random.default_rng(0).normal(size=200)
    dataset = table(columns(np.random.default_rng(0), 200), y)
    p = Predictions.of(example=dataset.example, target=y, prediction=y)
    assert imbalance(dataset, p) == ()
    with pytest.raises(InputError, match="at least 0 and not both 0"):
        imbalance(dataset, p, costs=(-1.0, 2.0))
