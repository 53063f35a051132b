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
    said = call("compare", *(f"{name}.csv" for name in files.split()), "--margin", 0.3, "--fail-on", outcome)
    assert said.status == status and not said.err


def test_the_table_of_many_shows_the_margin_and_the_rows_needed(numbers, call):
    said = call("compare", "far.csv", "near.csv", "far2.csv", "--margin", "0.0123")
    assert "margin" in said.out and "0.012" in said.out and "rows needed" in said.out


def test_the_json_of_many_says_which_was_given_first(numbers, call):
    said = json.loads(call("compare", "far.csv", "near.csv", "far2.csv", "--json").out)
    assert said["given_first"] == "far" and said["names"][0] == "near"


@pytest.fixture
def churn(tmp_path):
    """Two files of one task, whose lone probability is of the label that does not sort last."""
    rng = np.random.default_rng(1)
    churned = rng.random(300) < 0.4
    target = np.where(churned, "churned", "stayed")
    for name, share in (("good", 0.6), ("bad", 0.3)):
        write(tmp_path / f"{name}.csv", target=target, probability=share * churned + 0.4 * rng.random(300))


def test_which_class_a_probability_is_of_is_asked_and_then_said(churn, call):
    said = call("compare", "bad.csv", "good.csv")
    assert said.status == 2 and "--positive LABEL" in said.err
    said = call("compare", "bad.csv", "good.csv", "--positive", "churned")
    assert said.status == 0 and "good is better than bad" in said.out
    assert "The positive class is 'churned'." in said.out
    said = call("evaluate", "good.csv", "--positive", "churned", "--metric", "auc")
    assert said.status == 0 and "1.000 " in said.out and "'churned'" in said.out
    assert call("evaluate", "good.csv", "--positive", "left").status == 2


def test_whole_numbers_are_judged_as_what_they_are_said_to_be(tmp_path, call):
    target = np.arange(100) % 20
    write(tmp_path / "p.csv", target=target, prediction=np.where(np.arange(100) % 5, target, 0))
    assert "RMSE" in call("evaluate", "p.csv").out
    assert "accuracy" in call("evaluate", "p.csv", "--task", "classification").out
    assert call("evaluate", "p.csv", "--task", "clustering").status == 2
    said = call("evaluate", "best", "--task", "regression")
    assert said.status == 2


def test_each_class_has_its_metrics(tmp_path, call):
    write(tmp_path / "p.csv", target=list("abc") * 30, prediction=list("abb") * 30)
    said = call("evaluate", "p.csv")
    assert "recall" in said.out and said.status == 0
    scores = json.loads(call("evaluate", "p.csv", "--json").out)
    assert scores["recall_b"]["value"] == 1.0 and scores["recall_c"]["value"] == 0.0
    assert json.loads(call("evaluate", "p.csv", "--metric", "recall_b", "--json").out)["recall_b"]["n"] == 90


def test_mends_are_those_of_the_command_line(tmp_path, call):
    target = np.arange(40) % 2
    write(tmp_path / "a.csv", target=target, prediction=target)
    write(tmp_path / "b.csv", target=target[:30], prediction=target[:30])
    write(tmp_path / "none.csv", prediction=target)
    write(tmp_path / "one.csv", target=np.ones(40, dtype=int), probability=np.full(40, 0.5))
    said = call("compare", "a.csv", "b.csv")
    assert said.status == 2 and "leave the other rows out" in said.err and "a.where" not in said.err
    assert "'none' has no target" in call("compare", "a.csv", "none.csv").err
    said = call("evaluate", "one.csv")
    assert said.status == 2 and "probability_<class>" in said.err and "classes=" not in said.err
