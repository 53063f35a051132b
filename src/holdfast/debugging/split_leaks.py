"""Rows that belong together and were parted by the split: near twins, groups, neighbours in time."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, FixName, Suggestion, Where
from holdfast.core.schema import Column, Kind, Role
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.debugging.case import Case
from holdfast.debugging.losses import loss_of
from holdfast.stats.tails import critical, two_sided

_FEWEST = 10  # rows that make a finding
# The rows of a project keep their roles, so no fix within it can answer.
_ANEW = "start another project, and train with"
_SURE_BITS = 5  # the expected number of pairs that are alike by chance is below 2^-6
_CLOSE = 1e-3  # of a standard deviation: numbers this near are taken as one
_TWINS = 0.005  # of the rows
_REPEATED = 0.1  # of the rows share an id-like value with a row of another fold
_IN_BLOCKS = 0.5  # of the variance of the times' ranks lies between folds that follow the time
_ALIKE = 0.05  # the least correlation of neighbours in time that a random split profits from


def near_twins(dataset: Dataset, case: Case) -> list[Finding]:
    """Rows equal to a row of another fold or role in all columns but one, or but for tiny distances.

    Only where so many equal cells cannot be chance: their information (minus the log2 of each
    cell's frequency, summed as if columns were independent) must exceed 2 log2 n + 5 bits.
    Reported where such rows are at least 0.5 % of all and lose less than the others do: without that
    their likeness tells the model nothing. One hash per cell, and each row's sum less one column's.
    """
    place = _places(dataset, case)
    if len(np.unique(place)) < 2:
        return []
    parted = np.zeros(len(dataset), dtype=bool)
    for key, bits in _keys(dataset):
        parted |= _meets_another(key, place, bits >= 2 * np.log2(len(dataset)) + _SURE_BITS)
    judged = case.dataset.example.is_in(dataset.example.filter(pl.Series(values=parted)).implode())
    rows = np.asarray(judged.to_numpy())
    size = int(rows.sum())
    rise = case.loss.against_rest(rows).estimate()
    if size < max(_FEWEST, _TWINS * len(case)) or not rise.high < 0:
        return []
    differs = np.full(len(case), 1 / len(dataset.schema.features))
    return [
        Finding(
            kind="near twins",
            title=f"{count(size, 'row')} almost equal to one of another fold or role: little is tested there",
            where=Where(examples=case.suspects(rows, differs)),
            size=size,
            effect=rise,
            effect_of=loss_of(case.predictions).less_rest,
            share_of_loss=case.share_of_loss(rows),
            examples=case.worst(rows),
            fixes=(Suggestion(FixName.DROP_ROWS, "what is left tests the model", "one training"),),
            facts={"what helps": f"rows of one origin belong into one fold: {_ANEW} --group COLUMN"},
        )
    ]


def broken_groups(case: Case) -> list[Finding]:
    """Columns that say whose a row is, where the rows of one owner lie in several folds."""
    fold = case.predictions.table["fold"]
    if fold.null_count():
        return []
    found = []
    for column in case.dataset.schema:
        cells = case.dataset.table[column.name]
        if not _owns_rows(case.dataset, column):
            continue
        frame = pl.DataFrame({"value": cells, "fold": fold})
        spread = (frame.select(pl.col("fold").n_unique().over("value")).to_series() > 1) & cells.is_not_null()
        rows = np.asarray(spread.to_numpy())
        declared = column.role is Role.GROUP
        if rows.sum() >= (_FEWEST if declared else max(_FEWEST, _REPEATED * len(case))):
            found.append(_broken_group(case, column, rows))
    return found


def broken_time(case: Case) -> list[Finding]:
    """Times along which neighbours are alike, while the folds are drawn without regard to them."""
    fold = case.predictions.table["fold"]
    if fold.null_count() or fold.n_unique() < 2:
        return []
    found = []
    for column in case.dataset.schema:
        if column.kind is not Kind.DATE or column.role not in (Role.TIME, Role.FEATURE):
            continue
        known = case.dataset.table[column.name].is_not_null().to_numpy()
        times = case.dataset.table[column.name].filter(pl.Series(values=known)).rank("ordinal").to_numpy()
        if known.sum() > 2 * _FEWEST and not _in_blocks(times, fold.to_numpy()[known]):
            found += _along(case, column, np.flatnonzero(known)[np.argsort(times)])
    return found


def _places(dataset: Dataset, case: Case) -> np.ndarray:
    """Each row's fold, int64 of shape (n,): 0 where none is known, -1 for rows that are not judged."""
    folds = pl.DataFrame(
        {"example": case.dataset.example, "fold": case.predictions.table["fold"].cast(pl.Int64).fill_null(0)}
    )
    rows = dataset.example.alias("example").to_frame()
    return np.asarray(rows.join(folds, on="example", how="left", maintain_order="left")["fold"].fill_null(-1))


def _keys(dataset: Dataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What near twins share, uint64 of shape (n,), and how many bits it tells, float64 (n,)."""
    names = [column.name for column in dataset.schema.features]
    key, bits = np.zeros(len(dataset), dtype=np.uint64), np.zeros(len(dataset))
    for place, name in enumerate(names):
        own, told = _hashed(dataset.table[name], place)
        key, bits = key + own, bits + told
    for place, name in enumerate(names):
        own, told = _hashed(dataset.table[name], place)
        yield key - own, bits - told
    filled = [c for c in dataset.schema.features if dataset.table[c.name].null_count() < len(dataset)]
    numbers = [column.name for column in filled if column.kind is Kind.NUMBER]
    for offset in (0.0, 0.5) if numbers else ():
        near_key, near_bits = key.copy(), bits.copy()
        for place, name in enumerate(names):
            if name in numbers:
                cells = dataset.table[name]
                own, told = _hashed(cells, place)
                step = _CLOSE * float(np.nanstd(cells.to_numpy())) or 1.0
                near, near_told = _hashed((cells / step + offset).floor(), place)
                near_key, near_bits = near_key - own + near, near_bits - told + near_told
        yield near_key, near_bits


def _hashed(cells: pl.Series, place: int) -> tuple[np.ndarray, np.ndarray]:
    frame = cells.alias("cell").to_frame()
    bits = frame.select((len(cells) / pl.len().over("cell")).log(2)).to_series().to_numpy()
    return cells.hash(seed=place).to_numpy(), bits


def _meets_another(key: np.ndarray, place: np.ndarray, telling: np.ndarray) -> np.ndarray:
    """Rows whose key occurs in another place, too; among those that tell enough."""
    rows = np.flatnonzero(telling)
    frame = pl.DataFrame({"key": key[rows], "place": place[rows], "row": rows})
    frame = frame.filter(pl.col("key").is_duplicated())
    met = frame.filter(pl.col("place").n_unique().over("key") > 1)["row"].to_numpy()
    mask = np.zeros(len(key), dtype=bool)
    mask[met] = True
    return mask


def _owns_rows(dataset: Dataset, column: Column) -> bool:
    """Whether a column is, or may well be, a group: declared, recognised, or nearly unique and repeating."""
    if column.role is Role.GROUP or column.why.startswith("a group key"):
        return True
    doubted = any(check.kind == "id-like" and check.column in ("", column.name) for check in dataset.checks)
    if not doubted or column.kind is not Kind.CATEGORY or column.role is not Role.FEATURE:
        return False
    known = dataset.table[column.name].drop_nulls()
    return len(known) / 2 < known.n_unique() < len(known)


def _broken_group(case: Case, column: Column, rows: np.ndarray) -> Finding:
    size = int(rows.sum())
    rise = case.loss.against_rest(rows).estimate()
    return Finding(
        kind="group split",
        title=f"Rows of one {column.name} lie in several folds: {size:,} were judged by models that know it",
        where=Where(column=column.name),
        size=size,
        effect=rise,
        effect_of=loss_of(case.predictions).less_rest,
        share_of_loss=case.share_of_loss(rows),
        examples=case.worst(rows),
        facts={"what helps": f"{_ANEW} --group {quote(column.name)}"},
    )


def _in_blocks(times: np.ndarray, fold: np.ndarray) -> bool:
    """Whether folds are blocks of time: most of the variance of the ranks lies between them."""
    total = float(((times - times.mean()) ** 2).sum())
    between = sum(
        float((fold == k).sum() * (times[fold == k].mean() - times.mean()) ** 2) for k in np.unique(fold)
    )
    return between > _IN_BLOCKS * total


def _along(case: Case, column: Column, order: np.ndarray) -> list[Finding]:
    """The correlation of each row's target with the next one's in time, lag 1; Fisher's interval."""
    values = _followed(case)[order]
    if values.std() == 0:
        return []
    n = len(values)
    r = float(np.corrcoef(values[:-1], values[1:])[0, 1])
    half = critical(0.95) / np.sqrt(n - 4)
    low, high = np.tanh(np.arctanh(np.clip(r, -0.999999, 0.999999)) + np.array([-half, half]))
    return [
        Finding(
            kind="time order",
            title=f"Neighbours in {column.name} have like targets, but lie in folds at random",
            where=Where(column=column.name),
            size=n,
            effect=Estimate(r, float(low), float(high), n=n, method="lag 1 correlation, Fisher"),
            effect_of=f"correlation of a row's target with that of the next one in {column.name}; 0 is none",
            p=float(two_sided(r * np.sqrt(n))) if low >= _ALIKE else 1.0,  # Holm counts all that were asked
            facts={"what helps": f"{_ANEW} --time {quote(column.name)}"},
        )
    ]


def _followed(case: Case) -> np.ndarray:
    """The target as one number per row: itself, or whether it is the most common class.

    The loss where no target is known.
    """
    judged = case.predictions
    if judged.header.task is not Task.CLASSIFICATION:
        return judged.loss if judged.header.task is None else judged.target_values
    most_common = np.bincount(judged.target_codes).argmax()
    return np.asarray(judged.target_codes == most_common, dtype=np.float64)
