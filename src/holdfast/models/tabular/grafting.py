"""Training that goes on in one slice: new trees below the slice's own conditions.

A booster that is trained on for some rows forgets the others, unless those are replayed;
and what is replayed only in part is forgotten in part. Here nothing can be: the new
trees are fitted on the slice's rows, from the margins that the first ones give, and each
is grafted below splits that ask whether a row is in the slice at all. Elsewhere it adds 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from holdfast.core.query import Query, Term
from holdfast.errors import PlanError
from holdfast.models.tabular.recipe import Lookup, Recipe
from holdfast.models.tabular.trees import Trees, floor32

_LEAST = float(np.finfo(np.float32).min)
_EPOCH, _DAY = datetime(1970, 1, 1), 86_400.0
_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Condition:
    """One split: a row is inside where its feature is at most the threshold (`left`), or above it.

    `missing` says that a row without the cell is inside.
    """

    feature: int
    threshold: float
    left: bool
    missing: bool = False


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


def joined(first: Trees, second: Trees) -> Trees:
    """The sum of two sets of trees that add to the same columns."""
    splits, leaves = len(first.feature), len(first.leaf)

    def moved(child: np.ndarray) -> np.ndarray:
        return np.where(child >= 0, child + splits, child - leaves)

    return Trees(
        feature=np.concatenate([first.feature, second.feature]),
        threshold=np.concatenate([first.threshold, second.threshold]),
        left=np.concatenate([first.left, moved(second.left)]),
        right=np.concatenate([first.right, moved(second.right)]),
        missing_left=np.concatenate([first.missing_left, second.missing_left]),
        root=np.concatenate([first.root, moved(second.root)]),
        tree=np.concatenate([first.tree, second.tree + len(first.root)]),
        leaf=np.concatenate([first.leaf, second.leaf]),
        column=np.concatenate([first.column, second.column]),
        base=first.base + second.base,
        strict=first.strict,
    )


def _splits(term: Term, recipe: Recipe) -> tuple[Condition, ...]:
    for lookup in recipe.lookups:
        if lookup.column == term.column and not term.length:
            return _of_level(term, lookup, recipe.names.index(lookup.names[0]))
    number = {one.column: one.center for one in recipe.numbers}
    if term.column in number and not term.length:
        feature = recipe.names.index(term.column)
        return _of_number(term, feature, lambda value: float(value) - number[term.column])
    part = f"{term.column}: {'characters' if term.length else 'days'}"
    if part in recipe.names:
        return _of_number(term, recipe.names.index(part), float if term.length else _days)
    raise _unable(term)


def _of_number(term: Term, feature: int, value: object) -> tuple[Condition, ...]:
    if term.sign.startswith("is"):
        # Nothing is below the least float32, so a missing cell alone goes left.
        missing = Condition(feature, _LEAST, left=True, missing=True)
        present = Condition(feature, _LEAST, left=False)
        return (missing,) if term.sign == "is missing" else (present,)
    if len(term.constants) != 1:
        raise _unable(term)
    at = value(term.constants[0])  # type: ignore[operator]
    upto, below = float(floor32(np.array(at))), float(floor32(np.nextafter(np.array(at), -np.inf)))
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


def _of_level(term: Term, lookup: Lookup, start: int) -> tuple[Condition, ...]:
    """The splits around the value that one level alone has, in one of the column's features."""
    if term.sign == "is missing":
        row = len(lookup.levels) + 1
    elif term.sign in ("=", "in") and len(term.constants) == 1 and term.constants[0] in lookup.levels:
        row = lookup.levels.index(str(term.constants[0]))
    else:
        raise _unable(term)
    for j in range(len(lookup.names)):
        values = lookup.table[:, j].astype(np.float64)
        others = np.delete(values, row)
        if (others == values[row]).any():
            continue
        lower, upper = others[others < values[row]], others[others > values[row]]
        found = []
        if len(upper):
            found.append(Condition(start + j, float(values[row] + upper.min()) / 2, left=True))
        if len(lower):
            found.append(Condition(start + j, float(values[row] + lower.max()) / 2, left=False))
        return tuple(found)
    raise _unable(term)


def _days(value: object) -> float:
    for pattern in _FORMATS:
        try:
            return (datetime.strptime(str(value), pattern) - _EPOCH).total_seconds() / _DAY
        except ValueError:
            continue
    raise PlanError(f"{value!r} is no date.")


def _unable(term: Term) -> PlanError:
    return PlanError(
        f"Training cannot go on in a slice by {term}: no split of this model's features says so. "
        "Try --with augment."
    )
