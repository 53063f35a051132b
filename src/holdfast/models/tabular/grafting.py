"""Training that goes on in one slice: new trees below the slice's own conditions.

A booster that is trained on for some rows forgets the others, unless those are replayed;
and what is replayed only in part is forgotten in part. Here nothing can be: the new
trees are fitted on the slice's rows, from the margins that the first ones give, and each
is grafted below splits that ask whether a row is in the slice at all. Elsewhere it adds 0.

The splits see what the model sees. A cell that float32 cannot tell from a constant of the
query counts as that constant, and a level that was never seen as the one that the recipe
writes in the same way. Every other row is inside exactly where the query says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from holdfast.core.query import Query, Term
from holdfast.errors import PlanError
from holdfast.models.tabular.encode import Encoder
from holdfast.models.tabular.recipe import Lookup, Number, Parts, Recipe
from holdfast.models.tabular.trees import Trees


@dataclass(frozen=True, slots=True)
class Condition:
    """One split: a row is inside where its feature is at most the threshold (`left`), or above it.

    `missing` says that a row without the cell is inside.
    """

    feature: int
    threshold: float
    left: bool
    missing: bool = False

    def holds(self, X: np.ndarray) -> np.ndarray:
        """Which rows of float32 features (n, d) are inside, bool of shape (n,)."""
        cells = X[:, self.feature]
        inside = cells <= self.threshold if self.left else cells > self.threshold
        return np.where(np.isnan(cells), self.missing, inside)


def conditions(query: Query, recipe: Recipe) -> tuple[Condition, ...]:
    """The splits that say whether a row is in the slice; PlanError where the features cannot."""
    return tuple(split for term in query.terms for split in _splits(term, recipe))


def grafted(trees: Trees, gate: Sequence[Condition]) -> Trees:
    """The trees, each below the conditions: a row that misses one of them gets 0 from it."""
    splits, leaves, count = len(trees.feature), len(trees.leaf), len(trees.root)
    depth = len(gate)
    # Tree t's conditions are the splits from splits + t * depth on; its own empty leaf is leaves + t.
    first = splits + np.arange(count) * depth
    empty = -1 - (leaves + np.arange(count))
    inside = np.column_stack([first[:, None] + np.arange(1, depth), trees.root])  # (count, depth)
    outside = np.repeat(empty[:, None], depth, axis=1)
    left = np.array([split.left for split in gate])
    missing = np.array([split.missing == split.left for split in gate])
    return replace(
        trees,
        feature=np.concatenate([trees.feature, np.tile([split.feature for split in gate], count)]),
        threshold=np.concatenate([trees.threshold, np.tile([split.threshold for split in gate], count)]),
        left=np.concatenate([trees.left, np.where(left, inside, outside).ravel()]),
        right=np.concatenate([trees.right, np.where(left, outside, inside).ravel()]),
        missing_left=np.concatenate([trees.missing_left, np.tile(missing, count)]),
        root=first,
        tree=np.concatenate([trees.tree, np.arange(count)]),
        leaf=np.concatenate([trees.leaf, np.zeros(count)]),
    )


def _splits(term: Term, recipe: Recipe) -> tuple[Condition, ...]:
    """The splits of one term, by whatever part of the recipe reads its column."""
    for lookup in recipe.lookups:
        if lookup.column == term.column and not term.length:
            return _of_level(term, lookup, recipe.names.index(lookup.names[0]))
    for number in recipe.numbers:
        if number.column == term.column and not term.length:
            alone = Recipe(numbers=(Number(number.column, number.center),))
            return _of_value(term, recipe.names.index(number.column), alone, pl.Float64)
    part = "characters" if term.length else "days"
    feature = f"{term.column}: {part}"
    if feature in recipe.names and not term.length:
        alone = Recipe(dates=(Parts(term.column, (part,)),))
        return _of_value(term, recipe.names.index(feature), alone, pl.Datetime("us"))
    if feature in recipe.names:
        return _of_value(
            term, recipe.names.index(feature), Recipe(numbers=(Number(term.column),)), pl.Float64
        )
    if f"{term.column}: characters" in recipe.names and term.sign.startswith("is"):
        return _of_missing(term, recipe.names.index(f"{term.column}: characters"))
    raise _unable(term)


def _of_missing(term: Term, feature: int) -> tuple[Condition, ...]:
    # Nothing is below minus infinity, so a missing cell alone goes left.
    absent = term.sign == "is missing"
    return (Condition(feature, -np.inf, left=absent, missing=absent),)


def _of_value(term: Term, feature: int, alone: Recipe, dtype: pl.DataType | type) -> tuple[Condition, ...]:
    """The splits at a constant, which `alone`, the column's own part of the recipe, writes as it does a cell.

    That keeps order: a cell below the constant is nowhere written above it.
    """
    if term.sign.startswith("is"):
        return _of_missing(term, feature)
    if len(term.constants) != 1:
        raise _unable(term)
    constant = pl.Series([term.constants[0]])
    cell = _moment(term, constant) if dtype == pl.Datetime("us") else constant.cast(pl.Float64, strict=False)
    at = np.float32(Encoder.of(alone).rows({term.column: cell}, 1)[0, 0])
    with np.errstate(over="ignore"):  # below the least float32 is minus infinity
        upto, below = float(at), float(np.nextafter(at, np.float32(-np.inf)))
    match term.sign:
        case "<":
            return (Condition(feature, below, left=True),)
        case "<=":
            return (Condition(feature, upto, left=True),)
        case ">":
            return (Condition(feature, upto, left=False),)
        case ">=":
            return (Condition(feature, below, left=False),)
        case "=" | "in":
            return (Condition(feature, upto, left=True), Condition(feature, below, left=False))
        case _:
            raise _unable(term)


def _moment(term: Term, constant: pl.Series) -> pl.Series:
    try:
        moment = datetime.fromisoformat(str(constant[0]))
    except ValueError as error:
        raise _unable(term) from error
    return pl.Series([moment], dtype=pl.Datetime("us"))


def _of_level(term: Term, lookup: Lookup, start: int) -> tuple[Condition, ...]:
    """The splits that part the rows of the lookup's table which the term means from all others."""
    missing = len(lookup.levels) + 1
    known = {level: row for row, level in enumerate(lookup.levels)}
    named = [known.get(str(level), -1) for level in term.constants]
    if -1 in named:
        raise _unable(term)
    match term.sign:
        case "=" | "in" if len(named) == 1:
            return _around(term, lookup, named[0], start)
        case "is missing":
            return _around(term, lookup, missing, start)
        case "!=" | "not in" | "is not missing":
            without = [_beside(term, lookup, row, named, start) for row in named]
            if (lookup.table[missing] != lookup.table[missing - 1]).any():
                without.append(_beside(term, lookup, missing, [*named, missing], start))
            if without:
                return tuple(without)
    raise _unable(term)


def _around(term: Term, lookup: Lookup, row: int, start: int) -> tuple[Condition, ...]:
    """The splits around the value that one row of the table alone has, in one of the column's features."""
    others = _told_apart(term, lookup, row, [row])
    for j, feature in enumerate(lookup.table.T.astype(np.float64)):
        value, rest = feature[row], feature[others]
        if (rest == value).any():
            continue
        lower, upper = rest[rest < value], rest[rest > value]
        found = []
        if len(upper):
            found.append(Condition(start + j, float(value + upper.min()) / 2, left=True))
        if len(lower):
            found.append(Condition(start + j, float(value + lower.max()) / 2, left=False))
        if found:
            return tuple(found)
    raise _unable(term)


def _beside(term: Term, lookup: Lookup, row: int, named: Sequence[int], start: int) -> Condition:
    """One split with a row of the table on one side, and all rows but the named ones on the other."""
    others = _told_apart(term, lookup, row, named)
    for j, feature in enumerate(lookup.table.T.astype(np.float64)):
        value, rest = feature[row], feature[others]
        if len(rest) and (rest < value).all():
            return Condition(start + j, float(value + rest.max()) / 2, left=True)
        if len(rest) and (rest > value).all():
            return Condition(start + j, float(value + rest.min()) / 2, left=False)
    raise _unable(term)


def _told_apart(term: Term, lookup: Lookup, row: int, named: Sequence[int]) -> np.ndarray:
    """The rows that are to be on the other side: all but those named, and an unseen level's where equal."""
    levels = len(lookup.levels)
    same = (lookup.table == lookup.table[row]).all(axis=1)
    same[list(named)] = False
    if same[:levels].any() or (row == levels + 1 and same.any()):
        raise _unable(term)
    rest = ~same
    rest[list(named)] = False
    return np.flatnonzero(rest)


def _unable(term: Term) -> PlanError:
    return PlanError(
        f"Training cannot go on in a slice by {term}: no split of this model's features says so. "
        "Try --with augment."
    )
