"""Models are compared on the same examples, or not at all."""

from __future__ import annotations

import weakref

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import classified, regressed

from holdfast.comparison.align import align, names_of
from holdfast.comparison.paired import compare
from holdfast.core.predictions import Predictions
from holdfast.errors import PredictionsError, RoleError

NAMES = ("a", "b")


def shuffled(p: Predictions, order) -> Predictions:
    return Predictions(p.table[order], p.header)


def test_many_models_hold_one_array_of_targets_and_nothing_outlives_them():
    a, b = (classified(30, seed=seed) for seed in (1, 2))
    b = Predictions(b.table.with_columns(group=pl.Series(list("abc") * 10)), b.header)
    one, two = align((a, b), NAMES)
    assert two.target_codes is one.target_codes
    assert two.target_codes.tolist() == b.target_codes.tolist()
    assert two.known is two
    gone = weakref.ref(two)
    del two
    assert gone() is None


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(30)))
def test_the_order_of_rows_does_not_matter(order):
    a, b = classified(30, seed=1), classified(30, seed=2)
    one, two = align((a, shuffled(b, order)), NAMES)
    assert two.table.equals(b.table)
    assert one.table.equals(a.table)
    assert str(compare(a, b, metric="f1")) == str(compare(a, shuffled(b, order), metric="f1"))


def test_ids_that_one_lacks_are_named_and_counted():
    a, b = classified(30), classified(30, seed=1)
    with pytest.raises(PredictionsError, match=r"'b' lacks 2 examples of 'a': '3', '7'\."):
        align((a, b.where(~np.isin(np.arange(30), [3, 7]))), NAMES)
    with pytest.raises(PredictionsError, match=r"'a' lacks 29 examples of 'b': '1', '2', '3' and 26 more"):
        align((a.where(np.arange(30) < 1), b), NAMES)
    renamed = Predictions(b.table.with_columns(example="x" + b.example), b.header)
    with pytest.raises(PredictionsError, match="Are these ids of the same rows"):
        align((a, renamed), NAMES)


def test_the_mend_in_the_message_mends():
    a, b = classified(30), classified(30, seed=1).where(np.arange(30) > 9)
    with pytest.raises(PredictionsError, match="on the 20 they share") as raised:
        compare(a, b)
    line = str(raised.value).rpartition(": ")[2]
    mended = eval(line, {"a": a, "b": b})
    assert len(compare(mended, b).difference.method) > 0
    assert compare(mended, b).difference.n == 20


def test_targets_that_differ_are_named():
    a = classified(30)
    flipped = a.table["target"].to_list()
    flipped[4] = "1" if flipped[4] == "0" else "0"
    b = Predictions.of(example=range(30), target=flipped, prediction=a.table["prediction"])
    with pytest.raises(PredictionsError, match="differ on 1 example: '4' is"):
        compare(a, b)


def test_numbers_printed_with_fewer_digits_are_the_same_target():
    a = regressed(50)
    rounded = Predictions.of(
        example=range(50), target=a.target_values.astype(np.float32), prediction=a.prediction_values
    )
    assert compare(a, rounded, metric="mae").difference.known
    other = Predictions.of(example=range(50), target=a.target_values + 1, prediction=a.prediction_values)
    with pytest.raises(PredictionsError, match="differ on 50 examples"):
        compare(a, other)


def test_classes_in_another_order_are_put_in_ours():
    a = classified(40, classes=3)
    other = Predictions.of(
        example=range(40),
        target=a.table["target"],
        probability=a.probability[:, [2, 0, 1]],
        classes=["2", "0", "1"],
    )
    _, b = align((a, other), NAMES)
    assert b.header.classes == a.header.classes
    assert (b.probability == a.probability).all()
    assert compare(a, other, metric="log_loss").difference.value == pytest.approx(0, abs=1e-12)


def test_other_classes_are_refused():
    a = classified(40)
    b = Predictions.of(
        example=range(40),
        target=a.table["target"],
        probability=np.full((40, 3), 1 / 3),
        classes=["0", "1", "maybe"],
    )
    with pytest.raises(PredictionsError, match="'maybe'"):
        compare(a, b)


def test_labels_alone_may_have_seen_fewer_classes():
    a = Predictions.of(example=range(4), target=list("xyxy"), prediction=list("xyxz"))
    b = Predictions.of(example=range(4), target=list("xyxy"), prediction=list("xyyy"))
    one, two = align((b, a), NAMES)
    assert one.header.classes == two.header.classes == ("x", "y", "z")
    assert compare(a, b, metric="f1_macro").difference.n == 4


def test_positive_classes_must_agree():
    a = Predictions.of(example=range(4), target=list("nyny"), prediction=list("nynn"), positive="y")
    b = Predictions.of(example=range(4), target=list("nyny"), prediction=list("nynn"), positive="n")
    with pytest.raises(PredictionsError, match="positive class is 'n', 'y'"):
        compare(a, b)


def test_a_positive_class_that_one_does_not_know_is_the_other_s():
    a = Predictions.of(example=range(3), target=list("nnn"), prediction=list("nnn"))
    b = Predictions.of(example=range(3), target=list("nnn"), prediction=list("nny"))
    for pair in ((a, b), (b, a)):
        assert [p.header.positive for p in align(pair, NAMES)] == ["y", "y"]
        assert compare(*pair, metric="accuracy").difference.known


@pytest.mark.parametrize("words", [("no", "yes"), ("off", "on")])
def test_labels_in_another_spelling_are_refused_in_either_order(words):
    codes = np.arange(40) % 2
    a = Predictions.of(example=range(40), target=codes, probability=np.full(40, 0.4))
    b = Predictions.of(example=range(40), target=np.take(words, codes), prediction=np.take(words, codes))
    for pair in ((a, b), (b, a)):
        with pytest.raises(PredictionsError, match=words[1]) as caught:
            compare(*pair)
        assert "probability_<class>" in caught.value.command


@pytest.mark.parametrize("metric", ["accuracy", "f1"])
def test_truth_values_are_one_label_across_systems(metric):
    codes = np.arange(40) % 2
    a = Predictions.of(example=range(40), target=codes, probability=np.where(codes, 0.9, 0.4))
    b = Predictions.of(example=range(40), target=codes == 1, prediction=np.ones(40, dtype=bool))
    assert compare(a, b, metric=metric).outcome == "worse"
    assert compare(b, a, metric=metric).outcome == "better"
    assert {p.header.positive for p in align((b, a), NAMES)} == {"true"}


def test_a_model_without_a_target_is_named():
    a, b = classified(30), Predictions.of(example=range(30), prediction=np.arange(30).astype(str))
    for pair in ((a, b), (b, a)):
        with pytest.raises(PredictionsError, match="has no target"):
            compare(*pair, metric="accuracy")


def test_sealed_rows_do_not_answer():
    split = ["sealed"] + ["search"] * 29
    a, b = classified(30, split=split), classified(30, seed=1)
    for pair in ((a, b), (b, a)):
        with pytest.raises(RoleError, match="1 of these rows are sealed"):
            compare(*pair)


def test_unknown_targets_are_left_out_and_missing_predictions_are_an_error():
    a = Predictions.of(example=range(5), target=["x", None, "y", "x", "y"], prediction=list("xxyyy"))
    b = Predictions.of(example=range(5), target=["x", None, "y", "x", "y"], prediction=list("xyyxx"))
    assert compare(a, b).difference.n == 4
    silent = Predictions.of(example=range(5), target=list("xxyxy"), prediction=["x", None, "y", "x", "y"])
    full = Predictions.of(example=range(5), target=list("xxyxy"), prediction=list("xxyxy"))
    with pytest.raises(PredictionsError, match="'second' predicts nothing for 1 example: '1'"):
        compare(full, silent)
    nothing = Predictions.of(example=range(2), target=[None, None], prediction=["x", "y"])
    with pytest.raises(PredictionsError, match="nothing can be judged"):
        compare(nothing, nothing)


def test_groups_and_weights_of_one_count_for_all():
    groups, weight = np.arange(60) // 3, 1.0 + np.arange(60) % 2
    plain = classified(60, seed=1)
    with_both = classified(60, seed=2, group=groups, weight=weight)
    for aligned in (align((plain, with_both), NAMES), align((with_both, plain), NAMES)):
        for p in aligned:
            assert p.group_codes is not None
            assert (p.weight == weight).all()
    with pytest.raises(PredictionsError, match="groups of 'a' and 'b' differ on 60 examples"):
        align((classified(60, group=groups + 100), with_both), NAMES)


def test_weights_that_are_all_zero_judge_nothing():
    with pytest.raises(PredictionsError, match="All weights are 0"):
        compare(regressed(20, weight=np.zeros(20)), regressed(20, seed=1))


def test_classes_and_numbers_have_nothing_in_common():
    with pytest.raises(PredictionsError, match="some predict numbers"):
        compare(classified(20), regressed(20))


def test_names():
    assert names_of([classified(5), classified(5, model="m")]) == ("model 1", "m")
    with pytest.raises(PredictionsError, match="called 'm'"):
        names_of([classified(5, model="m"), classified(5, model="m")])
