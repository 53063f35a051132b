"""What the owner of a table should know before a model is trained on it."""

from __future__ import annotations

from hashlib import blake2b
from shlex import quote

import numpy as np
import polars as pl

from holdfast.core.dataset import Check, Dataset
from holdfast.core.labels import label_text
from holdfast.core.schema import Kind
from holdfast.core.task import Task
from holdfast.data.hashing import hash_cells
from holdfast.data.leaks import leak_checks
from holdfast.data.twins import twin_checks
from holdfast.errors import some

SPELLING = "spelling"  # the lineage step that merges spellings of one category

_HEAVY = 0.5  # of a column's cells are missing
_RARE = 0.1  # of an even share of the rows
_FEW = 10  # rows of a class
_NEAR_UNIQUE = 0.5  # levels per row
_LEAST = 50  # rows that say whether a column is unique by nature
_SAMPLE = 10_000  # rows that show whether two columns may be equal


def check(dataset: Dataset) -> tuple[Check, ...]:
    """Plain facts about the table, warnings first; suspected leaks lead.

    Needs a target. Nothing here changes the table, and nothing depends on the order of
    its rows. Leaks are looked for on at most 50,000 rows (see `probe`).
    """
    levels = _levels(dataset)
    found = [
        *leak_checks(dataset),
        *twin_checks(dataset),
        *_target_checks(dataset),
        *_constant(dataset, levels),
        *_id_like(dataset, levels),
        *_missing(dataset, levels),
        *_equal_columns(dataset, levels),
        *_spellings(dataset),
    ]
    return tuple(sorted(found, key=lambda check: check.severity != "warning"))


def _levels(dataset: Dataset) -> dict[str, int]:
    """How many distinct values each feature has, a missing cell not counted."""
    features = dataset.table.select(column.name for column in dataset.schema.features)
    counts = features.select(pl.all().drop_nulls().n_unique())
    return dict(zip(features.columns, counts.row(0), strict=True)) if features.width else {}


def _target_checks(dataset: Dataset) -> list[Check]:
    name, checks = dataset.schema.target.name, []
    if missing := dataset.target.null_count():
        message = f"{missing:,} rows have no {name}: nothing is trained or scored on them."
        checks.append(Check("missing target", "warning", name, message, missing))
    if dataset.schema.task is not Task.CLASSIFICATION:
        return checks
    counts = label_text(dataset.target.drop_nulls()).alias("label").value_counts().sort("count", "label")
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


def _constant(dataset: Dataset, levels: dict[str, int]) -> list[Check]:
    # One value or nothing is not constant: whether the cell is there may say something.
    empty = [name for name, count in levels.items() if count == 0]
    same = [name for name, count in levels.items() if count == 1 and not dataset.table[name].null_count()]
    return [
        *_listed("constant", empty, f"No model can use an empty column: {some(empty)}.", len(dataset)),
        *_listed(
            "constant", same, f"No model can use a column that never changes: {some(same)}.", len(dataset)
        ),
    ]


def _listed(kind: str, names: list[str], message: str, rows: int) -> list[Check]:
    """One note for all these columns, however many they are."""
    column = names[0] if len(names) == 1 else ""
    return [Check(kind, "note", column, message, rows)] if names else []


def _id_like(dataset: Dataset, levels: dict[str, int]) -> list[Check]:
    present = {name: len(dataset) - dataset.table[name].null_count() for name in levels}
    many = [column for column in dataset.schema.features if present[column.name] >= _LEAST]
    checks = [
        Check(
            "id-like",
            "warning",
            name,
            f"{name} numbers the rows: {levels[name]:,} different whole numbers without large gaps. As a "
            f"feature it can only be learned by heart: make it the id (--id {quote(name)}) or leave it out "
            f"(--ignore {quote(name)}).",
            present[name],
        )
        for name in (column.name for column in many if column.kind is Kind.NUMBER)
        if levels[name] == present[name] and _counts_up(dataset.table[name])
    ]
    unique = [
        column.name
        for column in many
        if column.kind is Kind.CATEGORY and levels[column.name] > _NEAR_UNIQUE * present[column.name]
    ]
    message = (
        f"Most levels are seen only once, which teaches little, in {some(unique)}. If that is an id, say so "
        "(--id, --group); else leave it out (--ignore) or make its levels coarser."
    )
    return checks + _listed("id-like", unique, message, len(dataset))


def _counts_up(cells: pl.Series) -> bool:
    values = cells.drop_nulls()
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    return bool(high - low < 1.5 * len(values) and (values == values.round()).all())


def _missing(dataset: Dataset, levels: dict[str, int]) -> list[Check]:
    share = {name: dataset.table[name].null_count() / max(len(dataset), 1) for name in levels}
    heavy = sorted((name for name in share if _HEAVY <= share[name] < 1), key=lambda name: -share[name])
    shares = ", ".join(f"{share[name]:.0%}" for name in heavy[:3])
    message = f"At least half of the cells are missing in {some(heavy)} ({shares})."
    return _listed("missing", heavy, message, len(dataset))


def _equal_columns(dataset: Dataset, levels: dict[str, int]) -> list[Check]:
    """Features whose cells are all equal to another one's."""
    draw = np.argsort(dataset.twin, kind="stable")[:_SAMPLE]
    first: dict[bytes, str] = {}
    equal: dict[str, str] = {}
    for name in (name for name, count in levels.items() if count > 1):
        cells = dataset.table[name]
        digest = blake2b(hash_cells(cells.gather(draw)).tobytes(), digest_size=16).digest()
        other = first.setdefault(digest, name)
        if other != name and cells.equals(dataset.table[other], check_dtypes=True, null_equal=True):
            equal[name] = other
    copied = some(dict.fromkeys(equal.values()))
    message = f"Of equal columns one is enough: leave out {some(equal)} (--ignore), which repeats {copied}."
    return _listed("redundant", list(equal), message, len(dataset))


def _spellings(dataset: Dataset) -> list[Check]:
    return [
        Check(
            "spelling",
            "note",
            step.column,
            f"{step.column}: {step.touched:,} cells in another spelling of the same category were merged"
            f"{f' ({step.detail})' if step.detail else ''}.",
            step.touched,
        )
        for step in dataset.lineage
        if step.name == SPELLING and step.touched
    ]
