"""Columns that look as if they were written down after the outcome was known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from shlex import quote

import numpy as np
import polars as pl

from holdfast.core.dataset import Check, Dataset
from holdfast.core.labels import label_text
from holdfast.core.task import Task
from holdfast.data.coded import coded, counts_of
from holdfast.data.probe import Signal, signals

_PERFECT = 0.98  # AUC, or R2 of ranks
_AHEAD = 3.0  # how many times the error of the next best column
_FEWEST = 20  # rows of the second most common class
_PURE = 0.99  # of the rows with (or without) a cell are of one class
_EVIDENCE = 15.0  # nats against such a split being chance
_EXPLAINED = 0.5  # R2 of a number by whether the cell is missing


def leak_checks(dataset: Dataset) -> list[Check]:
    """Columns too good to be true, the most suspicious first, then telling gaps."""
    found = signals(dataset) if _enough(dataset) else ()
    # Several leaks must not excuse each other, so the rival is the best column that is none.
    rival = next((signal for signal in found if signal.score < _PERFECT), None)
    checks = [_too_good(dataset, signal, rival) for signal in found if _suspicious(signal, rival)]
    named = {check.column for check in checks}
    return checks + [check for check in _telling_gaps(dataset) if check.column not in named]


def _enough(dataset: Dataset) -> bool:
    """Whether a column can hardly look perfect by chance."""
    if dataset.schema.task is not Task.CLASSIFICATION:
        return len(dataset) - dataset.target.null_count() >= 2 * _FEWEST
    counts = dataset.label_counts["count"].sort(descending=True)
    return len(counts) > 1 and counts[1] >= _FEWEST


def _suspicious(signal: Signal, rival: Signal | None) -> bool:
    return signal.score >= _PERFECT and (rival is None or 1 - rival.score > _AHEAD * (1 - signal.score))


def _too_good(dataset: Dataset, signal: Signal, rival: Signal | None) -> Check:
    classified = dataset.schema.task is Task.CLASSIFICATION
    figure = "AUC" if classified else "R² of the ranks"
    next_best = f"; the next best, {rival.column}, reaches {rival.score:.3f}" if rival else ""
    target = dataset.schema.target.name
    return Check(
        "leak",
        "warning",
        signal.column,
        f"{signal.column} alone tells {target} almost perfectly: {figure} {signal.score:.3f} from this one "
        f"column, out of fold on {signal.rows:,} rows{next_best}. If it is known only after the outcome, no "
        f"score with it will hold in use: train without it with --ignore {quote(signal.column)}",
        signal.rows,
    )


def _telling_gaps(dataset: Dataset) -> list[Check]:
    """Columns whose cells are there, or missing, according to the target."""
    names = [column.name for column in dataset.schema.features]
    holey = [name for name in names if 0 < dataset.table[name].null_count() < len(dataset)]
    target = dataset.target.drop_nulls()
    known = dataset.target.is_not_null() if len(target) < len(dataset) else None
    tell: Callable[[pl.Series, pl.Series], str] = _explaining_gap
    if dataset.schema.task is Task.CLASSIFICATION:
        target = coded(label_text(target))
        tell = partial(_pure_gap, rows_of=dict(dataset.label_counts.iter_rows()))
    gaps = {name: dataset.table[name].is_null() for name in holey}
    if known is not None:
        gaps = {name: gap.filter(known) for name, gap in gaps.items()}
    facts = [(name, tell(gap, target), int(gap.sum())) for name, gap in gaps.items()]
    return [
        Check(
            "leak",
            "warning",
            name,
            f"Whether {name} is empty tells {dataset.schema.target.name}: {fact}. If the cell is filled in "
            f"after the outcome, train without it: --ignore {quote(name)}",
            missing,
        )
        for name, fact, missing in facts
        if fact
    ]


def _pure_gap(gap: pl.Series, labels: pl.Series, rows_of: Mapping[str, int]) -> str:
    """What makes the gap suspicious, or an empty text; `rows_of` are the rows of each label."""
    empty = dict(counts_of(labels.filter(gap)).iter_rows())
    filled = {label: rows - empty.get(label, 0) for label, rows in rows_of.items()}
    for state, counts in (("empty", empty), ("filled", filled)):
        rows = sum(counts.values())
        if not rows:
            continue
        label = min(counts, key=lambda label: (-counts[label], label))
        share, base = counts[label] / rows, rows_of[label] / len(gap)
        if share >= _PURE and -rows * np.log(base) >= _EVIDENCE:
            said = f"{share:.1%} of the {rows:,} rows where it is {state} are {label!r}"
            return f"{said}, against {base:.1%} of all rows"
    return ""


def _explaining_gap(gap: pl.Series, target: pl.Series) -> str:
    ranks = target.rank().to_numpy()
    empty = gap.to_numpy()
    if min(empty.sum(), (~empty).sum()) < 2 * _EVIDENCE:
        return ""
    between = sum(side.sum() * (ranks[side].mean() - ranks.mean()) ** 2 for side in (empty, ~empty))
    explained = between / ((ranks - ranks.mean()) ** 2).sum()
    return f"that alone explains {explained:.0%} of its ranks' variance" if explained >= _EXPLAINED else ""
