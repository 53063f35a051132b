"""The journey of the README in Python: in memory, in a project, and from a script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.core.events import FoldFitted, Planned, Said, Skipped
from holdfast.core.verdict import Outcome
from holdfast.errors import FileError, HoldfastError, ModelError, PlanError, PredictionsError, UnknownRunError
from holdfast.metrics import Metric
from holdfast.project.report import facts_of
from holdfast.project.runs import run_named
from holdfast.project.seal import evaluate_sealed
from holdfast.store.logs import close_log

FEW = ["constant", "decision_tree", "lightgbm_small"]
SCRIPT = """
import holdfast as hf
from sklearn.naive_bayes import GaussianNB

class Mine(GaussianNB):
    pass

for learners in (["constant", "decision_tree"], ["constant", Mine()]):
    run = hf.train({file!r}, target="diagnosis", learners=learners, folds=2)
    print("done", *(one.record.plan.learner for one in run.candidates))
"""


@pytest.fixture(scope="module")
def project(patients, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journey")
    run = hf.train(patients, target="diagnosis", learners=FEW, folds=3, project=folder)
    return folder, run


def test_in_memory_nothing_is_written_and_everything_is_there(patients, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = hf.train(patients, target="diagnosis", learners=FEW, folds=3)
    assert list(tmp_path.iterdir()) == []
    board = hf.leaderboard(run)
    assert board.best == run.id and {e.name for e in board.entries} == {r.id for r in run.candidates}
    predictions = hf.predict(run, patients.drop("diagnosis"))
    assert len(predictions) == 569 and "loss" in predictions.table.columns
    assert hf.evaluate(run.predictions, "auc").low > 0.9
    assert set(hf.evaluate(run.predictions)) >= {"log_loss", "accuracy", "auc", "brier", "mcc"}


def test_a_run_is_judged_by_what_it_was_asked_to_minimise(patients, tmp_path, in_this_process):
    table = patients.select("mean_radius", "mean_smoothness", "mean_texture")
    asked = {"target": "mean_texture", "learners": ["constant"], "loss": "quantile:0.9", "folds": 2}
    run = hf.train(table, **asked, project=tmp_path)
    name = "pinball:0.9"
    assert run.record.plan.metric == hf.leaderboard(run).metric == name
    home = hf.open(tmp_path)
    assert hf.evaluate("best", project=home)[name] == hf.evaluate(run)[name] == run.record.scores[name]
    assert name in evaluate_sealed(home, "best").scores
    assert name in facts_of(home, "best", pictures=False).lower_is_better
    assert hf.train(table, **asked, metric="rmse").record.plan.metric == "rmse"


def test_a_run_names_the_versions_of_what_it_was_fitted_with_and_no_others(project):
    made_with = {one.record.plan.learner: set(one.record.environment) for one in project[1].candidates}
    assert {"python", "machine", "holdfast", "onnxruntime", "lightgbm"} <= made_with["lightgbm_small"]
    assert "sklearn" in made_with["decision_tree"] and "lightgbm" not in made_with["decision_tree"]
    assert not set().union(*made_with.values()) & {"catboost", "xgboost", "torch"}


def test_in_a_project_everything_has_a_name(project, patients):
    folder, run = project
    home = hf.open(folder)
    assert repr(home) == f"Project({str(folder)!r})"
    assert hf.leaderboard(home).best == hf.leaderboard(folder).best == run.id
    by_name = hf.predict("best", patients, project=folder)
    np.testing.assert_array_equal(by_name.probability, hf.predict(run, patients).probability)
    assert hf.evaluate("best", "auc", project=home).value == hf.evaluate(run.predictions, "auc").value
    verdict = hf.compare("constant", "decision_tree", project=home)
    assert verdict.outcome is Outcome.BETTER and verdict.first.startswith("constant-")
    itself = hf.compare("decision_tree", "decision_tree", project=home, margin=0.1)
    assert itself.outcome is Outcome.EQUIVALENT and itself.difference.value == 0


def test_a_model_folder_is_a_model(project, patients, tmp_path):
    _, run = project
    path = hf.save_model(run.model, tmp_path / "model")
    model = hf.load_model(path)
    assert model.id == run.record.model
    np.testing.assert_array_equal(
        hf.predict(path, patients).probability, hf.predict(run, patients).probability
    )
    with pytest.raises(FileError, match=r"manifest\.json"):
        hf.load_model(tmp_path)
    graph = next(path.rglob("*.onnx"))
    graph.write_bytes(graph.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match=graph.name):
        hf.load_model(path)


def test_a_report_in_a_folder_has_its_charts_as_pictures_beside_it(project, tmp_path):
    folder = hf.write_report(project[0], tmp_path / "report", run="decision_tree")
    assert folder == tmp_path / "report"
    assert "decision_tree-" in (folder / "report.html").read_text(encoding="utf-8")
    names = {file.name for file in folder.iterdir()}
    assert names >= {
        "report.html",
        "quality.png",
        "quality.svg",
        "roc.png",
        "confusion.svg",
        "importance.png",
    }
    for picture in folder.glob("*.png"):
        data = picture.read_bytes()
        width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
        assert data.startswith(b"\x89PNG") and data.endswith(b"IEND\xaeB`\x82") and min(width, height) > 100
        drawn = ElementTree.parse(picture.with_suffix(".svg")).getroot()
        assert drawn.tag.endswith("svg") and len(list(drawn.iter())) > 20
    with pytest.raises(FileError, match="-o quality"):
        hf.write_report(project[0], tmp_path / "quality.png")


def test_regression_with_a_metric_and_a_learner_of_ones_own(progression):
    from sklearn.linear_model import Ridge

    def within_fifty(predictions):
        found = predictions.table
        return (found["target"] - found["prediction"]).abs().to_numpy() > 50

    run = hf.train(
        progression,
        target="progression",
        learners=["constant", Ridge()],
        metric=within_fifty,
        folds=3,
        sealed=0,
    )
    assert run.record.plan.learner == "ridge" and run.record.plan.metric == "within_fifty"
    assert 0 < run.record.scores["within_fifty"].value < 0.6
    assert hf.evaluate(run.predictions, "r2").low > 0.2
    again = Metric.custom("within_fifty", within_fifty, greater_is_better=False)
    assert hf.leaderboard(run, metric=again).best == run.id


def test_a_budget_is_what_the_command_takes(patients, in_this_process):
    planned = []
    asked = {"target": "diagnosis", "learners": ["constant"], "folds": 2}
    hf.train(patients, **asked, budget="1m30s", on_event=planned.append)
    assert next(event.budget for event in planned if isinstance(event, Planned)) == 90.0
    for nonsense, told in {
        "soon": "'soon' is not a duration. Write it like 60s",
        "0s": "longer than '0s'",
        (1,): r"\(1,\) is not a duration",
        float("nan"): "above 0, not nan",
    }.items():
        with pytest.raises(HoldfastError, match=told):
            hf.train(patients, **asked, budget=nonsense)


def test_an_estimator_that_cannot_be_exported_is_left_out_with_the_reason(patients, tmp_path):
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Mine(ClassifierMixin, BaseEstimator):
        def fit(self, X, y, sample_weight=None):
            self.classes_ = np.unique(y)
            return self

        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

        def predict(self, X):
            return self.classes_[np.zeros(len(X), dtype=int)]

    with pytest.warns(UserWarning, match="mine was left out: .*Mine cannot be expressed in ONNX") as heard:
        run = hf.train(patients, target="diagnosis", learners=["constant", Mine()], folds=2, project=tmp_path)
    assert len(heard) == 1
    assert run.record.plan.learner == "constant"
    assert run.record.notes[-1] == str(heard[0].message)
    assert run_named(hf.open(tmp_path), "best").record.notes == run.record.notes


@pytest.mark.parametrize("kept", [True, False], ids=["in a project", "in memory"])
def test_ctrl_c_before_the_first_model_is_told_once(patients, tmp_path, in_this_process, kept):
    said = []

    def pressed(event):
        said.append(event)
        if isinstance(event, FoldFitted):
            raise KeyboardInterrupt

    with pytest.raises(PlanError) as told:
        hf.train(
            patients, target="diagnosis", learners=FEW, folds=2, on_event=pressed,
            project=tmp_path if kept else None,
        )  # fmt: skip
    assert str(told.value) == "Interrupted before a first model was finished. Run it again" + (
        ": its finished folds are kept, and it goes on from there." if kept else "."
    )
    assert not [event for event in said if isinstance(event, Skipped | Said)]


def missed(predictions):
    """One function of one's own: a missed tumour costs five, a false alarm one."""
    found = predictions.table
    wrong = (found["target"] != found["prediction"]).cast(pl.Float64)
    return (
        wrong * pl.select(pl.when(found["target"] == "malignant").then(5.0).otherwise(1.0)).to_series()
    ).to_numpy()


def test_a_function_of_ones_own_judges_wherever_a_metric_does(patients, tmp_path, in_this_process):
    run = hf.train(patients, target="diagnosis", learners=FEW[:2], folds=2, metric=missed, project=tmp_path)
    score = hf.evaluate(run, missed)
    assert score == run.record.scores["missed"] and score.low < score.value < score.high
    assert hf.leaderboard(run).metric == hf.leaderboard(run.candidates).metric == "missed"
    first, *rest = run.candidates
    verdict = hf.compare(first, rest[0], metric=missed)
    assert verdict.metric == "missed" and verdict.p < 1
    # in another process the function is not at hand; here that is a project opened anew
    board = hf.leaderboard(tmp_path)
    assert board.metric == "log_loss"
    (note,) = board.notes
    assert note.startswith("missed is a function of Python, which is not at hand here: ranked by log_loss.")
    assert hf.leaderboard(tmp_path, metric=missed).metric == "missed"
    facts = facts_of(hf.open(tmp_path), "best")
    assert facts.leaderboard.notes == (note,) and facts.pictures.importance
    assert hf.release(run, project=tmp_path).metric == "log_loss"


def test_runs_of_ones_own_training_loop_stand_beside_the_others(project, patients):
    folder, run = project
    home = hf.open(folder)
    theirs = hf.Predictions.of(
        example=run.predictions.table["example"],
        target=run.predictions.table["target"],
        probability=np.full(len(run.predictions), 0.37),
        classes=["benign", "malignant"],
    )
    for step in range(3):
        hf.log({"loss": 1 / (step + 1)}, run="my-loop", step=step, project=folder)
    hf.log(run="my-loop", predictions=theirs, files={"note.txt": "mine"}, project=folder)
    assert close_log(home.store) == ()
    logged = run_named(home, "my-loop")
    assert len(logged.predictions) == len(run.predictions)
    verdict = hf.compare("my-loop", run.id, metric="log_loss", project=home)
    assert verdict.outcome is Outcome.BETTER
    assert hf.leaderboard(home).best == run.id  # a logged run does not displace the newest training


def test_names_that_nobody_has_are_answered_with_those_that_are_there(project):
    home = hf.open(project[0])
    with pytest.raises(UnknownRunError, match="'decision_tree'"):
        hf.evaluate("desicion_tree", project=home)
    with pytest.raises(FileError, match="project="):
        hf.evaluate("best")
    with pytest.raises(PlanError, match="--project"):
        hf.train(pl.DataFrame({"a": [1, 2]}), target="a", replay="best")


def test_runs_on_different_rows_are_not_compared(project, patients):
    other = hf.train(patients[:300], target="diagnosis", learners=["constant"], folds=2)
    with pytest.raises(PredictionsError):
        hf.compare(project[1], other)


def test_a_suspected_leak_is_a_warning_and_stays_with_the_scores(patients, tmp_path):
    leaky = patients.with_columns(code=pl.col("diagnosis").replace({"benign": "B7", "malignant": "M3"}))
    with pytest.warns(UserWarning, match="code alone tells diagnosis.*--ignore code"):
        run = hf.train(leaky, target="diagnosis", learners=FEW[:2], folds=2, project=tmp_path)
    assert any("--ignore code" in said for said in hf.leaderboard(tmp_path).warnings)
    assert hf.leaderboard(run).warnings == run.record.warnings
    page = hf.write_report(tmp_path, tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.index("too good to be true") < page.index("Use decision_tree")


def test_a_script_without_a_main_guard_trains(patients_csv, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(file=str(patients_csv)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=200
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "decision_tree" in first and "mine" in second
    assert [path.name for path in Path(tmp_path).iterdir()] == ["script.py"]
