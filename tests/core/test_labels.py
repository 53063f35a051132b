"""Labels of any system become one text."""

from __future__ import annotations

import decimal
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.labels import codes_of, column_of, in_order, label_text, positive_of, spelled_like
from holdfast.errors import PredictionsError


@pytest.mark.parametrize(
    "labels",
    [
        ["0", "1", None],
        [0, 1, None],
        [0.0, 1.0, None],
        [-0.0, 1.0, float("nan")],
        ["0.0", "1.0", None],
        ["0", "1.00", None],
        np.array([0.0, 1.0, np.nan]),
        np.array([0.0, 1.0, np.nan], dtype=np.float16),
        np.array([0, 1, None], dtype=object),
        np.array(["0", "1", None], dtype=object),
        np.ma.array([0, 1, 9], mask=[False, False, True]),
        pd.Series([0, 1, None]),
        pd.Series([0, 1, None], dtype="Int64"),
        pd.Series(["0", "1", None], dtype="string"),
        pd.Categorical(["0", "1", None]),
        pl.Series([0, 1, None]),
        pl.Series(["0", "1", None], dtype=pl.Categorical),
        pl.Series([0, 1, None]).to_arrow(),
        [decimal.Decimal(0), decimal.Decimal("1.0"), None],
    ],
    ids=lambda labels: f"{type(labels).__name__}-{getattr(labels, 'dtype', type(labels[0]).__name__)}",
)
def test_one_label_in_many_forms(labels: object) -> None:
    assert label_text(labels).to_list() == ["0", "1", None]


def test_text_stays_as_read() -> None:
    assert label_text(["007", " a ", "1e3", "-1.50", "True"]).to_list() == [
        "007",
        " a ",
        "1e3",
        "-1.50",
        "True",
    ]


def test_truth_values_and_objects() -> None:
    assert label_text([True, None, False]).to_list() == ["true", None, "false"]
    assert label_text(np.array([True, None], dtype=object)).to_list() == ["true", None]
    assert label_text([uuid.UUID(int=1)]).to_list() == ["00000000-0000-0000-0000-000000000001"]
    assert label_text([2**70, 1]).to_list() == [str(2**70), "1"]
    assert label_text(["a", 1, 2.5, float("nan")]).to_list() == ["a", "1", "2.5", None]
    assert label_text(np.array([1, 2], dtype=">i4")).to_list() == ["1", "2"]
    assert label_text(np.array([b"a"])).to_list() == ["a"]


@given(st.integers(-(2**52), 2**52))
def test_whole_numbers_have_one_text(value: int) -> None:
    forms = [[value], [float(value)], [str(value)], np.array([value]), np.array([float(value)])]
    assert {label_text(form)[0] for form in forms} == {str(value)}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((2, 3)), r"shape \(2, 3\)"),
        ([[1, 2], [3, 4]], "cells are List"),
        ([[1], "a"], "some cells hold several"),
        (pd.DataFrame({"a": [1], "b": [2]}), r"shape \(1, 2\)"),
        ("abc", "only one value of type str"),
        (7, "only one value of type int"),
        (None, "only one value of type NoneType"),
        ({"a": 1}, "only one value of type dict"),
        ((x for x in "ab"), "only one value of type generator"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_not_a_column_is_refused(values: object, said: str) -> None:
    with pytest.raises(PredictionsError, match=rf"The target should be one value per example.*{said}"):
        column_of(values, "target")


def test_one_column_of_a_table_is_a_column() -> None:
    assert label_text(np.array([[1], [2]])).to_list() == ["1", "2"]
    assert label_text(pd.DataFrame({"a": ["x"]})).to_list() == ["x"]


def test_codes() -> None:
    assert codes_of(pl.Series(["b", None, "z"]), ("a", "b")).tolist() == [1, -1, -1]
    assert codes_of(pl.Series([None, None], dtype=pl.Null), ("a",)).tolist() == [-1, -1]
    assert codes_of(pl.Series(["a"]), ()).tolist() == [-1]


def test_numbers_sort_by_value() -> None:
    labels = [str(k) for k in range(12)]
    assert in_order(reversed(labels)) == tuple(labels)
    assert in_order(["1.5", "-2", "1e1"]) == ("-2", "1.5", "1e1")
    assert in_order(["nan", "1"]) == ("1", "nan")


@pytest.mark.parametrize(
    ("classes", "positive"),
    [
        (["0", "1"], "1"),
        (["-1", "1"], "1"),
        (["1", "2"], "2"),
        (["9", "10"], "10"),
        (["false", "true"], "true"),
        (["Yes", "no"], "Yes"),
        (["neg", "pos"], "pos"),
        (["1", "other"], "1"),
        (["cat", "dog"], "dog"),
        (["a"], None),
        (["a", "b", "c"], None),
    ],
)
def test_positive_class(classes: list[str], positive: str | None) -> None:
    assert positive_of(classes) == positive
    assert positive_of(classes[::-1]) == positive


def test_truth_values_take_the_targets_spelling() -> None:
    assert spelled_like(pl.Series(["true", "false"]), ["True", "False"]).to_list() == ["True", "False"]
    assert spelled_like(pl.Series(["1", None]), ["FALSE", "TRUE"]).to_list() == ["TRUE", None]
    assert spelled_like(pl.Series(["true", "maybe"]), ["yes", "no"]).to_list() == ["true", "maybe"]
