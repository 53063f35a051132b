"""Every tree learner's graph against its own library, on cells chosen to break it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from holdfast.core.task import Task
from holdfast.errors import PlanError
from holdfast.models.tabular import cat_boost, decision_tree, forest, light_gbm, xg_boost
from holdfast.models.tabular.boosting import focal_gradient, focal_loss, prior_margin
from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.losses import parse_loss, row_weights
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.trees import floor32

CLASSIFIED = [("log_loss", 2), ("log_loss", 4), ("balanced", 2), ("focal", 2), ("focal", 4)]
REGRESSED = [(loss, 1) for loss in ("squared", "absolute", "huber", "quantile:0.8", "poisson")]
NATIVE: dict[str, Callable[[Weights, np.ndarray, Setting, Matrix], np.ndarray]] = {}
RNG = np.random.default_rng(0)
BOOSTERS = {"lightgbm": light_gbm.LIGHTGBM, "xgboost": xg_boost.XGBOOST, "catboost": cat_boost.CATBOOST}
FORESTS = {
    "random_forest": forest.RANDOM_FOREST,
    "extra_trees": forest.EXTRA_TREES,
    "decision_tree": decision_tree.DECISION_TREE,
}


def setting(loss: str, classes: int, *, seed: int = 0, budget: float | None = None) -> Setting:
    task = Task.REGRESSION if classes == 1 else Task.CLASSIFICATION
    return Setting(task, classes, loss, seed, budget, lambda share: None)


def rows(classes: int, *, n: int = 600, seed: int = 0, missing: bool = True) -> Matrix:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)).astype(np.float32)
    X[:, 1] = np.round(X[:, 1], 1)
    X[:, 2] = rng.integers(0, 4, n)
    signal = X[:, 0] + X[:, 1] ** 2 + X[:, 2] + rng.normal(size=n) * 0.3
    if missing:
        X[rng.random((n, 5)) < 0.1] = np.nan
        X[:, 2] = np.nan_to_num(X[:, 2])  # a column that misses nothing in training
    y = signal - signal.min() if classes == 1 else _codes(signal, classes)
    return Matrix(X, y, None, ("a", "b", "c", "d", "e"))


def _codes(signal: np.ndarray, classes: int) -> np.ndarray:
    return np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes)).astype(np.int64)


def adversarial(matrix: Matrix, thresholds: np.ndarray) -> np.ndarray:
    """Rows whose cells lie at thresholds, beside them, are missing, huge, tiny or as in training."""
    rng = np.random.default_rng(1)
    X = matrix.X[:300].copy()
    at = floor32(rng.choice(thresholds, X.shape))
    with np.errstate(over="ignore"):
        cells = [X, at, np.nextafter(at, np.float32(np.inf)), np.full_like(X, np.nan), X * np.float32(1e37)]
    cells.append(rng.choice(np.float32([0, -0.0, 1e-38, -1e-38, 1e-35, -1e-35]), X.shape))
    return np.choose(rng.choice(6, X.shape, p=[0.4, 0.2, 0.15, 0.15, 0.05, 0.05]), cells).astype(np.float32)


def run(weights: Weights, X: np.ndarray, classes: int) -> np.ndarray:
    return open_graph(weights.graph, X.shape[1], classes).run(["Y"], {"X": X})[0]


def probabilities(margin: np.ndarray, asked: Setting) -> np.ndarray:
    if asked.classes == 2:
        positive = 1 / (1 + np.exp(-margin.ravel()))
        return np.stack([1 - positive, positive], axis=1)
    exps = np.exp(margin - margin.max(axis=1, keepdims=True))
    return exps / exps.sum(axis=1, keepdims=True)


def native_lightgbm(weights: Weights, X: np.ndarray, asked: Setting, train: Matrix) -> np.ndarray:
    import lightgbm

    booster = lightgbm.Booster(model_str=weights.native["lightgbm.txt"].decode())
    raw = booster.predict(X, num_threads=1, raw_score=True)
    if asked.loss == "focal":
        raw = raw + prior_margin(train.y, train.weight, asked.classes)
    if asked.task is Task.CLASSIFICATION:
        return probabilities(raw, asked)
    return np.exp(raw)[:, None] if asked.loss == "poisson" else raw[:, None]


def native_xgboost(weights: Weights, X: np.ndarray, asked: Setting, train: Matrix) -> np.ndarray:
    import xgboost

    booster = xgboost.Booster(model_file=bytearray(weights.native["xgboost.ubj"]))
    output = booster.predict(xgboost.DMatrix(X))
    if asked.classes == 2:
        return np.stack([1 - output, output], axis=1)
    return output.reshape(len(X), -1)


def native_catboost(weights: Weights, X: np.ndarray, asked: Setting, train: Matrix) -> np.ndarray:
    import catboost

    model = catboost.CatBoost()
    model.load_model(blob=weights.native["catboost.cbm"])
    if asked.task is Task.CLASSIFICATION:
        return model.predict(X, prediction_type="Probability")
    kind = "Exponent" if asked.loss == "poisson" else "RawFormulaVal"
    return model.predict(X, prediction_type=kind)[:, None]


def thresholds_of(name: str, weights: Weights) -> np.ndarray:
    if name == "lightgbm":
        return light_gbm.parse_trees(weights.native["lightgbm.txt"].decode(), np.zeros(1)).threshold
    if name == "xgboost":
        import xgboost

        booster = xgboost.Booster(model_file=bytearray(weights.native["xgboost.ubj"]))
        return xg_boost.parse_trees(bytes(booster.save_raw("json")), "identity").threshold
    import catboost

    model = catboost.CatBoost()
    model.load_model(blob=weights.native["catboost.cbm"])
    borders = np.concatenate([np.array(one, dtype=float) for one in model.get_borders().values()])
    return borders[np.isfinite(borders) & (np.abs(borders) < 1e37)]


NATIVE |= {"lightgbm": native_lightgbm, "xgboost": native_xgboost, "catboost": native_catboost}


@pytest.mark.parametrize(("loss", "classes"), CLASSIFIED + REGRESSED)
@pytest.mark.parametrize("name", BOOSTERS)
def test_the_graph_is_the_booster(name: str, loss: str, classes: int) -> None:
    pytest.importorskip(name)
    algorithm, asked = BOOSTERS[name], setting(loss, classes)
    if loss.partition(":")[0] not in algorithm.losses:
        pytest.skip(f"{name} has no {loss}")
    train, held = rows(classes), rows(classes, n=300, seed=1)
    weights = algorithm.fit(train, held, {**algorithm.defaults[asked.task], "rounds": 60}, asked)
    X = adversarial(train, thresholds_of(name, weights))
    expected = NATIVE[name](weights, X, asked, train)
    scale = np.abs(expected).max() if classes == 1 else 1.0
    assert np.abs(run(weights, X, classes) - expected).max() < 3e-6 * scale
    assert 1 <= weights.curve.best <= len(weights.curve.loss) <= 60


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize(
    ("loss", "classes"), [("log_loss", 2), ("balanced", 4), ("squared", 1), ("poisson", 1)]
)
@pytest.mark.parametrize("name", FORESTS)
def test_the_graph_is_the_forest(
    name: str, loss: str, classes: int, missing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    algorithm, asked = FORESTS[name], setting(loss, classes)
    seen = {}

    def kept(trees, overall, classes):
        seen.update(trees=trees, overall=overall)
        return parse(trees, overall, classes)

    parse = forest.parse_trees
    monkeypatch.setattr(forest, "parse_trees", kept)
    monkeypatch.setattr(decision_tree, "parse_trees", kept)
    train = rows(classes, missing=missing)
    options = {**algorithm.defaults[asked.task], **({} if name == "decision_tree" else {"trees": 20})}
    weights = algorithm.fit(train, train, options, asked)
    X = adversarial(train, np.concatenate([tree.threshold for tree in seen["trees"]]))
    expected = np.mean([_shrunk(tree, X, seen["overall"]) for tree in seen["trees"]], axis=0)
    scale = np.abs(expected).max() if classes == 1 else 1.0
    assert np.abs(run(weights, X, classes) - expected).max() < 3e-6 * scale


def _shrunk(tree, X: np.ndarray, overall: np.ndarray) -> np.ndarray:
    leaf = tree.apply(X)
    n = tree.weighted_n_node_samples[leaf][:, None]
    return (tree.value[leaf, 0, :] * n + overall) / (n + 1)


@pytest.mark.parametrize("name", [*BOOSTERS, *FORESTS])
@pytest.mark.parametrize("classes", [2, 1])
def test_same_seed_same_files(name: str, classes: int) -> None:
    algorithm = _algorithm(name)
    asked = setting("log_loss" if classes == 2 else "squared", classes, seed=7)
    options = _quick(algorithm, asked)
    first, second = (algorithm.fit(rows(classes), rows(classes, seed=1), options, asked) for _ in range(2))
    assert first.graph == second.graph
    assert first.native == second.native
    if name != "decision_tree":
        other = setting(asked.loss, classes, seed=8)
        assert algorithm.fit(rows(classes), rows(classes, seed=1), options, other).graph != first.graph


@pytest.mark.parametrize("name", [*BOOSTERS, *FORESTS])
def test_heavy_rows_pull_the_predictions(name: str) -> None:
    algorithm, asked = _algorithm(name), setting("log_loss", 2)
    options = _quick(algorithm, asked)
    train = rows(2)
    heavy = np.where(train.y == 1, 50.0, 1.0)
    plain = run(algorithm.fit(train, train, options, asked), train.X, 2)[:, 1].mean()
    loaded = Matrix(train.X, train.y, heavy, train.names)
    assert run(algorithm.fit(loaded, loaded, options, asked), train.X, 2)[:, 1].mean() > plain + 0.1


@pytest.mark.parametrize("name", [*BOOSTERS, *FORESTS])
def test_a_class_without_training_rows_is_improbable_not_an_error(name: str) -> None:
    algorithm, asked = _algorithm(name), setting("log_loss", 4)
    train = rows(4)
    present = train.y != 2
    partial = Matrix(train.X[present], train.y[present], None, train.names)
    output = run(algorithm.fit(partial, train, _quick(algorithm, asked), asked), train.X, 4)
    assert np.allclose(output.sum(axis=1), 1, atol=1e-5)
    assert output[:, 2].mean() < 0.1


@pytest.mark.parametrize("name", list(BOOSTERS))
def test_a_spent_budget_ends_the_fit(name: str) -> None:
    algorithm = _algorithm(name)
    asked = setting("log_loss", 2, budget=0.0)
    weights = algorithm.fit(rows(2), rows(2, seed=1), algorithm.defaults[asked.task], asked)
    assert len(weights.curve.loss) <= 2
    assert np.isfinite(run(weights, rows(2).X, 2)).all()


@pytest.mark.parametrize("name", list(BOOSTERS))
def test_quantiles_lie_where_they_should(name: str) -> None:
    algorithm, train = _algorithm(name), rows(1)
    low, high = (
        run(algorithm.fit(train, rows(1, seed=1), algorithm.defaults[asked.task], asked), train.X, 1)
        for asked in (setting("quantile:0.1", 1), setting("quantile:0.9", 1))
    )
    assert (low < high).mean() > 0.9
    assert (train.y[:, None] < low).mean() < 0.35 < 0.65 < (train.y[:, None] < high).mean()


def test_focal_gradient_is_the_loss_differentiated() -> None:
    rng = np.random.default_rng(0)
    for shape, classes in (((50,), 2), ((50, 3), 3)):
        margin, codes = rng.normal(size=shape), rng.integers(0, classes, 50)
        gradient, hessian = focal_gradient(margin, codes)
        assert (hessian > 0).all()
        step = np.zeros(shape)
        cell = (7,) if len(shape) == 1 else (7, 1)
        step[cell] = 1e-5
        slope = (focal_loss(margin + step, codes, None) - focal_loss(margin - step, codes, None)) / 2e-5
        assert gradient[cell] / 50 == pytest.approx(slope, rel=1e-5)


def test_balanced_weights_give_every_class_the_same_total() -> None:
    codes = np.array([0] * 90 + [1] * 9 + [3])
    weights = row_weights(codes, None, 4)
    totals = np.bincount(codes, weights, minlength=4)
    assert totals[[0, 1, 3]] == pytest.approx(totals[0])
    assert totals[2] == 0
    assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("text", ["quantile:1.5", "quantile:x", "log_loss:2", "huber:1", "hinge", "squared"])
def test_a_loss_that_does_not_exist_is_named(text: str) -> None:
    task = Task.CLASSIFICATION if text == "squared" else Task.REGRESSION
    with pytest.raises(PlanError, match=r"loss|quantile"):
        parse_loss(text, task)


def test_a_readable_tree_keeps_its_rules() -> None:
    asked = setting("log_loss", 2)
    weights = decision_tree.fit(rows(2), rows(2), decision_tree.DEFAULTS[asked.task], asked)
    rules = weights.native[decision_tree.RULES].decode()
    assert "|--- c <=" in rules or "|--- a <=" in rules


def _algorithm(name: str) -> Algorithm:
    if name in BOOSTERS:
        pytest.importorskip(name)
    return BOOSTERS.get(name) or FORESTS[name]


def _quick(algorithm: Algorithm, asked: Setting) -> dict[str, object]:
    options = dict(algorithm.defaults[asked.task])
    return options | {name: 30 for name in ("rounds", "trees") if name in options}
