"""Columns whose later rows are unlike the earlier ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.estimate import Estimate
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Where
from holdfast.core.schema import Column, Kind, Role
from holdfast.debugging.case import Case
from holdfast.debugging.cells import level_codes
from holdfast.debugging.corrected import ALPHA
from holdfast.stats.divergence import jensen_shannon, population_stability, wasserstein
from holdfast.stats.influence import units_of
from holdfast.stats.multiplicity import holm

_LEAST = 0.1  # of Jensen and Shannon's distance, in [0, 1]: about a PSI of 0.055
_FEWEST = 50  # rows of each half
_BANDS = 10
_RARE = 20  # rows of a level in both halves; rarer ones share a bin
_REPLICATES = 500

_FIXES = (
    Suggestion(FixName.COLLECT, "recent rows show the model what it will meet", "labels and one training"),
    Suggestion(FixName.DROP_COLUMN, "a model without the column does not follow its drift", "one training"),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Drift:
    column: Column
    earlier: np.ndarray
    later: np.ndarray  # counts (B,) in the same bins
    psi: float
    p: float


def drifts(case: Case, *, seed: int = 0) -> list[Finding]:
    """Features that changed between the earlier and the later half of the time column.

    Each half is counted in ten bands of the earlier half, or in levels, with a bin for
    missing cells; the population stability index has its p from its distribution without
    drift, Holm over columns, and Jensen and Shannon's distance must be 0.1 or more.
    Where rows have groups, these are the units. Nothing without a time column.
    """
    time = case.dataset.schema.with_role(Role.TIME)
    later = None if time is None else _later(case.dataset.table[time.name])
    if later is None:
        return []
    looked = [
        _compared(case, column, later)
        for column in case.dataset.schema.features
        if column.role is not Role.TIME and column.kind not in (Kind.DATE, Kind.TEXT)
    ]
    corrected = holm(np.array([one.p for one in looked]))
    rng = np.random.default_rng(seed)
    return [
        _finding(case, one, later, float(p), _distance(one, rng))
        for one, p in zip(looked, corrected, strict=True)
        if p <= ALPHA and jensen_shannon(one.earlier, one.later) >= _LEAST
    ]


def _later(time: pl.Series) -> np.ndarray | None:
    """1 for rows of the later half, 0 for the earlier, -1 without a time; None for too few rows."""
    number = time.cast(pl.Int64 if time.dtype.is_temporal() else pl.Float64, strict=False).cast(pl.Float64)
    when = number.to_numpy()
    known = ~np.isnan(when)
    if not known.any():
        return None
    half = np.where(known, when >= np.median(when[known]), -1).astype(np.int64)
    enough = min((half == 0).sum(), (half == 1).sum()) >= _FEWEST
    return half if enough else None


def _compared(case: Case, column: Column, later: np.ndarray) -> _Drift:
    cells = case.dataset.table[column.name]
    halves = (later == 0, later == 1)
    code = _bands(cells.to_numpy(), halves[0]) if column.kind is Kind.NUMBER else level_codes(cells)
    size = int(code.max()) + 1
    earlier, after = _pooled(np.stack([np.bincount(code[half], minlength=size) for half in halves]))
    groups = case.predictions.group_codes
    units = [float(units_of(int(h.sum()), None if groups is None else groups[h])) for h in halves]
    psi, p = population_stability(earlier, after, units=(units[0], units[1]))
    return _Drift(column, earlier, after, psi, p)


def _pooled(counts: np.ndarray) -> np.ndarray:
    """Counts (2, B) with rare bins, and hence those that one half lacks, as one.

    Rare in both halves together: a bin that is rare in one half alone is so by chance too.
    """
    rows = counts.sum(axis=0)
    counts = counts[:, np.argsort(-rows, kind="stable")]
    kept = max(1, int((rows >= _RARE).sum()))
    if 0 < counts[:, kept:].sum() < _RARE:
        kept = max(1, kept - 1)
    return np.concatenate([counts[:, :kept], counts[:, kept:].sum(axis=1, keepdims=True)], axis=1)


def _bands(cells: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Each row's band between the quantiles of the earlier half, the last one for missing cells."""
    earlier = cells[before & ~np.isnan(cells)]
    if not len(earlier):
        return np.asarray(np.isnan(cells).astype(np.int64))
    edges = np.unique(np.quantile(earlier, np.linspace(0, 1, _BANDS + 1)[1:-1]))
    band = np.searchsorted(edges, cells, side="right")
    return np.asarray(np.where(np.isnan(cells), len(edges) + 1, band))


def _distance(one: _Drift, rng: np.random.Generator) -> Estimate:
    """Jensen and Shannon's distance with a basic bootstrap interval of both halves' counts."""
    value = float(jensen_shannon(one.earlier, one.later))
    drawn = [
        rng.multinomial(counts.sum(), counts / counts.sum(), size=_REPLICATES)
        for counts in (one.earlier, one.later)
    ]
    near, far = np.quantile(jensen_shannon(drawn[0], drawn[1]), [0.025, 0.975])
    low, high = max(0.0, 2 * value - float(far)), min(1.0, max(value, 2 * value - float(near)))
    rows = int(one.earlier.sum() + one.later.sum())
    return Estimate(value, min(low, value), high, n=rows, method="basic bootstrap of the bins")


def _finding(case: Case, one: _Drift, later: np.ndarray, p: float, effect: Estimate) -> Finding:
    name = one.column.name
    facts: dict[str, Fact] = {"psi": one.psi}
    moved = ""
    if one.column.kind is Kind.NUMBER:
        cells = case.dataset.table[name].to_numpy()
        known = ~np.isnan(cells)
        halves = [cells[known & (later == half)] for half in (0, 1)]
        facts["wasserstein in standard deviations"] = wasserstein(*halves)
        if len(halves[0]) and len(halves[1]):
            moved = f", median {np.median(halves[0]):.4g} then {np.median(halves[1]):.4g}"
    timed = later >= 0
    loss = case.loss.at(timed)
    facts["loss later minus earlier"] = loss.against_rest(later[timed] == 1).estimate()
    title = f"{name} drifts over time: later rows are {effect.value:.2f} from earlier ones (of 1){moved}"
    return Finding(
        "drift", title, Where(column=name), int((later == 1).sum()), effect,
        "Jensen-Shannon distance of the later from the earlier half of the rows by time; 0 alike, 1 disjoint",
        None, p, "", (), facts, _FIXES,
    )  # fmt: skip
