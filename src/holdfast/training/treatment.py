"""What a fix does to the rows that a fold trains on, and to no row that is judged.

Copies and synthetic rows are made inside each fold, of its training rows only: made
before the folds were drawn they would leak into the rows that judge (the commonest
mistake with SMOTE). Rows that a learner watches to stop early are left as they are, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.finding import FixName
from holdfast.core.fingerprint import fingerprint
from holdfast.core.labels import label_text
from holdfast.core.learner import Fitted, Learner, Progress
from holdfast.core.plan import Treatment
from holdfast.core.query import parse_query
from holdfast.core.schema import Kind
from holdfast.core.task import Task
from holdfast.errors import FixError

RESAMPLING = (FixName.OVERSAMPLE, FixName.UNDERSAMPLE, FixName.SMOTE)
_NEIGHBOURS = 5
_MOST_COPIES = 20.0


@dataclass(frozen=True, slots=True)
class TreatedLearner:
    """A learner whose training rows are treated first; picklable as the learner is."""

    learner: Learner
    treatment: Treatment

    @property
    def name(self) -> str:
        """The learner's name."""
        return self.learner.name

    def fit(
        self, train: Dataset, validation: Dataset, *, budget: float | None, seed: int, progress: Progress
    ) -> Fitted:
        """Fit on the treated rows of `train`; see `core.learner.Learner`."""
        rows = treated(train, validation, self.treatment, seed=seed)
        return self.learner.fit(rows, validation, budget=budget, seed=seed, progress=progress)


def treated(train: Dataset, watched: Dataset, treatment: Treatment, *, seed: int) -> Dataset:
    """The training rows after the treatment; those among `watched` stay as they are.

    FixError where the treatment does not fit the task or the rows.
    """
    among = train.example.is_in(watched.example.implode()).to_numpy()
    free, kept = np.flatnonzero(~among), np.flatnonzero(among)
    how, everything = fingerprint([treatment, seed]), np.arange(len(train))
    if treatment.name == FixName.AUGMENT:
        made = _augmented(train, free, treatment, np.random.default_rng(seed))
        return _with_rows(train, everything, made, how)
    if train.schema.task is not Task.CLASSIFICATION:
        raise FixError(f"{treatment.name} balances classes, and this target is a number.")
    if treatment.name == FixName.SMOTE:
        return _with_rows(train, everything, _smote(train, free, seed), how)
    index = _resampled(train, free, treatment.name, seed)
    return _with_rows(train, np.concatenate([index, kept]), [], how)


def _resampled(train: Dataset, free: np.ndarray, name: str, seed: int) -> np.ndarray:
    """Positions of rows whose classes are even: some several times, or some not at all."""
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.under_sampling import RandomUnderSampler

    make = RandomOverSampler if name == FixName.OVERSAMPLE else RandomUnderSampler
    sampler = make(random_state=seed)
    labels = label_text(train.target).to_numpy()[free]
    sampler.fit_resample(free.reshape(-1, 1), labels)
    return np.asarray(free[np.sort(sampler.sample_indices_)])


def _smote(train: Dataset, free: np.ndarray, seed: int) -> list[tuple[np.ndarray, pl.DataFrame]]:
    """Synthetic rows between neighbours of the rarer classes (Chawla et al. 2002; SMOTE-NC for categories).

    A missing number is filled with its median for the search only where it is met; text stays its source's.
    """
    labels = label_text(train.target).to_numpy()[free]
    smallest = int(np.unique(labels, return_counts=True)[1].min())
    if smallest < 2:
        raise FixError("SMOTE makes rows between two of one class, and the rarest class has one row.")
    numbers, named = _encoded(train, free)
    sampler = _sampler(numbers.shape[1], len(named), min(_NEIGHBOURS, smallest - 1), seed)
    codes = [np.unique(cells, return_inverse=True) for cells in named.values()]
    X = np.column_stack([numbers, *(inverse for _, inverse in codes)])
    made, target = sampler.fit_resample(X, labels)
    made, target = made[len(free) :], target[len(free) :]
    source = np.array([free[np.flatnonzero(labels == label)[0]] for label in target], dtype=np.int64)
    columns = train.table[source].to_dict()
    for k, name in enumerate(_numeric(train)):
        columns[name] = _typed(made[:, k], train.table[name])
    for k, (name, (levels, _)) in enumerate(zip(named, codes, strict=True), start=numbers.shape[1]):
        cells = pl.Series(name, levels[made[:, k].round().astype(np.int64)].astype(str)).replace("\0", None)
        columns[name] = cells == "true" if train.table.schema[name] == pl.Boolean else cells
    return [(source, pl.DataFrame(columns).select(train.table.columns))]


def _sampler(numbers: int, named: int, neighbours: int, seed: int) -> Any:
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    if not named:
        return SMOTE(k_neighbors=neighbours, random_state=seed)
    if not numbers:
        return SMOTEN(k_neighbors=neighbours, random_state=seed)
    places = list(range(numbers, numbers + named))
    return SMOTENC(places, k_neighbors=neighbours, random_state=seed)


def _encoded(train: Dataset, free: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Numbers (dates among them) without gaps, (n, d), and the cells of categories, "\\0" for missing."""
    table = train.table[free]
    numeric = [
        table[name].to_physical().cast(pl.Float64).fill_nan(None).fill_null(strategy="zero")
        if table[name].null_count() == len(table)
        else table[name].to_physical().cast(pl.Float64).fill_null(table[name].to_physical().median())
        for name in _numeric(train)
    ]
    named = {
        column.name: table[column.name].cast(pl.String).fill_null("\0").to_numpy()
        for column in train.schema.features
        if column.kind in (Kind.CATEGORY, Kind.BOOLEAN)
    }
    return np.column_stack(numeric) if numeric else np.empty((len(free), 0)), named


def _numeric(train: Dataset) -> list[str]:
    return [column.name for column in train.schema.features if column.kind in (Kind.NUMBER, Kind.DATE)]


def _typed(values: np.ndarray, like: pl.Series) -> pl.Series:
    if like.dtype.is_temporal():
        return pl.Series(like.name, values.round().astype(np.int64)).cast(like.dtype)
    return pl.Series(like.name, values).cast(like.dtype)


def _augmented(
    train: Dataset, free: np.ndarray, treatment: Treatment, rng: np.random.Generator
) -> list[tuple[np.ndarray, pl.DataFrame]]:
    """Rows between two of the slice with the same label: `amount` for each row that is there.

    Numbers lie between those of the two; of the other cells each is one of the two's.
    """
    inside = free[parse_query(treatment.where).mask(train.table[free])]
    if len(inside) < 2:
        return []
    copies = int(min(treatment.amount, _MOST_COPIES))
    source = np.repeat(inside, copies)
    mate = _mates(train, inside, source, rng)
    share = rng.uniform(0, 0.5, len(source))
    columns = train.table[source].to_dict()
    others = train.table[mate]
    for column in train.schema.features:
        name, own = column.name, columns[column.name]
        if column.kind in (Kind.NUMBER, Kind.DATE):
            low, high = (cells.to_physical().cast(pl.Float64) for cells in (own, others[name]))
            between = low + (high - low) * pl.Series(values=share)
            columns[name] = _typed(between.fill_null(low).fill_nan(None).to_numpy(), own)
        elif column.kind is not Kind.TEXT:
            columns[name] = own.zip_with(pl.Series(values=rng.random(len(source)) >= share), others[name])
    return [(source, pl.DataFrame(columns).select(train.table.columns))]


def _mates(train: Dataset, inside: np.ndarray, source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each source a row of the slice with the same label, or for numbers one of the nearest targets."""
    target = train.target
    codes = (target if target.dtype.is_numeric() else label_text(target)).rank("ordinal").to_numpy()
    labels = target.gather(inside)
    if not target.dtype.is_numeric():
        codes = label_text(target).rank("dense").to_numpy()
        order = inside[np.argsort(codes[inside], kind="stable")]
        starts = np.searchsorted(codes[order], codes[source], side="left")
        ends = np.searchsorted(codes[order], codes[source], side="right")
    else:
        order = inside[np.argsort(labels.to_numpy(), kind="stable")]
        place = np.searchsorted(codes[order], codes[source])
        starts = np.maximum(place - _NEIGHBOURS, 0)
        ends = np.minimum(place + _NEIGHBOURS + 1, len(order))
    return np.asarray(order[starts + (rng.random(len(source)) * (ends - starts)).astype(np.int64)])


def _with_rows(
    train: Dataset, index: np.ndarray, made: list[tuple[np.ndarray, pl.DataFrame]], how: str
) -> Dataset:
    """The rows at these positions, and made ones, each with the twin hash of its source.

    A copy's id is its source's with a number; `how` tells this version from others.
    """
    source = np.concatenate([index, *(rows for rows, _ in made)])
    copy = pl.DataFrame({"source": source}).select(pl.int_range(pl.len()).over("source")).to_series()
    name = train.example.gather(source)
    return replace(
        train,
        table=pl.concat([train.table[index], *(rows for _, rows in made)]),
        example=name.zip_with(copy == 0, name + "+" + copy.cast(pl.String)).alias("example"),
        twin=train.twin[source],
        content=f"{train.content}+{how}",
        key=None if train.key is None else train.key[source],
    )
