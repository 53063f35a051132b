"""What is killed, interrupted or doubled: nothing that was finished is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time

import pytest
from commands import QUICK, holdfast, start

LEARNERS = "constant,decision_tree,random_forest"
TRAIN = ("--target", "diagnosis", "--learners", LEARNERS, "--folds", 6)


def folds_done(folder):
    catalog = folder / ".holdfast" / "catalog.db"
    if not catalog.exists():
        return 0
    connection = sqlite3.connect(catalog, timeout=10)
    try:
        return connection.execute("select count(*) from folds").fetchone()[0]
    except sqlite3.OperationalError:  # its tables are just being made
        return 0
    finally:
        connection.close()


def until(condition, process):
    end = time.monotonic() + 120
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()


@pytest.fixture
def half_done(patients_csv, tmp_path):
    """A training at work in `tmp_path` whose first learner is done."""
    process = start("train", patients_csv, *TRAIN, cwd=tmp_path)
    until(lambda: folds_done(tmp_path) >= 8, process)
    yield process
    process.kill()
    process.communicate()


def test_a_killed_training_is_taken_up_where_it_was(half_done, patients_csv, tmp_path):
    half_done.kill()
    half_done.wait()
    done = folds_done(tmp_path)
    assert 8 <= done < 18
    listed = holdfast("runs", cwd=tmp_path)
    assert listed.status == 0

    again = holdfast("train", patients_csv, *TRAIN, cwd=tmp_path)
    assert again.status == 0, again.err
    assert "An earlier training was cut off. What it finished is kept: holdfast train" in again.out
    assert f"reuses  {done} folds" in again.out
    assert folds_done(tmp_path) == 18
    board = json.loads(holdfast("leaderboard", "--json", cwd=tmp_path).out)
    assert {name.partition("-")[0] for name in (entry["name"] for entry in board["entries"])} >= set(
        LEARNERS.split(",")
    )

    third = holdfast("train", patients_csv, *TRAIN, cwd=tmp_path)
    assert "was cut off" not in third.out and "reuses  18 folds" in third.out


def test_the_same_models_come_of_it_whether_it_was_killed_or_not(half_done, patients_csv, tmp_path):
    half_done.kill()
    half_done.wait()
    holdfast("train", patients_csv, *TRAIN, cwd=tmp_path)
    (tmp_path / "other").mkdir()
    holdfast("train", patients_csv, *TRAIN, cwd=tmp_path / "other")
    models = [
        {run["id"]: run["model"] for run in json.loads(holdfast("runs", "--json", cwd=folder).out)}
        for folder in (tmp_path, tmp_path / "other")
    ]
    assert models[0] == models[1] and len(models[0]) >= 3


def test_control_c_keeps_what_is_finished_and_ranks_it(half_done, tmp_path):
    half_done.send_signal(signal.SIGINT)
    out, err = half_done.communicate(timeout=60)
    assert half_done.returncode == 0, err
    assert "Leaderboard" in out and re.search(r"skipped [^:]*random_forest[^:]*: interrupted", out), out
    board = json.loads(holdfast("leaderboard", "--json", cwd=tmp_path).out)
    assert {entry["name"].partition("-")[0] for entry in board["entries"]} >= {"constant"}
    assert holdfast("show", "best", cwd=tmp_path).status == 0


def test_no_worker_outlives_a_killed_training(half_done, tmp_path):
    children = [
        int(pid)
        for pid in os.listdir("/proc")
        if pid.isdigit() and _parent(pid) == half_done.pid
    ]  # fmt: skip
    assert children
    half_done.kill()
    half_done.wait()
    end = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") and _alive(pid) for pid in children):
        assert time.monotonic() < end
        time.sleep(0.05)


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_two_trainings_into_one_new_project_at_once(patients_csv, tmp_path):
    words = ("train", patients_csv, "-t", "diagnosis", "--learners", QUICK, "--folds", 2)
    both = [start(*words, "--seed", seed, cwd=tmp_path) for seed in (1, 2)]
    for process in both:
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, out + err
    runs = json.loads(holdfast("runs", "--json", cwd=tmp_path).out)
    assert {run["seed"] for run in runs} == {1, 2}
    compared = holdfast("compare", runs[0]["id"], runs[-1]["id"], cwd=tmp_path)
    assert compared.status == 0, compared.err  # the same rows are open in both


def test_a_budget_is_kept(patients_csv, tmp_path):
    started = time.monotonic()
    said = holdfast("train", patients_csv, "-t", "diagnosis", "--budget", "6s", cwd=tmp_path)
    seconds = time.monotonic() - started
    assert said.status == 0, said.err
    assert seconds < 25  # the machine may be busy with other tests
    assert "skipped" in said.out or "extra_trees" in said.out
