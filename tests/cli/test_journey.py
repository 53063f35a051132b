"""The journey of the README, through the command line, in processes of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import polars as pl
import pytest
from commands import QUICK, holdfast

from holdfast.project.handle import open_project
from holdfast.project.predict import load_model, save_model
from holdfast.project.runs import run_named


@pytest.fixture
def project(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "copy")  # a project can be copied and opened elsewhere


def answer(*words, cwd):
    said = holdfast(*words, "--json", cwd=cwd)
    assert said.status == 0, said.err
    return json.loads(said.out)


def test_train_says_what_it_read_what_it_will_fit_and_who_won(trained):
    said = (trained / "said.txt").read_text(encoding="utf-8")
    for part in (
        "569",
        "diagnosis (classification)",
        "positive class malignant",
        "white space",
        "clinic",
        "3 folds each within",
    ):
        assert part in said
    assert "constant > decision_tree > lightgbm_small" in said
    assert "first usable model" in said
    assert re.search(r"calibration .*kept: log loss 0\.\d+ before, 0\.\d+ after", said)
    assert said.index("decision_tree  ") < said.index("Leaderboard") < said.index("recommended")


def test_train_prints_the_same_facts_as_json(patients_csv, tmp_path):
    facts = answer(
        "train", patients_csv, "-t", "diagnosis", "--learners", "constant,decision_tree", "--folds", 2,
        cwd=tmp_path,
    )  # fmt: skip
    assert facts["run"]["id"] == facts["leaderboard"]["best"]
    assert {run["plan"]["learner"] for run in facts["runs"]} >= {"constant", "decision_tree"}
    best = facts["leaderboard"]["entries"][0]
    assert best["score"]["low"] < best["score"]["value"] < best["score"]["high"]
    assert best["score"]["n"] == facts["leaderboard"]["n"] > 400
    assert facts["run"]["scores"]["log_loss"]["method"]
    data = facts["data"]
    assert (data["rows"], data["target"], data["positive"]) == (569, "diagnosis", "malignant")
    assert data["sealed"] + data["open"] == 569 and data["roles"] == {"target": ["diagnosis"]}
    assert {(step["column"], step["touched"] > 0) for step in data["lineage"]} >= {("clinic", True)}
    assert {column["name"]: column["kind"] for column in facts["columns"]}["seen"] == "date"
    assert facts["plan"]["learners"] == ["constant", "decision_tree"] and facts["plan"]["folds"] == 2
    assert facts["plan"]["budget"] is None and facts["seconds"] > 0
    assert (facts["skipped"], facts["said"]) == ([], [])


def test_every_look_at_the_project_answers_in_words_and_in_json(project):
    board = answer("leaderboard", cwd=project)
    names = [entry["name"] for entry in board["entries"]]
    assert board["metric"] == "log_loss" and board["best"] == names[0]
    assert names[-1].startswith("constant-") and board["entries"][-1]["against_best"]["outcome"] == "worse"

    assert {record["id"] for record in answer("runs", cwd=project)} == set(names)
    record = answer("show", "decision_tree", cwd=project)
    assert record["plan"]["learner"] == "decision_tree" and record["plan"]["folds"] == 3
    assert record["status"] == "finished" and len(record["model"]) == 32

    shown = holdfast("show", cwd=project)
    assert shown.status == 0 and board["best"] in shown.out
    assert f"--replay {board['best']}" in shown.out and "AUC" in shown.out


def test_another_metric_ranks_the_same_models(project):
    board = answer("leaderboard", "--metric", "auc", cwd=project)
    assert board["metric"] == "auc" and board["greater_is_better"] is True
    assert board["entries"][-1]["score"]["value"] == pytest.approx(0.5, abs=0.05)


def test_compare_gives_a_verdict_and_an_exit_status(project):
    verdict = answer("compare", "constant", "decision_tree", cwd=project)
    assert verdict["outcome"] == "better" and verdict["difference"]["low"] > 0 and verdict["p"] < 1e-3
    assert verdict["second"].startswith("decision_tree-") and verdict["margin"] > 0

    worse = ("compare", "decision_tree", "constant")
    assert holdfast(*worse, cwd=project).status == 0
    refused = holdfast(*worse, "--fail-on", "worse", cwd=project)
    assert refused.status == 1 and "constant" in refused.out and not refused.err
    assert holdfast(*worse, "--fail-on", "better", cwd=project).status == 0
    wrong = holdfast(*worse, "--fail-on", "wurse", cwd=project)
    assert wrong.status == 2 and "worse" in wrong.err

    many = answer("compare", "constant", "decision_tree", "lightgbm_small", cwd=project)
    assert len(many["verdicts"]) == 3 and len(many["letters"]) == 3


def test_predictions_keep_the_order_of_the_rows_and_compare_as_files(project, patients):
    patients.reverse().write_csv(project / "new.csv")
    done = answer("predict", "best", "new.csv", "-o", "a.parquet", cwd=project)
    assert done["rows"] == 569 and done["conformity"]["missing"] == []
    table = pl.read_parquet(project / "a.parquet")
    assert table.columns == ["example", "prediction", "probability_benign", "probability_malignant"]
    assert (table["prediction"] == patients.reverse()["diagnosis"]).mean() > 0.9
    total = table["probability_benign"] + table["probability_malignant"]
    assert (total - 1).abs().max() < 1e-5

    holdfast("predict", "decision_tree", "new.csv", "-o", "b.csv", cwd=project)
    assert pl.read_csv(project / "b.csv")["example"].to_list() == table["example"].to_list()


def test_sealed_rows_answer_when_asked_and_the_ledger_counts(project):
    scores = answer("evaluate", "best", cwd=project)
    assert scores["auc"]["value"] > 0.95 and scores["auc"]["n"] == scores["log_loss"]["n"]
    only = answer("evaluate", "best", "-m", "f1", cwd=project)
    assert list(only) == ["f1"]

    first = answer("evaluate", "best", "--sealed", cwd=project)
    assert first["rows"] + scores["auc"]["n"] == 569 and first["tied"] == 0
    assert (first["remaining"], first["budget"]) == (19, 20)
    assert first["scores"]["auc"]["n"] == first["rows"]
    again = holdfast("evaluate", "decision_tree", "--sealed", cwd=project)
    assert "18 more answers of 20" in again.out


def test_the_report_is_one_file_that_loads_nothing(project):
    done = answer("report", "-o", "deep/report.html", cwd=project)
    page = (project / "deep/report.html").read_text(encoding="utf-8")
    assert done == {"output": "deep/report.html", "bytes": len(page.encode()), "files": ["deep/report.html"]}
    assert 'http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;' in page
    for part in ("Recommendation", "lightgbm_small-", "decision_tree-", "--replay", "clinic"):
        assert part in page


def test_replay_proves_the_model_and_changes_nothing(project, patients_csv):
    before = answer("runs", cwd=project)
    said = holdfast("train", patients_csv, "--replay", "lightgbm_small", cwd=project)
    record = next(run for run in before if run["plan"]["learner"] == "lightgbm_small")
    assert said.status == 0 and f"the same model, hash {record['model']}" in said.out
    assert answer("runs", cwd=project) == before


def test_predicting_loads_neither_a_training_library_nor_the_training_stack(project, patients):
    patients.drop("diagnosis").head(3).write_csv(project / "three.csv")
    heavy = {
        "sklearn", "lightgbm", "catboost", "xgboost", "torch", "onnx", "skl2onnx", "onnxmltools", "optuna",
        "scipy.stats", "pandas", "altair", "holdfast.training", "holdfast.models.tabular.learner",
    }  # fmt: skip
    program = f"""
import json, sys
from holdfast.cli.main import main
try:
    main(["predict", "best", "three.csv", "-o", "three.jsonl"])
except SystemExit as end:
    assert not end.code
    print(json.dumps(sorted(set(sys.modules) & {heavy!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout) == [], done.stderr
    assert len((project / "three.jsonl").read_text().splitlines()) == 3


def test_help_names_every_verb_and_each_explains_itself(call):
    verbs = (
        "train", "leaderboard", "show", "report", "compare", "predict", "evaluate", "runs", "demo", "debug",
        "explain", "review", "fix", "guard", "release", "approve", "reject", "rollback", "history",
    )  # fmt: skip
    listed = call("--help").out
    for verb in verbs:
        assert verb in listed
        said = call(verb, "--help")
        assert said.status == 0 and "Usage: holdfast" in said.out


def test_a_budget_too_small_for_anything_fits_the_baseline_and_says_so(call, patients_csv):
    said = call("train", patients_csv, "-t", "diagnosis", "--budget", "0.1s", "--learners", QUICK)
    assert said.status == 0
    assert "constant" in said.out and "is the only model" in said.out
    assert said.out.count("\nskipped ") == 2
    shown = call("show").out
    assert "decision_tree" in shown[shown.index("Not fitted in this training") :]


def test_a_saved_model_folder_predicts_on_its_own(project, patients, tmp_path, call):
    folder = save_model(run_named(open_project(project), "best").model, tmp_path / "model")
    assert load_model(folder).id == run_named(open_project(project), "best").record.model
    patients.head(5).write_csv(tmp_path / "five.csv")
    said = call("predict", folder, "five.csv", "-o", "five.parquet")
    assert said.status == 0 and pl.read_parquet(tmp_path / "five.parquet").height == 5


def test_what_did_not_fit_is_said_while_predicting(inside_copy, patients):
    call, folder = inside_copy
    patients.drop("mean_area").with_columns(clinic=pl.lit("elsewhere"), more=1).head(4).write_csv(
        folder / "n.csv"
    )
    said = call("predict", "lightgbm_small", "n.csv", "-o", "n.parquet")
    assert said.status == 0 and said.out == ""
    assert "Missing, taken as empty: 'mean_area'" in said.err
    assert "Levels never seen before: 'clinic' (4 cells)" in said.err
    assert "Not used: 'more'" in said.err
    facts = json.loads(call("predict", "lightgbm_small", "n.csv", "-o", "n.parquet", "--json").out)
    assert facts["conformity"]["missing"] == ["mean_area"]
    assert facts["conformity"]["unseen"] == {"clinic": 4} and facts["conformity"]["extra"] == ["more"]


@pytest.fixture
def inside_copy(trained, call, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return call, tmp_path
