"""Each kind of finding alone, with a run that can be asked and without."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.errors import InputError

ASKING = {
    "fit": {"overfitting", "underfitting", "more data"},
    "robustness": {"fragile", "unusual inputs", "rare levels"},
    "shortcut": {"shortcut"},
    "unstable": {"unstable"},
}


@pytest.fixture(scope="module")
def made(patients, tmp_path_factory):
    folder = tmp_path_factory.mktemp("find")
    table = patients.with_columns(known_later=(pl.col("diagnosis") == "malignant").cast(pl.Float64))
    with pytest.warns(UserWarning, match="too good to be true"):
        run = hf.train(table, target="diagnosis", learners=["decision_tree"], folds=3, project=folder)
    return folder, run, hf.read(table, target="diagnosis")


@pytest.mark.parametrize("kind", ASKING)
def test_a_kind_that_asks_the_model_takes_the_run(made, kind):
    folder, run, data = made
    look = getattr(hf.find, kind)
    found = look(data, run.predictions, run, project=folder)
    assert {one.kind for one in found} <= ASKING[kind]
    assert found or kind != "shortcut"  # one column tells it all
    assert look.__name__ == kind and look.__doc__
    with pytest.raises(InputError, match=rf"hf\.find\.{kind}\(dataset, predictions, run, project='DIR'\)"):
        look(data, run.predictions)


def test_a_leak_is_found_in_predictions_alone_and_measured_with_the_run(made):
    folder, run, data = made
    look = hf.find.leakage
    (alone,) = [one for one in look(data, run.predictions) if one.kind == "leak"]
    (asked,) = [one for one in look(data, run.predictions, run, project=folder) if one.kind == "leak"]
    assert alone.id == asked.id and alone.where.column == "known_later"
    assert not alone.effect.known
    assert asked.effect.low > 0
    foreign = hf.Predictions.of(
        example=data.example, target=data.target, classes=["benign", "malignant"],
        probability=np.full(len(data), 0.4), positive="malignant",
    )  # fmt: skip
    found = hf.debug(data, foreign)
    assert alone.id in {one.id for one in found}
    assert {kind for kind, _ in found.not_run} == {
        "over- and underfitting", "robustness", "unstable", "shortcut",
    }  # fmt: skip
