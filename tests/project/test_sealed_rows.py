"""Sealed rows: what they are asked is written down before it is shown, and they last for so many answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

import holdfast as hf
from holdfast.errors import PredictionsError, RoleError
from holdfast.project.runs import data_of, run_named
from holdfast.project.seal import evaluate_sealed
from holdfast.store.ledger import entries, entry_examples

pytestmark = pytest.mark.usefixtures("in_this_process")
FEW = ["constant", "decision_tree"]


@pytest.fixture
def project(in_this_process, patients, tmp_path):
    hf.train(patients, target="diagnosis", learners=FEW, folds=2, project=tmp_path)
    return hf.open(tmp_path)


def limited(project, decisions):
    toml = project.path / "holdfast.toml"
    toml.write_text(toml.read_text().replace("decisions = 20", f"decisions = {decisions}"))
    return hf.open(project.path)


def test_an_answer_is_an_entry_with_its_rows_and_its_number(project):
    answer = evaluate_sealed(project, "decision_tree", metric="auc")
    (entry,) = entries(project.store)
    dataset, split = data_of(project, run_named(project, "decision_tree").record)
    assert sorted(entry_examples(project.store, entry)) == sorted(
        dataset.example.filter(split.role == "sealed")
    )
    assert entry.facts["auc"] == pytest.approx(answer.scores["auc"].value)
    assert (entry.kind, entry.metric, answer.remaining) == ("evaluate", "auc", 19)
    assert answer.rows == answer.scores["auc"].n == (split.role == "sealed").sum()


def test_sealed_rows_were_seen_by_no_model(project):
    run = run_named(project, "decision_tree")
    dataset, split = data_of(project, run.record)
    sealed = set(dataset.example.filter(pl.Series(values=split.role == "sealed")))
    assert sealed.isdisjoint(run.predictions.table["example"])
    assert set(run.predictions.table["split"]) == {"search", "confirm"}


def test_what_is_spent_is_refused_with_the_mend(project):
    project = limited(project, 2)
    assert evaluate_sealed(project, "best").remaining == 1
    assert evaluate_sealed(project, "constant").remaining == 0
    with pytest.raises(RoleError, match=r"all 2 answers.*Add new rows"):
        evaluate_sealed(project, "best")
    assert len(entries(project.store)) == 2


def test_the_spend_follows_the_rows_and_not_the_name_of_their_table(project, patients):
    project = limited(project, 1)
    evaluate_sealed(project, "best")
    hf.train(patients, learners=FEW, folds=2, ignore=["clinic"], project=project.path)
    with pytest.raises(RoleError, match="have given all"):
        evaluate_sealed(project, "best")


def test_many_who_ask_at_once_cannot_overspend(project):
    project = limited(project, 3)

    def ask(_):
        try:
            evaluate_sealed(hf.open(project.path), "best", metric="accuracy")
        except RoleError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 3
    assert len(entries(project.store)) == 3


def test_a_question_that_cannot_be_answered_spends_nothing(project):
    with pytest.raises(hf.HoldfastError, match="acuracy"):
        evaluate_sealed(project, "best", metric="acuracy")
    with pytest.raises(hf.HoldfastError, match="nobody"):
        evaluate_sealed(project, "nobody")
    assert entries(project.store) == ()


def test_where_every_row_is_open_there_is_nobody_to_ask(patients, tmp_path):
    hf.train(patients, target="diagnosis", learners=FEW, folds=2, sealed=0, project=tmp_path)
    with pytest.raises(RoleError, match=r"no sealed rows.*--sealed 0\.2"):
        evaluate_sealed(hf.open(tmp_path), "best")


def test_sealed_predictions_cannot_be_judged_by_the_back_door(project):
    run = run_named(project, "best")
    dataset, split = data_of(project, run.record)
    rows = dataset.take(split.role == "sealed")
    found = run.model.predict(rows).table.with_columns(split=pl.lit("sealed"))
    sealed = hf.Predictions.of(
        example=found["example"],
        target=found["target"],
        prediction=found["prediction"],
        split=found["split"],
    )
    for judge in (hf.evaluate, lambda p: hf.compare(p, p)):
        with pytest.raises((RoleError, PredictionsError), match="sealed"):
            judge(sealed)
