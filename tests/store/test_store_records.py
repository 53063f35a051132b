"""Records: what goes in comes out, and old texts stay readable."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_cases import dataset, record

from holdfast.core.estimate import Estimate
from holdfast.core.plan import Plan
from holdfast.core.run import RunRecord, Status, Training
from holdfast.core.schema import Schema
from holdfast.core.task import Task
from holdfast.errors import DamagedError, NewerError
from holdfast.store.records import decode, encode
from holdfast.store.splits import Rule

ASSETS = Path(__file__).parent / "assets"

floats = st.floats(allow_nan=False)
plans = st.builds(
    Plan,
    task=st.sampled_from(Task),
    learner=st.text(),
    metric=st.text(),
    loss=st.text(),
    folds=st.integers(2, 50),
    seed=st.integers(),
    options=st.dictionaries(st.text(), st.booleans() | st.integers() | st.text() | st.floats(-1e9, 1e9)),
    members=st.lists(st.text()).map(tuple),
)


@given(plans)
def test_plans_come_back_equal_and_of_equal_id(plan: Plan) -> None:
    back = decode(Plan, encode(plan, "plan.v1"), "plan.v1")
    assert back == plan
    assert back.id == plan.id


@given(
    st.builds(Estimate, floats, floats, floats, st.floats(0.01, 0.99), st.integers(0), st.text(), st.text())
)
def test_estimates_come_back(estimate: Estimate) -> None:
    assert decode(Estimate, encode(estimate, "e.v1"), "e.v1") == estimate


def test_an_absent_estimate_stays_absent_in_plain_json() -> None:
    text = encode(Estimate.absent("no positive rows"), "e.v1")
    assert json.loads(text, parse_constant=pytest.fail)["value"] == "nan"
    back = decode(Estimate, text, "e.v1")
    assert math.isnan(back.value)
    assert back.reason == "no positive rows"


def test_run_records_and_schemas_come_back() -> None:
    back = decode(RunRecord, encode(record(), "run.v1"), "run.v1")
    absent = Estimate(0.0, 0.0, 0.0)  # nan is not equal to itself
    same = {"scores": {"auc": record().scores["auc"], "f1": absent}}
    assert not back.scores["f1"].known
    assert dataclasses.replace(back, **same) == dataclasses.replace(record(), **same)  # type: ignore[arg-type]
    assert isinstance(back.status, Status)
    assert decode(Schema, encode(dataset().schema, "schema.v1"), "schema.v1") == dataset().schema
    without = dataclasses.replace(record(), plan=None, scores={})
    assert decode(RunRecord, encode(without, "run.v1"), "run.v1") == without


def test_trainings_keep_any_json_as_plan() -> None:
    training = Training("t", "holdfast train", "d", "now", plan={"learners": ["a", "b"], "budget": 60.0})
    assert decode(Training, encode(training, "training.v1"), "training.v1") == training


def test_a_field_that_is_lacking_takes_its_default() -> None:
    text = json.dumps({"format": "training.v1", "id": "t", "command": "c", "dataset": "d", "started": "s"})
    assert decode(Training, text, "training.v1") == Training("t", "c", "d", "s")


def test_a_newer_record() -> None:
    with pytest.raises(NewerError, match=r"run\.v2.*pip install -U holdfast"):
        decode(RunRecord, '{"format": "run.v2"}', "run.v1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": "training.v1"}',
        '{"format": "training.v1", "id": 3, "command": "", "dataset": "", "started": ""}',
        '{"format": "training.v1", "id": "", "command": "", "dataset": "", "started": "", "status": "odd"}',
        '{"format": "training.v1", "id": "", "command": "", "dataset": "", "started": "", "plan": []}',
    ],
)
def test_what_is_no_record_is_damaged(text: str) -> None:
    with pytest.raises(DamagedError, match=r"training\.v1"):
        decode(Training, text, "training.v1")


def test_records_of_version_1_stay_readable() -> None:
    """The files in assets were written by version 0.1.0. Never write them again: add newer ones."""
    run = decode(RunRecord, (ASSETS / "run.v1.json").read_text(), "run.v1")
    assert run.plan == record().plan
    assert run.scores["auc"] == record().scores["auc"]
    assert (run.id, run.status, run.cost, run.curves) == (
        record().id,
        Status.FINISHED,
        record().cost,
        record().curves,
    )
    schema = decode(Schema, (ASSETS / "schema.v1.json").read_text(), "schema.v1")
    assert schema == dataset().schema


def test_a_field_that_is_no_longer_known_is_passed_over() -> None:
    """Datasets once named a parent; those that were kept then are read."""
    text = '{"format": "rule.v1", "salt": 1, "share": 0.25, "parent": null}'
    assert decode(Rule, text, "rule.v1") == Rule(1, 0.25)
