"""Rows to predict are matched by name: missing, extra, reordered, retyped columns and unseen categories."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.errors import ColumnError, FileError
from holdfast.project.predict import predict_file, predicted


@pytest.fixture(scope="module")
def run(patients):
    return hf.train(patients, target="diagnosis", learners=["lightgbm_small"], folds=2)


@pytest.fixture(scope="module")
def expected(run, patients):
    return hf.predict(run, patients).probability


def test_reordered_columns_change_nothing(run, patients, expected):
    found = hf.predict(run, patients.select(sorted(patients.columns, reverse=True)))
    np.testing.assert_array_equal(found.probability, expected)


def test_names_are_matched_without_regard_to_case(run, patients, expected):
    table = patients.rename({"clinic": "Clinic", "mean_radius": "MEAN_RADIUS"})
    found, fitted = predicted(run.model, table)
    np.testing.assert_array_equal(found.probability, expected)
    assert fitted.renamed == {"Clinic": "clinic", "MEAN_RADIUS": "mean_radius"}


def test_retyped_columns_are_read_as_what_they_were(run, patients, expected):
    table = patients.with_columns(
        pl.col("mean_radius", "mean_texture").cast(pl.String), seen=pl.col("seen").dt.strftime("%Y-%m-%d")
    )
    found, fitted = predicted(run.model, table)
    np.testing.assert_array_equal(found.probability, expected)
    assert not fitted.missing and not fitted.unread


def test_missing_columns_are_named_and_taken_as_empty(run, patients):
    found, fitted = predicted(run.model, patients.drop("mean_area", "clinic"))
    empty = patients.with_columns(mean_area=pl.lit(None, pl.Float64), clinic=pl.lit(None, pl.String))
    np.testing.assert_array_equal(found.probability, hf.predict(run, empty).probability)
    assert fitted.missing == ("mean_area", "clinic")
    assert "'mean_area'" in fitted.sentences[0] and "'clinic'" in fitted.sentences[0]


def test_extra_columns_are_named_and_left_out(run, patients, expected):
    found, fitted = predicted(run.model, patients.with_columns(extra=pl.lit(1), more=pl.lit("x")))
    np.testing.assert_array_equal(found.probability, expected)
    assert fitted.extra == ("extra", "more")


def test_unseen_categories_and_cells_that_mean_nothing_are_counted(run, patients):
    table = patients.with_columns(
        clinic=pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("nowhere")).otherwise("clinic"),
        mean_radius=pl.when(pl.int_range(pl.len()) < 3)
        .then(pl.lit("wide"))
        .otherwise(pl.col("mean_radius").cast(pl.String)),
    )
    found, fitted = predicted(run.model, table)
    assert len(found) == 569 and np.isfinite(found.probability).all()
    assert fitted.unseen == {"clinic": 5} and fitted.unread == {"mean_radius": 3}


def test_without_one_known_column_there_is_nothing_to_predict(run):
    with pytest.raises(ColumnError, match=r"none of the features.*its columns are 'x'"):
        hf.predict(run, pl.DataFrame({"x": [1, 2]}))


def test_a_target_in_the_rows_is_carried_and_changes_no_prediction(run, patients, expected):
    with_target = hf.predict(run, patients)
    np.testing.assert_array_equal(hf.predict(run, patients.drop("diagnosis")).probability, expected)
    assert with_target.table["target"].to_list() == patients["diagnosis"].to_list()


def test_one_row_and_many_give_the_same(run, patients, expected):
    for row in (0, 5, 568):
        alone = hf.predict(run, patients[row : row + 1]).probability
        np.testing.assert_allclose(alone[0], expected[row], rtol=1e-5)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_what_is_written_is_in_the_order_of_the_rows(suffix, run, patients, expected, tmp_path):
    hf.train(patients, target="diagnosis", learners=["decision_tree"], folds=2, project=tmp_path / "p")
    patients.write_csv(tmp_path / "rows.csv")
    output = tmp_path / "deep" / f"found.{suffix}"
    done = predict_file("best", str(tmp_path / "rows.csv"), output, project=tmp_path / "p")
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "jsonl": pl.read_ndjson}[suffix]
    table = read(output)
    assert done.rows == table.height == 569
    assert table.columns == ["example", "prediction", "probability_benign", "probability_malignant"]
    direct = hf.predict("best", patients, project=tmp_path / "p")
    np.testing.assert_allclose(table["probability_malignant"], direct.probability[:, 1], rtol=1e-5)
    with pytest.raises(FileError, match=r"ends in \.parquet, \.csv, \.jsonl"):
        predict_file("best", str(tmp_path / "rows.csv"), tmp_path / "found.xlsx", project=tmp_path / "p")


def test_regression_writes_numbers(progression, tmp_path):
    run = hf.train(progression, target="progression", learners=["decision_tree"], folds=2, project=tmp_path)
    progression.write_parquet(tmp_path / "rows.parquet")
    predict_file(run.id, str(tmp_path / "rows.parquet"), tmp_path / "found.csv", project=tmp_path)
    table = pl.read_csv(tmp_path / "found.csv")
    assert table.columns == ["example", "prediction"] and table["prediction"].dtype == pl.Float64
