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
    the other, each where its classes are fewest; of each stratum the light ones then fill
    up, in their random order, what each fold still lacks.
    """
    units = _units(keys, order, strata)
    fold = np.full(len(units.size), -1, dtype=np.int64)
    heavy = np.flatnonzero(units.size > max(1, len(keys) / (_HEAVY * folds)))
    filled = np.zeros((folds, units.strata), dtype=np.int64)
    if len(heavy):
        fold[heavy] = _place_heavy(units, heavy, strata, folds)
        np.add.at(filled, (fold[heavy], units.stratum[heavy]), units.size[heavy])
    _fill_up(units, fold, filled)
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
    fold[sequence] = (_middles(units.size[sequence]) * folds / len(keys)).astype(np.int64)
    return np.take(fold, units.row)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """m units: of each row its unit (n,); of each unit its size, stratum and place (m,)."""

    row: np.ndarray
    size: np.ndarray
    stratum: np.ndarray
    order: np.ndarray
    strata: int


def _units(keys: np.ndarray, order: np.ndarray, strata: np.ndarray) -> _Units:
    """A unit's stratum is the rarest of its rows' strata, since that one is hardest to spread."""
    count = np.bincount(strata)
    rarity = np.empty(len(count), dtype=np.int64)
    rarity[np.argsort(count, kind="stable")] = np.arange(len(count))
    _, first, row = np.unique(keys, return_index=True, return_inverse=True)
    rarest = np.full(len(first), len(count), dtype=np.int64)
    np.minimum.at(rarest, row, rarity[strata])
    return _Units(row, np.bincount(row), rarest, order[first], len(count))


def _place_heavy(units: _Units, heavy: np.ndarray, strata: np.ndarray, folds: int) -> np.ndarray:
    """The folds of the heavy units, of which there are at most 50 per fold; largest first."""
    place = np.full(len(units.size), -1, dtype=np.int64)
    place[heavy] = np.arange(len(heavy))
    inside = place[units.row] >= 0
    count = np.zeros((len(heavy), units.strata + 1))
    np.add.at(count, (place[units.row[inside]], strata[inside]), 1)
    count[:, -1] = units.size[heavy]
    weight = 1 / np.maximum(np.append(np.bincount(strata), len(strata)), 1.0) ** 2
    held = np.zeros((folds, units.strata + 1))
    fold = np.empty(len(heavy), dtype=np.int64)
    for unit in np.lexsort((units.order[heavy], -units.size[heavy])):
        # Adding u to a fold that holds c raises the sum of squares by 2 c u + u^2.
        fold[unit] = np.argmin(held @ (weight * count[unit]))
        held[fold[unit]] += count[unit]
    return fold


def _fill_up(units: _Units, fold: np.ndarray, filled: np.ndarray) -> None:
    """Place the light units (those with fold -1), stratum by stratum, the rarest first."""
    light = np.flatnonzero(fold < 0)
    light = light[np.lexsort((units.order[light], units.stratum[light]))]
    bounds = np.searchsorted(units.stratum[light], np.arange(units.strata + 1))
    total = filled.sum(axis=1)
    for stratum in np.flatnonzero(np.diff(bounds)):
        part = light[bounds[stratum] : bounds[stratum + 1]]
        size = units.size[part]
        room = _room(filled[:, stratum], total, int(size.sum()))
        fold[part] = np.searchsorted(np.cumsum(room), _middles(size), side="right")
        total += np.bincount(fold[part], weights=size, minlength=len(total)).astype(np.int64)


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
