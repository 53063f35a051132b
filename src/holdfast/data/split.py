"""Which rows are sealed, which are open, and the fold of each open row."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.labels import codes_of, label_text
from holdfast.core.schema import Kind, Role
from holdfast.core.split import CONFIRM, SEALED, SEARCH, Split
from holdfast.core.task import Task
from holdfast.data.folds import even_folds, time_folds
from holdfast.data.hashing import hash_cells, mix
from holdfast.errors import ColumnError, PlanError

_SALTS = 64  # candidates for a project's salt
_EVEN = 1 << 20  # from so many rows on, any salt is even, and eight are candidates enough
_BINS = 10  # of a number to predict: its deciles are kept even as classes are
_FOR_ROLE, _FOR_FOLD = range(2)  # what a draw is for
_ROLES = np.array([SEALED, SEARCH, CONFIRM])


def split(
    dataset: Dataset,
    *,
    share: float = 0.2,
    folds: int = 5,
    salt: int | None = None,
    cut: str | None = None,
    sealed: np.ndarray | None = None,
) -> Split:
    """Give every row its role and every open row its fold; the order of rows does not count.

    A row's role is drawn from a hash of its group, or where it has none of its features
    (the dataset's `key`, where it has one), so a group and a set of twins keep together.
    A time column decides instead: the last `share` of the rows by time is sealed (a row
    without a time is open). `salt` and `cut`
    are chosen here when None, the salt among 64 so that each class (or decile of the
    target) is spread evenly; hand back those of the first Split ever after. `sealed`, bool
    of shape (n,), marks the user's own test rows instead. `share=0` opens every row.

    Open rows are halved into search and confirm. Folds keep groups and twins together and
    spread classes and sizes evenly; with a time column they are consecutive blocks of time.
    Where a group is given, equal rows of two groups may lie on both sides of the border;
    the sealed ones are `tied`. With a time column a group lies on both sides, as in use.

    Raises PlanError for a share, a cut or a number of folds that these rows cannot give,
    and ColumnError for a time that does not pass.
    """
    _check_request(share, folds)
    strata = _strata(dataset)
    keys = unit_keys(dataset)
    drawn_from = keys if dataset.key is None else _by_group(dataset, dataset.key)
    times = _times(dataset)
    if sealed is None and share > 0 and times is not None:
        cut = cut or _cut(dataset, times, share)
        sealed = times >= _moment(dataset, cut)
    drawn = share if sealed is None else 0.0
    if salt is None:
        free = np.ones(len(dataset), dtype=bool) if sealed is None else ~sealed
        salt = _even_salt(drawn_from[free], strata[free], drawn)
    role = _roles(drawn_from, salt, drawn)
    if sealed is not None:
        role = np.where(sealed, 0, role)
    is_open = role > 0
    _check_units(dataset, keys[is_open], folds)
    fold = np.full(len(dataset), -1, dtype=np.int64)
    order = _draw(keys[is_open], salt, _FOR_FOLD)
    if times is None:
        fold[is_open] = even_folds(keys[is_open], order, strata[is_open], folds)
    else:
        fold[is_open] = time_folds(keys[is_open], order, times[is_open], folds)
    twin = pl.Series(values=dataset.twin)
    tied = ~is_open & twin.is_in(twin.filter(pl.Series(values=is_open)).implode()).to_numpy()
    return Split(_ROLES[role], fold, tied, folds, salt, share, cut)


def _check_request(share: float, folds: int) -> None:
    if not 0 <= share < 1:
        raise PlanError(
            f"The sealed share is {share}; it must be at least 0 and less than 1, e.g. --sealed 0.2."
        )
    if folds < 2:
        raise PlanError(f"{folds} folds leave nothing to judge on; ask for 2 or more, e.g. --folds 5.")


def _check_units(dataset: Dataset, keys: np.ndarray, folds: int) -> None:
    units = pl.Series(values=keys).n_unique()
    if units >= folds:
        return
    group = dataset.schema.with_role(Role.GROUP)
    what = "different rows" if group is None else f"groups of {group.name!r}"
    mend = f"--folds {units}, or " if units > 1 else ""
    raise PlanError(
        f"There are {units:,} {what} to train on, too few for {folds} folds. Use {mend}"
        "--sealed 0 to open the sealed rows, or add rows."
    )


def unit_keys(dataset: Dataset) -> np.ndarray:
    """A hash of what keeps together, uint64 of shape (n,): a row's group if it has one, else its features."""
    return _by_group(dataset, dataset.twin)


def _by_group(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """A hash of each row's group, or the row's own of `rows` where it has none."""
    group = dataset.schema.with_role(Role.GROUP)
    if group is None:
        return rows
    cells = dataset.table[group.name]
    return np.where(cells.is_null().to_numpy(), rows, hash_cells(label_text(cells)))


def _strata(dataset: Dataset) -> np.ndarray:
    """Each row's class, or bin of its target; the last code is for a missing target."""
    if dataset.schema.task is Task.CLASSIFICATION:
        labels = label_text(dataset.target)
        classes = labels.drop_nulls().unique().sort().to_list()
        codes = codes_of(labels, classes)
        return np.where(codes < 0, len(classes), codes)
    values = dataset.target.fill_null(np.nan).to_numpy()
    missing = np.isnan(values)
    if missing.all():
        return np.zeros(len(dataset), dtype=np.int64)
    edges = np.quantile(values[~missing], np.arange(1, _BINS) / _BINS, method="inverted_cdf")
    return np.where(missing, _BINS, np.searchsorted(edges, values))


def _times(dataset: Dataset) -> np.ndarray | None:
    """Each row's time as float64 (microseconds for dates), -inf where missing; None without a time column."""
    column = dataset.schema.with_role(Role.TIME)
    if column is None:
        return None
    cells = dataset.table[column.name]
    if column.kind not in (Kind.DATE, Kind.NUMBER):
        raise ColumnError(
            f"The time column {column.name!r} holds {column.kind} cells; it must hold dates or numbers."
        )
    return cells.to_physical().cast(pl.Float64).fill_nan(None).fill_null(-np.inf).to_numpy()


def _cut(dataset: Dataset, times: np.ndarray, share: float) -> str:
    """The first sealed moment, such that the rows from it on come nearest to the share."""
    moments, counts = np.unique(times[np.isfinite(times)], return_counts=True)
    column = dataset.schema.with_role(Role.TIME)
    assert column is not None
    if len(moments) < 2:
        raise ColumnError(
            f"The time column {column.name!r} holds {len(moments)} distinct times, so nothing comes later. "
            f"Let it be an ordinary column, or open every row with --sealed 0."
        )
    later = np.cumsum(counts[::-1])[::-1][1:]  # rows from each moment on
    moment = moments[1:][np.argmin(np.abs(later - share * counts.sum()))]
    if column.kind is Kind.DATE:
        return str(pl.Series([int(moment)]).cast(pl.Datetime("us"))[0].isoformat())
    return repr(float(moment))


def _moment(dataset: Dataset, cut: str) -> float:
    column = dataset.schema.with_role(Role.TIME)
    try:
        if column is not None and column.kind is Kind.DATE:
            return float(pl.Series([datetime.fromisoformat(cut)]).cast(pl.Datetime("us")).to_physical()[0])
        return float(cut)
    except ValueError:
        raise PlanError(
            f"The cut {cut!r} is not a time such as '2025-01-31' or, for numbers, '2025'."
        ) from None


def _draw(keys: np.ndarray, salt: int, purpose: int) -> np.ndarray:
    """A uniform uint64 per key, independent between salts and purposes."""
    return mix(keys ^ mix(np.array([salt * 2 + purpose + 1], dtype=np.uint64)))


def _roles(keys: np.ndarray, salt: int, share: float) -> np.ndarray:
    """0 for sealed, 1 for search, 2 for confirm, as int64 of shape (n,)."""
    draw = _draw(keys, salt, _FOR_ROLE)
    half = (draw & np.uint64(1)).view(np.int64) + 1
    half[draw < np.uint64(int(share * 2**64))] = 0
    return half


def _even_salt(keys: np.ndarray, strata: np.ndarray, share: float) -> int:
    """The candidate whose roles lie nearest to even in every stratum and in all, by chi-square."""
    candidates = _SALTS if len(keys) <= _EVEN else _SALTS // 8
    cells = strata * 3
    return min(range(candidates), key=lambda salt: _unevenness(cells + _roles(keys, salt, share), share))


def _unevenness(cells: np.ndarray, share: float) -> float:
    counts = np.bincount(cells, minlength=3 * (int(cells.max(initial=0)) // 3 + 1)).reshape(-1, 3)
    expected = counts.sum(axis=1, keepdims=True) * np.array([share, (1 - share) / 2, (1 - share) / 2])
    chi_square = _chi_square(counts, expected) + len(counts) * _chi_square(
        counts.sum(axis=0), expected.sum(axis=0)
    )
    never_trained = np.count_nonzero((counts[:, 0] > 0) & ~counts[:, 1:].any(axis=1))
    return chi_square + never_trained * 1e9


def _chi_square(counts: np.ndarray, expected: np.ndarray) -> float:
    return float(((counts - expected) ** 2 / np.where(expected > 0, expected, 1)).sum())
