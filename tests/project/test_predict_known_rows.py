"""Rows that a run was made of are known again, whatever it is handed them as."""

from __future__ import annotations

import polars as pl
import pytest

import holdfast as hf
from holdfast.errors import FileError, ModelError, RoleError, UnknownRunError
from holdfast.project.predict import predict_file
from holdfast.project.runs import data_of, run_named
from holdfast.store.logs import close_log
from holdfast.store.tables import tables


def fit(table, project, **said):
    said = {"target": "diagnosis", "learners": ["decision_tree"], "folds": 2, "project": project} | said
    return hf.train(table, **said)


@pytest.fixture
def known(patients):
    """Rows to train on, with a constant column that no model reads and some rows twice; others are new."""
    table = patients.with_columns(hospital=pl.lit("here"))
    return pl.concat([table[:400], table[:20]])


@pytest.fixture
def new(patients):
    return patients[400:].with_columns(hospital=pl.lit("here"))


def test_neither_sealed_nor_trained_rows_are_judged_as_if_unseen(known, new, tmp_path):
    run = fit(known, tmp_path)
    dataset, split = data_of(hf.open(tmp_path), run.record)
    for named, table in (
        (run, known),
        (run.id, known),
        (run, known.sample(fraction=1, shuffle=True, seed=1)),
    ):
        found = hf.predict(named, table, project=tmp_path)
        counts = dict(found.table["split"].value_counts().iter_rows())
        sealed = int((split.role == "sealed").sum())
        assert counts == {"sealed": sealed, "trained": len(dataset) - sealed}
        with pytest.raises(RoleError, match="rows are sealed"):
            hf.evaluate(found)
    found = hf.predict(run, pl.concat([known, new]))
    trained = found.where(found.table["split"].fill_null("") != "sealed")
    for judge in (hf.evaluate, lambda p: hf.compare(p, p)):
        with pytest.raises(RoleError, match=r"trained the model.*run\.predictions.*is_null"):
            judge(trained)
    unseen = found.where(found.table["split"].is_null())
    assert len(unseen) == len(new)
    again = hf.evaluate(hf.predict(run, new), "auc")
    assert hf.evaluate(unseen, "auc").value == pytest.approx(again.value)


@pytest.mark.parametrize("project", [None, "kept"])
def test_rows_of_later_columns_and_of_an_id_are_known(known, new, project, tmp_path):
    folder = None if project is None else tmp_path
    named = known.with_columns(case=pl.int_range(len(known)))
    if folder is not None:
        fit(known.drop("clinic"), folder)
        assert "sealed" in set(hf.predict(fit(known, folder), known).table["split"])
    run = fit(named, None if folder is None else folder / "named", id="case")
    assert hf.predict(run, named).table["split"].null_count() == 0
    later = named.with_columns(case=pl.col("case") + 10_000)  # equal rows of other patients are new
    assert hf.predict(run, later).table["split"].null_count() == len(later)
    assert hf.predict(run, named.drop("case")).table["split"].null_count() == 0


def test_predictions_are_those_of_the_model_alone(known, tmp_path):
    run = fit(known, tmp_path)
    alone = hf.predict(run.model, known)
    found = hf.predict(run, known)
    assert found.table["probability"].equals(alone.table["probability"])
    assert alone.table["split"].null_count() == len(known)  # a model does not know its rows
    hf.save_model(run.model, tmp_path / "model")
    assert hf.predict(tmp_path / "model", known).table["prediction"].equals(found.table["prediction"])


def test_predictions_of_known_rows_can_be_written(known, tmp_path):
    known.write_csv(tmp_path / "known.csv")
    fit(tmp_path / "known.csv", tmp_path)
    written = predict_file("best", str(tmp_path / "known.csv"), tmp_path / "out.parquet", project=tmp_path)
    assert written.rows == len(known)
    assert pl.read_parquet(tmp_path / "out.parquet").columns[:2] == ["example", "prediction"]
    from_disk = hf.predict(run_named(hf.open(tmp_path), "best"), tmp_path / "known.csv", project=tmp_path)
    assert from_disk.table["split"].null_count() == 0


def test_what_cannot_be_told_says_what_to_do(known, tmp_path):
    run = fit(known, tmp_path)
    with pytest.raises(FileError, match=r"no model folder.*hf\.save_model"):
        hf.load_model(tmp_path)
    with pytest.raises(ModelError, match=r"kept no model.*holdfast leaderboard"):
        hf.log({"loss": 1.0}, run="mine", project=tmp_path)
        close_log(hf.open(tmp_path).store)
        hf.predict("mine", known, project=tmp_path)
    store = hf.open(tmp_path).store
    store.catalog.write(lambda connection: connection.execute(tables().splits.delete()))
    with pytest.raises(UnknownRunError, match="holdfast train FILE --target COLUMN"):
        hf.predict(run.id, known, project=tmp_path)
    assert len(hf.predict(run, known)) == len(known)  # the run in hand has its rows with it
