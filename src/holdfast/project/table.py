"""Any table as a Dataset with its checks; and the rows of a test file beside those of a training file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset, Step
from holdfast.data.conform import conform
from holdfast.data.identity import content_hash
from holdfast.data.read import read_as
from holdfast.data.roles import Overrides
from holdfast.errors import TargetError


def load(source: object, columns: Overrides, test: object = None) -> tuple[Dataset, np.ndarray | None]:
    """The dataset to train on; with a `test` source its rows follow, marked by the mask (n,)."""
    dataset = source if isinstance(source, Dataset) else read_as(source, columns)
    if test is None:
        return dataset, None
    tested, _ = conform(test, dataset.schema, key=columns.key)
    if not tested.target.count():
        name = dataset.schema.target.name
        raise TargetError(f"The test rows have no {name!r}, so nothing can be judged on them.")
    mask = np.arange(len(dataset) + len(tested)) >= len(dataset)
    return _joined(dataset, tested), mask


def _joined(first: Dataset, second: Dataset) -> Dataset:
    known = pl.Series(values=first.example)
    # The same id in both files names two rows here; the test row says where it comes from.
    ids = second.example.to_frame("id").select(
        pl.when(pl.col("id").is_in(known.implode())).then("test:" + pl.col("id")).otherwise(pl.col("id"))
    )
    example = pl.concat([first.example.alias("example"), ids.to_series().alias("example")])
    table = pl.concat([first.table, second.table])
    return replace(
        first,
        table=table,
        example=example,
        twin=np.concatenate([first.twin, second.twin]),
        key=None if first.key is None or second.key is None else np.concatenate([first.key, second.key]),
        content=content_hash(table, example),
        lineage=(*first.lineage, *second.lineage, Step("test rows", "", len(second), second.source)),
    )
