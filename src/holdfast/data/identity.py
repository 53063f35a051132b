"""Names that rows and tables keep: computed from their cells, never assigned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.labels import label_text
from holdfast.data.hashing import hash_of, row_sums

_PREFIX = b"h1"
_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """The rows' ids, unique text of length n, and a hash of their features.

    Rows with equal features share their `twin`, uint64 of shape (n,); `key` is the same
    hash of the columns that name the rows, where those are not the features. `content`
    is the `content_hash` of the rows' typed cells, where those were given.
    """

    example: pl.Series
    twin: np.ndarray
    key: np.ndarray | None = None
    content: str = ""


def identify(
    features: pl.DataFrame,
    id_column: pl.Series | None = None,
    *,
    rest: pl.DataFrame | None = None,
    key: pl.DataFrame | None = None,
    typed: pl.DataFrame | None = None,
) -> Identity:
    """Give every row an id that neither the order of rows nor that of columns changes.

    `features` are the raw feature cells, without the target. The id is the row's cell
    in `id_column`, else "h1" and the 32 hex digits of its features' hash. A repeat gets
    a copy number, "#2" and up, in the order of the cells in `features` and `rest` (the
    target and what else is no feature), so that only rows equal in everything can trade
    places. An empty cell in `id_column` gets the hash. `key` are the raw cells to hash
    where those are not the features: rows keep the ids that a project first gave them.
    `typed` is the whole cleaned table: most of its columns are as they were read, and
    its content is hashed in the same pass.

    >>> identity = identify(pl.DataFrame({"age": [41, 7, 41]}))
    >>> identity.example.to_list()[2], bool(identity.twin[0] == identity.twin[2])
    ('h15a5e1e15af18b52c02425e6f2ef4119f#2', True)
    >>> identify(pl.DataFrame({"age": [41, 7, 8]}), pl.Series(["a", "b", "a"])).example.to_list()
    ['a', 'b', 'a#2']
    """
    if key is not None and set(key.columns) == set(features.columns):
        key = None
    given = {"features": features, "key": key, "rest": rest, "typed": typed}
    tables = {name: table for name, table in given.items() if table is not None}
    sums = dict(zip(tables, row_sums(list(tables.values())), strict=True))
    twin, of_key = (hash_of(sums[name]) if name in sums else None for name in ("features", "key"))
    assert twin is not None
    lanes = twin if of_key is None else of_key
    ties = [sums["features" if of_key is None else "key"], *([] if rest is None else [sums["rest"]])]
    example = _numbered(_hexes(lanes) if id_column is None else _named(id_column, lanes), ties)
    return Identity(
        example,
        np.ascontiguousarray(twin[:, 0]),
        None if of_key is None else np.ascontiguousarray(of_key[:, 0]),
        _content(sums["typed"], example) if typed is not None else "",
    )


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
    return _content(row_sums([table])[0], example)


def _content(sums: np.ndarray, example: pl.Series) -> str:
    rows = hash_of(sums + row_sums([example.alias("\0example").to_frame()])[0])
    return str(_hexes(rows.sum(axis=0, dtype=np.uint64)[None, :])[0]).removeprefix("h1")


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
    while names.n_unique() < len(names):  # again only when a name itself looks like "a#2"
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
