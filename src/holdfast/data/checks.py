"""What the owner of a table should know before a model is trained on it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl

from holdfast.core.dataset import Check, Dataset
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.data.clean import SPELLING
from holdfast.data.columns import column_checks
from holdfast.data.leaks import leak_checks
from holdfast.data.twins import twin_checks
from holdfast.errors import some

_RARE = 0.1  # of an even share of the rows
_FEW = 10  # rows of a class


def check(dataset: Dataset) -> tuple[Check, ...]:
    """Plain facts about the table, warnings first; suspected leaks lead.

    Needs a target. Nothing here changes the table, and nothing depends on the order of
    its rows. Leaks are looked for on at most 50,000 rows (see `probe`).
    """
    looks = (leak_checks, twin_checks, _target_checks, column_checks, _spellings)
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # polars lets other threads run meanwhile
        found = [each for look in pool.map(lambda look: look(dataset), looks) for each in look]
    return tuple(sorted(found, key=lambda check: check.severity != "warning"))


def _target_checks(dataset: Dataset) -> list[Check]:
    name, checks = dataset.schema.target.name, []
    if missing := dataset.target.null_count():
        message = f"{count(missing, 'row')} without a {name}: nothing is trained or scored there."
        checks.append(Check("missing target", "warning", name, message, missing))
    if dataset.schema.task is not Task.CLASSIFICATION:
        return checks
    counts = dataset.label_counts.sort("count", "label")
    label, fewest = counts.row(0)
    share = fewest / counts["count"].sum()
    few = counts.filter(pl.col("count") < _FEW)
    if len(few):
        message = (
            f"{len(few):,} of {len(counts):,} classes of {name} have fewer than {_FEW} rows "
            f"({some(few['label'])}): their scores will be absent or very wide."
        )
        checks.append(Check("rare class", "warning", name, message, int(few["count"].sum())))
    elif share < _RARE / len(counts):
        message = (
            f"{name} is unbalanced: {label!r} is {share:.2%} of the rows ({fewest:,}). Accuracy says little "
            "here; read the log loss, the average precision and the recall of that class."
        )
        checks.append(Check("imbalance", "note", name, message, fewest))
    return checks


def _spellings(dataset: Dataset) -> list[Check]:
    return [
        Check(
            "spelling",
            "note",
            step.column,
            f"{step.column}: {count(step.touched, 'cell')} in another spelling of the same category merged"
            f"{f' ({step.detail})' if step.detail else ''}.",
            step.touched,
        )
        for step in dataset.lineage
        if step.name == SPELLING and step.touched
    ]
