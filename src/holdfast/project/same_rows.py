"""Predictions of two versions of the data, judged on the rows and by the labels of one."""

from __future__ import annotations

from dataclasses import replace

from holdfast.core.judged import judged_by
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions


def on_same_rows(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Both on the rows that they share, in the first's order, the second judged by the first's targets.

    So a change of labels does not grade itself, and a dropped row counts for neither.
    """
    first = first.where(first.example.is_in(second.example.implode()).to_numpy())
    table = second.table[places_in(second.example, first.example)]
    table = table.with_columns(first.table.select("group", "weight", "split"))
    return first, judged_by(replace(second, table=table), first.table["target"])
