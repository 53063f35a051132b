"""Inputs unlike the others, and rare levels: how much more a model loses there."""

from __future__ import annotations

import numpy as np
import polars as pl

from holdfast.core.finding import Finding, FixName, Suggestion, Where
from holdfast.core.query import Query, Term
from holdfast.core.schema import Kind
from holdfast.debugging.case import Case
from holdfast.debugging.cells import surprise
from holdfast.debugging.effect import Effect
from holdfast.debugging.losses import against_rest, loss_of

_UNUSUAL = 0.02  # of the rows
_RARE = 0.005  # of the rows: a level as rare as this
_MOST_LEVELS = 50  # that a query lists


def unusual_rows(case: Case) -> list[Finding]:
    """The 2 % of the rows that are most unlike the others (`cells.surprise`), when they lose more.

    Which rows those are is decided without their targets and losses, so all open rows may
    judge: Welch's one-sided test of their mean loss against that of the others.
    """
    strange = surprise(case.dataset)
    rows = strange > np.quantile(strange, 1 - _UNUSUAL)
    rise = case.loss.against_rest(rows)
    if not rise.enough:
        return []
    # The share of the rows that are more unusual still.
    score = np.searchsorted(np.sort(-strange), -strange, side="left") / len(case)
    told = against_rest(case.predictions, rows)
    return [
        Finding(
            kind="unusual inputs",
            title=f"Weak on the {rows.sum():,} rows that are least like the others: {told}",
            where=Where(examples=case.suspects(rows, score)),
            size=int(rows.sum()),
            effect=rise.estimate(),
            effect_of=loss_of(case.predictions).less_rest,
            share_of_loss=case.share_of_loss(rows),
            p=rise.p_above(),
            examples=case.worst(rows),
            fixes=(
                Suggestion(FixName.COLLECT, "more rows like these", "labels and one training"),
                Suggestion(
                    FixName.REGULARISE, "a smoother model strays less far from its data", "one training"
                ),
                Suggestion(FixName.DROP_ROWS, "where their cells turn out to be wrong", "one training"),
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
        rise = case.loss.against_rest(rows)
        if rise.enough:
            found.append(_rare(case, column.name, rows, rise))
    return found


def _rare(case: Case, name: str, rows: np.ndarray, rise: Effect) -> Finding:
    levels = case.dataset.table[name].filter(pl.Series(values=rows)).unique().sort().to_list()
    listed = str(Query((Term(name, "in", tuple(levels)),))) if len(levels) <= _MOST_LEVELS else ""
    told = against_rest(case.predictions, rows)
    return Finding(
        kind="rare levels",
        title=f"Weak on the {rows.sum():,} rows with rare levels of {name}: {told}",
        where=Where(query=listed, column=name),
        size=int(rows.sum()),
        effect=rise.estimate(),
        effect_of=loss_of(case.predictions).less_rest,
        share_of_loss=case.share_of_loss(rows),
        p=rise.p_above(),
        examples=case.worst(rows),
        facts={"rare levels": len(levels)},
        fixes=(
            Suggestion(FixName.COLLECT, "more rows of these levels", "labels and one training"),
            Suggestion(FixName.REGROUP, "rare levels become one, with rows to learn from", "one training"),
        ),
    )
