"""The target: which task it asks for, and whether it can be learned from at all."""

from __future__ import annotations

import polars as pl

from holdfast.core.cells import parse_series
from holdfast.core.dataset import Dataset
from holdfast.core.schema import Column, Kind, Role
from holdfast.core.task import Task
from holdfast.data.infer import Guess, infer_as, spelled
from holdfast.data.words import all_whole
from holdfast.errors import TargetError, some

# A target of this few different whole numbers is of classes.
_CLASSES = 10
_MOST_CLASSES = 1000
_ROWS_PER_NUMBER = 4


def target_column(cells: pl.Series, guess: Guess, task: Task | None, *, said: bool) -> Column:
    """The target as a category (classification) or as numbers (regression), with the reason.

    `said` is true when the user chose its kind. Raises TargetError when every cell is
    missing, all are equal, or text differs in every row.
    """
    name = cells.name
    if guess.known == 0:
        raise TargetError(f"Every cell of the target {name!r} is missing: {guess.why}. Give another target.")
    if task is None:
        task, why = _task(cells, guess, said=said)
    else:
        why = "as you said"
    if task is Task.REGRESSION:
        if guess.kind is not Kind.NUMBER:
            guess = infer_as(cells, guess, Kind.NUMBER)
        return Column(name, Kind.NUMBER, Role.TARGET, guess.format, f"regression: {why}")
    form = spelled(cells)
    if not form.spelling or (guess.kind is Kind.TEXT and not said):
        raise TargetError(
            f"The target {name!r} has {guess.distinct:,} different texts in {guess.known:,} rows "
            f"({guess.why}), so there is no class to learn. Give another target; for numbers written as "
            "text: task='regression'."
        )
    return Column(name, Kind.CATEGORY, Role.TARGET, form, f"classification: {why}")


def check_target(dataset: Dataset) -> None:
    """TargetError when the target's cells hold too little to learn from, with the mend."""
    known = dataset.target.drop_nulls()
    name = known.name
    if known.is_empty():
        raise TargetError(f"Every cell of the target {name!r} is missing. Give another target.")
    if (known == known[0]).all():
        raise TargetError(
            f"The target {name!r} is constant: every known cell says {known[0]!r}. Give a target that "
            "varies, or rows of the other class too."
        )
    if dataset.schema.task is Task.REGRESSION:
        return
    counts = dataset.label_counts
    if len(counts) == len(known):
        raise TargetError(
            f"The target {name!r} differs in every row, e.g. {some(known[:3].to_list())}. It looks like an "
            "identifier: give another target, or task='regression' if these are numbers."
        )
    if len(counts) > _MOST_CLASSES:
        raise TargetError(
            f"The target {name!r} has {len(counts):,} classes; at most {_MOST_CLASSES:,} can be learned. "
            "Merge the rare ones, or say task='regression' if these are numbers."
        )
    lone = counts.filter(pl.col("count") == 1)["label"].sort().to_list()
    if lone:
        have = "has" if len(lone) == 1 else "have"
        raise TargetError(
            f"Of the {len(counts)} classes of {name!r}, {some(lone)} {have} one row only. A class needs rows "
            "to learn from and rows to be judged on: merge it with another, or take it out."
        )


def _task(cells: pl.Series, guess: Guess, *, said: bool) -> tuple[Task, str]:
    if said:
        return (Task.REGRESSION if guess.kind is Kind.NUMBER else Task.CLASSIFICATION), "as you said"
    if guess.kind is Kind.DATE:
        raise TargetError(
            f"The target {cells.name!r} is a date ({guess.why}). Give a class or a number to predict, e.g. "
            "the days until then."
        )
    if guess.kind is not Kind.NUMBER:
        return Task.CLASSIFICATION, guess.why
    numbers = parse_series(cells, Column(cells.name, Kind.NUMBER, format=guess.format)).drop_nulls()
    distinct = numbers.n_unique()
    whole = all_whole(numbers)
    if distinct <= 2:
        return Task.CLASSIFICATION, f"{distinct} different numbers"
    if whole and distinct <= _CLASSES and distinct * _ROWS_PER_NUMBER <= len(numbers):
        return Task.CLASSIFICATION, f"only {distinct} different whole numbers (task='regression' overrides)"
    return Task.REGRESSION, f"{distinct:,} different numbers"
