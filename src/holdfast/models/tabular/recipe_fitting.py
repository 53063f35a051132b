"""Fit a column recipe on training rows, and only on those.

Categories with up to 15 levels become one column per level. Those with more become the
target's mean per level, shrunk towards the overall mean, and how often the level
occurs (Micci-Barreca 2001). On the training rows themselves the means are out-of-fold,
so that no row sees its own target; rows with equal features or of one group share
their inner fold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.labels import codes_of
from holdfast.core.schema import Kind, Role
from holdfast.core.task import Task
from holdfast.models.tabular.encode import Encoder, level_codes
from holdfast.models.tabular.recipe import DATE_PARTS, TEXT_PARTS, Lookup, Number, Parts, Recipe

ONE_HOT = 15  # levels
_RARE = 5  # a level of fewer rows has no one-hot column
_POOLED = 0.05  # the most of all rows that may lose their level that way
_SMOOTHING = 10.0  # rows of the overall mean that are mixed into each level's
_FOLDS = 5
_CLASSES = 10  # the most classes that get a target mean each
_FAR = 1000.0  # float32 has about 7 digits: a centre this many deviations away costs 3 of them


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """What the means are of: `values` float64 of shape (n, k) with their names and inner folds (n,)."""

    values: np.ndarray
    names: tuple[str, ...]
    fold: np.ndarray


def fit_recipe(train: Dataset, *, seed: int) -> tuple[Recipe, np.ndarray]:
    """The recipe of these rows, and their own features, float32 of shape (n, d).

    The second differs from `encode(recipe, train.table)` in the target means alone,
    which are out-of-fold. Columns with one value, or none, are left out.
    """
    by_kind: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    for column in train.schema.features:
        by_kind[column.kind].append(column.name)
    target = _target(train, seed)
    lookups, means = [], []
    for name in by_kind[Kind.CATEGORY]:
        fitted = _lookup(train.table[name], target)
        if fitted is not None:
            lookups.append(fitted[0])
            means.append(fitted[1])
    numbers = [*by_kind[Kind.NUMBER], *by_kind[Kind.BOOLEAN]]
    recipe = Recipe(
        tuple(Number(name, _center(train.table[name])) for name in numbers if _varies(train.table[name])),
        tuple(Parts(name, DATE_PARTS) for name in by_kind[Kind.DATE] if _varies(train.table[name])),
        tuple(Parts(name, TEXT_PARTS) for name in by_kind[Kind.TEXT] if _varies(train.table[name])),
        tuple(lookups),
    )
    recipe = _without_constant_parts(recipe, train)
    X = Encoder.of(recipe).rows({name: train.table[name] for name in recipe.columns}, len(train))
    at = X.shape[1] - sum(len(lookup.names) for lookup in lookups)
    for lookup, out_of_fold in zip(lookups, means, strict=True):
        if out_of_fold is not None:
            X[:, at : at + out_of_fold.shape[1]] = out_of_fold
        at += len(lookup.names)
    return recipe, X


def _varies(column: pl.Series) -> bool:
    return column.n_unique() > 1


def _center(column: pl.Series) -> float:
    if column.dtype == pl.Boolean:
        return 0.0
    middle, deviation = column.median(), column.std()
    if not isinstance(middle, float) or not isinstance(deviation, float) or not np.isfinite(middle):
        return 0.0
    return middle if abs(middle) > _FAR * deviation else 0.0


def _without_constant_parts(recipe: Recipe, train: Dataset) -> Recipe:
    parted = Recipe(dates=recipe.dates, texts=recipe.texts)
    if not parted.names:
        return recipe
    X = Encoder.of(parted).rows({name: train.table[name] for name in parted.columns}, len(train))
    known = ~np.isnan(X)
    low, high = np.where(known, X, np.inf).min(axis=0), np.where(known, X, -np.inf).max(axis=0)
    varies = iter((low < high) | ~known.all(axis=0))
    # a date that varies keeps "days", even where float32 cannot show how little it varies
    kept = [
        replace(part, parts=tuple(name for name in part.parts if next(varies) or name == "days"))
        for part in (*recipe.dates, *recipe.texts)
    ]
    dates, texts = kept[: len(recipe.dates)], kept[len(recipe.dates) :]
    return replace(
        recipe, dates=tuple(part for part in dates if part.parts), texts=tuple(p for p in texts if p.parts)
    )


def _target(train: Dataset, seed: int) -> _Target:
    column = train.schema.target.name
    fold = _inner_folds(train, seed)
    if train.schema.task is Task.REGRESSION:
        return _Target(train.target.cast(pl.Float64).to_numpy()[:, None], (f"mean of {column}",), fold)
    classes = train.target.value_counts(sort=True).sort("count", column, descending=[True, False])[column]
    shown = tuple(classes[1:2] if len(classes) == 2 else classes[:_CLASSES])
    codes = codes_of(train.target, shown)
    values = (codes[:, None] == np.arange(len(shown))).astype(np.float64)
    return _Target(values, tuple(f"share of {name}" for name in shown), fold)


def _inner_folds(train: Dataset, seed: int) -> np.ndarray:
    group = train.schema.with_role(Role.GROUP)
    unit = train.twin
    if group is not None:
        unit = train.table[group.name].cast(pl.String).rank("dense").fill_null(0).to_numpy()
    mixed = (unit.astype(np.uint64) + np.uint64(seed % 2**32)) * np.uint64(
        0x9E3779B97F4A7C15
    )  # Fibonacci hashing
    return ((mixed >> np.uint64(33)) % np.uint64(_FOLDS)).astype(np.int64)


def _lookup(column: pl.Series, target: _Target) -> tuple[Lookup, np.ndarray | None] | None:
    """The lookup of one category, and the training rows' out-of-fold means if it has means."""
    counts = column.drop_nulls().value_counts(sort=True).sort("count", column.name, descending=[True, False])
    levels, count = counts[column.name], counts["count"]
    missing = column.null_count() > 0
    if len(levels) + missing < 2:
        return None
    common = count >= min(_RARE, len(column) // 10)
    if common.sum() <= ONE_HOT and count.filter(~common).sum() <= _POOLED * len(column):
        return _one_hot(column.name, tuple(levels.filter(common)), tuple(levels), missing)
    return _mean_per_level(column, tuple(levels.filter(count > 1)), target)


def _one_hot(
    name: str, common: tuple[str, ...], levels: tuple[str, ...], missing: bool
) -> tuple[Lookup, None] | None:
    # two levels need one column: the rarer's
    shown = common[1:] if len(levels) == len(common) == 2 and not missing else common
    features = [f"{name} = {level}" for level in shown] + [f"{name} is missing"] * missing
    if not features:
        return None
    table = np.zeros((len(levels) + 2, len(features)), dtype=np.float32)
    table[[levels.index(level) for level in shown], np.arange(len(shown))] = 1
    if missing:
        table[-1, -1] = 1
    return Lookup(name, levels, tuple(features), table), None


def _mean_per_level(column: pl.Series, levels: tuple[str, ...], target: _Target) -> tuple[Lookup, np.ndarray]:
    # A level of one row is treated as unseen: out-of-fold it has no mean of its own either.
    unseen, missing = len(levels), len(levels) + 1
    known: dict[str | None, int] = {level: code for code, level in enumerate(levels)}
    codes = level_codes(column, known | {None: missing}, unseen)
    codes = np.where(codes == missing, missing if column.null_count() > 1 else unseen, codes)
    size = len(levels) + 2
    cell = codes * _FOLDS + target.fold
    count = np.bincount(cell, minlength=size * _FOLDS).reshape(size, _FOLDS)
    overall = target.values.mean(axis=0)
    whole, out_of_fold = [], []
    for k, values in enumerate(target.values.T):
        total = np.bincount(cell, weights=values, minlength=size * _FOLDS).reshape(size, _FOLDS)
        rest = total.sum(axis=1, keepdims=True) - total
        rows = count.sum(axis=1, keepdims=True) - count
        outside = (rest + _SMOOTHING * overall[k]) / (rows + _SMOOTHING)
        whole.append((total.sum(axis=1) + _SMOOTHING * overall[k]) / (count.sum(axis=1) + _SMOOTHING))
        out_of_fold.append(np.where(codes == unseen, overall[k], outside[codes, target.fold]))
    occurs = np.log1p(count.sum(axis=1))
    table = np.column_stack([*whole, occurs]).astype(np.float32)
    table[unseen] = [*overall, np.log1p(1)]
    if not column.null_count() > 1:
        table[missing] = table[unseen]
    names = tuple(f"{column.name}: {name}" for name in (*target.names, "occurrences (log)"))
    return Lookup(column.name, levels, names, table), np.column_stack(out_of_fold)
