"""Predictions of two versions of the data, judged on the rows and by the labels of one."""

from __future__ import annotations

import numpy as np
import polars as pl

from holdfast.core.predictions import Predictions


def on_same_rows(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Both on the rows that they share, in the first's order, the second judged by the first's targets.

    So a change of labels does not grade itself, and a dropped row counts for neither.
    """
    first = first.where(first.example.is_in(second.example.implode()).to_numpy())
    place = pl.DataFrame({"example": second.example, "place": np.arange(len(second))})
    found = first.table.select("example").join(place, "example", "left", maintain_order="left")["place"]
    table = second.table[found.to_numpy()]
    judged = Predictions.of(
        example=first.example,
        target=first.table["target"],
        prediction=table["prediction"],
        probability=second.probability[found.to_numpy()] if second.probability is not None else None,
        classes=second.header.classes or None,
        positive=second.header.positive,
        group=first.table["group"],
        weight=first.weight,
        split=first.table["split"],
        fold=table["fold"],
        threshold=second.header.threshold,
        model=second.header.model,
    )
    return first, judged
