"""Folds that keep units together and spread strata and sizes evenly.

A unit is what may not be divided: a group, or rows with equal features. `keys` name each
row's unit (uint64 of shape (n,)) and `order` is each unit's random place (uint64 of shape
(n,), equal within a unit). Nothing here depends on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_HEAVY = 50  # a unit of more than 1/50 of a fold is placed by itself


def even_folds(keys: np.ndarray, order: np.ndarray, strata: np.ndarray, folds: int) -> np.ndarray:
    """The fold of each row, int64 of shape (n,) in 0 ... folds - 1.

    `strata` are small non-negative codes of shape (n,). Heavy units are placed one after
    the other, each where its strata are fewest. The light ones then fill up, in their
    random order and the rarest stratum first, what each fold still lacks.
    """
    common = np.argsort(np.argsort(np.bincount(strata), kind="stable"), kind="stable")[strata]
    units = _units(keys, order, common)
    fold = np.full(len(units.size), -1, dtype=np.int64)
    held = _place_heavy(units, common, fold, folds)
    _fill_up(units, common, fold, held)
    return np.take(fold, units.row)


def time_folds(keys: np.ndarray, order: np.ndarray, times: np.ndarray, folds: int) -> np.ndarray:
    """The fold of each row, int64 of shape (n,): consecutive blocks of time of even size.

    A unit lies where its first row lies.
    """
    units = _units(keys, order, np.zeros(len(keys), dtype=np.int64))
    first = np.full(len(units.size), np.inf)
    np.minimum.at(first, units.row, times)
    sequence = np.lexsort((units.order, first))
    fold = np.empty(len(units.size), dtype=np.int64)
    middles = _middles(units.size[sequence])
    fold[sequence] = (middles * folds / len(keys)).astype(np.int64)
    return np.take(fold, units.row)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """m units: of each row its unit (n,); of each unit its size, rarest stratum and place (m,)."""

    row: np.ndarray
    size: np.ndarray
    rarest: np.ndarray
    order: np.ndarray


def _units(keys: np.ndarray, order: np.ndarray, strata: np.ndarray) -> _Units:
    _, first, row = np.unique(keys, return_index=True, return_inverse=True)
    rarest = strata[first]
    np.minimum.at(rarest, row, strata)
    return _Units(row, np.bincount(row), rarest, order[first])


def _place_heavy(units: _Units, strata: np.ndarray, fold: np.ndarray, folds: int) -> np.ndarray:
    """Set the fold of the heavy units, at most 50 per fold, largest first.

    Returns the rows of each stratum that each fold holds, int64 of shape (folds, strata).
    """
    total = np.bincount(strata)
    held = np.zeros((folds, len(total)), dtype=np.int64)
    heavy = np.flatnonzero(units.size > max(1, len(strata) / (_HEAVY * folds)))
    place = np.full(len(units.size), -1, dtype=np.int64)
    place[heavy] = np.arange(len(heavy))
    inside = place[units.row] >= 0
    count = np.zeros((len(heavy), len(total)), dtype=np.int64)
    np.add.at(count, (place[units.row[inside]], strata[inside]), 1)
    weight = 1 / np.maximum(total, 1.0) ** 2
    for unit in np.lexsort((units.order[heavy], -units.size[heavy])):
        # Adding u rows where c are raises the sum of squares by 2 c u + u^2.
        rise = held @ (weight * count[unit]) + held.sum(axis=1) * count[unit].sum() / len(strata) ** 2
        fold[heavy[unit]] = np.argmin(rise)
        held[fold[heavy[unit]]] += count[unit]
    return held


def _fill_up(units: _Units, strata: np.ndarray, fold: np.ndarray, held: np.ndarray) -> None:
    """Set the fold of the light units (those at -1): by their rarest stratum, the rarest first."""
    light = np.flatnonzero(fold < 0)
    light = light[np.lexsort((units.order[light], units.rarest[light]))]
    rows = np.flatnonzero((fold < 0)[units.row])
    rows = rows[np.argsort(units.rarest[units.row[rows]], kind="stable")]
    rarest = units.rarest[units.row[rows]]
    own = np.bincount(units.row[rows[strata[rows] == rarest]], minlength=len(fold))
    unit_bounds = np.searchsorted(units.rarest[light], np.arange(held.shape[1] + 1))
    row_bounds = np.searchsorted(rarest, np.arange(held.shape[1] + 1))
    for stratum in np.flatnonzero(np.diff(unit_bounds)):
        part = light[unit_bounds[stratum] : unit_bounds[stratum + 1]]
        size = own[part]
        room = _room(held[:, stratum], held.sum(axis=1), int(size.sum()))
        fold[part] = np.searchsorted(np.cumsum(room), _middles(size), side="right")
        moved = rows[row_bounds[stratum] : row_bounds[stratum + 1]]
        np.add.at(held, (fold[units.row[moved]], strata[moved]), 1)


def _middles(size: np.ndarray) -> np.ndarray:
    """Where the middle of each unit lies when they are laid in a line."""
    return np.cumsum(size) - size / 2


def _room(filled: np.ndarray, total: np.ndarray, rows: int) -> np.ndarray:
    """How many of `rows` each fold takes so that all are filled alike, int64 of shape (folds,).

    What cannot be divided goes to the folds with the smallest total.
    """
    rising = np.sort(filled)
    levels = (rows + np.cumsum(rising)) // np.arange(1, len(rising) + 1)
    level = levels[np.flatnonzero(levels >= rising)[-1]]
    room: np.ndarray = np.maximum(level - filled, 0)
    eager = np.lexsort((total + room, filled + room > level))
    room[eager[: rows - room.sum()]] += 1
    return room
