"""Columns that say nothing, or nothing that another does not say."""

from __future__ import annotations

import numpy as np
import polars as pl

from holdfast.core.finding import Finding, FixName, Suggestion, Where
from holdfast.core.schema import Kind
from holdfast.debugging.case import Case
from holdfast.debugging.cells import level_codes
from holdfast.debugging.effect import counted
from holdfast.stats.cells import cells_of

_ALIKE = 0.999  # the correlation from which two numbers are one
_SAMPLE = 5_000  # rows that show which pairs can be redundant at all
_REPEATS = 20  # rows per level, on average, of a column that may determine another
_FEWEST = 50  # rows that can show it

_FIXES = (Suggestion(FixName.DROP_COLUMN, "the model loses no information", "one training"),)


def constants(case: Case) -> list[Finding]:
    """Columns with one value in all rows, or with none: plain facts."""
    cells = {column.name: case.dataset.table[column.name] for column in case.dataset.schema.features}
    return [
        _constant(case, name, empty=column.null_count() > 0)
        for name, column in cells.items()
        if _settled(column)
    ]


def redundant(case: Case) -> list[Finding]:
    """Columns that another determines exactly, or correlates with beyond 0.999: plain facts.

    Of two that determine each other the later one is named. Only columns with 20 rows per
    level can determine another: in a table of names every name determines everything.
    """
    if len(case) < _FEWEST:
        return []
    names = [
        column.name
        for column in case.dataset.schema.features
        if column.kind is not Kind.TEXT and not _settled(case.dataset.table[column.name])
    ]
    table = case.dataset.table.select(names)
    correlated = _correlated(table)
    determined = {name: by for name, by in _determined(table).items() if name not in correlated}
    return [
        *(_repeats(case, name, by, r) for name, (by, r) in correlated.items()),
        *(_follows(case, name, by) for name, by in determined.items()),
    ]


def _settled(cells: pl.Series) -> bool:
    return cells.null_count() == len(cells) or _same(cells)


def _same(cells: pl.Series) -> bool:
    # Most columns change within a few rows, and need not be counted.
    return cells.head(100).n_unique() == 1 and cells.n_unique() == 1


def _constant(case: Case, name: str, *, empty: bool) -> Finding:
    title = f"{name} is empty" if empty else f"{name} never changes"
    levels = counted(0.0 if empty else 1.0, len(case))
    where = Where(column=name)
    return Finding("constant column", title, where, len(case), levels, "levels of the column", fixes=_FIXES)


def _repeats(case: Case, name: str, by: str, r: float) -> Finding:
    title = f"{name} repeats {by}: their correlation is {r:.4g}"
    return Finding(
        "redundant column", title, Where(column=name), len(case), counted(r, len(case)),
        f"correlation with {by}; 1 or -1 is a copy", about=by, fixes=_FIXES,
    )  # fmt: skip


def _follows(case: Case, name: str, by: str) -> Finding:
    title = f"{name} says nothing that {by} does not: every level of {by} has one {name}"
    return Finding(
        "redundant column", title, Where(column=name), len(case), counted(1.0, len(case)),
        f"share of rows whose {name} is known from {by}; 1 is all", about=by, fixes=_FIXES,
    )  # fmt: skip


def _correlated(table: pl.DataFrame) -> dict[str, tuple[str, float]]:
    """The later of two numeric columns that are one but for scale and shift, with the other."""
    numbers = table.select(pl.selectors.numeric())
    if numbers.width < 2:
        return {}
    names = numbers.columns
    likely = np.abs(_correlations(numbers.gather_every(max(1, len(numbers) // _SAMPLE)))) > _ALIKE - 0.001
    found: dict[str, tuple[str, float]] = {}
    for later, earlier in zip(*np.nonzero(np.tril(likely, -1)), strict=True):
        pair = numbers.select(names[earlier], names[later])
        r = float(_correlations(pair)[0, 1])
        if abs(r) > _ALIKE and names[earlier] not in found:
            found.setdefault(names[later], (names[earlier], r))
    return found


def _correlations(numbers: pl.DataFrame) -> np.ndarray:
    """Pearson's, (C, C), over rows where both are known; 0 where their gaps differ in 1 % of the rows."""
    cells = numbers.cast(pl.Float64).to_numpy()
    known = ~np.isnan(cells)
    both = known.astype(np.float64)
    shared, rows = both.T @ both, known.sum(axis=0)
    apart = rows[:, np.newaxis] + rows - 2 * shared
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = np.where(known, cells - np.nanmean(cells, axis=0), 0.0)
        spread = np.sqrt((centred**2).sum(axis=0))
        r = centred.T @ centred / (spread * spread[:, np.newaxis])
    return np.where((apart > 0.01 * len(cells)) | np.isnan(r), 0.0, r)


def _determined(table: pl.DataFrame) -> dict[str, str]:
    """Each column that another determines exactly, with that one."""
    sample = max(1, len(table) // _SAMPLE)
    few = [name for name in table.columns if _repeating(table[name].gather_every(sample), len(table))]
    codes = {name: level_codes(table[name]) for name in few}
    levels = {name: np.count_nonzero(np.bincount(code)) for name, code in codes.items()}
    able = [name for name in few if levels[name] * _REPEATS <= len(table)]
    found: dict[str, str] = {}
    for by in able:
        for name in able:
            if name == by or name in found or by in found or levels[name] > levels[by]:
                continue
            if _follows_in(codes[by][::sample], codes[name][::sample]) and _follows_in(
                codes[by], codes[name]
            ):
                found[name] = by
    return found


def _repeating(sample: pl.Series, rows: int) -> bool:
    """Whether a column of so many rows can have few enough levels."""
    return sample.n_unique() * _REPEATS <= rows


def _follows_in(by: np.ndarray, name: np.ndarray) -> bool:
    return len(cells_of(by, name).count) == np.count_nonzero(np.bincount(by))
