"""Rows with equal features: how many, and whether they agree on the target."""

from __future__ import annotations

from math import sqrt

import polars as pl

from holdfast.core.dataset import Check, Dataset
from holdfast.core.estimate import significant
from holdfast.core.labels import label_text
from holdfast.core.task import Task

# From these shares of the rows on, twins and their conflicts move a score that one would compare.
_MANY, _WRONG = 0.05, 0.005


def twin_checks(dataset: Dataset) -> list[Check]:
    """Twins, and the targets on which they disagree."""
    if pl.Series(values=dataset.twin).n_unique() == len(dataset):
        return []
    frame = pl.DataFrame({"twin": dataset.twin, "target": dataset.target})
    frame = frame.filter(pl.col("twin").is_duplicated())
    rows, sets = frame.height, frame["twin"].n_unique()
    share = rows / len(dataset)
    twins = Check(
        "twins",
        "warning" if share >= _MANY else "note",
        "",
        f"{rows:,} rows ({share:.1%}) have the same features as another row ({_sets(sets)}). "
        "They are kept together in role and fold; spread over folds at random, they would be "
        "scored by models that know them by heart.",
        rows,
    )
    known = frame.drop_nulls("target")
    classified = dataset.schema.task is Task.CLASSIFICATION
    conflict = _conflicting_labels(known, dataset) if classified else _differing_numbers(known, dataset)
    return [twins, *conflict]


def _conflicting_labels(frame: pl.DataFrame, dataset: Dataset) -> list[Check]:
    frame = frame.with_columns(label_text(frame["target"]).alias("target"))
    counts = frame.group_by("twin", "target").len()
    counts = counts.group_by("twin").agg(most=pl.col("len").max(), all=pl.col("len").sum())
    torn = counts.filter(pl.col("most") < pl.col("all"))
    if torn.is_empty():
        return []
    rows, wrong = int(torn["all"].sum()), int((torn["all"] - torn["most"]).sum())
    share = wrong / (len(dataset) - dataset.target.null_count())
    return [
        Check(
            "conflicting labels",
            "warning" if share >= _WRONG else "note",
            dataset.schema.target.name,
            f"{rows:,} rows with the same features disagree on {dataset.schema.target.name} "
            f"({_sets(torn.height)}): any model of these columns is wrong on at least {wrong:,} of them "
            f"({share:.2%} of all rows). Look for wrong labels, or for a column that tells them apart.",
            rows,
        )
    ]


def _differing_numbers(frame: pl.DataFrame, dataset: Dataset) -> list[Check]:
    target = pl.col("target")
    sets = frame.group_by("twin").agg(target.var(), pl.len(), values=target.n_unique())
    torn = sets.filter(pl.col("values") > 1)
    if torn.is_empty():
        return []
    rows = int(torn["len"].sum())
    within = sqrt(((torn["len"] - 1) * torn["target"]).sum() / (rows - torn.height))
    return [
        Check(
            "conflicting labels",
            "note",
            dataset.schema.target.name,
            f"{rows:,} rows with the same features differ in {dataset.schema.target.name}, with a standard "
            f"deviation of {significant(within)}: no model of these columns can have a smaller RMSE on them.",
            rows,
        )
    ]


def _sets(count: int) -> str:
    return f"{count:,} set{'' if count == 1 else 's'}"
