"""An executable claim that every later model must meet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from holdfast.core.estimate import Estimate
from holdfast.core.query import parse_query
from holdfast.errors import InputError, QueryError, suggest


class GuardKind(StrEnum):
    """What a guard claims."""

    FLOOR = "floor"  # a metric is at least, or at most, so much
    NOT_WORSE = "not-worse"  # no worse than a run was, within a margin
    CHAMPION = "champion"  # no worse than the model that is released now
    FAIRNESS = "fairness"  # a rate differs between groups by so much at most
    CALIBRATION = "calibration"  # the debiased calibration error is so much at most
    LATENCY = "latency"  # milliseconds that a row takes at most
    SIZE = "size"  # megabytes of the model's files at most
    INVARIANCE = "invariance"  # another cell in a column moves no prediction by more
    DIRECTION = "direction"  # more of a column never raises, or never lowers
    EXAMPLES = "examples"  # rows that every model must get right


RATES = (
    "selection_rate",
    "tpr",
    "fpr",
    "precision",
    "calibration",
    "accuracy",
    "mean_residual",
    "rmse",
    "mae",
)
"""What a fairness guard can compare between groups."""

DIRECTIONS = ("never raises", "never lowers")
"""What more of a column may never do to the prediction."""

# kind -> the fields that it needs, and those that it may have besides; the mend shows the needed ones
_NEEDED: Mapping[GuardKind, tuple[str, ...]] = {
    GuardKind.FLOOR: ("metric",),
    GuardKind.NOT_WORSE: ("metric", "reference"),
    GuardKind.CHAMPION: ("metric",),
    GuardKind.FAIRNESS: ("metric", "column", "at_most"),
    GuardKind.CALIBRATION: ("at_most",),
    GuardKind.LATENCY: ("at_most",),
    GuardKind.SIZE: ("at_most",),
    GuardKind.INVARIANCE: ("column", "at_most"),
    GuardKind.DIRECTION: ("column", "direction"),
    GuardKind.EXAMPLES: ("examples",),
}
_ALLOWED: Mapping[GuardKind, tuple[str, ...]] = {
    GuardKind.FLOOR: ("where", "at_least", "at_most"),
    GuardKind.NOT_WORSE: ("where", "margin", "power"),
    GuardKind.CHAMPION: ("margin", "power"),
    GuardKind.FAIRNESS: ("where",),
    GuardKind.CALIBRATION: ("where",),
    GuardKind.LATENCY: (),
    GuardKind.SIZE: (),
    GuardKind.INVARIANCE: ("where",),
    GuardKind.DIRECTION: ("where",),
    GuardKind.EXAMPLES: ("at_most",),
}
WRITTEN: Mapping[GuardKind, str] = {
    GuardKind.FLOOR: 'metric = "log_loss", at_most = 0.62',
    GuardKind.NOT_WORSE: 'metric = "log_loss", reference = "lightgbm-4f2a91", margin = 0.01',
    GuardKind.CHAMPION: 'metric = "auc", margin = 0.01',
    GuardKind.FAIRNESS: 'metric = "tpr", column = "gender", at_most = 0.05',
    GuardKind.CALIBRATION: "at_most = 0.03",
    GuardKind.LATENCY: "at_most = 2.0",
    GuardKind.SIZE: "at_most = 50.0",
    GuardKind.INVARIANCE: 'column = "gender", at_most = 0.02',
    GuardKind.DIRECTION: 'column = "tenure", direction = "never raises"',
    GuardKind.EXAMPLES: 'examples = ["7590-VHVEG", "5575-GNVDE"]',
}
"""How a guard of each kind is written in holdfast.toml, beside its name and kind."""

_PROBING = (GuardKind.LATENCY, GuardKind.SIZE, GuardKind.INVARIANCE, GuardKind.DIRECTION)


@dataclass(frozen=True, slots=True)
class Guard:
    """A claim about every later model; InputError or QueryError when it cannot be meant so.

    `where` is a slice (core.query), "" for all rows. `metric` is a metric's name, or one of
    RATES for fairness, `direction` one of DIRECTIONS. Limits are in the unit of what they
    bound: the metric's, a rate in [0, 1], milliseconds a row, megabytes, or the prediction's
    own. `margin` is the largest loss of the metric that would not matter (None: the default
    of comparisons), `reference` the run that a model may not be worse than. `origin` is
    "holdfast.toml" or the id of the proof that made it, `power` what its test had at the
    margin when it was made, in [0, 1].

    >>> print(Guard("newcomers", GuardKind.FLOOR, where="tenure < 6", metric="auc", at_least=0.8))
    auc is at least 0.8 where tenure < 6
    """

    name: str
    kind: GuardKind
    where: str = ""
    metric: str = ""
    at_least: float | None = None
    at_most: float | None = None
    column: str = ""
    margin: float | None = None
    reference: str = ""
    examples: tuple[str, ...] = ()
    direction: str = ""
    origin: str = "holdfast.toml"
    power: float | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError(f'A guard of kind {self.kind} has no name. Give it one: name = "newcomers"')
        _check_fields(self)
        _check_numbers(self)
        if self.where:
            try:
                parse_query(self.where)
            except QueryError as error:
                raise QueryError(f"The guard {self.name!r}: {error}") from error

    def __str__(self) -> str:
        return _claim(self) + (f" where {self.where}" if self.where else "")

    @property
    def needs_model(self) -> bool:
        """Whether it must ask or weigh the model itself: bare predictions cannot answer it."""
        return self.kind in _PROBING


class GuardStatus(StrEnum):
    """What came of checking a guard. Only a failed one stops a model."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"  # the rows are too few to tell
    NOT_RUN = "not run"  # what it needs is not at hand


@dataclass(frozen=True, slots=True)
class Checked:
    """A guard held against a model; `said` is one plain sentence with the number.

    `estimate` is at level 0.90, so that each of its bounds is a one-sided 95 % one; None
    where there is no number.
    """

    guard: Guard
    status: GuardStatus
    estimate: Estimate | None
    said: str


def _claim(guard: Guard) -> str:
    most = "" if guard.at_most is None else f"{guard.at_most:g}"
    least = "" if guard.at_least is None else f"{guard.at_least:g}"
    margin = "" if guard.margin is None else f", within {guard.margin:g}"
    return {
        GuardKind.FLOOR: f"{guard.metric} is " + (f"at most {most}" if most else f"at least {least}"),
        GuardKind.NOT_WORSE: f"{guard.metric} is no worse than that of {guard.reference}{margin}",
        GuardKind.CHAMPION: f"{guard.metric} is no worse than the champion's{margin}",
        GuardKind.FAIRNESS: f"{guard.metric} differs by {guard.column} by at most {most}",
        GuardKind.CALIBRATION: f"the calibration error is at most {most}",
        GuardKind.LATENCY: f"a row takes at most {most} ms",
        GuardKind.SIZE: f"the model's files take at most {most} MB",
        GuardKind.INVARIANCE: f"another {guard.column} changes no prediction by more than {most}",
        GuardKind.DIRECTION: f"more {guard.column} {guard.direction} the prediction",
        GuardKind.EXAMPLES: f"{len(guard.examples):,} examples are right",
    }[guard.kind]


def _check_fields(guard: Guard) -> None:
    """Just the fields that its kind speaks of are given."""
    needed, allowed = _NEEDED[guard.kind], _ALLOWED[guard.kind]
    lacking = [name for name in needed if not _given(guard, name)]
    if guard.kind is GuardKind.FLOOR and (guard.at_least is None) == (guard.at_most is None):
        lacking.append("just one of at_least and at_most")
    if lacking:
        raise InputError(
            f"The guard {guard.name!r} of kind {guard.kind} needs {' and '.join(lacking)}. "
            f"Write for example: {WRITTEN[guard.kind]}"
        )
    known = (*needed, *allowed)
    fields = ("where", "metric", "at_least", "at_most", "column", "margin", "reference", "examples")
    for name in (*fields, "direction", "power"):
        if _given(guard, name) and name not in known:
            raise InputError(
                f"The guard {guard.name!r} of kind {guard.kind} has no use for {name}. "
                f"Leave it out; such a guard has {', '.join(known)}."
            )
    if guard.kind is GuardKind.FAIRNESS:
        _check_word(guard, "rate", guard.metric.replace(" ", "_"), RATES)
    if guard.kind is GuardKind.DIRECTION:
        _check_word(guard, "direction", guard.direction, DIRECTIONS)


def _check_word(guard: Guard, what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        near = get_close_matches(given, known, n=2, cutoff=0.5) or known
        raise InputError(f"The guard {guard.name!r}: there is no {what} {given!r}. {suggest(near)}")


def _check_numbers(guard: Guard) -> None:
    for name, value in (("at_least", guard.at_least), ("at_most", guard.at_most)):
        if value is not None and not math.isfinite(value):
            raise InputError(f"The guard {guard.name!r}: {name} is a number such as 0.62, not {value!r}.")
    # A metric may lie anywhere; what the other kinds bound is a size.
    if guard.kind is not GuardKind.FLOOR and guard.at_most is not None and guard.at_most < 0:
        raise InputError(f"The guard {guard.name!r}: at_most cannot be below 0, and is {guard.at_most!r}.")
    if guard.margin is not None and not 0 < guard.margin < math.inf:
        raise InputError(
            f"The guard {guard.name!r}: margin is the largest loss that would not matter, above 0, "
            f"not {guard.margin!r}."
        )
    if guard.power is not None and not 0 <= guard.power <= 1:
        raise InputError(f"The guard {guard.name!r}: power lies in [0, 1], not {guard.power!r}.")


def _given(guard: Guard, name: str) -> bool:
    return getattr(guard, name) not in (None, "", ())
