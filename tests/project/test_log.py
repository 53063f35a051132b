"""`hf.log` in a training loop: what it cannot write, it says at the end, and never before."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

import holdfast as hf
from holdfast.errors import FileError, UnknownRunError
from holdfast.project.show import shown
from holdfast.report import text
from holdfast.store.logs import close_log, logged
from holdfast.store.runs import run_files
from holdfast.store.store import create

LOOP = """
import sys
from pathlib import Path
import holdfast as hf
for step in range(3):
    hf.log({"loss": 1.0}, run="mine", step=step, files={"weights": Path("absent.bin")}, project=sys.argv[1])
print("trained")
"""


def looped(project):
    return subprocess.run(
        [sys.executable, "-c", LOOP, str(project)], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_file_that_is_absent_is_told_at_the_end_and_the_rest_is_kept(tmp_path):
    done = looped(tmp_path)
    assert (done.returncode, done.stdout) == (0, "trained\n")
    (said,) = done.stderr.splitlines()
    assert said.startswith(
        f"holdfast: logging to {tmp_path}: The file 'weights' of run 'mine' cannot be read"
    )
    assert said.endswith("absent.bin' (3 times)")
    with create(tmp_path) as store:
        assert [one.step for one in logged(store, "mine")] == [0, 1, 2]


def test_a_project_that_cannot_be_made_is_told_at_the_end(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file, where a folder is wanted")
    done = looped(taken)
    assert (done.returncode, done.stdout) == (0, "trained\n")
    said = done.stderr.splitlines()[-1]
    assert "A record of run 'mine' was lost" in said
    assert "is a file; a project is a folder" in said
    assert said.endswith("(3 times)")


def test_bytes_text_and_paths_are_files(tmp_path):
    (tmp_path / "c.bin").write_bytes(b"3")
    hf.log(run="mine", files={"a": b"1", "b": "2", "c": tmp_path / "c.bin"}, project=tmp_path)
    with create(tmp_path) as store:
        assert close_log(store) == ()
        assert run_files(store, "mine") == {"a": b"1", "b": b"2", "c": b"3"}


def test_files_of_a_wrong_kind_are_told_too(tmp_path):
    hf.log(run="mine", files={"a": 1}, project=tmp_path)
    with create(tmp_path) as store:
        (said, lost) = close_log(store)
    assert "'mine' cannot be kept" in said
    assert lost == "1 log records were lost."


def logged_project(folder):
    """A project where two runs were logged, one of them with predictions."""
    for step in range(3):
        hf.log({"loss": 1.0 / (step + 1)}, run="mine", step=step, project=folder)
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 60)
    judged = hf.Predictions.of(
        example=range(60),
        target=target,
        probability=(target + rng.random(60)) / 2,
        classes=[0, 1],
        model="net",
    )
    hf.log({"loss": 0.5}, run="judged", predictions=judged, files={"weights.bin": b"123"}, project=folder)
    with create(folder) as store:
        assert close_log(store) == ()
    return hf.open(folder)


def test_a_logged_run_shows_its_last_metrics_its_files_and_its_scores(tmp_path):
    project = logged_project(tmp_path)
    mine = shown(project, "mine")
    series = mine.series["loss"]
    assert (series.last, series.step, series.count) == (pytest.approx(1 / 3), 2, 3)
    assert not mine.scores
    drawn = text.plain(text.logged(mine))
    assert drawn.splitlines()[0] == "mine  logged by a training loop of your own"
    assert "loss          0.3333     2       3" in drawn
    judged = shown(project, "judged")
    assert judged.files == {"weights.bin": 3}
    assert judged.scores == hf.evaluate("judged", project=project)
    drawn = text.plain(text.logged(judged))
    assert "weights.bin  3 B" in drawn
    assert re.search(r"log loss +lower +0\.", drawn)


def test_a_logged_run_is_compared_under_its_own_name_and_has_no_report(tmp_path):
    project = logged_project(tmp_path)
    assert hf.compare("judged", "judged", project=project).first == "judged"
    with pytest.raises(FileError, match="holdfast show judged"):
        hf.write_report(project, tmp_path / "r.html", run="judged")
    with pytest.raises(UnknownRunError, match="judged was logged without a table"):
        hf.debug("judged", project=project)
    with pytest.raises(UnknownRunError, match="No training has finished"):
        shown(project, "best")
