"""Linear models: the exported graph against scikit-learn on the same scaled columns."""

import numpy as np
import pytest

from holdfast.core.task import Task
from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.linear import LINEAR
from holdfast.models.tabular.matrix import Matrix, Setting
from holdfast.models.tabular.scaling import fit_scaling


def setting(task, classes, loss):
    return Setting(task, classes, loss, seed=0, budget=None, progress=lambda share: None)


def rows(n, classes, *, seed=0, gaps=0.1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6)).astype(np.float32)
    X[:, 0] *= 1e4
    X[:, 5] = rng.random(n) < 0.3
    score = X[:, 1] - 0.5 * X[:, 2] + X[:, 5]
    y = score + rng.normal(size=n) if classes == 1 else np.digitize(score, np.linspace(-1, 1, classes - 1))
    X[rng.random(X.shape) < gaps] = np.nan
    return Matrix(X, y, None, tuple("abcdef"))


def predicted(weights, X, outputs):
    return open_graph(weights.graph, X.shape[1], outputs).run(None, {"X": X})[0]


@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities_are_those_of_scikit_learn(classes):
    from sklearn.linear_model import LogisticRegression

    train, held = rows(600, classes), rows(200, classes, seed=1)
    fitted = LINEAR.fit(train, held, {"iterations": 1000}, setting(Task.CLASSIFICATION, classes, "log_loss"))
    penalty = (100.0, 10.0, 1.0, 0.1)[fitted.curve.best - 1]
    scaling = fit_scaling(train.X)
    theirs = LogisticRegression(C=1 / penalty, max_iter=5000, tol=1e-8).fit(scaling(train.X), train.y)
    ours = predicted(fitted, held.X, classes)
    assert np.allclose(ours, theirs.predict_proba(scaling(held.X)), atol=0.02)  # the path stops early
    assert np.allclose(ours.sum(axis=1), 1, atol=1e-6)


def test_values_are_those_of_ridge_inside_the_range_of_training():
    from sklearn.linear_model import Ridge

    train, held = rows(600, 1), rows(200, 1, seed=1)
    fitted = LINEAR.fit(train, held, {"iterations": 60}, setting(Task.REGRESSION, 1, "squared"))
    penalty = (100.0, 10.0, 1.0, 0.1)[fitted.curve.best - 1]
    scaling = fit_scaling(train.X)
    theirs = Ridge(alpha=penalty).fit(scaling(train.X), train.y).predict(scaling(held.X))
    ours = predicted(fitted, held.X, 1)[:, 0]
    assert np.allclose(ours, np.clip(theirs, train.y.min(), train.y.max()), atol=1e-3)


def test_a_class_that_the_fold_lacks_has_no_chance():
    train, held = rows(400, 4), rows(100, 4, seed=1)
    for absent in ((2,), (0, 3)):
        kept = ~np.isin(train.y, absent)
        part = Matrix(train.X[kept], train.y[kept], None, train.names)
        fitted = LINEAR.fit(part, part, {"iterations": 100}, setting(Task.CLASSIFICATION, 4, "log_loss"))
        ours = predicted(fitted, held.X, 4)
        assert ours[:, list(absent)].max() < 1e-9
        assert np.allclose(ours.sum(axis=1), 1, atol=1e-6)


def test_balanced_lifts_the_rare_class():
    train, held = rows(1000, 2), rows(300, 2, seed=1)
    rare = Matrix(train.X, (train.y == 1) & (np.arange(1000) % 4 == 0), None, train.names)
    rare = Matrix(rare.X, rare.y.astype(np.int64), None, rare.names)
    chances = [
        predicted(LINEAR.fit(rare, rare, {"iterations": 100}, setting(Task.CLASSIFICATION, 2, loss)), held.X, 2)
        for loss in ("log_loss", "balanced")
    ]
    assert chances[1][:, 1].mean() > 2 * chances[0][:, 1].mean()


def test_weights_count():
    train, held = rows(500, 2), rows(100, 2, seed=1)
    tripled = Matrix(np.tile(train.X, (3, 1)), np.tile(train.y, 3), None, train.names)
    weighted = Matrix(train.X, train.y, np.full(500, 3.0), train.names)
    asked = setting(Task.CLASSIFICATION, 2, "log_loss")
    a, b = (LINEAR.fit(one, train, {"iterations": 500}, asked) for one in (tripled, weighted))
    assert predicted(a, held.X, 2).shape == predicted(b, held.X, 2).shape == (100, 2)
