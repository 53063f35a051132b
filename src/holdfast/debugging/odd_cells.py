"""Single cells that can hardly be true: far outliers, wrong signs, dates that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import polars as pl

from holdfast.core.finding import Finding, FixName, Suggestion, Where
from holdfast.core.query import Query, Term
from holdfast.core.schema import Kind
from holdfast.core.wording import count
from holdfast.debugging.case import Case
from holdfast.debugging.cells import QUARTILES
from holdfast.debugging.losses import loss_of
from holdfast.stats.influence import units_of

_FEWEST = 100  # known cells of a column that show what is ordinary
_FAR = 10.0  # robust standard deviations from the median
_APART = 4.0  # times as far as the outermost ordinary cell
_APART_REPEATED = 2.0  # where one and the same number lies out there again and again, as a code does
_REPEATS = 5
_FEW = 0.01  # of the cells: more of them are no exceptions
_TAIL, _TAIL_SD = 0.99, 2.326  # the outer quantile, and where it lies in a normal distribution
_OLD = "1900-01-01"
_BY_CHANCE = 10  # times fewer rows in the wrong order than of dates paired at random
_DECADES = 20 * 365  # days beyond what is ordinary

_FIXES = (
    Suggestion(FixName.REPAIR, "puts right what was mistyped, or empties the cells", "one training"),
    Suggestion(FixName.DROP_ROWS, "leaves these rows out of training", "one training"),
)


def outliers(case: Case) -> list[Finding]:
    """Numbers far outside of all others, and few negative ones among positives: plain facts.

    An outlier lies more than 10 robust standard deviations from the median and at least
    four times as far as the outermost ordinary cell on that side (twice, where it is one
    number again and again), so that a long but unbroken tail has none. The spread is the
    largest of three: by the median absolute deviation, by the middle half, and by the
    outermost hundredth on that side.
    """
    found = []
    for column in case.dataset.schema.features:
        if column.kind is not Kind.NUMBER:
            continue
        cells = case.dataset.table[column.name].to_numpy()
        known = np.sort(cells[~np.isnan(cells)])
        if len(known) < _FEWEST or known[0] == known[-1]:
            continue
        high = _bound(known, repeated=_repeated(case, cells == known[-1]))
        low = -_bound(-known[::-1], repeated=_repeated(case, cells == known[0]))
        edge = _wrong_sign(known)
        if np.isfinite(high):
            found.append(_outlying(case, column.name, high, cells >= high, high=True))
        if np.isfinite(low):
            found.append(_outlying(case, column.name, low, cells <= low, high=False))
        elif edge is not None:
            found.append(_negative(case, column.name, cells < 0, edge))
    return found


def _repeated(case: Case, rows: np.ndarray) -> bool:
    """Whether the rows of a mask are several, and not of few groups that repeat all their cells."""
    groups = case.predictions.group_codes
    return units_of(int(rows.sum()), None if groups is None else groups[rows]) >= _REPEATS


def _bound(known: np.ndarray, *, repeated: bool) -> float:
    """The lowest number that lies too far above the others of sorted numbers (n,), inf for none."""
    middle = float(known[len(known) // 2])
    rare = int(np.ceil(_FEW * len(known)))
    top = known[-rare - 1 :]  # of a column without faults, these are the tail
    quarter = np.quantile(known, [0.25, 0.75])
    outer = float(known[int(_TAIL * (len(known) - rare))])
    spread = max(
        1.4826 * float(np.median(np.abs(known - middle))),
        float(quarter[1] - quarter[0]) / QUARTILES,
        (outer - middle) / _TAIL_SD,
    )
    far = top - middle
    wanted = np.where((top == top[-1]) & repeated, _APART_REPEATED, _APART)[1:]
    # A column that is nearly always the same has no spread to measure by.
    apart = (far[1:] > _FAR * spread) & (far[1:] >= wanted * np.maximum(far[:-1], spread)) & (spread > 0)
    first = np.flatnonzero(apart)
    return float(top[first[0] + 1]) if len(first) else float("inf")


def _wrong_sign(known: np.ndarray) -> float | None:
    """The highest negative of sorted numbers, when they look like positives with a wrong sign."""
    below, above = known[known < 0], known[known > 0]
    if not len(below) or len(below) > _FEW / 10 * len(known) or len(above) < _FEWEST:
        return None
    usual = float(np.median(-below))
    # Beside 0 a few negatives are the foot of a distribution that crosses it.
    ordinary = np.quantile(above, 0.1) <= usual <= np.quantile(above, 0.9)
    return float(below[-1]) if ordinary and np.quantile(above, 0.1) > 0 else None


def _outlying(case: Case, name: str, bound: float, rows: np.ndarray, *, high: bool) -> Finding:
    query = Query((Term(name, ">=" if high else "<=", (bound,)),))
    which = "above" if high else "below"
    title = f"{count(int(rows.sum()), 'cell')} of {name} far {which} all others: {query}"
    return _odd(case, "outliers", title, Where(query=str(query), column=name), rows)


def _negative(case: Case, name: str, rows: np.ndarray, edge: float) -> Finding:
    query = Query((Term(name, "<=", (edge,)),))
    title = f"{count(int(rows.sum()), 'cell')} of {name} below 0, where all others are not: {query}"
    return _odd(case, "outliers", title, Where(query=str(query), column=name), rows, "sign")


def impossible_dates(case: Case) -> list[Finding]:
    """Dates decades away from a column's others, or before 1900, and pairs in the wrong order."""
    dates = {
        column.name: case.dataset.table[column.name].cast(pl.Int64).cast(pl.Float64).to_numpy() / 86_400e6
        for column in case.dataset.schema
        if column.kind is Kind.DATE
    }
    found = [one for name, days in dates.items() for one in _away(case, name, days)]
    return [*found, *_disordered(case, dates)]


def _away(case: Case, name: str, days: np.ndarray) -> Iterator[Finding]:
    known = days[~np.isnan(days)]
    if len(known) < _FEWEST:
        return
    low, high = np.quantile(known, [_FEW, 1 - _FEW], method="inverted_cdf")
    old = float(np.datetime64(_OLD, "D").astype(np.int64))
    early = low - _DECADES if low < old else max(old, low - 5 * _DECADES)
    for sign, edge in ((">", np.ceil(high + _DECADES)), ("<", np.floor(early))):
        rows = days > edge if sign == ">" else days < edge
        if rows.any():
            query = Query((Term(name, sign, (str(np.datetime64(int(edge), "D")),)),))
            title = f"{count(int(rows.sum()), 'cell')} of {name} cannot be true, next to the others: {query}"
            yield _odd(case, "impossible dates", title, Where(query=str(query), column=name), rows)


def _disordered(case: Case, dates: dict[str, np.ndarray]) -> Iterator[Finding]:
    for first, second in permutations(dates, 2):
        both = ~np.isnan(dates[first]) & ~np.isnan(dates[second])
        rows = both & (dates[second] < dates[first])
        earlier = int(rows.sum())
        if both.sum() < _FEWEST or not 0 < earlier <= _FEW * both.sum():
            continue
        # Two dates that have nothing to do with each other may be in order nearly everywhere too.
        shuffled = np.searchsorted(np.sort(dates[second][both]), dates[first][both]).mean()
        if shuffled >= max(_BY_CHANCE * earlier, _FEWEST / 10):
            title = f"{second} lies before {first} in {count(earlier, 'row')}, after it in all others"
            where = Where(examples=case.suspects(rows, np.zeros(len(case))), column=second)
            yield _odd(case, "impossible dates", title, where, rows, f"before {first}")


def _odd(case: Case, kind: str, title: str, where: Where, rows: np.ndarray, about: str = "") -> Finding:
    """A finding on few rows; what they cost is their loss against that of the others."""
    effect = case.loss.against_rest(rows).estimate()
    seen = where.column in [column.name for column in case.dataset.schema.features]
    return Finding(
        kind, title, where, int(rows.sum()), effect, loss_of(case.predictions).less_rest,
        case.share_of_loss(rows), None, about, case.worst(rows), {}, _FIXES if seen else _FIXES[1:],
    )  # fmt: skip
