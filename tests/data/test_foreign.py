"""Predictions of any system come in through one door."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from holdfast.core.predictions import Predictions
from holdfast.core.reading import Reading
from holdfast.core.task import Task
from holdfast.data.foreign import read_predictions
from holdfast.errors import FileError, PredictionsError
from holdfast.metrics import evaluate


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


CHURN = "id,target,prediction,probability\n1,stayed,stayed,0.1\n2,churned,churned,0.9\n3,churned,stayed,0.3\n"
SILENT = "id,target,probability\n1,stayed,0.1\n2,churned,0.9\n3,churned,0.3\n"


def test_a_lone_probability_is_of_the_label_that_the_predictions_follow(tmp_path: Path) -> None:
    p = _read(tmp_path, CHURN)
    assert p.header.positive == "churned"
    assert evaluate(p, "auc").value == 1.0
    turned = _read(tmp_path, CHURN.replace("0.1", "0.8").replace("0.9", "0.2").replace("0.3", "0.7"))
    assert turned.header.positive == "stayed"
    assert evaluate(turned, "auc").value == 1.0


def test_a_lone_probability_that_nobody_explains_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="'churned' or of 'stayed'") as caught:
        _read(tmp_path, SILENT)
    assert "--positive" in caught.value.command and "--positive" not in str(caught.value)
    assert "p.csv" in caught.value.command
    (tmp_path / "p.csv").write_text(SILENT)
    said = read_predictions(tmp_path / "p.csv", Reading(positive="churned"))
    assert said.header.positive == "churned" and evaluate(said, "auc").value == 1.0
    renamed = _read(tmp_path, SILENT.replace("probability", "probability_churned"))
    assert renamed.header.positive == "churned" and evaluate(renamed, "auc").value == 1.0


def test_predictions_that_contradict_their_probability_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="should be of '1', but '0' is predicted where it is high"):
        _read(tmp_path, "id,target,prediction,probability\n1,0,0,0.9\n2,1,1,0.2\n3,1,0,0.7\n")


def test_a_positive_class_belongs_to_labels(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,target,prediction\n1,0.5,1\n2,1.5,2\n")
    with pytest.raises(PredictionsError, match="these are numbers"):
        read_predictions(tmp_path / "p.csv", Reading(positive="1"))
    own = Predictions.of(example=[1, 2], target=["no", "yes"], probability=[0.2, 0.7])
    (tmp_path / "own.parquet").write_bytes(own.encode())
    assert read_predictions(tmp_path / "own.parquet", Reading(positive="yes")).header == own.header
    with pytest.raises(PredictionsError, match="says of itself"):
        read_predictions(tmp_path / "own.parquet", Reading(positive="no"))


@pytest.mark.parametrize("word", ["NaN", "nan", "NA", "None", "-"])
def test_a_missing_value_word_among_numbers_is_a_missing_cell(tmp_path: Path, word: str) -> None:
    p = _read(tmp_path, f"id,target,prediction\n1,1.5,{word}\n2,{word},2.5\n3,3.5,4.5\n")
    assert p.header.task is Task.REGRESSION
    assert p.table["prediction"].to_list() == [None, 2.5, 4.5]
    labels = _read(tmp_path, f"id,target,prediction\n1,1,{word}\n2,0,1\n3,0,0\n")
    assert labels.header.classes == ("0", "1") and len(labels.known) == 2
    codes = _read(tmp_path, f"id,target,prediction\n1,007,007\n2,{word},010\n3,010,010\n")
    assert "007" in codes.header.classes


def test_many_whole_numbers_are_labels_if_that_is_said(tmp_path: Path) -> None:
    rows = "".join(f"{k},{k % 20},{k % 19}\n" for k in range(60))
    path = tmp_path / "p.csv"
    path.write_text("id,target,prediction\n" + rows)
    assert read_predictions(path).header.task is Task.REGRESSION
    said = read_predictions(path, Reading(task=Task.CLASSIFICATION))
    assert said.header.classes == tuple(str(k) for k in range(20))
    path.write_text("id,target,prediction\n1,0,1\n2,1,1\n")
    assert read_predictions(path, Reading(task=Task.REGRESSION)).header.task is Task.REGRESSION
