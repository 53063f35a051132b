"""Whatever is wrong with the question: one line that says what and how to mend it, status 2, nothing lost."""

from __future__ import annotations

import gzip
import os
import resource
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from commands import QUICK

ROWS = [f"{i % 7},{i * 13 % 11},{'yes' if i % 2 else 'no'}" for i in range(60)]
SOUND = "a,b,y\n" + "\n".join(ROWS) + "\n"
PACKED = gzip.compress((SOUND * 20).encode())


def with_target(cells):
    return "a,b,y\n" + "\n".join(
        f"{row.rsplit(',', 1)[0]},{cell}" for row, cell in zip(ROWS, cells, strict=True)
    )


# file -> (its bytes, what the message must say)
FILES = {
    "empty.csv": (b"", ["empty.csv is empty", "at least one row"]),
    "blank.csv": (b"\n\n", ["blank.csv is empty"]),
    "header.csv": (b"a,b,y\n", ["empty but for its column names"]),
    "constant.csv": (with_target(["yes"] * 60).encode(), ["'y' is constant", "'yes'"]),
    "missing.csv": (with_target([""] * 60).encode(), ["Every cell of the target 'y' is missing"]),
    "texts.csv": (with_target(f"text number {i}" for i in range(60)).encode(), ["60 different texts"]),
    "single.csv": (with_target(["maybe", *["no", "yes"] * 29, "no"]).encode(), ["'maybe'", "one row only"]),
    "narrow.csv": (b"y\n" + b"no\nyes\n" * 30, ["no column to learn from"]),
    "repeated.csv": (SOUND.replace("a,b,y", "a,a,y").encode(), ["more than one column called 'a'"]),
    "flat.csv": (("a,b,y\n" + "1,2,no\n1,2,yes\n" * 30).encode(), ["Every feature is constant"]),
    "long.csv": ((SOUND + "1,2,yes,4\n").encode(), ["4 fields in line 62", "3 are wanted"]),
    "short.csv": ((SOUND + "1,2\n").encode(), ["2 fields in line 62"]),
    "nul.csv": (SOUND.replace("yes", "y\0s", 1).encode(), ["NUL byte in line 3", "tr -d"]),
    "image.csv": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, ["is a PNG image, not a table"]),
    "noise.csv": (os.urandom(4096), ["not a table"]),
    "cut.csv.gz": (PACKED[: len(PACKED) // 2], ["ends too early"]),
}


def is_one_clear_line(said, *parts):
    assert said.status == 2, said.out + said.err
    assert said.err.startswith("error: ") and said.err.count("\n") == 1 and "Traceback" not in said.err
    for part in parts:
        assert part in said.err


@pytest.mark.parametrize("name", FILES)
def test_a_table_that_cannot_be_used(name, call, tmp_path):
    data, parts = FILES[name]
    (tmp_path / name).write_bytes(data)
    is_one_clear_line(call("train", name, "--target", "y"), *parts)
    assert [path.name for path in tmp_path.iterdir()] == [name]  # no project, nothing half-written


def test_a_zip_bomb_is_not_unpacked(call, tmp_path):
    with gzip.open(tmp_path / "bomb.csv.gz", "wb") as bomb:
        bomb.write(b"a,b,y\n")
        for _ in range(40):
            bomb.write(b"1,2,yes\n" * 500_000)
    is_one_clear_line(call("train", "bomb.csv.gz", "--target", "y"), "zip bomb", "unpack it yourself")


@pytest.mark.parametrize("infinity", ["inf", "-Infinity"])
def test_infinities_are_named_and_left_out_on_request(call, tmp_path, infinity):
    (tmp_path / "t.csv").write_text(SOUND.replace("0,0,no", f"{infinity},0,no"))
    row = SOUND.splitlines().index("0,0,no")
    is_one_clear_line(
        call("train", "t.csv", "--target", "y"),
        "'a' of t.csv",
        "1 infinite cell,",
        f"row {row}.",
        "--ignore 'a'",
    )
    assert call("train", "t.csv", "--target", "y", "--ignore", "a", "--learners", "constant").status == 0


# words of a command -> what the message must say
WORDS = {
    "train patient.csv --target diagnosis": ["no file patient.csv", "Did you mean 'patients.csv'?"],
    "train patients.csv": ["No column is the target", "--target NAME"],
    "train patients.csv --target diagnosys": ["'diagnosys'", "Did you mean 'diagnosis'?"],
    "train patients.csv --target diagnosis --group clinik": ["'clinik'", "Did you mean 'clinic'?"],
    "train patients.csv --target diagnosis --learners lightgmb": ["'lightgmb'", "'lightgbm'"],
    "train patients.csv --target diagnosis --metric auk": ["'auk'", "'auc'"],
    "train patients.csv --target diagnosis --loss fokal": ["'fokal'", "'focal'"],
    "train patients.csv --target diagnosis --loss squared": ["squared"],
    "train patients.csv --target diagnosis --budget soon": ["'soon' is not a duration", "60s"],
    "train patients.csv --target diagnosis --budget 0s": ["longer"],
    "train patients.csv --target diagnosis --folds 1": ["2 to 50 folds"],
    "train patients.csv --target diagnosis --sealed 2": ["between 0 and 0.9"],
    "train patients.csv --target diagnosis --kind seen=dat": ["COLUMN=KIND", "'date'"],
    "train patients.csv --target diagnosis --tune": ["--budget 10m"],
    "train patients.csv --target diagnosis --budget 9s --learners linear --tune": [
        "no search space for 'linear'"
    ],
    "train patients.csv --target diagnosis --replay best": ["--project"],
    "train patients.csv --target clinic --group clinic": ["'clinic' is given as"],
    "leaderboard": ["no Holdfast project", "holdfast train FILE --target COLUMN"],
    "show best": ["no Holdfast project"],
    "predict best patients.csv -o new.parquet": ["no Holdfast project"],
    "compare best constant": ["no file 'best'", "--project DIR"],
    "evaluate nothing.parquet": ["no file 'nothing.parquet'"],
}


@pytest.mark.parametrize("words", WORDS)
def test_a_question_that_cannot_be_answered(words, call, patients_csv, tmp_path):
    shutil.copy(patients_csv, tmp_path)
    is_one_clear_line(call(*words.split()), *WORDS[words])
    assert [path.name for path in tmp_path.iterdir()] == ["patients.csv"]


IN_PROJECT = {
    "show bset": ["No run is called 'bset'", "'best'", "holdfast runs"],
    "show lightgbm_smaal": ["Did you mean 'lightgbm_small'"],
    "evaluate best --metric acuracy": ["'accuracy'"],
    "evaluate best --sealed --metric acuracy": ["'accuracy'"],
    "compare best decision_treee": ["'decision_tree'"],
    "compare best": ["two models or more"],
    "predict best new.csv -o new.xlsx": [".parquet"],
    "predict best new.csv -o new.parquet": ["no file new.csv"],
    "predict best odd.csv -o new.parquet": ["none of the features", "'mean_radius'"],
    "train patients.csv --sealed 0.5": ["sealed 20%", "--project DIR"],
    "train patients.csv --test patients.csv": ["--test they would open"],
    "train patients.csv --group clinic": ["drew their roles without --group", "--project DIR"],
    "train patients.csv --time seen": ["without --time"],
    "train odd.csv --target z": ["lacks 'mean_radius'", "--ignore"],
}


@pytest.fixture
def inside(trained, patients_csv, call, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    shutil.copy(patients_csv, tmp_path / "patients.csv")
    (tmp_path / "odd.csv").write_text("x,z\n" + "1,no\n2,yes\n" * 30)
    return call


@pytest.mark.parametrize("words", IN_PROJECT)
def test_a_question_that_this_project_cannot_answer(words, inside, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    is_one_clear_line(inside(*words.split()), *IN_PROJECT[words])
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert inside("runs").status == 0


def test_a_wrong_metric_spends_no_answer_of_the_sealed_rows(inside):
    inside("evaluate", "best", "--sealed", "--metric", "acuracy")
    assert "19 more answers of 20" in inside("evaluate", "best", "--sealed").out


def test_an_unknown_verb_and_an_unknown_option(call):
    said = call("trian")
    assert said.status == 2 and "Did you mean 'train'?" in said.err
    said = call("train", "x.csv", "--buget", "60s")
    assert said.status == 2 and "--budget" in said.err


def test_a_damaged_object_is_named_and_never_used(inside, tmp_path):
    for damaged in (tmp_path / ".holdfast" / "objects").rglob("*"):
        if damaged.is_file():
            damaged.chmod(0o644)
            damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    (tmp_path / "new.csv").write_bytes((tmp_path / "patients.csv").read_bytes())
    is_one_clear_line(inside("predict", "best", "new.csv", "-o", "new.parquet"), "is damaged", "train again")
    is_one_clear_line(inside("leaderboard"), "is damaged")
    assert not (tmp_path / "new.parquet").exists()
    again = inside("train", "patients.csv", "--learners", QUICK, "--folds", "3")
    assert again.status == 0, again.err
    assert inside("leaderboard").status == 0  # the same work wrote them again


def test_a_project_of_a_newer_version_is_left_alone(inside, tmp_path):
    with sqlite3.connect(tmp_path / ".holdfast" / "catalog.db") as catalog:
        catalog.execute("update about set value = '999' where name = 'version'")
    catalog.close()
    for words in (["leaderboard"], ["train", "patients.csv"]):
        is_one_clear_line(inside(*words), "newer Holdfast", "pip install -U holdfast")


def test_a_folder_that_cannot_be_written(inside, tmp_path):
    closed = "/sys" if os.geteuid() == 0 else str(tmp_path / "closed")  # nothing is closed to root but this
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o555)
    train = ("train", "patients.csv", "--target", "diagnosis", "--project", f"{closed}/p")
    is_one_clear_line(inside(*train), f"{closed}/p", "another: --project FOLDER")
    predict = ("predict", "best", "patients.csv", "-o")
    for name in ("new.parquet", "new.csv", "new.jsonl"):
        is_one_clear_line(
            inside(*predict, f"{closed}/{name}"), f"{closed}/{name} cannot be written", "-o FILE"
        )
    is_one_clear_line(inside("report", "-o", f"{closed}/r.html"), "cannot be written")


@pytest.mark.parametrize("kilobytes", [4, 24, 100])
def test_a_full_disk_loses_nothing_that_was_finished(kilobytes, patients_csv, tmp_path):
    words = ["train", str(patients_csv), "--target", "diagnosis", "--learners", QUICK, "--folds", "2"]

    def no_more():
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))

    def run(limit):
        command = [sys.executable, "-m", "holdfast", *words]
        return subprocess.run(
            command, cwd=tmp_path, preexec_fn=limit, capture_output=True, text=True, check=False
        )

    full = run(no_more)
    assert full.returncode == 2, full.stdout + full.stderr
    assert "Traceback" not in full.stderr and "Free some space" in full.stderr
    assert run(None).returncode == 0  # the same command, once there is room


def test_a_full_disk_leaves_no_half_of_a_file(trained, patients, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    rng = np.random.default_rng(0)
    many = pl.concat([patients] * 20)
    many.with_columns(mean_radius=pl.col("mean_radius") + rng.normal(size=len(many))).write_csv(
        tmp_path / "many.csv"
    )
    before = {path.name for path in tmp_path.iterdir()}
    for name in ("new.csv", "new.parquet", "new.jsonl"):
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", "predict", "best", "many.csv", "-o", name],
            cwd=tmp_path,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40 << 10, 40 << 10)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2 and f"{name} cannot be written" in done.stderr, done.stderr
        assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("width", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_columns_are_no_mistake(width, call, tmp_path):
    cells = np.random.default_rng(0).normal(size=(80, width)).round(2)
    table = pl.DataFrame(cells, schema=[f"x{i}" for i in range(width)])
    table.with_columns(y=pl.Series(["no", "yes"] * 40)).write_csv(tmp_path / "wide.csv")
    said = call("train", "wide.csv", "--target", "y", "--learners", "constant,decision_tree", "--folds", "2")
    assert said.status == 0, said.err
    assert f"features  {width:,}" in said.out
    table.head(3).write_csv(tmp_path / "new.csv")
    assert call("predict", "decision_tree", "new.csv", "-o", "new.jsonl").status == 0
