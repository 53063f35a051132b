"""The model folder: what is judged is what is served, and nothing in it is trusted."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from made_tables import halves, made, raw_cells

from holdfast.core.dataset import Dataset
from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.core.schema import Column, Kind, Role
from holdfast.core.task import Task
from holdfast.errors import ModelError, NewerError
from holdfast.models.tabular.learner import tabular_learner
from holdfast.models.tabular.served import TabularModel, combine, load, with_decision


def fitted(dataset: Dataset, name: str = "decision_tree", *, seed: int = 0) -> TabularModel:
    train, held = halves(dataset)
    task = dataset.schema.task
    classes = tuple(sorted(dataset.target.unique())) if task is Task.CLASSIFICATION else ()
    loss = "log_loss" if classes else "squared"
    options = {"rounds": 30} if name.startswith("lightgbm") else {}
    learner = tabular_learner(name, loss=loss, classes=classes, options=options)
    return learner.fit(train, held, budget=None, seed=seed, progress=lambda share: None).model


DATA = {classes: made(classes=classes) for classes in (2, 3, 0)}
MODELS = {classes: fitted(dataset, "lightgbm") for classes, dataset in DATA.items()}


@pytest.mark.parametrize("classes", [2, 3, 0])
def test_a_loaded_model_is_the_model(classes: int) -> None:
    model, dataset = MODELS[classes], DATA[classes]
    again = load(model.files)
    assert again.id == model.id
    first, second = model.predict(dataset), again.predict(dataset)
    assert first.table.equals(second.table)
    assert first.header.model == model.id
    assert first.header.dataset == dataset.id
    assert np.isfinite(first.loss).all()
    assert set(model.files) >= {"manifest.json", "examples.json"}
    assert load(again.files).files == again.files


@pytest.mark.parametrize("classes", [2, 3, 0])
def test_raw_rows_give_what_the_dataset_gives(classes: int) -> None:
    model, dataset = MODELS[classes], DATA[classes]
    rows = [raw_cells(dataset, i) for i in range(60)]
    batch = model.predict_rows(rows)
    table = model.predict_table(dataset.table[:60])
    singles = np.concatenate([model.predict_rows([row]) for row in rows])
    assert np.array_equal(batch, singles)
    assert np.allclose(batch, table, rtol=1e-12, atol=0)
    predictions = model.predict(dataset.take(np.arange(60)))
    judged = predictions.probability if classes else predictions.prediction_values[:, None]
    assert np.allclose(judged, batch, rtol=1e-6)
    raw = pl.DataFrame(rows)  # all text, as a CSV that nobody has typed
    assert np.allclose(model.predict_table(raw), batch, rtol=1e-12, atol=0)


def test_columns_are_matched_by_name_and_missing_ones_named() -> None:
    model, dataset = MODELS[2], DATA[2]
    table = dataset.table.select(reversed(dataset.table.columns)).with_columns(extra=pl.lit(1))
    assert np.array_equal(model.predict_table(table), model.predict_table(dataset.table))
    with pytest.raises(ModelError, match="2 columns that these rows lack: 'age', 'city'"):
        model.predict_table(dataset.table.drop("age", "city"))
    with pytest.raises(ModelError, match="'plan'"):
        model.predict_rows([{name: None for name in dataset.table.columns if name != "plan"}])
    without_constant = dataset.table.drop("country", "y")
    assert len(model.predict_table(without_constant)) == len(dataset)


def test_no_rows_and_all_missing_rows() -> None:
    model, dataset = MODELS[2], DATA[2]
    assert model.predict_table(dataset.table.clear()).shape == (0, 2)
    assert model.predict_rows([]).shape == (0, 2)
    nothing = model.predict_rows([dict.fromkeys(dataset.table.columns)])
    assert np.isfinite(nothing).all()


def test_columns_of_another_type_are_read_as_the_models_own() -> None:
    model, dataset = MODELS[2], DATA[2]
    text = dataset.table.with_columns(pl.col("income").cast(pl.String), pl.col("city").cast(pl.Categorical))
    columns = (*(c for c in dataset.schema if c.name != "income"), Column("income", Kind.TEXT))
    schema = replace(dataset.schema, columns=tuple(sorted(columns, key=lambda c: text.columns.index(c.name))))
    retyped = replace(dataset, table=text, schema=schema)
    assert np.allclose(model.predict(retyped).probability, model.predict(dataset).probability)


def test_levels_that_were_seen_are_known() -> None:
    levels = MODELS[2].levels
    assert levels["plan"] == {"basic", "plus", "pro"}
    assert "Atlantis" not in levels["city"]
    assert len(levels["city"]) == 40


def test_a_group_column_is_carried_into_the_predictions() -> None:
    dataset = DATA[2]
    column = Column("customer", Kind.CATEGORY, Role.GROUP)
    names = pl.Series("customer", [f"k{i // 3}" for i in range(len(dataset))])
    schema = replace(dataset.schema, columns=(*dataset.schema.columns, column))
    grouped = replace(dataset, table=dataset.table.with_columns(names), schema=schema)
    assert MODELS[2].predict(grouped).table["group"].to_list() == names.to_list()


def test_mixing_is_the_weighted_mean_and_shares_what_it_can() -> None:
    dataset = DATA[3]
    one, two = MODELS[3], fitted(dataset)
    mix = combine([one, two, one], np.array([0.5, 0.3, 0.2]))
    assert len(mix.manifest.members) == 2
    assert len({member.recipe for member in mix.manifest.members}) == 1
    expected = 0.7 * one.predict_table(dataset.table) + 0.3 * two.predict_table(dataset.table)
    assert np.allclose(mix.predict_table(dataset.table), expected, atol=1e-12)
    assert load(mix.files).id == mix.id
    assert any(name.endswith("rules.txt") for name in mix.files)


def test_mixing_unites_classes_by_name() -> None:
    dataset = DATA[3]
    few = fitted(dataset.take((dataset.target != "c1").to_numpy()))
    mix = combine([MODELS[3], few], np.array([0.5, 0.5]))
    assert mix.manifest.classes == ("c0", "c1", "c2")
    whole, part = MODELS[3].predict_table(dataset.table), few.predict_table(dataset.table)
    assert np.allclose(mix.predict_table(dataset.table)[:, [0, 2]], (whole[:, [0, 2]] + part) / 2)


def test_models_of_different_questions_do_not_mix() -> None:
    with pytest.raises(ModelError, match="cannot be mixed"):
        combine([MODELS[2], MODELS[0]], np.array([0.5, 0.5]))
    decided = with_decision(MODELS[2], temperature=2.0, threshold=0.5)
    with pytest.raises(ModelError, match="calibrated already"):
        combine([decided, MODELS[2]], np.array([0.5, 0.5]))
    with pytest.raises(ModelError, match="sum to 1"):
        combine([MODELS[2]], np.array([0.5]))


def test_a_decision_changes_probabilities_and_labels() -> None:
    model, dataset = MODELS[2], DATA[2]
    before = model.predict(dataset)
    after = load(with_decision(model, temperature=2.0, threshold=0.9).files).predict(dataset)
    p, q = before.positive_probability.astype(float), after.positive_probability.astype(float)
    assert np.allclose(q, np.sqrt(p) / (np.sqrt(p) + np.sqrt(1 - p)), atol=1e-3)
    assert ((after.table["prediction"] == "c1").to_numpy() == (q >= 0.9)).all()
    assert after.header.threshold == 0.9
    assert model.id != after.header.model
    assert with_decision(MODELS[0], temperature=2.0, threshold=0.5).id == MODELS[0].id


def test_a_model_travels_between_processes() -> None:
    again = pickle.loads(pickle.dumps(MODELS[2]))
    assert again.predict(DATA[2]).table.equals(MODELS[2].predict(DATA[2]).table)


def test_serving_needs_none_of_what_trained_the_model(tmp_path) -> None:
    for name, data in MODELS[2].files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "row.json").write_text(json.dumps(raw_cells(DATA[2], 0)))
    code = f"""
import json, sys
from pathlib import Path
from holdfast.models.tabular.served import load
root = Path({str(tmp_path)!r})
model = load({{str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}})
print(model.predict_rows([json.loads((root / "row.json").read_text())]).tolist())
heavy = {{"sklearn", "scipy", "lightgbm", "xgboost", "catboost", "torch", "onnx", "skl2onnx", "pandas"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == MODELS[2].predict_rows([raw_cells(DATA[2], 0)]).tolist()


# Hostile folders. Each edit gives the folder's files and returns others; all are refused by name.


def edited(change: Callable[[dict], object]) -> dict[str, bytes]:
    facts = json.loads(MODELS[2].files["manifest.json"])
    change(facts)
    return {**MODELS[2].files, "manifest.json": json.dumps(facts).encode()}


def with_file(name: str, data: bytes) -> dict[str, bytes]:
    """A file replaced, with its hash put right."""
    files = edited(lambda facts: facts["files"].update({name: fingerprint_bytes(data)}))
    return {**files, name: data}


MEMBER = json.loads(MODELS[2].files["manifest.json"])["members"][0]
HOSTILE = {
    "no manifest": ({}, "no manifest.json"),
    "not json": ({"manifest.json": b"\x80\x04"}, "damaged"),
    "json of another kind": ({"manifest.json": b"[1, 2]"}, "damaged"),
    "deep json": ({"manifest.json": b"[" * 200_000}, "damaged"),
    "a giant manifest": ({"manifest.json": b" " * (65 * 2**20)}, "more than any model"),
    "another format": (edited(lambda f: f.update(format="cake")), "not a model folder"),
    "another family": (edited(lambda f: f.update(family="image")), "family"),
    "no members": (edited(lambda f: f.update(members=[])), "weights"),
    "a weight of 2": (edited(lambda f: f["members"][0].update(weight=2)), "weight|number"),
    "a weight that is no number": (edited(lambda f: f["members"][0].update(weight="1")), "number"),
    "outputs out of range": (edited(lambda f: f["members"][0].update(columns=[0, 7])), "outputs"),
    "outputs twice": (edited(lambda f: f["members"][0].update(columns=[0, 0])), "outputs"),
    "too few outputs": (edited(lambda f: f["members"][0].update(columns=[0])), "inputs and outputs"),
    "a class twice": (edited(lambda f: f.update(classes=["c0", "c0"])), "classes"),
    "more classes": (edited(lambda f: f.update(classes=["c0", "c1", "c2"])), "."),
    "a strange positive": (edited(lambda f: f.update(positive="c7")), "classes"),
    "temperature 0": (edited(lambda f: f.update(temperature=0)), "number"),
    "temperature nan": (edited(lambda f: f.update(temperature=float("nan"))), "number"),
    "a task of its own": (edited(lambda f: f.update(task="alchemy")), "alchemy"),
    "columns that nobody declared": (edited(lambda f: f.update(columns=[])), "does not declare"),
    "a column twice": (edited(lambda f: f["columns"].append(f["columns"][0])), "damaged"),
    "a column of another kind": (edited(lambda f: f["columns"][0].update(kind="sound")), "sound"),
    "a way out of the folder": (
        edited(lambda f: f["files"].update({"../../etc/passwd": "0"})),
        "cannot have",
    ),
    "a way out inside native": (
        edited(lambda f: f["files"].update({"native/../../x.y": "0"})),
        "cannot have",
    ),
    "an absolute way out": (edited(lambda f: f["files"].update({"/etc/passwd": "0"})), "cannot have"),
    "code": (edited(lambda f: f["files"].update({"members/evil.py": "0"})), "cannot have"),
    "a graph that is not listed": (edited(lambda f: f["files"].pop(MEMBER["graph"])), "does not list"),
    "a graph that is not there": (
        {name: data for name, data in MODELS[2].files.items() if name != MEMBER["graph"]},
        "lacks",
    ),
    "a graph with a flipped bit": (
        {**MODELS[2].files, MEMBER["graph"]: MODELS[2].files[MEMBER["graph"]][:-1] + b"\x00"},
        "does not match the hash",
    ),
    "a graph of garbage": (with_file(MEMBER["graph"], b"garbage"), "cannot be opened"),
    "an empty graph": (with_file(MEMBER["graph"], b""), "cannot be opened"),
    "a recipe of garbage": (with_file(MEMBER["recipe"], b"{}"), "recipe"),
    "a recipe of another width": (
        with_file(MEMBER["recipe"], b'{"numbers":[["age",0]],"dates":[],"texts":[],"lookups":[]}'),
        "inputs and outputs",
    ),
    "examples of garbage": (with_file("examples.json", b"[]"), "examples"),
    "examples of objects": (with_file("examples.json", b'{"rows":[{"age":{}}],"output":[[1]]}'), "examples"),
    "other examples": (with_file("examples.json", b'{"rows":[],"output":[[0.5,0.5]]}'), "does not give"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_folder_is_refused(case: str) -> None:
    files, message = HOSTILE[case]
    with pytest.raises(ModelError, match=message):
        load(files)


def test_a_newer_format_says_so() -> None:
    with pytest.raises(NewerError, match=r"model\.v2"):
        load(edited(lambda facts: facts.update(format="model.v2")))


def test_files_that_nobody_listed_are_left_behind() -> None:
    assert "notes.txt" not in load({**MODELS[2].files, "notes.txt": b"mine"}).files


def test_the_environment_is_outside_the_id() -> None:
    other = load(edited(lambda facts: facts["environment"].update(python="9.9")))
    assert other.id == MODELS[2].id
