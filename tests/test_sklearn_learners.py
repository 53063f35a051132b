"""scikit-learn estimators as learners: fitted in folds, exported, judged like any other."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import holdfast as hf
from holdfast.core.task import Task
from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.hist_boosting import hist_boosting_graph
from holdfast.models.tabular.matrix import Matrix, Setting
from holdfast.models.tabular.sklearn_estimator import EstimatorFit, described

SCRIPT = """
import numpy as np, polars as pl
from sklearn.linear_model import LogisticRegression
import holdfast as hf

class Careful(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        self.C, self.unpicklable = 0.1, lambda: None
        return super().fit(X, y, sample_weight)

rng = np.random.default_rng(0)
x = rng.normal(size=300)
table = pl.DataFrame({"x": x, "y": np.where(x + rng.normal(size=300) > 0, "yes", "no")})
run = hf.train(table, target="y", learners=["constant", Careful()], folds=3, sealed=0)
print(run.record.plan.learner, {entry.name.split("-")[0] for entry in hf.leaderboard(run).entries})
"""


class Lifted(Ridge):
    """Predicts what no graph of a Ridge does."""

    def predict(self, X):
        return super().predict(X) + 100.0


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 400))
    kind = rng.choice(["u", "v", "w"], 400)
    score = a * (kind == "u") + b + rng.normal(size=400)
    a[rng.random(400) < 0.1] = np.nan
    names = np.array(["low", "middle", "high"])
    return pl.DataFrame({"a": a, "b": b, "kind": kind, "y": names[np.digitize(score, [-0.7, 0.7])]})


def test_estimators_stand_beside_the_portfolio(table):
    scaled = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    knn = [KNeighborsClassifier(k) for k in (5, 25)]
    run = hf.train(table, target="y", learners=["constant", scaled, *knn], folds=3, sealed=0)
    plans = {candidate.record.plan.learner: candidate for candidate in run.candidates}
    assert {"constant", "pipeline", "kneighborsclassifier", "kneighborsclassifier_2"} <= set(plans)
    board = hf.leaderboard(run)
    assert board.entries[-1].name.startswith("constant")
    verdict = hf.compare(plans["constant"], plans["pipeline"], metric="log_loss")
    assert verdict.outcome == "better"
    again = hf.predict(plans["pipeline"], table.head(5))
    assert again.probability.shape == (5, 3)


def test_what_a_script_defines_itself_is_fitted_in_its_own_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().startswith("careful {")
    assert "'careful'" in done.stdout and "'constant'" in done.stdout


def test_a_replay_says_that_the_estimator_is_not_kept(table, tmp_path):
    run = hf.train(table, target="y", learners=[LogisticRegression()], folds=3, project=tmp_path)
    with pytest.raises(hf.HoldfastError, match=r"object given from Python, LogisticRegression\(\)"):
        hf.train(table, target="y", project=tmp_path, replay=run.id)


def _setting(classes: int) -> Setting:
    task = Task.CLASSIFICATION if classes > 1 else Task.REGRESSION
    return Setting(task, classes, "log_loss" if classes > 1 else "squared", 0, None, lambda share: None)


def _rows(classes: int, rows: int = 500) -> Matrix:
    rng = np.random.default_rng(classes)
    X = rng.normal(size=(rows, 4)).round(1).astype(np.float32)  # ties with thresholds
    score = np.nan_to_num(X[:, 0] * X[:, 1]) + X[:, 2]
    X[rng.random(X.shape) < 0.1] = np.nan
    y = score if classes == 1 else np.digitize(score, np.linspace(-1, 1, classes + 1)[1:-1])
    return Matrix(X, y, None, ("a", "b", "c", "d"))


@pytest.mark.parametrize("classes", [2, 3])
def test_histogram_boosting_is_exact(classes):
    rows = _rows(classes)
    model = HistGradientBoostingClassifier(max_iter=30).fit(rows.X, rows.y)
    found = open_graph(hist_boosting_graph(model, classes, 4), 4, classes).run(["Y"], {"X": rows.X})[0]
    np.testing.assert_allclose(found, model.predict_proba(rows.X), atol=2e-6)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "poisson"])
def test_histogram_boosting_of_values_is_exact(loss):
    rows = _rows(1)
    model = HistGradientBoostingRegressor(loss=loss, max_iter=30).fit(rows.X, np.abs(rows.y))
    found = open_graph(hist_boosting_graph(model, 1, 4), 4, 1).run(["Y"], {"X": rows.X})[0]
    np.testing.assert_allclose(found[:, 0], model.predict(rows.X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("estimator", [HistGradientBoostingClassifier(max_iter=5), LogisticRegression()])
@pytest.mark.parametrize("seen", [[0, 2], [1, 2, 3]])
def test_a_class_without_training_rows_has_no_probability(estimator, seen):
    rows = _rows(4)
    kept = np.isin(rows.y, seen)
    part = Matrix(rows.X[kept], rows.y[kept], None, rows.names)
    graph = EstimatorFit(estimator)(part, part, {}, _setting(4)).graph
    found = open_graph(graph, 4, 4).run(["Y"], {"X": rows.X})[0]
    unseen = [code for code in range(4) if code not in seen]
    assert (found[:, unseen] < 1e-30).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_a_graph_that_answers_otherwise_is_refused():
    rows = _rows(1)
    with pytest.raises(hf.HoldfastError, match="Lifted answers otherwise in ONNX on 100% of rows"):
        EstimatorFit(Lifted())(rows, rows, {}, _setting(1))


def test_weights_reach_the_last_step_or_are_refused():
    rows = _rows(2)
    weight = np.where(rows.y == 1, 5.0, 1.0)
    weighted = Matrix(rows.X, rows.y, weight, rows.names)
    plain, heavy = (
        open_graph(EstimatorFit(LogisticRegression())(one, one, {}, _setting(2)).graph, 4, 2)
        for one in (rows, weighted)
    )
    mean = [session.run(["Y"], {"X": rows.X})[0][:, 1].mean() for session in (plain, heavy)]
    assert mean[1] > mean[0] + 0.1
    with pytest.raises(hf.HoldfastError, match="KNeighborsClassifier takes no row weights"):
        EstimatorFit(KNeighborsClassifier())(weighted, weighted, {}, _setting(2))


def test_an_edited_class_is_another_learner():
    namespaces: list[dict] = [{"LogisticRegression": LogisticRegression} for _ in range(2)]
    for number, names in enumerate(namespaces):
        exec(f"class Mine(LogisticRegression):\n    step = {number}\n", names)
        names["Mine"].__module__ = "__main__"
    assert described(namespaces[0]["Mine"]()) != described(namespaces[1]["Mine"]())
    assert described(Ridge(alpha=1.0)) == described(Ridge())
    assert described(make_pipeline(Ridge(alpha=2.0))) != described(make_pipeline(Ridge()))
