"""`replay` makes the model of a run again, byte for byte, whatever clock it was first made under."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.errors import ModelError, PlanError
from holdfast.models.tabular.learner import available, portfolio
from holdfast.project.runs import records
from holdfast.store.runs import load_run, save_run

SOME = ("constant", "lightgbm_small", "catboost", "mlp")


@pytest.mark.parametrize("wanted", [SOME, pytest.param(portfolio(), marks=pytest.mark.slow)], ids=len)
def test_every_learner_and_their_ensemble_come_out_the_same(wanted, patients, tmp_path):
    learners = [name for name in wanted if available(name)]
    first = hf.train(patients, target="diagnosis", learners=learners, folds=2, budget=120, project=tmp_path)
    assert len(first.candidates) > len(learners)  # the ensemble is among them
    before = records(hf.open(tmp_path))
    for run in first.candidates:
        again = hf.train(patients, project=tmp_path, replay=run.id)
        assert (again.id, again.record.model) == (run.id, run.record.model)
    assert records(hf.open(tmp_path)) == before


@pytest.mark.parametrize("owners", [600, 90], ids=["id", "group"])
def test_names_that_were_found_are_the_names_that_are_said(owners, tmp_path, in_this_process):
    """The second training is told what the first one found; rows, folds and models are the same."""
    rng = np.random.default_rng(0)
    names = [f"customer {k:x}-{k % owners}" if owners == 600 else f"c-{k % owners}" for k in range(600)]
    table = pl.DataFrame({"customer_id": names, "x": rng.normal(size=600), "y": rng.choice(["p", "q"], 600)})
    asked = {"target": "y", "learners": ["constant"], "folds": 2, "project": tmp_path}
    first, second = hf.train(table, **asked), hf.train(table, **asked)
    assert (second.record.dataset, second.id) == (first.record.dataset, first.id)
    assert hf.train(table, project=tmp_path, replay=first.id).record.model == first.record.model


def test_a_replay_of_other_data_is_refused(patients, tmp_path):
    hf.train(patients, target="diagnosis", learners=["constant"], folds=2, project=tmp_path)
    with pytest.raises(PlanError, match="Give the same file"):
        hf.train(patients[:500], project=tmp_path, replay="best")


def test_a_model_that_does_not_come_out_the_same_is_no_success(patients, tmp_path):
    run = hf.train(patients, target="diagnosis", learners=["decision_tree"], folds=2, project=tmp_path)
    store = hf.open(tmp_path).store
    kept = load_run(store, run.id)
    save_run(store, replace(kept, record=replace(kept.record, model="0" * 32)))
    with pytest.raises(ModelError, match=f"not {'0' * 32}"):
        hf.train(patients, project=tmp_path, replay=run.id)


def test_a_tuned_run_can_be_replayed(patients, tmp_path):
    run = hf.train(
        patients,
        target="diagnosis",
        learners=["lightgbm_small"],
        folds=2,
        budget=8,
        tune=True,
        project=tmp_path,
    )
    tuned = [one for one in run.candidates if "~" in one.record.plan.learner]
    assert tuned
    again = hf.train(patients, project=tmp_path, replay=tuned[0].id)
    assert again.record.model == tuned[0].record.model
