"""Predictions: from arrays of any system, to a file and back, and nothing strange gets in."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.header import COLUMNS, Header
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import FileError, NewerError, PredictionsError, RoleError


def of(n: int = 4, **more: object) -> Predictions:
    return Predictions.of(example=range(n), **more)  # type: ignore[arg-type]


def test_binary_probabilities_in_one_column() -> None:
    p = of(target=["no", "yes", None, "no"], probability=[0.1, 0.5, 0.4, 0.9])
    assert p.header == Header(Task.CLASSIFICATION, ("no", "yes"), "yes", 0.5)
    assert p.table["prediction"].to_list() == ["no", "yes", "no", "yes"]
    np.testing.assert_allclose(p.positive_probability, [0.1, 0.5, 0.4, 0.9], rtol=1e-6)
    np.testing.assert_allclose(p.probability, [[0.9, 0.1], [0.5, 0.5], [0.6, 0.4], [0.1, 0.9]], rtol=1e-6)
    np.testing.assert_allclose(p.loss, [-np.log(0.9), -np.log(0.5), np.nan, -np.log(0.1)], rtol=1e-6)


def test_the_first_class_can_be_positive() -> None:
    p = of(2, target=["bad", "good"], probability=[0.9, 0.2], positive="bad")
    assert p.table["prediction"].to_list() == ["bad", "good"]
    np.testing.assert_allclose(p.probability, [[0.9, 0.1], [0.2, 0.8]], rtol=1e-6)


def test_columns_of_probabilities_follow_the_order_of_numbers() -> None:
    """scikit-learn's predict_proba has class 9 before class 10; sorted as text it would be after."""
    p = of(3, target=[1, 9, 10], probability=np.eye(3))
    assert p.header.classes == ("1", "9", "10")
    assert p.loss.max() < 1e-6


def test_threshold_decides() -> None:
    p = of(3, target=[0, 1, 1], probability=[0.2, 0.3, 0.6], threshold=0.3)
    assert p.table["prediction"].to_list() == ["0", "1", "1"]
    assert p.header.threshold == 0.3


def test_the_waist_has_its_columns_and_types() -> None:
    for p in (
        of(target=["a", "b", "c", "a"], probability=np.full((4, 3), 1 / 3)),
        of(target=["a", "b", "c", "a"], prediction=["a"] * 4),
        of(target=[1.0, 2.0, 3.0, 4.0], prediction=[1, 2, 3, 4]),
        of(loss=[0.1, 0.2, 0.3, 0.4]),
    ):
        assert p.table.columns == list(COLUMNS)
        assert all(p.table.schema[name] in (kind, pl.Null) for name, kind in p.header.kinds.items())


@pytest.mark.parametrize(
    "prediction",
    [[True, False, True, False], np.array([True, False, True, False]), ["True", "False", "True", "False"]],
    ids=["list", "numpy", "text"],
)
def test_boolean_predictions_meet_numeric_targets(prediction: object) -> None:
    p = of(target=[1, 0, 0, 0], prediction=prediction, classes=[0, 1])
    assert p.header.classes == ("0", "1")
    assert p.header.positive == "1"
    assert p.table["prediction"].to_list() == ["1", "0", "1", "0"]
    assert of(target=[1, 0, 0, 0], prediction=np.array([True, False, True, False])).header.classes == (
        "0",
        "1",
    )


@pytest.mark.parametrize("label", ["1", 1, 1.0, True])
def test_positive_in_any_form(label: object) -> None:
    assert of(2, target=["0", "1"], probability=[0.2, 0.9], positive=label).header.positive == "1"


def test_inputs_of_every_system_give_the_same_table() -> None:
    target, score = ["a", "b", None, "a"], [0.25, 0.5, 0.75, 1.0]
    group = ["g", None, "g", "h"]
    base = of(target=target, probability=score, group=group, weight=[1, 2, 3, 4])
    for wrap in (np.array, pd.Series, pl.Series, tuple, lambda values: pl.Series(values).to_arrow()):
        p = Predictions.of(
            example=wrap([0, 1, 2, 3]),
            target=wrap(target),
            probability=wrap(score),
            group=wrap(group),
            weight=wrap([1, 2, 3, 4]),
        )
        assert p.table.equals(base.table)
        assert p.header == base.header
    wide = pd.DataFrame({"a": [0.75, 0.5, 0.25, 0.0], "b": score})
    for probability in (
        wide,
        pl.from_pandas(wide),
        wide.to_numpy(),
        wide.to_numpy().tolist(),
        pl.Series(wide.to_numpy().tolist()),
    ):
        p = of(target=target, probability=probability, group=group, weight=[1, 2, 3, 4])
        assert p.table.equals(base.table)


def test_numbers_may_miss() -> None:
    p = of(target=[1.0, None, 3.0, np.nan], prediction=pd.Series([1.0, 2.0, None, 4.0]))
    assert p.header.task is Task.REGRESSION
    assert p.known.table["example"].to_list() == ["0"]
    np.testing.assert_array_equal(p.loss, [0.0, np.nan, np.nan, np.nan])
    q = of(2, target=[None, None], prediction=[1.0, 2.0])
    assert q.header.task is Task.REGRESSION
    assert len(q.known) == 0


REFUSED = {
    "ids repeat": ({"example": ["a", "b", "a"], "loss": [1, 2, 3]}, "must be unique, but 1 repeat: 'a'"),
    "ids repeat as numbers": ({"example": [1, 1.0, 2], "loss": [1, 2, 3]}, "must be unique"),
    "id missing": ({"example": ["a", None], "loss": [1, 2]}, "1 example without one"),
    "ids two-dimensional": (
        {"example": [[1, 2], [3, 4]], "loss": [1, 2]},
        "The example ids should be one value",
    ),
    "ids are one text": ({"example": "abc", "loss": [1]}, "only one value of type str"),
    "nothing to judge": ({"example": [1]}, "at least a loss per example"),
    "lengths": ({"example": [1, 2], "target": [1.0, 2.0, 3.0]}, "2 examples but 3 values of target"),
    "group length": ({"example": [1], "loss": [1], "group": ["a", "b"]}, "2 values of group"),
    "infinite target": ({"example": [1], "target": [np.inf], "prediction": [0.0]}, "1 infinite values"),
    "text loss": ({"example": [1], "loss": ["high"]}, "The loss should be numbers"),
    "two-dimensional target": ({"example": [1, 2], "target": np.zeros((2, 2))}, "The .* should be one value"),
    "negative weight": ({"example": [1], "loss": [1], "weight": [-1]}, "not negative"),
    "missing weight": ({"example": [1], "loss": [1], "weight": [None]}, "must be known"),
    "stray target": ({"example": [1], "target": ["z"], "classes": ["a", "b"]}, "Targets 'z' are not among"),
    "stray prediction": (
        {"example": [1], "target": ["a"], "prediction": ["z"], "classes": ["a", "b"]},
        "Predictions 'z' are not among",
    ),
    "class twice": ({"example": [1], "target": ["1"], "classes": [1, 1.0]}, "one name of its own"),
    "class missing": ({"example": [1], "target": ["1"], "classes": [1, None]}, "one name of its own"),
    "strange positive": ({"example": [1, 2], "target": ["a", "b"], "positive": "c"}, "'c' is not one of"),
    "positive of three": (
        {"example": [1, 2, 3], "target": ["a", "b", "c"], "positive": "c"},
        "belongs to two classes",
    ),
    "threshold beyond": (
        {"example": [1, 2], "target": ["a", "b"], "probability": [0.1, 0.9], "threshold": 1.5},
        "A threshold is a probability",
    ),
    "threshold nan": (
        {"example": [1, 2], "target": ["a", "b"], "probability": [0.1, 0.9], "threshold": float("nan")},
        "A threshold is a probability",
    ),
    "probability nan": (
        {"example": [1, 2], "target": ["a", "b"], "probability": [0.1, np.nan]},
        "do not in 1 row, e.g. row 1",
    ),
    "probability inf": (
        {"example": [1, 2], "target": ["a", "b"], "probability": [np.inf, 0.5]},
        "e.g. row 0",
    ),
    "probability missing": ({"example": [1, 2], "target": ["a", "b"], "probability": [None, 0.5]}, "row 0"),
    "logits": (
        {"example": [1, 2], "target": ["a", "b"], "probability": [[2.0, -1.0], [0.5, 0.5]]},
        "need a softmax first",
    ),
    "too few columns": (
        {"example": [1, 2, 3], "target": ["a", "b", "c"], "probability": np.full((3, 2), 0.5)},
        r"shape \(3, 2\), not \(3, 3\).*classes=\[",
    ),
    "one column for three": (
        {"example": [1, 2, 3], "target": ["a", "b", "c"], "probability": [0.1, 0.2, 0.3]},
        r"shape \(3,\)",
    ),
    "probabilities in text": (
        {"example": [1, 2], "target": ["a", "b"], "probability": ["high", "low"]},
        "Probabilities should be numbers",
    ),
    "ragged probabilities": (
        {"example": [1, 2], "target": ["a", "b"], "probability": [[0.5, 0.5], [1.0]]},
        "Probabilities should be numbers",
    ),
    "objects for targets": ({"example": [1], "target": [[1, 2]], "prediction": ["a"]}, "should be one value"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_arrays_are_named(name: str) -> None:
    arguments, said = REFUSED[name]
    with pytest.raises(PredictionsError, match=said):
        Predictions.of(**arguments)


def test_rounded_probabilities_are_scaled_and_exact_ones_kept() -> None:
    rounded = of(
        2, target=["a", "b"], probability=[[0.333, 0.333, 0.333], [0.2, 0.3, 0.5]], classes=["a", "b", "c"]
    )
    np.testing.assert_allclose(rounded.probability.sum(axis=1), 1, rtol=1e-6)
    exact = np.float32([[0.1, 0.9], [0.7, 0.3]])
    assert (of(2, target=["a", "b"], probability=exact).probability == exact).all()


def test_huge_values_and_many_classes() -> None:
    p = of(2, target=[1e300, -1e300], prediction=[1e-300, 0.0])
    assert np.isinf(p.loss).all()
    assert Predictions.of(example=[2**70, -1], loss=[2**40, 0]).example.to_list() == [str(2**70), "-1"]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=8, unique=True),
    st.sampled_from(["classes", "labels", "numbers", "losses"]),
    st.integers(0, 1000),
)
def test_a_file_gives_back_what_was_written(ids: list[str], kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = len(ids)
    labels = rng.choice(["a", "b"], n).tolist()
    arguments = {
        "classes": {"target": labels, "probability": rng.dirichlet([1, 1], n), "classes": ["a", "b"]},
        "labels": {"target": labels, "prediction": ["a"] * n, "group": labels, "fold": rng.integers(0, 3, n)},
        "numbers": {"target": rng.normal(size=n), "prediction": rng.normal(size=n), "weight": rng.random(n)},
        "losses": {"loss": rng.random(n), "split": ["sealed"] * n},
    }[kind]
    try:
        p = Predictions.of(example=ids, model="m", **arguments)
    except PredictionsError:  # "1" and "1.0" are one id
        return
    back = Predictions.decode(p.encode())
    assert back.header == p.header
    assert back.table.equals(p.table)


def test_same_predictions_same_bytes() -> None:
    make = lambda: of(target=["a", "b", "a", "b"], probability=[0.1, 0.2, 0.3, 0.4]).encode()  # noqa: E731
    assert make() == make()


def _parquet(table: pl.DataFrame, header: object) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(
        buffer, metadata={"holdfast": header if isinstance(header, str) else json.dumps(header)}
    )
    return buffer.getvalue()


def _header(**changes: object) -> dict[str, object]:
    facts = {"format": "predictions.v1", "task": "classification", "classes": ["a", "b"], "positive": "b"}
    return {**facts, "threshold": None, "dataset": "", "model": "", "created_by": "", **changes}


def test_damaged_files_are_named() -> None:
    p = of(target=["a", "b", "a", "b"], probability=[0.1, 0.2, 0.3, 0.4])
    good, table = p.encode(), p.table
    plain = io.BytesIO()
    table.write_parquet(plain)
    twice = table.with_columns(example=pl.lit("x"))
    outside = table.with_columns(target=pl.lit("z"))
    negative = table.with_columns(weight=pl.lit(-1.0))
    for data, kind, said in [
        (b"", FileError, r"not a Parquet file.*\.encode\(\)"),
        (b"PAR1 nonsense PAR1", FileError, "not a Parquet file"),
        (good[:-20], FileError, "not a Parquet file"),
        (plain.getvalue(), FileError, "no Holdfast header"),
        (_parquet(table, "{"), FileError, "header of this Parquet file is damaged"),
        (_parquet(table, ["a"]), FileError, "damaged"),
        (_parquet(table, _header(task="dance")), FileError, "damaged"),
        (_parquet(table, _header(more=1)), FileError, "damaged"),
        (_parquet(table, _header(format="predictions.v2")), NewerError, "'predictions.v2'"),
        (_parquet(table.drop("loss"), _header()), PredictionsError, r"lacks \['loss'\]"),
        (_parquet(table, _header(classes=["a", "b", "c"], positive=None)), PredictionsError, "'probability'"),
        (_parquet(twice, _header()), PredictionsError, "not unique"),
        (_parquet(outside, _header()), PredictionsError, "not among its classes"),
        (_parquet(negative, _header()), PredictionsError, "weights"),
    ]:
        with pytest.raises(kind, match=said):
            Predictions.decode(data)


def test_groups_are_clusters_and_loners_their_own() -> None:
    p = of(5, loss=[1, 2, 3, 4, 5], group=["b", None, "a", "b", None])
    codes = p.group_codes
    assert codes is not None
    assert codes[0] == codes[3]
    assert len(set(codes.tolist())) == 4
    assert sorted(set(codes.tolist())) == [0, 1, 2, 3]
    assert of(2, loss=[1, 2], group=["1", None]).group_codes is None
    assert of(2, loss=[1, 2], group=["x", "y"]).group_codes is None
    assert of(2, loss=[1, 2]).group_codes is None
    # The example "1" stands alone; a group that is also called "1" does not take it in.
    q = of(3, loss=[1, 2, 3], group=["1", None, "1"])
    assert q.group_codes.tolist() == [0, 1, 0]


def test_equal_weights_are_no_weights() -> None:
    assert of(2, loss=[1, 2], weight=[3, 3]).weight is None
    assert of(2, loss=[1, 2], weight=[3, 1]).weight.tolist() == [3, 1]
    assert of(2, loss=[1, 2], weight=[0, 0]).weight.tolist() == [0, 0]


def test_arrays_are_made_once_and_cannot_be_changed() -> None:
    p = of(target=["a", "b", "a", "b"], probability=[0.1, 0.2, 0.3, 0.4])
    for name in ("target_codes", "prediction_codes", "probability", "positive_probability", "loss"):
        array = getattr(p, name)
        assert getattr(p, name) is array
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_where_takes_a_mask_only() -> None:
    p = of(target=["a", "b", "a", "b"], prediction=["a"] * 4)
    assert p.where([True, False, False, True]).example.to_list() == ["0", "3"]
    assert p.where(pl.Series([True, False, False, True])).example.to_list() == ["0", "3"]
    for wrong in ([True], [0, 1, 2, 3], np.ones((4, 1), dtype=bool)):
        with pytest.raises(PredictionsError, match="A mask is bool of shape"):
            p.where(wrong)


def test_sealed_rows_are_refused() -> None:
    p = of(2, loss=[1, 2], split=["search", "sealed"])
    with pytest.raises(RoleError, match="1 of these rows are sealed"):
        p.require_open()
    assert len(p.where([True, False]).require_open()) == 1


def test_a_table_made_by_hand_is_checked() -> None:
    p = of(2, target=[1.0, 2.0], prediction=[1.0, 2.0])
    with pytest.raises(PredictionsError, match="lacks"):
        Predictions(p.table.drop("weight"), p.header)
    with pytest.raises(PredictionsError, match="'target' of a Predictions table is String"):
        Predictions(p.table, Header(Task.CLASSIFICATION, ("1", "2")))


def test_names_and_repr() -> None:
    p = of(2, loss=[1, 2]).named("gpt")
    assert repr(p) == "Predictions(2 examples, losses only, model 'gpt')"
    assert len(p) == 2


def test_rows_whose_label_is_no_class_cannot_be_judged():
    p = Predictions.of(example=[1, 2, 3], target=["a", "b", "a"], prediction=["a", "b", "b"])
    strange = Predictions(p.table.with_columns(prediction=pl.Series(["a", "z", None])), p.header)
    assert strange.known.example.to_list() == ["1"]
    assert p.known is p
