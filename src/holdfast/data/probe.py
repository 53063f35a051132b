"""How well each column alone tells the target, on rows that it was not fitted on.

The one-column model is the mean target per level, or per quantile bin of a number, with a
missing cell as a level of its own. It is fitted on one half of the rows, which divides no
group and no twins, and scored on the other, and the two scores are averaged. The counts of
target by bin and half suffice for it, so a column costs one pass whatever the number of
classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.labels import label_text
from holdfast.core.schema import Kind
from holdfast.core.task import Task
from holdfast.data.hashing import mix
from holdfast.data.split import unit_keys

_ROWS, _FEWEST, _CELLS = 50_000, 2_000, 20_000_000  # at most, at least, and in all columns together
_BINS, _PER_BIN = 256, 20  # at most so many bins, of so many rows at least
_CLASSES = 20  # the most common ones
_PRIOR = 1.0  # rows' worth of the overall mean that each bin starts with


@dataclass(frozen=True, slots=True)
class Signal:
    """What one column alone reaches.

    `score` is the AUC (of several classes the mean of one against the rest, weighted by
    their rows), or the R2 of the target's ranks; 1 is perfect, and a column that tells
    nothing has an AUC of 0.5 or an R2 of 0. `rows` is how many it was measured on.
    """

    column: str
    score: float
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """The sampled rows' targets: codes of the common classes (m,), -1 for others, or ranks (m,)."""

    codes: np.ndarray | None
    ranks: np.ndarray
    half: np.ndarray
    classes: int


def signals(dataset: Dataset) -> tuple[Signal, ...]:
    """The signal of every column whose cells repeat, or are numbers or dates; strongest first."""
    known = dataset.target.is_not_null().to_numpy()
    rows = _sample(dataset.twin, known, len(dataset.schema.features))
    if len(rows) < 2:
        return ()
    target = _target(dataset, rows)
    found = []
    for name, bins in _binned(dataset, rows):
        score = _auc(bins, target) if target.codes is not None else _r2(bins, target)
        found.append(Signal(name, score, len(rows)))
    return tuple(sorted(found, key=lambda signal: (-signal.score, signal.column)))


def _sample(twin: np.ndarray, known: np.ndarray, columns: int) -> np.ndarray:
    """The same rows whatever their order: those whose features hash lowest."""
    most = int(np.clip(_CELLS // max(columns, 1), _FEWEST, _ROWS))
    draw = mix(twin[known])
    rows = np.flatnonzero(known)
    return rows if len(rows) <= most else rows[draw <= np.partition(draw, most)[most]]


def _target(dataset: Dataset, rows: np.ndarray) -> _Target:
    half = (unit_keys(dataset)[rows] & np.uint64(1)).astype(np.int64)
    values = dataset.target.gather(rows)
    if dataset.schema.task is Task.CLASSIFICATION:
        labels = label_text(values).alias("label")
        counts = labels.value_counts().sort(["count", "label"], descending=[True, False])
        common = counts["label"].head(_CLASSES)
        codes = labels.replace_strict(common, np.arange(len(common)), default=-1).to_numpy()
        return _Target(codes, codes, half, len(common))
    return _Target(None, values.rank().to_numpy() / len(rows), half, 1)


def _binned(dataset: Dataset, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each column's level or quantile bin by row, small non-negative codes of shape (m,)."""
    columns = dataset.schema.features
    sampled = np.zeros(len(dataset), dtype=bool)
    sampled[rows] = True
    mask = pl.Series(values=sampled)
    # Column by column: a whole table's pieces would first be joined, all rows of them.
    cells = pl.DataFrame([dataset.table[column.name].filter(mask) for column in columns])
    levels = cells.select(pl.all().n_unique()).row(0) if columns else ()
    most = int(np.clip(len(rows) // _PER_BIN, 8, _BINS))
    numeric = {column.name for column in columns if column.kind in (Kind.NUMBER, Kind.DATE)}
    cells = cells.select(
        pl.col(column.name).to_physical().cast(pl.Float64).fill_null(np.nan)
        if column.name in numeric
        else pl.col(column.name).rank("dense").fill_null(0).cast(pl.Int64)
        for column in columns
    )
    for series, count in zip(cells.get_columns(), levels, strict=True):
        if count > 1 and (series.name in numeric or count <= len(rows) // 2):
            values = series.to_numpy()
            yield series.name, values if series.name not in numeric else _quantiles(values, count, most)


def _quantiles(values: np.ndarray, levels: int, most: int) -> np.ndarray:
    """The values' own codes when they are few, else equal-mass bins; nan has a code of its own."""
    if levels <= most:
        return np.unique(values, return_inverse=True)[1]
    missing = np.isnan(values)
    edges = np.quantile(values[~missing], np.arange(1, most) / most, method="inverted_cdf")
    return np.where(missing, most, np.searchsorted(np.unique(edges), values))


def _auc(bins: np.ndarray, target: _Target) -> float:
    assert target.codes is not None
    width, several = int(bins.max()) + 1, target.classes + 1
    cell = (target.half * width + bins) * several + target.codes + 1
    counts = np.bincount(cell, minlength=2 * width * several).reshape(2, width, several)
    rows = counts.sum(axis=2)
    labels = range(1, 2 if target.classes <= 2 else several)
    weights = [counts[:, :, label].sum() for label in labels]
    scores = [np.mean([_half_auc(counts[:, :, label], rows, half) for half in (0, 1)]) for label in labels]
    return float(np.average(scores, weights=weights))


def _half_auc(positive: np.ndarray, rows: np.ndarray, half: int) -> float:
    """The AUC in one half of the rates in the other; `positive` and `rows` of shape (2, bins)."""
    prior = positive.sum() / rows.sum()
    rate = (positive[1 - half] + _PRIOR * prior) / (rows[1 - half] + _PRIOR)
    _, place = np.unique(rate, return_inverse=True)
    ones = np.bincount(place, weights=positive[half])
    zeros = np.bincount(place, weights=rows[half] - positive[half])
    pairs = ones.sum() * zeros.sum()
    return float((ones * (np.cumsum(zeros) - zeros / 2)).sum() / pairs) if pairs else 0.5


def _r2(bins: np.ndarray, target: _Target) -> float:
    cell = target.half * (int(bins.max()) + 1) + bins
    rows = np.bincount(cell, minlength=2 * (int(bins.max()) + 1)).reshape(2, -1)
    total = np.bincount(cell, weights=target.ranks, minlength=rows.size).reshape(2, -1)
    mean = target.ranks.mean()
    fitted = (total[::-1] + _PRIOR * mean) / (rows[::-1] + _PRIOR)  # each half from the other
    error = ((target.ranks - fitted.ravel()[cell]) ** 2).sum()
    spread = ((target.ranks - mean) ** 2).sum()
    return float(1 - error / spread) if spread else 0.0
