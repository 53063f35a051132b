"""Datasets, splits, trainings, runs, folds, ledger and trials come back as they went in."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import update
from store_cases import Files, dataset, predictions, record

from holdfast.core.run import Run, Status
from holdfast.core.space import Trial
from holdfast.core.split import Split
from holdfast.errors import DamagedError, StoreError, UnknownRunError
from holdfast.store import trainings as trainings_module
from holdfast.store.datasets import dataset_ids, load_dataset, save_dataset
from holdfast.store.folds import load_fold, save_fold
from holdfast.store.runs import find_run, load_run, run_files, runs, save_run
from holdfast.store.splits import Rule, freeze_rule, load_rule, load_split, save_split
from holdfast.store.store import Store, create
from holdfast.store.tables import tables
from holdfast.store.trainings import finish_training, heartbeat, interrupted, start_training, trainings
from holdfast.store.trials import add_trial, load_trials


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with create(tmp_path / "project") as store:
        yield store


def test_a_dataset_comes_back_exactly(store: Store) -> None:
    kept = dataset()
    assert save_dataset(store, kept) == kept.id
    assert save_dataset(store, kept) == kept.id
    back = load_dataset(store, kept.id)
    assert back.id == kept.id
    assert_frame_equal(back.table, kept.table, check_exact=True)
    assert math.copysign(1, back.table["x"][1]) == -1
    assert math.isnan(back.table["x"][5])
    assert back.table["x"][2] is None
    assert back.example.to_list() == kept.example.to_list()
    assert back.twin.dtype == np.uint64
    assert (back.twin == kept.twin).all()
    for name in ("schema", "lineage", "checks", "source", "content"):
        assert getattr(back, name) == getattr(kept, name)
    assert dataset_ids(store) == (kept.id,)


def test_a_dataset_that_is_not_there_or_damaged(store: Store) -> None:
    kept = save_dataset(store, dataset())
    with pytest.raises(StoreError, match="No dataset 'nothing'"):
        load_dataset(store, "nothing")
    for path in store.objects.folder.glob("??/*"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedError, match=f"dataset {kept[:8]}"):
        load_dataset(store, kept)


def split_of(n: int) -> Split:
    role = np.array(["search", "confirm", "sealed"] * n)[:n]
    fold = np.where(role == "sealed", -1, np.arange(n) % 2)
    return Split(role, fold, np.arange(n) == 2, folds=2, salt=2**63 + 11, share=0.2, cut="2024-01-01")


def test_a_split_comes_back_in_the_order_of_the_rows_that_ask(store: Store) -> None:
    kept, split = dataset(), split_of(6)
    save_split(store, kept, split)
    back = load_split(store, kept, 2)
    assert back is not None
    assert (back.role == split.role).all()
    assert (back.open == split.open).all()
    assert (back.fold == split.fold).all()
    assert (back.tied == split.tied).all()
    assert (back.salt, back.share, back.cut, back.folds) == (split.salt, 0.2, "2024-01-01", 2)
    backwards = dataclasses.replace(
        kept, table=kept.table[::-1], example=kept.example.reverse(), twin=kept.twin[::-1]
    )
    assert backwards.id == kept.id
    turned = load_split(store, backwards, 2)
    assert turned is not None
    assert turned.role.tolist() == split.role.tolist()[::-1]
    assert turned.fold.tolist() == split.fold.tolist()[::-1]
    assert load_split(store, kept, 3) is None
    assert load_split(store, dataclasses.replace(kept, content="other"), 2) is None
    strange = dataclasses.replace(kept, example=pl.concat([kept.example[:-1], pl.Series(["strange"])]))
    with pytest.raises(
        StoreError, match=r"lacks some of its rows\. Restore the folder .holdfast.*--project DIR"
    ):
        load_split(store, strange, 2)


def test_the_first_rule_stays(store: Store) -> None:
    assert load_rule(store) is None
    first = Rule(salt=2**64 - 1, share=0.1, cut=None)
    assert freeze_rule(store, first) == first
    assert freeze_rule(store, Rule(1, 0.5, "2024")) == first
    assert load_rule(store) == first


def test_trainings_and_what_is_best(store: Store) -> None:
    first = start_training(store, "holdfast train a.csv", dataset="d", plan={"learners": ["ridge"]})
    second = start_training(store, "holdfast train b.csv")
    assert [t.id for t in trainings(store)] == [first.id, second.id]
    so_far = finish_training(store, first.id, Status.RUNNING, best="ridge-1")
    assert (so_far.best, so_far.finished) == ("ridge-1", "")
    done = finish_training(store, first.id, recommended="ridge-1")
    assert (done.status, done.best, done.recommended) == (Status.FINISHED, "ridge-1", "ridge-1")
    assert done.finished > done.started
    assert trainings(store)[0] == done
    assert trainings(store)[1] == second
    with pytest.raises(StoreError, match="No training 'odd'"):
        finish_training(store, "odd")


def test_a_training_whose_process_is_gone_is_dead_not_finished(store: Store) -> None:
    code = (
        "import sys; from holdfast.store.store import open_store\n"
        "from holdfast.store.trainings import start_training\n"
        "from holdfast.store.runs import save_run\n"
        "sys.path.insert(0, sys.argv[2]); from store_cases import record\n"
        "from holdfast.core.run import Run, Status; from dataclasses import replace\n"
        "store = open_store(sys.argv[1]); t = start_training(store, 'train x.csv')\n"
        "save_run(store, Run(replace(record(training=t.id), status=Status.RUNNING)))\n"
        "import os; os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(store.root), str(Path(__file__).parent)], check=False)
    mine = start_training(store, "alive")
    (dead,) = interrupted(store)
    assert (dead.command, dead.status) == ("train x.csv", Status.DEAD)
    assert [t.status for t in trainings(store)] == [Status.DEAD, Status.RUNNING]
    assert [r.status for r in runs(store)] == [Status.DEAD]
    assert load_run(store, record().id).record.status is Status.DEAD
    finish_training(store, dead.id, Status.DEAD)
    assert interrupted(store) == ()
    assert trainings(store)[0].status is Status.DEAD
    assert trainings(store)[1].id == mine.id


def test_another_machines_training_is_judged_by_its_heartbeat(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = start_training(store, "far away")
    known = tables().trainings

    def say(**values: object) -> None:
        store.catalog.write(lambda connection: connection.execute(update(known).values(**values)))

    say(space="another machine", pid=2**31 - 1)
    assert interrupted(store) == ()
    say(heartbeat=time.time() - 3600)
    assert [t.id for t in interrupted(store)] == [training.id]
    monkeypatch.setattr(trainings_module, "_BEAT", 0.02)
    with heartbeat(store, training.id):
        time.sleep(0.3)
    assert interrupted(store) == ()


def test_heartbeats_never_raise(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainings_module, "_BEAT", 0.02)
    training = start_training(store, "c")
    with heartbeat(store, training.id):
        store.catalog.write(tables().trainings.drop)
        time.sleep(0.2)


def test_a_run_comes_back(store: Store) -> None:
    model = Files({"manifest.json": b"{}", "graph.onnx": os.urandom(100_000)})
    kept = Run(dataclasses.replace(record(), scores={}), predictions(), model)
    save_run(store, kept)
    back = load_run(store, kept.id)
    assert back.record == kept.record
    assert back.predictions is not None
    assert kept.predictions is not None
    assert_frame_equal(back.predictions.table, kept.predictions.table)
    assert back.predictions.header == kept.predictions.header
    assert run_files(store, kept.id) == model.files
    assert runs(store) == (kept.record,)


def test_saving_again_replaces_and_another_training_stands_beside(store: Store) -> None:
    save_run(store, Run(record(training="old"), predictions(3)))
    save_run(store, Run(record(training="old"), predictions(4)))
    newer = dataclasses.replace(record(training="new"), started="2026-01-01")
    save_run(store, Run(newer, predictions(5)))
    assert [r.training for r in runs(store)] == ["old", "new"]
    assert [r.training for r in runs(store, "old")] == ["old"]
    newest, older = load_run(store, newer.id), load_run(store, newer.id, "old")
    assert newest.predictions is not None
    assert older.predictions is not None
    assert (len(newest.predictions), len(older.predictions)) == (5, 4)
    assert run_files(store, newer.id) == {}


def test_a_damaged_model_names_its_run(store: Store) -> None:
    save_run(store, Run(record(), None, Files({"graph.onnx": b"x"})))
    for path in store.objects.folder.glob("??/*"):
        path.unlink()
    with pytest.raises(DamagedError, match=f"the model of {record().id}"):
        run_files(store, record().id)


@pytest.fixture
def named(store: Store) -> Store:
    made = [
        ("old", "2025-01-01", "ridge-aaa111", "ridge"),
        ("old", "2025-01-01", "catboost-bbb222", "catboost"),
        ("new", "2025-01-02", "ridge-aaa999", "ridge"),
        ("new", "2025-01-02", "lightgbm-c01", "lightgbm"),
        ("new", "2025-01-02", "lightgbm-c02", "lightgbm"),
    ]
    for training, started, name, learner in made:
        one = dataclasses.replace(record(name, training, learner), started=started)
        save_run(store, Run(one))
    return store


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ridge-aaa111", "ridge-aaa111"),
        ("ridge", "ridge-aaa999"),
        ("ridge-aaa1", "ridge-aaa111"),
        ("cat", "catboost-bbb222"),
        ("catboost", "catboost-bbb222"),
        ("lightgbm-c02", "lightgbm-c02"),
    ],
)
def test_runs_are_found_by_what_people_type(named: Store, text: str, name: str) -> None:
    assert find_run(named, text) == name


def test_names_that_no_run_or_several_have(named: Store) -> None:
    with pytest.raises(UnknownRunError, match=r"could be 'lightgbm-c01', 'lightgbm-c02'"):
        find_run(named, "lightgbm")
    with pytest.raises(UnknownRunError, match="could be"):
        find_run(named, "ridge-aaa")
    with pytest.raises(UnknownRunError, match="Did you mean 'lightgbm'"):
        find_run(named, "lihgtgbm")
    for nothing in ("", "zzz"):
        with pytest.raises(UnknownRunError, match=r"No run is called.*Did you mean"):
            find_run(named, nothing)


def test_an_empty_project_has_no_runs(store: Store) -> None:
    assert runs(store) == ()
    with pytest.raises(UnknownRunError, match="no runs yet"):
        load_run(store, "best")


def test_folds_come_back_and_the_last_stays(store: Store) -> None:
    assert load_fold(store, "k") is None
    save_fold(store, "k", {"a": b"1"}, seconds=0.5)
    save_fold(store, "k", {"a": b"2"}, seconds=0.5)
    assert load_fold(store, "k") == {"a": b"2"}


def test_a_damaged_fold_is_named_and_mended_by_another(store: Store) -> None:
    save_fold(store, "k", {"a": b"1", "seconds": b"0.5"}, seconds=0.5)
    for path in store.objects.folder.glob("??/*"):
        path.unlink()
    with pytest.raises(DamagedError, match="fold k"):
        load_fold(store, "k")
    save_fold(store, "k", {"a": b"1", "seconds": b"0.6"}, seconds=0.6)
    assert load_fold(store, "k") == {"a": b"1", "seconds": b"0.6"}


def test_trials_come_back_in_order(store: Store) -> None:
    tried = [Trial("ridge", {"alpha": 0.1, "fit": True}, 0.5), Trial("ridge", {"alpha": 1}, math.inf)]
    assert [add_trial(store, "study", trial) for trial in tried] == [0, 1]
    assert add_trial(store, "another", tried[0]) == 0
    assert load_trials(store, "study") == tuple(tried)
    assert load_trials(store, "none") == ()
