"""A change of labels is judged by labels that it did not choose."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.core.predictions import Predictions
from holdfast.core.verdict import Outcome
from holdfast.debugging.proof import Pair
from holdfast.debugging.relabelled import judge_labels, relabelled, suspect, to_review
from holdfast.errors import FixError
from holdfast.stats.influence import mean_influence, standard_error
from holdfast.stats.rectified import rectified_mean

ROWS, WRONG = 4_000, 0.05


def made(rng, *, gain, heavy=None):
    """Two models of the same rows, whose labels are partly wrong; and the true labels.

    With `gain` above 0 the second model is surer of what is true, and so less of what is wrong;
    but it is the first that is surer of the `heavy` rows (bool of shape (n,)), which weigh 20.
    """
    chance = rng.beta(2, 2, ROWS)
    true = rng.random(ROWS) < chance
    wrong = rng.random(ROWS) < WRONG
    given = true ^ wrong
    odds = np.log(chance / (1 - chance))
    dulled = odds * (1 - gain) + rng.normal(0, 0.1, ROWS)
    if heavy is not None:
        dulled, odds = np.where(heavy, odds, dulled), np.where(heavy, dulled, odds)
    weight = None if heavy is None else np.where(heavy, 20.0, 1.0)

    def of(logit, name):
        return Predictions.of(
            example=[str(i) for i in range(ROWS)], target=np.where(given, "yes", "no"),
            probability=1 / (1 + np.exp(-logit)), classes=["no", "yes"], positive="yes", model=name,
            weight=weight,
        )  # fmt: skip

    truth = {str(i): "yes" if label else "no" for i, label in enumerate(true)}
    return Pair(of(dulled, "before"), of(odds, "after")), truth


def looked_at(pair, truth):
    return {name: truth[name] for name in to_review(pair).to_list()}


def test_a_better_model_is_better_on_reviewed_labels():
    pair, truth = made(np.random.default_rng(0), gain=0.5)
    verdict = judge_labels(pair, looked_at(pair, truth), 0.995)
    assert verdict.outcome is Outcome.BETTER
    exact = relabelled(pair, truth)
    value = float((exact.before.loss - exact.after.loss).mean())
    assert verdict.difference.low < value < verdict.difference.high


def test_the_interval_covers_what_a_look_at_every_label_would_say():
    expected = float(np.mean([gain_on_truth(50_000 + seed) for seed in range(100)]))
    hits = []
    for seed in range(120):
        pair, truth = made(np.random.default_rng(seed), gain=0.3)
        verdict = judge_labels(pair, looked_at(pair, truth), 0.95)
        hits.append(verdict.difference.low < expected < verdict.difference.high)
    assert np.mean(hits) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 120)


def test_rows_count_by_their_weights():
    heavy = np.arange(ROWS) % 8 == 0
    pair, truth = made(np.random.default_rng(0), gain=0.5, heavy=heavy)
    verdict = judge_labels(pair, looked_at(pair, truth), 0.95)
    exact = relabelled(pair, truth)
    moved = exact.before.loss - exact.after.loss
    value = float(np.average(moved, weights=pair.before.weight))
    assert moved.mean() > 0 > value
    assert verdict.outcome is Outcome.WORSE
    assert verdict.difference.low < value < verdict.difference.high


def gain_on_truth(seed):
    pair, truth = made(np.random.default_rng(seed), gain=0.3)
    exact = relabelled(pair, truth)
    return float((exact.before.loss - exact.after.loss).mean())


def test_a_useless_change_is_rarely_called_better():
    rng = np.random.default_rng(1)
    better = 0
    for seed in range(100):
        pair, truth = made(np.random.default_rng(seed), gain=0.0)
        jittered = pair.before.probability[:, 1].astype(float)
        logit = np.log(jittered / (1 - jittered)) + rng.normal(0, 0.1, ROWS)
        after = Predictions.of(
            example=pair.before.example, target=pair.before.table["target"],
            probability=1 / (1 + np.exp(-logit)), classes=["no", "yes"], positive="yes",
        )  # fmt: skip
        verdict = judge_labels(Pair(pair.before, after), looked_at(Pair(pair.before, after), truth), 0.90)
        better += verdict.outcome is Outcome.BETTER
    assert better <= 5 + 2 * np.sqrt(100 * 0.05 * 0.95)


def test_the_length_of_a_sheet_tells_nothing_of_the_labels():
    lengths = {len(to_review(made(np.random.default_rng(seed), gain=0.3)[0])) for seed in range(5)}
    assert lengths == {800 + 400}


def test_both_kinds_of_rows_must_be_looked_at():
    pair, truth = made(np.random.default_rng(0), gain=0.3)
    marked = suspect(pair)
    only = {name: truth[name] for name in pair.before.example.filter(marked).to_list()}
    with pytest.raises(FixError, match="that the models trust, 0 were looked at"):
        judge_labels(pair, only, 0.95)


def test_the_rectified_mean_is_the_exact_one_when_everything_was_looked_at():
    rng = np.random.default_rng(0)
    cheap, exact = rng.normal(size=50), rng.normal(size=50)
    value, error = rectified_mean(cheap, exact, np.zeros(50, dtype=int))
    assert value == pytest.approx(exact.mean())
    assert error == pytest.approx(exact.std() / np.sqrt(50), rel=0.05)


def test_the_weighted_rectified_mean_is_the_weighted_mean_when_everything_was_looked_at():
    rng = np.random.default_rng(0)
    cheap, exact, weight = rng.normal(size=50), rng.normal(size=50), rng.uniform(0.5, 3, 50)
    value, error = rectified_mean(cheap, exact, np.zeros(50, dtype=int), weight=weight)
    assert value == pytest.approx(np.average(exact, weights=weight))
    assert error == pytest.approx(standard_error(mean_influence(exact, weight)), rel=0.05)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_rectified_mean_keeps_its_level_with_few_looked_at(weighted):
    rng, hits = np.random.default_rng(0), 0
    for _ in range(400):
        cheap = rng.normal(size=1_000)
        exact = cheap + (rng.random(1_000) < 0.1) * rng.normal(1, 1, 1_000)
        stratum = (rng.random(1_000) < 0.3).astype(int)
        seen = np.zeros(1_000, dtype=bool)
        for code, most in ((0, 60), (1, 80)):
            seen[rng.permutation(np.flatnonzero(stratum == code))[:most]] = True
        weight = rng.choice([1.0, 5.0], 1_000) if weighted else None
        value, error = rectified_mean(cheap, np.where(seen, exact, np.nan), stratum, weight=weight)
        hits += abs(value - 0.1) < 1.96 * error
    assert hits >= 400 * 0.95 - 2 * np.sqrt(400 * 0.95 * 0.05)
