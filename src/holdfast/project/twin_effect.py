"""What twins do to a score: rows that are equal in every feature speak for each other."""

from __future__ import annotations

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.report_facts import Twins
from holdfast.metrics import Metric, evaluate


def twins_of(dataset: Dataset, predictions: Predictions, metric: Metric) -> Twins | None:
    """The metric on all rows, and with each set of twins as one; None where no two rows are equal.

    A row of a set of k weighs 1/k, so that all of its labels are heard, and the set is
    one unit for the interval (unless the rows have groups, which are larger).
    """
    judged = predictions.known
    twin = pl.Series(values=dataset.twin[places_in(dataset.example, judged.example)])
    size = pl.DataFrame({"twin": twin}).select(pl.len().over("twin")).to_series().to_numpy()
    paired = size > 1
    if not paired.any():
        return None
    grouped = judged.table["group"].null_count() < len(judged)
    group = judged.table["group"] if grouped else twin.cast(pl.String)
    once = Predictions(judged.table.with_columns(weight=judged.weights / size, group=group), judged.header)
    return Twins(
        rows=int(np.count_nonzero(paired)),
        sets=twin.filter(paired).n_unique(),
        metric=metric.name,
        all_rows=evaluate(judged, metric),
        each_once=evaluate(once, metric),
    )
