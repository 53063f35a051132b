"""Holding a model against its guards.

A guard fails when it is shown to be broken: when the whole of a one-sided 95 % interval lies
beyond its limit. It passes when it is shown to hold. Between the two it is undecided, and
says about how many more rows would tell. Plain facts (a size, a wrong example, a prediction
that moved) need no interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.guard import Checked, Guard, GuardKind, GuardStatus, out_of_range, plain_number
from holdfast.core.predictions import Predictions
from holdfast.core.query import Query, parse_query
from holdfast.core.task import Task
from holdfast.core.verdict import Outcome, Verdict
from holdfast.core.wording import as_written, count
from holdfast.errors import HoldfastError, InputError, PlanError, QueryError, some
from holdfast.metrics.by_group import gap_between, rate_names
from holdfast.metrics.calibration import reliability
from holdfast.metrics.evaluate import evaluate
from holdfast.metrics.names import resolve
from holdfast.promotion.groups import groups_of
from holdfast.promotion.probing import direction, invariance, latency, size
from holdfast.promotion.subject import LEVEL, Subject, not_run, rows_of
from holdfast.stats.power import POWER, rows_for_difference
from holdfast.stats.tails import critical

# A limit that nobody will ever have enough rows for.
_TOO_MANY = 1_000  # times the rows there are


def check(guard: Guard, subject: Subject) -> Checked:
    """Whether a model meets a guard; an error that names the guard where that cannot be asked."""
    try:
        return _CHECKS[guard.kind](guard, subject)
    except HoldfastError as error:
        raise type(error)(f"The guard {guard.name!r} cannot be checked: {error}") from error


def check_all(guards: Iterable[Guard], subject: Subject) -> tuple[Checked, ...]:
    """Every guard, in order, held against one model."""
    return tuple(check(guard, subject) for guard in guards)


def _floor(guard: Guard, subject: Subject) -> Checked:
    rows = _slice(guard, subject)
    if rows is None:
        return not_run(guard, _NO_CELLS)
    metric = resolve(guard.metric, rows)
    for field, limit in (("at_least", guard.at_least), ("at_most", guard.at_most)):
        if limit is not None and not metric.bounds[0] <= limit <= metric.bounds[1]:
            raise InputError(out_of_range(field, limit, guard.metric, metric.bounds))
    return _against_limit(guard, as_written(guard.metric), evaluate(rows, metric, level=LEVEL))


def _fairness(guard: Guard, subject: Subject) -> Checked:
    rows = _slice(guard, subject)
    if rows is None or subject.dataset is None:
        return not_run(guard, _NO_CELLS)
    groups = groups_of(guard, rows_of(rows, subject.dataset))
    wanted = guard.metric.replace("_", " ")
    rate = next((name for name in rate_names(rows) if name.replace("_", " ") == wanted), wanted)
    found = gap_between(rows, groups, rate, level=LEVEL)
    ends = f", highest for {found.highest!r} and lowest for {found.lowest!r}," if found.highest else ""
    checked = _against_limit(guard, f"the gap in {wanted} by {guard.column}{ends}", found.estimate)
    if not found.undecided:
        return checked
    few = f" Too few rows to compare: {some(found.undecided, 5)}."
    return replace(checked, said=checked.said + few)


def _calibration(guard: Guard, subject: Subject) -> Checked:
    rows = _slice(guard, subject)
    if rows is None:
        return not_run(guard, _NO_CELLS)
    if rows.probability is None:
        return not_run(guard, "there are no probabilities whose calibration could be judged")
    if not len(rows):
        return _against_limit(guard, _CALIBRATION, Estimate.absent("there are no rows", level=LEVEL))
    header = rows.header
    labels = header.classes if header.positive is None else (header.positive,)
    # The worst of several classes is judged, so each at its share of the error rate.
    level = 1 - (1 - LEVEL) / len(labels)
    errors = [reliability(rows, label, level=level).error for label in labels]
    worst = max(range(len(labels)), key=lambda k: errors[k].value)
    what = _CALIBRATION if len(labels) == 1 else f"{_CALIBRATION} of class {labels[worst]!r}, the worst,"
    return _against_limit(guard, what, errors[worst])


def _not_worse(guard: Guard, subject: Subject) -> Checked:
    low, high = resolve(guard.metric, subject.predictions).bounds
    if guard.margin is not None and guard.margin >= high - low:
        raise InputError(out_of_range("margin", guard.margin, guard.metric, (low, high)))
    if guard.kind is GuardKind.CHAMPION:
        reference, name = subject.champion, "a champion"
    else:
        reference, name = subject.references.get(guard.reference), f"the run {guard.reference!r}"
    if reference is None:
        if guard.kind is GuardKind.CHAMPION:
            return not_run(guard, "nothing is released yet, so there is no champion to compare with")
        return not_run(guard, f"there are no predictions of {name} to compare with")
    rows = _slice(guard, subject)
    if rows is None:
        return not_run(guard, _NO_CELLS)
    rows = rows.where(rows.example.is_in(reference.example.implode()).to_numpy())
    same = reference.where(reference.example.is_in(rows.example.implode()).to_numpy())
    if not len(rows):
        return _undecided(guard, None, f"no row{_place(guard)} is also predicted by {name}")
    return _against_reference(guard, subject.compare(same, rows, guard.metric, guard.margin))


def _examples(guard: Guard, subject: Subject) -> Checked:
    everything = subject.predictions
    rows = everything.where(everything.example.is_in(list(guard.examples)).to_numpy()).known
    judged = set(rows.example.to_list())
    wrong = rows.example.filter(~_right(guard, rows)).to_list()
    asked = dict.fromkeys(guard.examples)
    absent = [name for name in asked if name not in judged]
    said = f"{len(judged) - len(wrong):,} of {count(len(asked), 'example')} right"
    if wrong:
        return Checked(guard, GuardStatus.FAILED, None, f"{said}; wrong: {some(wrong, 10)}.")
    if absent:
        return _undecided(guard, None, f"{said}; not predicted, or of unknown target: {some(absent, 10)}")
    return Checked(guard, GuardStatus.PASSED, None, f"{said}.")


def _right(guard: Guard, rows: Predictions) -> np.ndarray:
    """Which rows are predicted as they should be, bool of shape (n,)."""
    if rows.header.task is Task.CLASSIFICATION:
        if guard.at_most is not None:
            raise PlanError("a class is right or wrong, not nearly right. Leave out the line at_most.")
        return np.asarray(rows.target_codes == rows.prediction_codes)
    if rows.header.task is None:
        raise PlanError("predictions that are only losses do not say what is right.")
    if guard.at_most is None:
        raise PlanError("a number is right within a distance. Add the line: at_most = 0.5")
    return np.asarray(np.abs(rows.prediction_values - rows.target_values) <= guard.at_most)


def _slice(guard: Guard, subject: Subject) -> Predictions | None:
    """The rows with a known target that the guard speaks of; None without the cells that would say."""
    rows = subject.predictions.known
    if not guard.where:
        return rows
    if subject.dataset is None:
        return None
    query = parse_query(guard.where)
    _check_levels(query, subject.dataset)
    return rows.where(query.mask(rows_of(rows, subject.dataset).table))


def _check_levels(query: Query, dataset: Dataset) -> None:
    """QueryError for a text that its column never holds: a typo would leave a guard that never fails."""
    for term in query.terms:
        if term.sign not in ("=", "in") or term.length:
            continue
        levels = dataset.table[term.column].drop_nulls().unique() if term.column in dataset.schema else None
        asked = [value for value in term.constants if isinstance(value, str)]
        if levels is None or levels.dtype != pl.String or not asked:
            continue
        if not levels.is_in(asked).any():
            held = some(levels.sort().to_list(), 8)
            raise QueryError(f"no row of the data is where {term}; column {term.column!r} holds {held}.")


def _against_limit(guard: Guard, what: str, estimate: Estimate) -> Checked:
    """An estimate held against `at_most` or `at_least`."""
    place = _place(guard)
    if not estimate.known:
        return _undecided(guard, estimate, f"{what}{place} is absent: {estimate.reason}")
    limit, bound, sign = (guard.at_most, "most", 1.0)
    if limit is None:
        limit, bound, sign = guard.at_least, "least", -1.0
    assert limit is not None  # a guard has one of the two
    said = (
        f"{what} is {_shown(estimate)} on {count(estimate.n, 'row')}{place}, to be at {bound} "
        f"{plain_number(limit)}"
    )
    # Turned so that more is worse; bounds that are not known (nan) show nothing.
    best, worst = sorted((sign * estimate.low, sign * estimate.high))
    if best > sign * limit:
        return Checked(guard, GuardStatus.FAILED, estimate, f"{said}: it is not.")
    if worst <= sign * limit:
        return Checked(guard, GuardStatus.PASSED, estimate, f"{said}.")
    return _undecided(guard, estimate, f"{said}: not shown either way{_more_rows(estimate, limit)}")


def _against_reference(guard: Guard, verdict: Verdict) -> Checked:
    """A paired difference, positive = better, held against the margin of a guard."""
    difference = verdict.difference
    if not difference.known:
        return _undecided(
            guard, difference, f"{as_written(verdict.metric)}{_place(guard)} is absent: {difference.reason}"
        )
    said = (
        f"{as_written(verdict.metric)} against {verdict.first}: {_shown(difference)}, positive = better, on "
        f"{count(difference.n, 'row')}{_place(guard)}; a loss of {verdict.margin:.4g} would not matter"
    )
    if difference.low > -verdict.margin:
        return Checked(guard, GuardStatus.PASSED, difference, f"{said}.")
    if verdict.outcome is Outcome.WORSE:
        return Checked(guard, GuardStatus.FAILED, difference, f"{said}: it is worse.")
    if guard.power is not None and guard.power >= POWER:
        return Checked(
            guard,
            GuardStatus.FAILED,
            difference,
            f"{said}: not shown to be no worse, where the rows suffice (power {guard.power:.2f}).",
        )
    more = (verdict.n_needed or 0) - difference.n
    told = f"; about {count(more, 'more row')} would tell" if more > 0 else ""
    return _undecided(guard, difference, f"{said}: not shown either way{told}")


def _more_rows(estimate: Estimate, limit: float) -> str:
    """How many more rows would tell a value from a limit, if the value stays, with 80 % power."""
    away = abs(estimate.value - limit)
    # The bound towards the limit is the one that must come closer.
    towards = estimate.high if estimate.value < limit else estimate.low
    error = abs(towards - estimate.value) / critical(estimate.level)
    if not error > 0 or not estimate.n:
        return ""
    if error > away * _TOO_MANY**0.5:
        return ", and it lies so near that no number of rows soon will"
    needed = rows_for_difference(error, estimate.n, away, level=estimate.level)
    return f"; about {count(max(needed - estimate.n, 1), 'more row')} would tell"


def _undecided(guard: Guard, estimate: Estimate | None, said: str) -> Checked:
    return Checked(guard, GuardStatus.UNDECIDED, estimate, f"{said}.")


def _shown(estimate: Estimate) -> str:
    return str(estimate) if np.isnan(estimate.low) else f"{estimate} ({estimate.level:.0%} interval)"


def _place(guard: Guard) -> str:
    return f" where {guard.where}" if guard.where else ""


_CALIBRATION = "the debiased calibration error"
_NO_CELLS = "it speaks of cells, and there is no table with those of the predicted rows"

_CHECKS: Mapping[GuardKind, Callable[[Guard, Subject], Checked]] = {
    GuardKind.FLOOR: _floor,
    GuardKind.NOT_WORSE: _not_worse,
    GuardKind.CHAMPION: _not_worse,
    GuardKind.FAIRNESS: _fairness,
    GuardKind.CALIBRATION: _calibration,
    GuardKind.LATENCY: latency,
    GuardKind.SIZE: size,
    GuardKind.INVARIANCE: invariance,
    GuardKind.DIRECTION: direction,
    GuardKind.EXAMPLES: _examples,
}
