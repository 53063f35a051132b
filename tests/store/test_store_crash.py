"""kill -9 at any moment loses nothing acknowledged, and nothing is half-written."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.store.folds import load_fold
from holdfast.store.runs import load_run, run_files, runs
from holdfast.store.store import create
from holdfast.store.trainings import interrupted
from holdfast.store.trials import load_trials

WRITER = """
import sys, hashlib
sys.path.insert(0, sys.argv[2])
from store_cases import Files, predictions, record
from holdfast.core.run import Run
from holdfast.core.space import Trial
from holdfast.store.folds import save_fold
from holdfast.store.runs import save_run
from holdfast.store.store import create
from holdfast.store.trainings import finish_training, heartbeat, start_training
from holdfast.store.trials import add_trial
store, name, most = create(sys.argv[1]), sys.argv[3], int(sys.argv[4])
training = start_training(store, name)
print("training", flush=True)
with heartbeat(store, training.id):
    for i in range(most):
        files = {"graph.onnx": bytes([i % 256]) * 80_000 + name.encode(), "n": str(i).encode()}
        save_fold(store, f"{name}-{i}", files, seconds=1.0)
        print("fold", i, flush=True)
        save_run(store, Run(record(f"{name}-{i}", training.id), predictions(), Files(files)))
        print("run", i, flush=True)
        add_trial(store, "study", Trial(name, {"i": i}, float(i)))
        print("trial", i, flush=True)
finish_training(store, training.id)
"""


def writer(root: Path, name: str, most: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(root), str(Path(__file__).parent), name, str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check(root: Path, name: str, said: list[str]) -> None:
    """Everything that was acknowledged is there, and every object is what its name says."""
    with create(root) as store:
        for line in said:
            match line.split():
                case ["fold", i]:
                    fold = load_fold(store, f"{name}-{i}")
                    assert fold is not None
                    assert fold["n"] == i.encode()
                case ["run", i]:
                    run = load_run(store, f"{name}-{i}")
                    assert run.predictions is not None
                    assert run_files(store, run.id)["n"] == i.encode()
                case ["trial", i]:
                    tried = [
                        trial.options["i"] for trial in load_trials(store, "study") if trial.learner == name
                    ]
                    assert int(i) in tried
        for path in store.objects.folder.glob("??/*"):
            assert fingerprint_bytes(path.read_bytes()) == path.parent.name + path.name
        for one in runs(store):  # what the catalog names exists
            load_run(store, one.id)
            run_files(store, one.id)
        assert list((store.objects.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("seed", range(4))
def test_killed_while_writing(tmp_path: Path, seed: int) -> None:
    process = writer(tmp_path, "w", 10_000)
    assert process.stdout is not None
    said = [process.stdout.readline().strip()]
    time.sleep(random.Random(seed).uniform(0.0, 0.4))
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=30)
    said += [line for line in rest.split("\n")[:-1] if line]
    assert process.returncode == -signal.SIGKILL
    check(tmp_path, "w", said)
    with create(tmp_path) as store:
        assert [training.command for training in interrupted(store)] == ["w"]


def test_killed_while_a_project_is_made(tmp_path: Path) -> None:
    for attempt in range(4):
        root = tmp_path / str(attempt)
        process = writer(root, "w", 1)
        while process.poll() is None and not root.exists():
            time.sleep(0.001)
        time.sleep(attempt * 0.1)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
        with create(root) as store:
            assert store.settings.decisions == 20


def test_two_processes_write_into_one_project(tmp_path: Path) -> None:
    both = [writer(tmp_path, name, 12) for name in ("one", "two")]
    for process, name in zip(both, ("one", "two"), strict=True):
        said, complaint = process.communicate(timeout=120)
        assert (process.returncode, complaint) == (0, "")
        check(tmp_path, name, said.splitlines())
    with create(tmp_path) as store:
        assert len(runs(store)) == 24
        assert len(load_trials(store, "study")) == 24
        assert interrupted(store) == ()
