"""Every learner of the portfolio: it learns, it cannot learn from noise, it says what it lacks."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from made_tables import halves, made, weighted

from holdfast.core.dataset import Dataset
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.errors import PlanError, TargetError
from holdfast.models.tabular import learner as registry
from holdfast.models.tabular.fitting import FittedTabular
from holdfast.models.tabular.learner import (
    available,
    estimator_learner,
    portfolio,
    refusals,
    search_space,
    tabular_learner,
)
from holdfast.models.tabular.served import load

NAMES = [name for name in portfolio() if available(name)]
LEARNERS = [name for name in NAMES if name != "constant"]
BINARY, THREE, NUMBERS = (made(900, classes=k) for k in (2, 3, 0))


def fit(name: str, dataset: Dataset, *, seed: int = 0, loss: str = "") -> FittedTabular:
    train, held = halves(dataset)
    classes = () if dataset.target.dtype.is_numeric() else tuple(sorted(dataset.target.unique()))
    learner = tabular_learner(name, loss=loss or ("log_loss" if classes else "squared"), classes=classes)
    return learner.fit(train, held, budget=None, seed=seed, progress=lambda share: None)


def held_loss(name: str, dataset: Dataset) -> float:
    return float(fit(name, dataset).model.predict(halves(dataset)[1]).loss.mean())


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("dataset", [BINARY, THREE, NUMBERS], ids=["two", "three", "numbers"])
def test_it_learns(name: str, dataset: Dataset) -> None:
    assert held_loss(name, dataset) < 0.85 * held_loss("constant", dataset)


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("classes", [2, 0])
def test_it_learns_nothing_from_a_shuffled_target(name: str, classes: int) -> None:
    noise = made(900, classes=classes, shuffled=True)
    assert held_loss(name, noise) > 0.97 * held_loss("constant", noise)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_fit_gives_the_same_model(name: str) -> None:
    first, second = fit(name, BINARY, seed=3), fit(name, BINARY, seed=3)
    assert first.model.id == second.model.id
    assert first.model.files == second.model.files


@pytest.mark.parametrize("name", NAMES)
def test_a_learner_travels_to_another_process(name: str) -> None:
    there = pickle.loads(pickle.dumps(tabular_learner(name, loss="log_loss", classes=("c0", "c1"))))
    train, held = halves(BINARY)
    model = there.fit(train, held, budget=None, seed=0, progress=lambda share: None).model
    assert model.id == fit(name, BINARY).model.id


def test_the_learners_of_a_fold_share_its_recipe() -> None:
    recipes = {
        member.recipe
        for name in ("constant", "decision_tree", "lightgbm")
        for member in fit(name, BINARY, seed=len(name)).model.manifest.members
    }
    assert len(recipes) == 1


def test_progress_goes_from_little_to_all() -> None:
    shares: list[float] = []
    train, held = halves(BINARY)
    learner = tabular_learner("lightgbm", loss="log_loss", classes=("c0", "c1"))
    learner.fit(train, held, budget=None, seed=0, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 3


@pytest.mark.parametrize("name", ["constant", "lightgbm", "decision_tree"])
def test_weights_are_heeded(name: str) -> None:
    heavy = weighted(BINARY, np.where((BINARY.target == "c1").to_numpy(), 9.0, 1.0))
    share = fit(name, heavy).model.predict(heavy).positive_probability.mean()
    assert share > fit(name, BINARY).model.predict(BINARY).positive_probability.mean() + 0.1


WEIGHTS = np.where(np.arange(600) == 7, 1.001, 1.0) * (np.arange(600) % 50 > 0)


@pytest.mark.parametrize("classes", [3, 0], ids=["classes", "numbers"])
@pytest.mark.parametrize("name", NAMES)
def test_the_scale_of_weights_changes_no_model(name: str, classes: int) -> None:
    rows = made(600, classes=classes)
    light, plain, heavy = (
        fit(name, weighted(rows, scale * WEIGHTS)).model.predict(rows).loss for scale in (0.001, 1.0, 1000.0)
    )
    assert light == pytest.approx(plain, rel=1e-6, abs=1e-9)
    assert heavy == pytest.approx(plain, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("loss", ["log_loss", "balanced"])
def test_the_scale_of_weights_changes_no_scikit_learn_model_either(loss: str) -> None:
    from sklearn.linear_model import LogisticRegression

    learner = estimator_learner(LogisticRegression(), name="mine", loss=loss, classes=("c0", "c1"))
    models = []
    for scale in (1.0, 0.001):
        train, held = halves(weighted(BINARY, scale * np.linspace(0, 2, 900)))
        fitted = learner.fit(train, held, budget=None, seed=0, progress=lambda share: None)
        models.append(fitted.model.predict(BINARY).loss)
    assert models[1] == pytest.approx(models[0], rel=1e-6)


def test_rows_of_one_class_still_give_a_model() -> None:
    train, held = halves(BINARY)
    one = train.take((train.target == "c0").to_numpy())
    learner = tabular_learner("lightgbm", loss="log_loss", classes=("c0", "c1"))
    model = learner.fit(one, held, budget=None, seed=0, progress=lambda share: None).model
    assert model.predict(held).probability[:, 0].min() > 0.9


def test_a_label_that_is_no_class_is_named() -> None:
    train, held = halves(THREE)
    learner = tabular_learner("constant", loss="log_loss", classes=("c0", "c1"))
    with pytest.raises(TargetError, match="'c2'"):
        learner.fit(train, held, budget=None, seed=0, progress=lambda share: None)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lightgmb", {}, "Did you mean 'lightgbm"),
        ("lightgbm", {"num_leafs": 3}, "no option 'num_leafs'.*num_leaves"),
        ("lightgbm", {"num_leaves": "many"}, "is int"),
        ("lightgbm", {"num_leaves": True}, "is int"),
        ("lightgbm", {"learning_rate": None}, "is float"),
    ],
)
def test_a_wrong_option_is_named_with_the_mend(name: str, options: dict, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        tabular_learner(name, loss="log_loss", options=options)


def test_a_whole_number_will_do_for_a_float() -> None:
    assert (
        tabular_learner("lightgbm", loss="squared", options={"learning_rate": 1}).options["num_leaves"] == 100
    )


def test_a_loss_that_a_learner_lacks_names_those_that_have_it() -> None:
    with pytest.raises(PlanError, match=r"random_forest cannot minimise 'huber'. These can: .*lightgbm"):
        tabular_learner("random_forest", loss="huber")
    with pytest.raises(PlanError, match="no loss 'hinge'"):
        tabular_learner("lightgbm", loss="hinge")
    refused = refusals(NUMBERS, rows=10_000, loss="huber")
    assert "extra_trees" in refused and "lightgbm" not in refused
    with pytest.raises(PlanError, match="no loss 'huber'"):
        refusals(BINARY, rows=10_000, loss="huber")


def test_counts_cannot_be_negative() -> None:
    target = NUMBERS.table["y"] - 200
    below = replace(NUMBERS, table=NUMBERS.table.with_columns(target), content="below zero")
    with pytest.raises(PlanError, match=r"counts.*goes down to -"):
        fit("lightgbm", below, loss="poisson")


def test_a_table_of_ten_thousand_columns_is_fitted_and_served() -> None:
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(120, 10_000))
    columns = {f"x{j}": cells[:, j] for j in range(cells.shape[1])}
    table = pl.DataFrame(columns | {"y": np.where(cells[:, 7] > 0, "a", "b")})
    features = tuple(Column(name, Kind.NUMBER) for name in columns)
    schema = Schema((*features, Column("y", Kind.CATEGORY, Role.TARGET)))
    ids = pl.Series([str(i) for i in range(120)])
    wide = Dataset(table, schema, ids, np.arange(120, dtype=np.uint64), content="wide")
    model = load(fit("decision_tree", wide).model.files)
    assert model.predict(wide).loss.mean() < 0.5
    assert model.predict_rows([table.row(0, named=True)]).shape == (1, 2)


def test_a_library_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda module: None)
    assert not available("catboost")
    assert available("lightgbm")
    with pytest.raises(PlanError, match=r"pip install 'holdfast\[boost\]'"):
        tabular_learner("catboost", loss="log_loss")
    assert "catboost" in refusals(BINARY, rows=10_000, loss="log_loss")


def test_search_spaces_name_options_that_exist() -> None:
    for name in portfolio():
        for task_defaults in registry._ALGORITHMS[name].defaults.values():
            assert set(search_space(name)) <= set(task_defaults), name


def test_any_scikit_learn_estimator_is_a_learner() -> None:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    train, held = halves(BINARY)
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    learner = estimator_learner(scaled, name="mine", loss="log_loss", classes=("c0", "c1"))
    model = learner.fit(train, held, budget=None, seed=0, progress=lambda share: None).model
    assert model.predict(held).loss.mean() < held_loss("constant", BINARY)
    for wrong in (Ridge(), LinearSVC()):
        with pytest.raises(PlanError, match="classifier with predict_proba"):
            estimator_learner(wrong, name="mine", loss="log_loss", classes=("c0", "c1"))
