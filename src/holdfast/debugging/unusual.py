"""Inputs unlike the others, and rare levels: how much more a model loses there."""

from __future__ import annotations

import numpy as np
import polars as pl

from holdfast.core.finding import Finding, FixName, Suggestion, Suspect, Where
from holdfast.core.query import Query, Term
from holdfast.core.schema import Kind
from holdfast.debugging.case import Case
from holdfast.debugging.cells import surprise
from holdfast.debugging.change import contrast, loss_name

_UNUSUAL = 0.02  # of the rows
_RARE = 0.005  # of the rows: a level as rare as this
_FEWEST = 20  # rows in all
_MOST_LEVELS = 50  # that a query lists
_MOST_SHOWN = 1_000


def unusual_rows(case: Case) -> list[Finding]:
    """The 2 % of the rows that are most unlike the others (`cells.surprise`), when they lose more.

    Which rows those are is decided without their targets and losses, so all open rows may
    judge: Welch's one-sided test of their mean loss against that of the others.
    """
    strange = surprise(case.dataset)
    rows = strange > np.quantile(strange, 1 - _UNUSUAL)
    change = contrast(case.predictions.loss, rows, case.predictions)
    if not change.effect.known:
        return []
    loss = loss_name(case.predictions)
    order = np.flatnonzero(rows)[np.argsort(-strange[rows], kind="stable")][:_MOST_SHOWN]
    usual = np.searchsorted(np.sort(-strange), -strange[order], side="left") / len(case)
    ids = case.predictions.example.gather(order).to_list()
    suspects = tuple(Suspect(name, float(score)) for name, score in zip(ids, usual, strict=True))
    return [
        Finding(
            kind="unusual inputs",
            title=f"The model loses more on the {rows.sum():,} rows whose cells are least like the others'",
            where=Where(examples=suspects),
            size=int(rows.sum()),
            effect=change.effect,
            effect_of=f"{loss} of the most unusual {_UNUSUAL:.0%} of the rows less that of the others",
            share_of_loss=case.share_of_loss(rows),
            p=change.p_above(),
            examples=case.worst(rows),
            fixes=(
                Suggestion(FixName.COLLECT, "label more rows like these", "labels and one training"),
                Suggestion(FixName.REPAIR, "look whether these cells are right", "one training"),
                Suggestion(
                    FixName.REGULARISE, "a smoother model strays less far from its data", "one training"
                ),
            ),
        )
    ]


def rare_levels(case: Case) -> list[Finding]:
    """For each column of categories its levels that fewer than 0.5 % of the rows have, taken together."""
    found = []
    for column in case.dataset.schema.features:
        cells = case.dataset.table[column.name]
        if column.kind is not Kind.CATEGORY:
            continue
        share = cells.alias("level").to_frame().select(pl.len().over("level") / len(cells)).to_series()
        rare = (share < _RARE) & cells.is_not_null()
        rows = np.asarray(rare.to_numpy())
        levels = cells.filter(rare).unique().sort().to_list()
        change = contrast(case.predictions.loss, rows, case.predictions)
        if rows.sum() < _FEWEST or not change.effect.known:
            continue
        listed = str(Query((Term(column.name, "in", tuple(levels)),))) if len(levels) <= _MOST_LEVELS else ""
        found.append(
            Finding(
                kind="rare levels",
                title=f"The model loses more on the {rows.sum():,} rows with rare levels of {column.name}",
                where=Where(query=listed) if listed else Where(column=column.name),
                size=int(rows.sum()),
                effect=change.effect,
                effect_of=f"{loss_name(case.predictions)} of these rows less that of the others",
                share_of_loss=case.share_of_loss(rows),
                p=change.p_above(),
                examples=case.worst(rows),
                facts={"rare levels": len(levels)},
                fixes=(
                    Suggestion(FixName.COLLECT, "label more rows of these levels", "labels and one training"),
                    Suggestion(
                        FixName.REPAIR, "make rare levels coarser, or mend their spelling", "one training"
                    ),
                ),
            )
        )
    return found
