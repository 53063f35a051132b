"""Predictions of any system come in through one door."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.data.foreign import read_predictions
from holdfast.errors import FileError, PredictionsError


def _read(tmp_path: Path, text: str) -> Predictions:
    path = tmp_path / "p.csv"
    path.write_text(text)
    return read_predictions(path)


def test_our_own_format(tmp_path: Path) -> None:
    ours = Predictions.of(example=["a", "b"], target=["no", "yes"], probability=[0.2, 0.7], group=["g", "h"])
    path = tmp_path / "p.parquet"
    path.write_bytes(ours.encode())
    read = read_predictions(path)
    assert read.header == ours.header
    assert read.table.equals(ours.table, null_equal=True)


def test_one_probability_per_class(tmp_path: Path) -> None:
    p = _read(tmp_path, "id,target,probability_b,probability_a\n1,a,0.25,0.75\n2,b,0.5,0.5\n")
    assert p.header.classes == ("b", "a")
    assert p.example.to_list() == ["1", "2"]
    assert p.loss.tolist() == pytest.approx([0.28768207, 0.69314718])


def test_the_probability_of_the_positive_class(tmp_path: Path) -> None:
    p = _read(tmp_path, "example,y_true,y_prob\nu,0,0.25\nv,1,0.75\n")
    assert p.header.positive == "1"
    assert p.positive_probability is not None
    assert p.positive_probability.tolist() == [0.25, 0.75]
    assert p.table["prediction"].to_list() == ["0", "1"]


def test_labels_of_any_kind(tmp_path: Path) -> None:
    numbers = _read(tmp_path, "example,target,prediction\n1,0,0\n2,10,0\n3,2,2\n")
    assert numbers.header.task is Task.CLASSIFICATION
    assert numbers.header.classes == ("0", "2", "10")
    words = _read(tmp_path, "Example,Label,Pred\n1,ham,spam\n2,spam,spam\n")
    assert words.header.classes == ("ham", "spam")
    assert words.loss.tolist() == [1.0, 0.0]


def test_regression_with_groups_and_weights(tmp_path: Path) -> None:
    p = _read(tmp_path, "example,target,prediction,group,weight\n1,0.5,1,g,1\n2,2,2.5,g,2\n3,3,3,h,1\n")
    assert p.header.task is Task.REGRESSION
    assert p.loss.tolist() == [0.25, 0.25, 0.0]
    assert p.weight is not None
    assert p.group_codes is not None
    assert p.group_codes.tolist()[0] == p.group_codes.tolist()[1] != p.group_codes.tolist()[2]


def test_losses_only(tmp_path: Path) -> None:
    p = _read(tmp_path, "item\tloss\na\t0.5\nb\t1.5\n")
    assert p.header.task is None
    assert p.loss.tolist() == [0.5, 1.5]


def test_predictions_without_a_target(tmp_path: Path) -> None:
    p = _read(tmp_path, "example,prediction,probability_no,probability_yes\n1,no,0.9,0.1\n")
    assert p.header.classes == ("no", "yes")
    assert p.table["target"].to_list() == [None]


def test_other_formats(tmp_path: Path) -> None:
    table = pl.DataFrame({"example": ["a", "b"], "target": ["x", "y"], "prediction": ["x", "x"]})
    table.write_parquet(tmp_path / "p.parquet")
    table.write_ndjson(tmp_path / "p.jsonl")
    assert read_predictions(tmp_path / "p.parquet").table.equals(
        read_predictions(tmp_path / "p.jsonl").table, null_equal=True
    )


FAULTS = {
    "no ids": ("target,prediction\na,a\n", "has no column of example ids"),
    "nothing to judge": ("example,target\n1,a\n", "lacks a column 'prediction', 'probability'"),
    "only ids": ("example,other\n1,a\n", "lacks a column 'target'"),
    "repeated ids": ("example,loss\n1,2\n1,3\n", "must be unique"),
    "words for probabilities": (
        "example,target,probability\n1,a,high\n2,b,low\n",
        "'probability' should hold a number",
    ),
    "no probabilities": ("example,target,probability_a,probability_b\n1,a,0.9,0.9\n", "sum to 1"),
}


@pytest.mark.parametrize(("text", "says"), FAULTS.values(), ids=FAULTS)
def test_faults_name_the_file_and_the_columns(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PredictionsError) as caught:
        _read(tmp_path, text)
    assert says in str(caught.value)
    assert "p.csv" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="There is no file"):
        read_predictions(tmp_path / "absent.parquet")
    (tmp_path / "p.parquet").write_bytes(b"PAR1" + b"x" * 100)
    with pytest.raises(FileError, match="not a sound Parquet file"):
        read_predictions(tmp_path / "p.parquet")
