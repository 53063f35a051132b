"""`compare` and `evaluate` on files that other systems wrote."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest


def write(path, **columns):
    n = len(next(iter(columns.values())))
    pl.DataFrame({"id": range(n), **columns}).write_csv(path)


@pytest.fixture
def numbers(tmp_path):
    """Three files of a regression; the first is the best, and the other two are equal."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=300)
    far = target + rng.normal(size=300)
    write(tmp_path / "near.csv", target=target, prediction=target + 0.5 * rng.normal(size=300))
    write(tmp_path / "far.csv", target=target, prediction=far)
    write(tmp_path / "far2.csv", target=target, prediction=far)


@pytest.mark.parametrize(
    ("files", "outcome", "status"),
    [
        ("near far far2", "worse", 1),
        ("near far far2", "better", 0),
        ("near far far2", "equivalent", 0),  # of the two others only
        ("far near far2", "worse", 0),
        ("far near far2", "better", 1),
        ("far near far2", "equivalent", 1),
        ("near far", "worse", 1),
    ],
)
def test_fail_on_holds_every_later_model_against_the_first(numbers, call, files, outcome, status):
    said = call("compare", *(f"{name}.csv" for name in files.split()), "--fail-on", outcome)
    assert said.status == status and not said.err


def test_the_json_of_many_says_which_was_given_first(numbers, call):
    said = json.loads(call("compare", "far.csv", "near.csv", "far2.csv", "--json").out)
    assert said["given_first"] == "far" and said["names"][0] == "near"
