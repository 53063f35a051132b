"""Suspicious labels are those that cleanlab names, and how many are wrong is not overstated."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.dataset import Dataset
from holdfast.core.finding import FixName
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.debugging import confident
from holdfast.debugging.label_errors import label_errors, label_quality, suggested_labels
from holdfast.debugging.label_noise import wrong_share
from holdfast.errors import PredictionsError, RoleError


def rows_of(seed: int, n: int, classes: int, *, wrong: float = 0.1, sharp: float = 2.0):
    """Codes of given labels with some flipped, float32 probabilities, and which labels are wrong."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), true] += sharp
    probability = np.exp(sharp * logits)
    probability /= probability.sum(axis=1, keepdims=True)
    flipped = rng.random(n) < wrong
    given_codes = np.where(flipped, (true + rng.integers(1, classes, n)) % classes, true)
    return given_codes, probability.astype(np.float32), flipped


def predictions_of(codes, probability, **more):
    classes = [f"c{k}" for k in range(probability.shape[1])]
    return Predictions.of(
        example=[f"r{i}" for i in range(len(codes))],
        target=[classes[code] for code in codes],
        probability=probability,
        classes=classes,
        **more,
    )


small = st.tuples(st.integers(0, 10_000), st.integers(20, 300), st.integers(2, 6))


@settings(max_examples=60, deadline=None)
@given(small)
def test_thresholds_and_joint_are_cleanlabs(size):
    codes, probability, _ = rows_of(*size)
    probability = probability.astype(np.float64)
    theirs = get_confident_thresholds(codes, probability)
    np.testing.assert_allclose(confident.thresholds(codes, probability), theirs, rtol=1e-12)
    counted = compute_confident_joint(codes, probability, calibrate=False)
    exact = (
        counted / counted.sum(axis=1, keepdims=True) * np.bincount(codes, minlength=size[2])[:, np.newaxis]
    )
    # of equal remainders cleanlab rounds up whichever an unstable sort puts last
    off = [
        np.sort(joint(codes, probability) - exact, axis=1)
        for joint in (confident.confident_joint, compute_confident_joint)
    ]
    np.testing.assert_allclose(*off, atol=1e-9)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_joint_of_many_rows_is_cleanlabs_to_the_row(classes):
    codes, probability, _ = rows_of(classes, 5_000, classes)
    for numbers in (probability, probability.astype(np.float64)):
        ours = confident.confident_joint(codes, numbers)
        np.testing.assert_array_equal(ours, compute_confident_joint(codes, numbers))
        np.testing.assert_array_equal(ours.sum(axis=1), np.bincount(codes))


@settings(max_examples=60, deadline=None)
@given(small)
@pytest.mark.filterwarnings("ignore:May not flag all label issues")
def test_the_lists_are_cleanlabs(size):
    codes, probability, _ = rows_of(*size)
    probability = probability.astype(np.float64)
    joint = confident.confident_joint(codes, probability)
    suspect = confident.contradicted(codes, probability)
    by_class = suspect & confident.prune_by_class(codes, probability, joint)
    by_rate = suspect & confident.prune_by_noise_rate(codes, probability, joint)
    ours = {
        "predicted_neq_given": suspect,
        "prune_by_class": by_class,
        "prune_by_noise_rate": by_rate,
        "both": by_class & by_rate,
    }
    for name, mask in ours.items():
        theirs = find_label_issues(codes, probability, filter_by=name, confident_joint=joint, n_jobs=1)
        np.testing.assert_array_equal(mask, theirs, err_msg=name)


@pytest.mark.filterwarnings("ignore:May not flag all label issues")
def test_a_class_without_labels_and_one_with_a_single_row_are_as_in_cleanlab():
    codes, probability, _ = rows_of(3, 200, 5)
    codes = np.where(codes >= 3, 0, codes)
    codes[7] = 3
    probability = probability.astype(np.float64)
    joint = confident.confident_joint(codes, probability)
    np.testing.assert_array_equal(joint, compute_confident_joint(codes, probability))
    ours = confident.prune_by_noise_rate(codes, probability, joint)
    theirs = find_label_issues(codes, probability, n_jobs=1)
    np.testing.assert_array_equal(ours & confident.contradicted(codes, probability), theirs)


def test_the_ranked_list_and_its_scores_are_cleanlabs():
    codes, probability, _ = rows_of(0, 2_000, 4)
    (finding,) = label_errors(predictions_of(codes, probability))
    theirs = find_label_issues(
        codes, probability, filter_by="predicted_neq_given", return_indices_ranked_by="self_confidence"
    )
    scores = get_label_quality_scores(codes, probability)
    assert [suspect.example for suspect in finding.where.examples] == [f"r{i}" for i in theirs]
    assert [suspect.score for suspect in finding.where.examples] == scores[theirs].tolist()
    both = find_label_issues(codes, probability, filter_by="both", n_jobs=1)
    assert set(finding.examples) == {f"r{i}" for i in np.flatnonzero(both)}
    assert finding.facts["confident contradictions"] == both.sum() == len(finding.examples)


def test_blocks_of_rows_change_nothing(monkeypatch):
    codes, probability, _ = rows_of(1, 500, 3)
    whole = confident.confident_joint(codes, probability), confident.contradicted(codes, probability)
    monkeypatch.setattr(confident, "_BLOCK", 70)
    np.testing.assert_array_equal(confident.confident_joint(codes, probability), whole[0])
    np.testing.assert_array_equal(confident.contradicted(codes, probability), whole[1])


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 35))
def test_lowest_is_the_head_of_a_stable_sort(values, most):
    values = np.array(values, dtype=np.float64)
    np.testing.assert_array_equal(
        confident.lowest(values, most), np.sort(np.argsort(values, kind="stable")[:most])
    )


def test_ties_are_no_suspects():
    p = Predictions.of(
        example=["a", "b"], target=["n", "y"], probability=[[0.5, 0.5]] * 2, classes=["n", "y"]
    )
    assert label_errors(p) == ()


def test_quality_is_nan_without_a_target_and_nothing_else_is():
    p = Predictions.of(example=["a", "b", "c"], target=["n", None, "y"], probability=[0.125, 0.5, 0.25])
    np.testing.assert_array_equal(label_quality(p), [0.875, np.nan, 0.25])
    assert [suspect.example for suspect in label_errors(p)[0].where.examples] == ["c"]


def test_a_finding_says_what_it_costs_and_how_much_loss_it_explains():
    codes, probability, _ = rows_of(0, 1_000, 3)
    p = predictions_of(codes, probability)
    (finding,) = label_errors(p)
    listed = confident.contradicted(codes, probability)
    assert finding.size == listed.sum() == len(finding.where.examples)
    assert finding.share_of_loss == pytest.approx(p.loss[listed].sum() / p.loss.sum())
    assert [fix.fix for fix in finding.fixes] == [FixName.RELABEL, FixName.DROP_ROWS, FixName.COLLECT]
    assert f"a person's look at {finding.size:,} rows" in finding.fixes[0].cost
    assert finding.p is None
    assert finding.id == label_errors(p.where(np.arange(1_000) < 500))[0].id


def test_nothing_is_listed_where_no_label_is_contradicted():
    codes, probability, _ = rows_of(0, 200, 3)
    assert label_errors(predictions_of(probability.argmax(axis=1), probability)) == ()
    assert label_errors(predictions_of(codes, probability).where(np.zeros(200, dtype=bool))) == ()


def calibrated(seed: int, n: int, wrong: float):
    """A binary table whose model knows P(label | row) exactly, flips included; which are wrong."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(0.5, 0.5, n)
    true = rng.random(n) < chance
    flipped = rng.random(n) < wrong
    seen = chance * (1 - wrong) + (1 - chance) * wrong
    probability = np.column_stack([1 - seen, seen])
    return (true ^ flipped).astype(np.int64), probability.astype(np.float32), flipped


@pytest.mark.parametrize("wrong", [0.0, 0.05, 0.15])
def test_the_share_of_wrong_labels_is_right_where_models_are_sure_somewhere(wrong):
    found = [wrong_share(*calibrated(seed, 4_000, wrong)[:2]) for seed in range(40)]
    assert np.mean([one.value for one in found]) == pytest.approx(wrong, abs=0.006)
    assert all(one.low <= one.value <= one.high and one.low < one.high for one in found)
    assert np.mean([one.low - 0.005 <= wrong <= one.high for one in found]) >= 0.95 - 2 * 0.034


def test_on_clean_labels_most_suspects_are_said_to_be_the_models_errors():
    codes, probability, _ = calibrated(0, 10_000, 0.0)
    (finding,) = label_errors(predictions_of(codes, probability))
    assert finding.size > 1_500  # a model that is often unsure contradicts many labels
    assert finding.facts["wrong labels, roughly"].high < 0.1 * finding.size
    assert finding.effect.high < 0.012
    counted = confident.confident_joint(codes, probability)
    assert 1 - np.trace(counted) / counted.sum() > 0.05  # which confident learning takes for wrong


def test_a_group_counts_as_one_row():
    codes, probability, _ = rows_of(0, 2_000, 3)
    alone = label_errors(predictions_of(codes, probability))[0].effect
    group = [f"g{i // 100}" for i in range(2_000)]
    grouped = label_errors(predictions_of(codes, probability, group=group))[0].effect
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 1.3 * (alone.high - alone.low)
    assert "group" in grouped.method


def test_a_class_that_is_likeliest_nowhere_widens_the_interval():
    codes = np.array([0] * 900 + [1] * 100)
    probability = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (1_000, 1))
    share = wrong_share(codes, probability)
    assert share.low <= share.value <= share.high
    assert not wrong_share(codes[:0], probability[:0]).known


def test_far_targets_of_a_regression_are_found_where_errors_grow_with_the_prediction():
    rng = np.random.default_rng(0)
    prediction = rng.uniform(1, 100, 4_000)
    target = prediction * (1 + 0.05 * rng.normal(size=4_000))
    target[:40] = prediction[:40] * 1.6
    p = Predictions.of(example=np.arange(4_000), target=target, prediction=prediction)
    (finding,) = label_errors(p)
    listed = {int(suspect.example) for suspect in finding.where.examples}
    assert len(listed & set(range(40))) >= 38
    assert len(listed - set(range(40))) <= 4
    scores = [suspect.score for suspect in finding.where.examples]
    assert scores == sorted(scores)
    assert finding.effect.low < 0.01 < finding.effect.high
    quality = label_quality(p)
    assert ((quality >= 0) & (quality <= 1)).all()
    assert quality[:40].max() < np.median(quality)


def test_a_regression_without_errors_lists_nothing():
    p = Predictions.of(example=["a", "b", "c"], target=[1.0, 2.0, 3.0], prediction=[1.0, 2.0, 3.0])
    assert label_quality(p).tolist() == [1.0, 1.0, 1.0]
    assert label_errors(p) == ()


def test_suggestions_come_in_the_order_asked_for():
    codes, probability, _ = rows_of(0, 300, 3)
    p = predictions_of(codes, probability)
    (finding,) = label_errors(p)
    names = [suspect.example for suspect in finding.where.examples]
    shown = suggested_labels(p, names)
    assert shown.columns == ["example", "given", "suggested", "quality", "confident"]
    assert shown["example"].to_list() == names
    assert (shown["given"] != shown["suggested"]).all()
    assert shown["quality"].to_list() == [suspect.score for suspect in finding.where.examples]
    assert shown.filter("confident")["example"].to_list() == list(finding.examples)
    assert suggested_labels(p, []).schema == shown.schema
    with pytest.raises(PredictionsError, match="'nobody'"):
        suggested_labels(p, ["r1", "nobody"])


def test_the_suggestion_of_a_regression_is_its_prediction():
    p = Predictions.of(example=["a", "b"], target=[1.0, 2.0], prediction=[1.5, 2.5])
    shown = suggested_labels(p, ["b"])
    assert shown.row(0)[:3] == ("b", 2.0, 2.5)


def test_twins_that_carry_the_suggested_label_are_counted():
    table = pl.DataFrame({"x": ["p", "p", "q"], "y": ["n", "y", "n"]})
    schema = Schema((Column("x", Kind.CATEGORY), Column("y", Kind.CATEGORY, Role.TARGET)))
    twin = np.array([1, 1, 2], dtype=np.uint64)
    dataset = Dataset(table, schema, pl.Series(["a", "b", "c"]), twin)
    p = Predictions.of(example=["c", "b", "a"], target=["n", "y", "n"], probability=[0.9, 0.9, 0.9])
    assert label_errors(p, dataset)[0].facts["twins with the suggested label"] == 1
    with pytest.raises(PredictionsError, match="lacks"):
        label_errors(p, dataset.take(np.array([0, 1])))


@pytest.mark.parametrize("ask", [label_quality, label_errors, lambda p: suggested_labels(p, [])])
def test_rows_in_the_wrong_role_and_predictions_without_what_is_needed_are_refused(ask):
    codes, probability, _ = rows_of(0, 10, 2)
    with pytest.raises(RoleError, match="sealed"):
        ask(predictions_of(codes, probability, split=["sealed"] * 10))
    with pytest.raises(PredictionsError, match="probability"):
        ask(Predictions.of(example=["a", "b"], target=["n", "y"], prediction=["n", "n"]))
    with pytest.raises(PredictionsError, match="losses alone"):
        ask(Predictions.of(example=["a", "b"], loss=[0.1, 0.2]))
