"""An executable claim that every later model must meet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import pairwise

from holdfast.core.estimate import Estimate
from holdfast.core.query import parse_query
from holdfast.core.wording import count
from holdfast.errors import InputError, QueryError, some, suggest


class GuardKind(StrEnum):
    """What a guard claims."""

    FLOOR = "floor"  # a metric is at least, or at most, so much
    NOT_WORSE = "not-worse"  # no worse than a run was, within a margin
    CHAMPION = "champion"  # no worse than the model that is released now
    FAIRNESS = "fairness"  # a rate differs between groups by so much at most
    CALIBRATION = "calibration"  # the debiased calibration error is so much at most
    LATENCY = "latency"  # milliseconds that a row asked alone takes at most
    SIZE = "size"  # megabytes of the model's files at most
    INVARIANCE = "invariance"  # another cell in a column moves no prediction by more
    DIRECTION = "direction"  # more of a column never raises, or never lowers
    EXAMPLES = "examples"  # rows that every model must get right


BY_HAND = "holdfast.toml"
"""The origin of a guard that no proof made."""

# The widest gap that there can be between two groups.
_GAPS = {
    "selection_rate": 1.0,
    "tpr": 1.0,
    "fpr": 1.0,
    "precision": 1.0,
    "calibration": 2.0,
    "accuracy": 1.0,
    "mean_residual": math.inf,
    "rmse": math.inf,
    "mae": math.inf,
}
RATES = tuple(_GAPS)
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
    GuardKind.FAIRNESS: ("where", "bands"),
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
    own. `bands` are the rising numbers at which a column of numbers is cut into groups.
    `margin` is the largest loss of the metric that would not matter (None: the default
    of comparisons), `reference` the run that a model may not be worse than. `origin` is
    BY_HAND or the id of the proof that made it, `power` what its test had at the margin
    when it was made, in [0, 1].

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
    origin: str = BY_HAND
    power: float | None = None
    bands: tuple[float, ...] = ()

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


def fields_of(kind: GuardKind) -> tuple[str, ...]:
    """What a guard of a kind may say beside its name and kind, those that it needs first."""
    return (*_NEEDED[kind], *_ALLOWED[kind])


def plain_number(value: float) -> str:
    """A limit as people write it.

    >>> plain_number(0.62), plain_number(1e6), plain_number(2.0)
    ('0.62', '1,000,000', '2')
    """
    return f"{value:,.10g}"


def out_of_range(field: str, value: float, what: str, bounds: tuple[float, float]) -> str:
    """That `what` never comes near a limit, and a line that may have been meant.

    >>> out_of_range("at_least", 80, "auc", (0.0, 1.0))
    'at_least = 80, and auc lies between 0 and 1. Write for example: at_least = 0.8'
    """
    low, high = bounds
    between = f"lies between {plain_number(low)} and {plain_number(high)}"
    if math.isinf(high):
        between = f"is never below {plain_number(low)}"
    elif math.isinf(low):
        between = f"is never above {plain_number(high)}"
    tried = (value / 100, abs(value), abs(value) / 100, 0.5)
    meant = next(one for one in tried if low <= one <= high)
    return f"{field} = {value:.10g}, and {what} {between}. Write for example: {field} = {meant:.10g}"


def _claim(guard: Guard) -> str:
    most = "" if guard.at_most is None else plain_number(guard.at_most)
    least = "" if guard.at_least is None else plain_number(guard.at_least)
    margin = "" if guard.margin is None else f", within {plain_number(guard.margin)}"
    right = count(len(guard.examples), "example") + (" is" if len(guard.examples) == 1 else " are")
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
        GuardKind.EXAMPLES: f"{right} right",
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
            f"Write for example, each on a line of its own: {WRITTEN[guard.kind]}"
        )
    known = (*needed, *allowed)
    fields = ("where", "metric", "at_least", "at_most", "column", "margin", "reference", "examples")
    for name in (*fields, "direction", "power", "bands"):
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
        near = get_close_matches(given, known, n=2, cutoff=0.5)
        hint = suggest(near) if near else f"There are {some(known, len(known))}."
        raise InputError(f"The guard {guard.name!r}: there is no {what} {given!r}. {hint}")


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
    rising = all(a < b for a, b in pairwise(guard.bands))
    if not rising or not all(map(math.isfinite, guard.bands)):
        raise InputError(
            f"The guard {guard.name!r}: bands are numbers that rise, not {list(guard.bands)}. "
            "Write for example: bands = [30, 60]"
        )
    _check_reachable(guard)


def _check_reachable(guard: Guard) -> None:
    """A limit that nothing could break is a slip of the pen; one that a proof measured may be that wide."""
    if guard.origin != BY_HAND or guard.at_most is None:
        return
    what, widest = "", math.inf
    if guard.kind is GuardKind.CALIBRATION:
        what, widest = "a calibration error", 1.0
    if guard.kind is GuardKind.FAIRNESS:
        what, widest = f"the gap in {guard.metric} between groups", _GAPS[guard.metric.replace(" ", "_")]
    if guard.at_most > widest:
        said = out_of_range("at_most", guard.at_most, what, (0.0, widest))
        raise InputError(f"The guard {guard.name!r}: {said}")


def _given(guard: Guard, name: str) -> bool:
    return getattr(guard, name) not in (None, "", ())
