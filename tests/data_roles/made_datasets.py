"""Datasets for the tests of ids, roles and checks, made without the reader."""

from __future__ import annotations

import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.data.identity import content_hash, identify

_KINDS = {pl.String: Kind.CATEGORY, pl.Float64: Kind.NUMBER, pl.Boolean: Kind.BOOLEAN}


def dataset(columns: dict[str, object], *, target: str = "y", **roles: str) -> Dataset:
    """A Dataset of these columns; `roles` says which column is the `group`, `time` or `id`."""
    table = pl.DataFrame(columns, strict=False)
    table = table.with_columns(pl.selectors.integer().cast(pl.Float64))
    named = {name: Role(role) for role, name in roles.items()} | {target: Role.TARGET}
    schema = Schema(tuple(Column(s.name, _kind(s), named.get(s.name, Role.FEATURE)) for s in table))
    features = table.select([column.name for column in schema.features])
    identity = identify(features, rest=table.select(target))
    return Dataset(
        table, schema, identity.example, identity.twin, content=content_hash(table, identity.example)
    )


def _kind(series: pl.Series) -> Kind:
    return Kind.DATE if series.dtype.is_temporal() else _KINDS[type(series.dtype)]
