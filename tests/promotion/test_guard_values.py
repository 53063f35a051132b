"""A guard is checked where it is made, and says what it claims."""

from __future__ import annotations

import pytest

from holdfast.core.guard import Guard, GuardKind
from holdfast.errors import InputError, QueryError


@pytest.mark.parametrize(
    ("guard", "claim"),
    [
        (Guard("g", GuardKind.FLOOR, metric="log_loss", at_most=0.62), "log_loss is at most 0.62"),
        (
            Guard("g", GuardKind.NOT_WORSE, metric="auc", reference="r", margin=0.01, where="a < 1"),
            "auc is no worse than that of r, within 0.01 where a < 1",
        ),
        (Guard("g", GuardKind.CHAMPION, metric="auc"), "auc is no worse than the champion's"),
        (
            Guard("g", GuardKind.INVARIANCE, column="gender", at_most=0.02),
            "another gender changes no prediction by more than 0.02",
        ),
        (
            Guard("g", GuardKind.DIRECTION, column="tenure", direction="never raises"),
            "more tenure never raises the prediction",
        ),
        (Guard("g", GuardKind.EXAMPLES, examples=("a", "b")), "2 examples are right"),
    ],
)
def test_a_guard_says_what_it_claims(guard: Guard, claim: str) -> None:
    assert str(guard) == claim


def test_only_probes_need_a_model() -> None:
    assert Guard("g", GuardKind.SIZE, at_most=1).needs_model
    assert Guard("g", GuardKind.DIRECTION, column="a", direction="never lowers").needs_model
    assert not Guard("g", GuardKind.FLOOR, metric="auc", at_least=0.8).needs_model


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"kind": GuardKind.FLOOR, "metric": "auc"}, InputError, "needs just one of at_least and at_most"),
        (
            {"kind": GuardKind.FLOOR, "metric": "auc", "at_least": 0.1, "at_most": 0.2},
            InputError,
            "just one of",
        ),
        (
            {"kind": GuardKind.NOT_WORSE, "metric": "auc"},
            InputError,
            "needs reference. Write for example: met",
        ),
        ({"kind": GuardKind.SIZE, "at_most": 1.0, "column": "a"}, InputError, "no use for column"),
        ({"kind": GuardKind.CHAMPION, "metric": "auc", "where": "a < 1"}, InputError, "no use for where"),
        ({"kind": GuardKind.SIZE, "at_most": float("nan")}, InputError, "at_most is a number such as"),
        ({"kind": GuardKind.SIZE, "at_most": -1.0}, InputError, "cannot be below 0"),
        ({"kind": GuardKind.CHAMPION, "metric": "auc", "margin": 0.0}, InputError, "margin is the largest"),
        ({"kind": GuardKind.CHAMPION, "metric": "auc", "power": 1.1}, InputError, r"power lies in \[0, 1\]"),
        ({"kind": GuardKind.DIRECTION, "column": "a", "direction": "raises"}, InputError, "'never raises'"),
        (
            {"kind": GuardKind.FAIRNESS, "column": "a", "metric": "tprr", "at_most": 0.1},
            InputError,
            "Did you mean 'tpr'",
        ),
        (
            {"kind": GuardKind.CALIBRATION, "at_most": 0.1, "where": "a <"},
            QueryError,
            "The guard 'g': The query 'a <' cannot be read at character",
        ),
        (
            {"kind": GuardKind.CALIBRATION, "at_most": 0.1, "where": "system('true') = 1"},
            QueryError,
            "nothing is called here",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(fields: dict, error: type[InputError], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        Guard("g", **fields)
    assert "'g'" in str(caught.value)


def test_a_guard_without_a_name() -> None:
    with pytest.raises(InputError, match="has no name"):
        Guard(" ", GuardKind.SIZE, at_most=1.0)
