"""Synthetic rows between two real ones: which two, and what lies between them.

Every made row has a source: its id, twin hash, group, weight, text and label are the
source's, so that whatever keeps rows together keeps it beside the row that it came from.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.labels import label_text
from holdfast.core.schema import Kind
from holdfast.errors import FixError

_NEIGHBOURS = 5
_POOL = 10_000  # the most rows of a class among which neighbours are looked for
_LEVELS = 30  # of a category: rarer ones are all alike where distances are measured
_MEASURED = (Kind.NUMBER, Kind.DATE)
_NAMED = (Kind.CATEGORY, Kind.BOOLEAN)


def between(
    train: Dataset, source: np.ndarray, mate: np.ndarray, share: np.ndarray, rng: np.random.Generator
) -> pl.DataFrame:
    """Rows that lie a share of the way from a source to its mate; positions and shares of shape (m,).

    Numbers and dates lie between those of the two, whole numbers on a whole one; of any other
    cell the row has one of the two's, the mate's with the probability `share`. What is missing
    in either is as in the source, and text is the source's.
    """
    columns, others = train.table[source].to_dict(), train.table[mate]
    for column in train.schema.features:
        name, own = column.name, columns[column.name]
        if column.kind in _MEASURED:
            low, high = (cells.to_physical().cast(pl.Float64) for cells in (own, others[name]))
            moved = (low + (high - low) * pl.Series(values=share)).fill_null(low)
            whole = own.dtype.is_temporal() or bool(
                (low == low.round()).all() and (high == high.round()).all()
            )
            moved = moved.round() if whole else moved
            columns[name] = (moved.cast(pl.Int64) if own.dtype.is_temporal() else moved).cast(own.dtype)
        elif column.kind in _NAMED:
            columns[name] = own.zip_with(pl.Series(values=rng.random(len(source)) >= share), others[name])
    return pl.DataFrame(columns).select(train.table.columns)


def smote_pairs(train: Dataset, free: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sources and mates that make every class as large as the largest (Chawla et al. 2002, SMOTE).

    A mate is one of the five nearest rows of the source's class. Numbers and dates are
    measured in standard deviations, and two cells that differ in name are one of them apart,
    much as SMOTE-NC has it. Positions of shape (m,) each; FixError where a class has one row.
    """
    labels = label_text(train.target).to_numpy()[free]
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        raise FixError(
            f"SMOTE makes rows between two of one class, and class {classes[counts.argmin()]} has one of the "
            "rows that a fold trains on. Try --with oversample."
        )
    space = points(train, free)
    found = [
        _pairs(free[inside], space[inside], int(counts.max()) - len(inside), rng)
        for inside in (np.flatnonzero(labels == label) for label in classes)
    ]
    source, mate = (np.concatenate(part) for part in zip(*found, strict=True))
    return source, mate


def _pairs(
    rows: np.ndarray, space: np.ndarray, wanted: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """As many sources among a class's rows, drawn at random, each with one of its nearest rows."""
    from sklearn.neighbors import NearestNeighbors

    drawn = rng.integers(0, len(rows), wanted)
    if not wanted:
        return rows[drawn], rows[drawn]
    asked, which = np.unique(drawn, return_inverse=True)
    pool = np.sort(rng.permutation(len(rows))[:_POOL])
    near = NearestNeighbors(n_neighbors=min(_NEIGHBOURS + 1, len(pool)), algorithm="brute").fit(space[pool])
    found = pool[near.kneighbors(space[asked], return_distance=False)]
    itself = found == asked[:, None]
    # A row is among its own nearest, mostly first; where it is not there, the farthest goes.
    itself[~itself.any(axis=1), -1] = True
    others = found[~itself].reshape(len(asked), -1)
    return rows[drawn], rows[others[which, rng.integers(0, others.shape[1], wanted)]]


def points(train: Dataset, free: np.ndarray) -> np.ndarray:
    """These rows as points, float32 of shape (n, d): what differs by name is at the distance 1.

    A missing number is at the mean, a missing name is a name of its own.
    """
    table, found = train.table[free], [np.zeros((len(free), 1), dtype=np.float32)]
    for column in train.schema.features:
        cells = table[column.name]
        if column.kind in _MEASURED:
            values = cells.to_physical().cast(pl.Float64).to_numpy()
            known = values[~np.isnan(values)]
            if len(known) and (deviation := known.std()) > 0:
                scaled = np.nan_to_num((values - known.mean()) / deviation)
                found.append(scaled.astype(np.float32)[:, None])
        elif column.kind in _NAMED:
            code = cells.cast(pl.String).fill_null("\0").rank("dense").to_numpy().astype(np.int64)
            common = np.argsort(-np.bincount(code), kind="stable")[:_LEVELS]
            found.append((code[:, None] == common) * np.float32(np.sqrt(0.5)))
    return np.concatenate(found, axis=1, dtype=np.float32)


def mates_in_slice(
    train: Dataset, inside: np.ndarray, source: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """For each source a row of the slice with the same label, or for numbers one of the nearest targets.

    Positions: `inside` ascending, of shape (s,), `source` and the answer of shape (m,).
    """
    target = train.target
    if target.dtype.is_numeric():
        codes = target.rank("ordinal").to_numpy()
        order = inside[np.argsort(codes[inside], kind="stable")]
        place = np.searchsorted(codes[order], codes[source])
        first = np.maximum(place - _NEIGHBOURS, 0)
        last = np.minimum(place + _NEIGHBOURS + 1, len(order))
    else:
        codes = label_text(target).rank("dense").to_numpy()
        order = inside[np.argsort(codes[inside], kind="stable")]
        first = np.searchsorted(codes[order], codes[source], side="left")
        last = np.searchsorted(codes[order], codes[source], side="right")
    return np.asarray(order[first + (rng.random(len(source)) * (last - first)).astype(np.int64)])
