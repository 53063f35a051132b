"""Names that rows and tables keep: computed from their cells, never assigned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from holdfast.core.fingerprint import fingerprint
from holdfast.core.labels import label_text
from holdfast.core.schema import Role, Schema
from holdfast.data.hashing import by_block, hash_of, row_sums
from holdfast.data.words import about_distinct, exactly_distinct

_PREFIX = b"h1"
_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_CHUNK = 1 << 15


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """The rows' ids, unique text of length n, and a hash of their features.

    Rows with equal features share their `twin`, uint64 of shape (n,); `key` is the same
    hash of the columns that name the rows, where those are not the features. `content`
    names all cells together with what the ids are made of, in any order of rows.
    """

    example: pl.Series
    twin: np.ndarray
    key: np.ndarray | None
    content: str


def identify(
    features: pl.DataFrame,
    id_column: pl.Series | None = None,
    *,
    rest: pl.DataFrame | None = None,
    key: pl.DataFrame | None = None,
) -> Identity:
    """Give every row an id that neither the order of rows nor that of columns changes.

    `features` are the raw feature cells, without the target. The id is the row's cell
    in `id_column`, else "h1" and the 32 hex digits of its features' hash. A repeat gets
    a copy number, "#2" and up, in the order of the cells in `features` and `rest` (the
    target and what else is no feature), so that only rows equal in everything can trade
    places. An empty cell in `id_column` gets the hash. `key` are the raw cells to hash
    where those are not the features: rows keep the ids that a project first gave them.

    >>> identity = identify(pl.DataFrame({"age": [41, 7, 41]}))
    >>> identity.example.to_list()[2], bool(identity.twin[0] == identity.twin[2])
    ('h15a5e1e15af18b52c02425e6f2ef4119f#2', True)
    >>> identify(pl.DataFrame({"age": [41, 7, 8]}), pl.Series(["a", "b", "a"])).example.to_list()
    ['a', 'b', 'a#2']
    """
    if key is not None and set(key.columns) == set(features.columns):
        key = None
    given = {"features": features, "key": key, "rest": rest}
    tables = {name: table for name, table in given.items() if table is not None}
    sums = dict(zip(tables, row_sums(list(tables.values())), strict=True))
    twin, of_key = (hash_of(sums[name]) if name in sums else None for name in ("features", "key"))
    assert twin is not None
    lanes = twin if of_key is None else of_key
    others = [] if rest is None else [sums["rest"]]
    ties = [sums["features" if of_key is None else "key"], *others]
    example = _numbered(_hexes(lanes) if id_column is None else _named(id_column, lanes), ties)
    return Identity(
        example,
        np.ascontiguousarray(twin[:, 0]),
        None if of_key is None else np.ascontiguousarray(of_key[:, 0]),
        _content([sums["features"], *others], lanes.T),
    )


def identify_as(schema: Schema, raw: pl.DataFrame, key: Collection[str] = ()) -> Identity:
    """`identify` the rows of a raw table by the roles of its columns; `key` as there.

    The `content` names what the raw cells mean, too: the formats that the schema reads them by.
    """
    features = [column.name for column in schema.features]
    rest = raw.drop(features)
    named = schema.with_role(Role.ID)
    identity = identify(
        raw.select(features),
        raw[named.name] if named and raw[named.name].dtype != pl.Null else None,
        rest=rest if rest.width else None,
        key=raw.select(key) if key else None,
    )
    formats = {column.name: column.format for column in schema}
    return replace(identity, content=fingerprint([identity.content, formats]))


def _named(id_column: pl.Series, lanes: np.ndarray) -> pl.Series:
    named = label_text(id_column).replace("", None)
    blank = named.is_null()
    if blank.any():
        ids = pl.Series(values=[None] * len(named), dtype=pl.String)
        named = named.zip_with(~blank, ids.scatter(blank.arg_true(), _hexes(lanes[blank.to_numpy()])))
    return named


def content_hash(table: pl.DataFrame, example: pl.Series) -> str:
    """32 hex digits that name all cells together with their rows' ids, in any order of rows.

    >>> table, ids = pl.DataFrame({"x": [1, 2]}), pl.Series(["a", "b"])
    >>> content_hash(table, ids) == content_hash(table.reverse(), ids.reverse())
    True
    >>> content_hash(table, ids) == content_hash(table, ids.reverse())
    False
    """
    return _content(row_sums([table]), row_sums([example.alias("\0example").to_frame()])[0])


def _content(cells: Sequence[np.ndarray], ids: np.ndarray) -> str:
    """The name of rows by the sums of their cells, which add up, and of their ids: each of shape (2, n)."""

    def total_of(part: slice) -> np.ndarray:
        rows = sum((sums[:, part] for sums in cells), start=ids[:, part])
        total: np.ndarray = hash_of(np.asarray(rows)).sum(axis=0, dtype=np.uint64)
        return total

    total = sum(by_block(total_of, ids.shape[1]), start=np.zeros(2, dtype=np.uint64))
    return str(_hexes(total[None, :])[0]).removeprefix("h1")


def _hexes(lanes: np.ndarray) -> pl.Series:
    """ "h1" and 32 hex digits for each row of lanes, uint64 of shape (n, 2)."""
    parts = [_hex(lanes[start : start + _CHUNK]) for start in range(0, len(lanes), _CHUNK)]
    return pl.concat(parts).alias("example") if parts else pl.Series("example", dtype=pl.String)


def _hex(lanes: np.ndarray) -> pl.Series:
    data = np.ascontiguousarray(lanes.astype(">u8")).view(np.uint8)
    text = np.full((len(lanes), len(_PREFIX) + 2 * data.shape[1] + 1), ord("\n"), dtype=np.uint8)
    text[:, : len(_PREFIX)] = np.frombuffer(_PREFIX, dtype=np.uint8)
    text[:, len(_PREFIX) : -1 : 2] = _DIGITS[data >> 4]
    text[:, len(_PREFIX) + 1 : -1 : 2] = _DIGITS[data & 15]
    return pl.Series([text.tobytes()[:-1].decode()]).str.split("\n").explode()


def _numbered(names: pl.Series, ties: list[np.ndarray]) -> pl.Series:
    """The names, unique: every repeat but the first gets a copy number, in the order of the `ties` (sums)."""
    while exactly_distinct(names, about_distinct(names)) < len(
        names
    ):  # again only when a name itself looks like "a#2"
        repeated = names.is_duplicated()
        rows = repeated.arg_true()
        same = names.gather(rows).cast(pl.Categorical(pl.Categories.random())).to_physical()
        hashes = np.concatenate([hash_of(tie[:, rows.to_numpy()]) for tie in ties], axis=1)
        order = {f"tie{i}": tie for i, tie in enumerate(hashes.T)}
        copies = pl.DataFrame({"same": same, **order, "row": rows}).sort(pl.all())
        place = np.arange(len(copies))
        starts = (copies["same"] != copies["same"].shift(1)).fill_null(True).to_numpy()
        copy = place - np.maximum.accumulate(np.where(starts, place, 0)) + 1
        later = copies["row"].filter(pl.Series(values=copy > 1))
        number = pl.Series(values=copy[copy > 1]).cast(pl.String)
        names = names.scatter(later, names.gather(later) + "#" + number)
    return names.alias("example")
