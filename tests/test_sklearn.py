"""The estimators are scikit-learn's in every respect that scikit-learn checks, and models of ours."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import holdfast as hf
from holdfast.models.tabular.learner import portfolio
from holdfast.models.tabular.served import load
from holdfast.sklearn import Classifier, Regressor


def shop(rows: int = 400, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    """A table with a column of every kind and missing cells, and labels that depend on them."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["basic", "plus", "pro"], rows)
    age = rng.integers(18, 90, rows).astype(float)
    left = rng.random(rows) < np.where(plan == "basic", 0.7, 0.2) * np.where(age < 40, 1.2, 0.5)
    age[rng.random(rows) < 0.1] = np.nan
    days = pl.Series(rng.integers(0, 900, rows)).cast(pl.Duration("us")) * 86_400_000_000
    table = pl.DataFrame(
        {
            "age": pl.Series(age).fill_nan(None),
            "plan": plan,
            "member": rng.random(rows) < 0.5,
            "since": pl.Series([None], dtype=pl.Datetime("us"))
            .extend_constant(None, rows - 1)
            .fill_null(pl.datetime(2022, 1, 1))
            + days,
            "price": [f"€ {x:,.2f}" for x in rng.gamma(3, 400, rows)],
        }
    )
    return table, np.where(left, "left", "stayed")


@parametrize_with_checks([Classifier(), Regressor()])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_the_checks_that_need_array_api_dispatch():
    code = """
from sklearn.utils.estimator_checks import check_array_api_input
from holdfast.sklearn import Classifier, Regressor
for ours in (Classifier(), Regressor()):
    check_array_api_input("ours", ours, array_namespace="numpy", expect_only_array_outputs=False)
"""
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "SCIPY_ARRAY_API": "1"}, check=True)


def test_they_say_what_they_are():
    assert is_classifier(Classifier()) and not is_regressor(Classifier())
    assert is_regressor(Regressor()) and not is_classifier(Regressor())


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, -1], dtype=np.int8),
        np.array([False, True]),
        np.array([0.0, 2.0]),
        np.array(["no", "yes"]),
        np.array(["1", "1.0"], dtype=object),  # the same number, and yet two labels
    ],
    ids=["integers", "booleans", "floats", "text", "numbers as text"],
)
def test_labels_come_back_as_they_were(labels):
    X, codes = load_breast_cancer(return_X_y=True)
    y = labels[codes]
    model = Classifier().fit(X, y)
    assert model.classes_.dtype == y.dtype
    assert model.classes_.tolist() == sorted(labels.tolist())
    assert (model.predict(X) == y).mean() > 0.95
    positive = model.predict_proba(X)[:, model.classes_.tolist().index(labels[1])]
    assert positive[codes == 1].min() > positive[codes == 0].max() - 0.5


def test_tables_are_taken_as_they_are():
    table, y = shop()
    frame = table.to_pandas().astype({"plan": "category"})
    frame.index = pd.Index(np.arange(len(frame))[::-1], name="customer")
    ours, theirs = Classifier().fit(table, y), Classifier().fit(frame, y)
    assert ours.feature_names_in_.tolist() == theirs.feature_names_in_.tolist() == table.columns
    assert np.array_equal(ours.predict_proba(table), theirs.predict_proba(frame))
    assert ours.score(table, y) > 0.75
    kinds = {column.name: str(column.kind) for column in ours.model_.schema.features}
    assert kinds == {
        "age": "number", "plan": "category", "member": "boolean", "since": "date", "price": "number",
    }  # fmt: skip


def test_a_table_with_other_columns_is_refused():
    table, y = shop()
    model = Classifier().fit(table, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table.rename({"age": "years"}))
    with pytest.raises(ValueError, match="same order"):
        model.predict(table.select(reversed(table.columns)))


def test_a_table_of_text_alone_is_enough():
    table, y = shop()
    assert Classifier().fit(table.select("plan"), y).score(table.select("plan"), y) > 0.6


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pl.DataFrame({"a": [1.0, np.inf]}), "infinite"),
        (pl.DataFrame({"a": []}, schema={"a": pl.Float64}), "is empty"),
        (pl.DataFrame({"a": [{"x": 1, "y": 2}, {"x": 2, "y": 1}]}), "Nested"),
    ],
    ids=["infinite", "empty", "nested"],
)
def test_a_table_that_cannot_be_used_says_why(X, message):
    with pytest.raises(ValueError, match=message):
        Regressor().fit(X, np.arange(len(X)))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Classifier(loss="squared"), "has no loss 'squared'|cannot minimise 'squared'"),
        (Classifier(learner="lightgbn"), "Did you mean 'lightgbm'"),
        (Classifier(budget=-1), "number of seconds above 0"),
        (Classifier(budget="soon"), "'soon' is not a duration"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_a_value_error(estimator, message):
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)


@pytest.mark.parametrize("rows", [300, 900])
def test_weights_are_copies_to_the_last_bit(rows):
    table, y = shop(rows)
    copies = np.random.default_rng(1).integers(0, 4, rows)
    order = np.random.default_rng(2).permutation(copies.sum())
    index = np.repeat(np.arange(rows), copies)[order]
    weighted = Classifier(random_state=0).fit(table, y, sample_weight=copies)
    repeated = Classifier(random_state=0).fit(table[index], y[index])
    assert weighted.model_.id == repeated.model_.id


def test_the_unit_of_weights_does_not_matter():
    X, y = load_diabetes(return_X_y=True)
    weight = np.random.default_rng(0).random(len(y))
    small, large = (Regressor().fit(X, y, sample_weight=weight * unit) for unit in (1e-6, 1e6))
    np.testing.assert_allclose(small.predict(X), large.predict(X), rtol=1e-5)


def test_few_distinct_rows_are_still_told_apart():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (2000, 2))
    share = np.array([[0.1, 0.4], [0.6, 0.9]])[X[:, 0], X[:, 1]]
    y = rng.random(2000) < share
    found = Classifier().fit(X, y).predict_proba([[0, 0], [0, 1], [1, 0], [1, 1]])[:, 1]
    np.testing.assert_allclose(found, [0.1, 0.4, 0.6, 0.9], atol=0.05)


def test_a_quantile_lies_where_it_should():
    rng = np.random.default_rng(0)
    X = rng.random((1500, 3))
    y = X[:, 0] + rng.exponential(size=1500)
    high = Regressor(loss="quantile:0.9").fit(X, y)
    new = rng.random((1500, 3))
    covered = (new[:, 0] + rng.exponential(size=1500) <= high.predict(new)).mean()
    assert 0.85 < covered < 0.95


def test_they_work_where_estimators_work():
    X, y = load_breast_cancer(return_X_y=True)
    search = GridSearchCV(Classifier(), {"loss": ["log_loss", "balanced"]}, cv=2, scoring="roc_auc")
    assert search.fit(X, y).best_score_ > 0.97
    assert cross_val_score(make_pipeline(StandardScaler(), Regressor()), X, y, cv=2).mean() > 0.7


def test_a_copy_and_a_pickle_predict_the_same():
    table, y = shop()
    model = Classifier(random_state=3).fit(table, y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(table), model.predict_proba(table))
    fresh = clone(model).fit(table, y)
    assert fresh.model_.id == model.model_.id


def test_the_model_is_one_of_ours():
    table, y = shop()
    model = Classifier().fit(table, y)
    served = load(model.model_.files)
    predictions = hf.predict(served, table)
    assert predictions.header.classes == ("left", "stayed")
    assert np.allclose(predictions.probability, model.predict_proba(table), atol=1e-6)


def test_another_learner_is_fitted_in_folds_and_decides_by_its_own_threshold():
    table, y = shop(600)
    model = Classifier("decision_tree", metric="f1", random_state=0).fit(table, y)
    manifest = model.model_.manifest
    assert len(manifest.members) >= 2
    assert manifest.threshold != 0.5
    positive = model.classes_.tolist().index(manifest.positive)
    over = model.predict_proba(table)[:, positive] >= manifest.threshold
    assert ((model.predict(table) == manifest.positive) == over).all()


def test_a_budget_buys_the_portfolio():
    X, y = load_diabetes(return_X_y=True)
    model = Regressor(budget=6, random_state=0).fit(X, y, sample_weight=np.arange(len(y)))
    assert {member.learner for member in model.model_.manifest.members} <= set(portfolio())
    assert np.isfinite(model.predict(X)).all()
