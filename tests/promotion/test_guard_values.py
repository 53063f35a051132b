"""A guard is checked where it is made, and says what it claims."""

from __future__ import annotations

import math

import pytest

from holdfast.core.guard import Guard, GuardKind, out_of_range
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
        (Guard("g", GuardKind.EXAMPLES, examples=("a",)), "1 example is right"),
        (Guard("g", GuardKind.SIZE, at_most=1e6), "the model's files take at most 1,000,000 MB"),
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
            "needs reference. Write for example, each on a line of its own: met",
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
            {"kind": GuardKind.FAIRNESS, "column": "a", "metric": "tpr", "at_most": 5.0},
            InputError,
            r"at_most = 5, and the gap in tpr between groups lies between 0 and 1. .* at_most = 0\.05$",
        ),
        ({"kind": GuardKind.CALIBRATION, "at_most": 3.0}, InputError, r"a calibration error lies .* 0\.03$"),
        (
            {"kind": GuardKind.FAIRNESS, "column": "a", "metric": "tpr", "at_most": 0.1, "bands": (60, 30)},
            InputError,
            r"bands are numbers that rise, .* bands = \[30, 60\]",
        ),
        (
            {"kind": GuardKind.INVARIANCE, "column": "a", "at_most": 1, "bands": (1,)},
            InputError,
            "use for bands",
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


def test_what_a_proof_measured_may_be_as_wide_as_it_is() -> None:
    Guard("g", GuardKind.FAIRNESS, metric="tpr", column="a", at_most=1.04, origin="proof-2c89")


@pytest.mark.parametrize(
    ("value", "bounds", "said"),
    [
        (80, (0.0, 1.0), "at_least = 80, and it lies between 0 and 1. Write for example: at_least = 0.8"),
        (
            -0.5,
            (0.0, math.inf),
            "at_least = -0.5, and it is never below 0. Write for example: at_least = 0.5",
        ),
        (90, (-math.inf, 1.0), "at_least = 90, and it is never above 1. Write for example: at_least = 0.9"),
        (
            -7e5,
            (0.0, 1.0),
            "at_least = -700000, and it lies between 0 and 1. Write for example: at_least = 0.5",
        ),
    ],
)
def test_a_limit_out_of_range_has_a_mend(value: float, bounds: tuple[float, float], said: str) -> None:
    assert out_of_range("at_least", value, "it", bounds) == said
