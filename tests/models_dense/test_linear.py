"""Logistic and ridge regression: against scikit-learn, exact when served."""

from __future__ import annotations

import numpy as np
import pytest
from dense_cases import fitted, halves, log_loss, matrix, mixed, outputs, setting
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge

from holdfast.models.tabular.linear import LINEAR
from holdfast.models.tabular.scaling import fit_scaling


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_served_as_scikit_learn_fits(classes):
    train, held = halves(1000, classes)
    weights = fitted(LINEAR, train, held, setting(classes))
    scaling = fit_scaling(train.X)
    rows, new = scaling(train.X), scaling(held.X)
    penalty = (100.0, 10.0, 1.0, 0.1)[weights.curve.best - 1]
    if classes == 1:
        y = (train.y - train.y.mean()) / train.y.std()
        model = Ridge(alpha=penalty).fit(rows.astype(np.float64), y)
        expected = model.predict(new)[:, None] * train.y.std() + train.y.mean()
        expected = np.clip(expected, train.y.min(), train.y.max())
        assert outputs(weights, held.X, 1) == pytest.approx(expected, rel=1e-4)
    else:
        model = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=5000).fit(rows, train.y)
        # The path stops at a tolerance of its own.
        assert outputs(weights, held.X, classes) == pytest.approx(model.predict_proba(new), abs=0.01)


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_the_served_graph_has_the_loss_of_the_curve(classes):
    train, held = halves(600, classes)
    weights = fitted(LINEAR, train, held, setting(classes))
    served = outputs(weights, held.X, classes)
    mean = np.mean((served[:, 0] - held.y) ** 2) if classes == 1 else log_loss(served, held.y)
    assert mean == pytest.approx(min(weights.curve.loss), rel=1e-4)


@pytest.mark.parametrize(("load", "classes"), [(load_breast_cancer, 2), (load_wine, 3), (load_diabetes, 1)])
def test_real_tables(load, classes):
    real = load()
    order = np.random.default_rng(0).permutation(len(real.target))
    X, y = real.data[order], real.target[order]
    cut = len(y) * 2 // 3
    train, held = matrix(X[:cut], y[:cut]), matrix(X[cut:], y[cut:])
    served = outputs(fitted(LINEAR, train, held, setting(classes)), held.X, classes)
    if classes == 1:
        assert 1 - np.var(served[:, 0] - held.y) / np.var(held.y) > 0.4
    else:
        assert log_loss(served, held.y) < 0.15


def test_a_row_counted_twice_is_a_row_twice():
    train, held = halves(400, 2)
    twice = np.arange(200) < 50
    weights = np.where(twice, 2.0, 1.0)
    once = fitted(LINEAR, matrix(train.X, train.y, weights), held, setting(2))
    # The scaling looks at rows alone: repeating pairs of equal halves leaves its quantiles alone.
    index = np.concatenate([np.arange(200), np.arange(50)])
    again = fitted(LINEAR, matrix(train.X[index], train.y[index]), held, setting(2))
    assert outputs(once, held.X, 2) == pytest.approx(outputs(again, held.X, 2), abs=0.05)


def test_balanced_raises_the_rare_class():
    X = mixed(2000)
    y = (X[:, 2] > 2500).astype(np.int64)
    y[:40] = 1
    train, held = matrix(X[:1000], y[:1000]), matrix(X[1000:], y[1000:])
    plain, balanced = (
        outputs(fitted(LINEAR, train, held, setting(2, loss)), held.X, 2) for loss in ("log_loss", "balanced")
    )
    assert balanced[:, 1].mean() > 2 * plain[:, 1].mean()


def test_a_class_that_training_lacks_gets_nothing():
    train, held = halves(600, 4)
    for kept in ([0, 3], [0, 1, 3]):
        some = np.isin(train.y, kept)
        weights = fitted(LINEAR, matrix(train.X[some], train.y[some]), held, setting(4))
        served = outputs(weights, held.X, 4)
        absent = np.setdiff1d(np.arange(4), kept)
        assert served[:, absent].max() < 1e-3
        assert served.sum(axis=1) == pytest.approx(1)


def test_same_bytes():
    train, held = halves(300, 3)
    assert fitted(LINEAR, train, held, setting(3)).graph == fitted(LINEAR, train, held, setting(3)).graph


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_odd_cells(classes):
    X = mixed(60)
    X[:, 4] = np.nan
    X[3, 0] = 3e38
    y = np.arange(60) % classes if classes > 1 else np.arange(60, dtype=np.float64)
    rows = matrix(X, y)
    weights = fitted(LINEAR, rows, rows, setting(classes))
    strange = np.concatenate([X, np.full_like(X[:1], np.nan), np.full_like(X[:1], -3e38)])
    assert np.isfinite(outputs(weights, strange, classes)).all()
