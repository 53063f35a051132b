"""A 128-bit hash of each row's cells, the same on every machine and in every version.

The format "rows.v1", in words: a cell is one 64-bit word per lane (two lanes). A number is
the bits of its float64, with -0.0 as 0.0; so 1, 1.0 and the text "1" are one cell. A text
that is no number, or a whole one of more digits than a float64 holds, is the sum, over its
little-endian 8-byte UTF-8 words, of each word mixed with its position, plus its length. A
time is its microseconds since 1970. Null, nan and the empty text are one missing cell. A
row is the sum over its cells of the cell mixed with its column's name, mixed once more.
Sums do not know an order, so neither do columns.
The mixer is SplitMix64's finaliser (Steele, Lea and Flood 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import TypeVar

import numpy as np
import polars as pl

from holdfast.data.coded import coded, is_coded, levels_in
from holdfast.errors import ColumnError

T = TypeVar("T")

_FORMAT = b"holdfast.rows.v1"
# Rows of a column at once: few enough to stay in the cache, and enough that threads seldom wait
# for the interpreter between numpy's steps.
_BLOCK = 1 << 16
_BYTES = 1 << 18  # of text at once: memory is bounded whatever the cells hold, and used again
_EXACT = 2.0**53  # from it on neighbouring whole numbers share a float64: their digits count
_DIGITS = r"^[+-]?[0-9]{16}"
_SHORT = 64  # bytes: texts up to here are read word by word, all of them at once
_MASKS = np.array([(1 << 8 * k) - 1 for k in range(9)], dtype=np.uint64)  # for so many bytes of a word
_STEP = np.array([0x9E3779B97F4A7C15, 0xD1B54A32D192ED03], dtype=np.uint64)  # one odd multiplier per lane
_SEED = np.array([0x243F6A8885A308D3, 0x13198A2E03707344], dtype=np.uint64)  # digits of pi
_MISSING = 0x7FF8000000000001  # a nan's bits, which no number that is there can have
_TIME = 0xA4093822299F31D0


def hash_rows(table: pl.DataFrame) -> np.ndarray:
    """The hash of each row as uint64 of shape (n, 2), whatever the order of the columns.

    Raises ColumnError for columns of lists, structs, bytes or objects.

    >>> a = hash_rows(pl.DataFrame({"x": [1, 2], "y": ["b", None]}))
    >>> b = hash_rows(pl.DataFrame({"y": ["b", ""], "x": ["1.0", "2"]}))
    >>> bool((a == b).all()), f"{a[0, 0]:016x}"
    (True, '59a144230f8e976c')
    """
    return hash_of(row_sums([table])[0])


def row_sums(tables: Sequence[pl.DataFrame]) -> list[np.ndarray]:
    """What `hash_of` makes each table's hashes of: uint64 of shape (2, n), which add up over columns.

    The tables have equally many rows; a column that several of them hold is hashed once.
    """
    rows = tables[0].height
    sums = [np.zeros((2, rows), dtype=np.uint64) for _ in tables]
    columns = _shared(tables)
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # numpy lets other threads run meanwhile
        hashed = list(pool.map(lambda one: _hashed(one[0]), columns))

    def add(part: slice) -> None:
        for mixed, (_, holders) in zip(hashed, columns, strict=True):
            words = mixed(part)
            for holder in holders:
                sums[holder][:, part] += words

    by_block(add, rows)
    return sums


def hash_of(sums: np.ndarray) -> np.ndarray:
    """The hashes of rows from their sums of shape (2, n): uint64 of shape (n, 2)."""
    hashes = np.empty(sums.shape[::-1], dtype=np.uint64)

    def scramble(part: slice) -> None:
        hashes[part] = mix(np.ascontiguousarray(sums[:, part].T))

    by_block(scramble, len(hashes))
    return hashes


def by_block(work: Callable[[slice], T], rows: int) -> list[T]:
    """What `work` gives for each block of the rows, in their order; by as many threads as polars has."""
    parts = [slice(start, min(start + _BLOCK, rows)) for start in range(0, rows, _BLOCK)]
    if len(parts) < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # numpy lets other threads run meanwhile
        return list(pool.map(work, parts))


def _shared(tables: Sequence[pl.DataFrame]) -> list[tuple[pl.Series, list[int]]]:
    """The different columns of the tables, each with the places of the tables that hold it."""
    found: dict[str, list[tuple[pl.Series, list[int]]]] = {}
    for place, table in enumerate(tables):
        for column in table.get_columns():
            known = found.setdefault(column.name, [])
            same = (holders for other, holders in known if column.equals(other, check_dtypes=True))
            if (holders := next(same, None)) is not None:
                holders.append(place)
            else:
                known.append((column, [place]))
    return [pair for pairs in found.values() for pair in pairs]


def hash_cells(cells: pl.Series) -> np.ndarray:
    """The hash of each cell, whatever the column is called, as uint64 of shape (n,)."""
    return hash_rows(pl.DataFrame({"": cells}))[:, 0]


def mix(x: np.ndarray) -> np.ndarray:
    """Scramble uint64 values one to one, in place; every input bit changes half of the output's."""
    scratch = np.empty_like(x)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        np.right_shift(x, np.uint64(shift), out=scratch)
        x ^= scratch
        x *= np.uint64(factor)
    np.right_shift(x, np.uint64(31), out=scratch)
    x ^= scratch
    return x


def _key(name: str) -> tuple[int, int]:
    digest = blake2b(name.encode(), digest_size=16, person=_FORMAT).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def _hashed(column: pl.Series) -> Callable[[slice], np.ndarray]:
    """What gives the cells of a slice of rows as their parts of the sums; few levels are hashed once each."""
    key, column = _key(column.name), coded(column)
    if not is_coded(column):
        return lambda part: _mixed(column[part], key)
    levels, places = levels_in(column)
    lanes = _mixed(levels, key)
    return lambda part: np.take(lanes, places[part], axis=1)


def _mixed(series: pl.Series, key: tuple[int, int]) -> np.ndarray:
    """Each cell's part of its row's sums: uint64 of shape (2, n)."""
    mixed = np.empty((2, len(series)), dtype=np.uint64)
    for lane, words, seed in zip(mixed, _cells(series), key, strict=True):
        np.bitwise_xor(words, np.uint64(seed), out=lane)
        mix(lane)
    return mixed


def _cells(series: pl.Series) -> np.ndarray:
    """One word per lane and cell: uint64 of shape (2, n), which may be a view of one lane."""
    kind = series.dtype
    if kind == pl.Boolean or kind in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
        kind = series.dtype
    if kind == pl.String:
        return _texts(series)
    if kind.is_integer():
        return _integers(series)
    if kind.is_numeric() or kind == pl.Null:
        return _both(_numbers(series))
    if kind.is_temporal():
        return _both(_times(series))
    raise ColumnError(
        f"Column {series.name!r} holds {kind}; Holdfast reads numbers, text, booleans and dates. "
        f"Spread it over columns of its own, or leave it out: --ignore {series.name!r}."
    )


def _both(words: np.ndarray) -> np.ndarray:
    return np.broadcast_to(words, (2, len(words)))


def _numbers(series: pl.Series) -> np.ndarray:
    # null becomes nan, and adding 0.0 makes -0.0 plain 0.0
    values = series.cast(pl.Float64).to_numpy() + 0.0
    words = values.view(np.uint64)
    if (missing := np.isnan(values)).any():
        words[missing] = _MISSING
    return words


def _times(series: pl.Series) -> np.ndarray:
    if series.dtype == pl.Time:
        whole = series.cast(pl.Int64) // 1000
    elif series.dtype == pl.Duration:
        whole = series.dt.total_microseconds()
    else:
        whole = series.cast(pl.Datetime("us", getattr(series.dtype, "time_zone", None))).to_physical()
    words = mix(whole.fill_null(0).to_numpy().view(np.uint64) ^ np.uint64(_TIME))
    words[series.is_null().to_numpy()] = _MISSING
    return words


def _integers(series: pl.Series) -> np.ndarray:
    words = _numbers(series)
    large = _large(words.view(np.float64))
    if not large.any():
        return _both(words)
    cells = np.stack([words, words])
    cells[:, large] = _words(series.filter(pl.Series(values=large)).cast(pl.String))
    return cells


def _texts(series: pl.Series) -> np.ndarray:
    parsed = series.cast(pl.Float64, strict=False)
    if parsed.null_count() == len(parsed) and series.null_count() == 0 and (series != "").all():
        return _words(series)  # as nearly all columns of text are
    values = parsed.fill_null(np.nan).to_numpy()
    numeric = np.isfinite(values)
    if (large := numeric & _large(values)).any():  # 1e20 is a number in any column; long digits are a code
        numeric[large] = ~series.filter(pl.Series(values=large)).str.contains(_DIGITS).to_numpy()
    text = ~numeric & (series.is_not_null() & (series != "")).to_numpy()
    words = np.where(numeric, values + 0.0, np.nan).view(np.uint64)
    words[~numeric] = _MISSING
    if not text.any():
        return _both(words)
    cells = np.stack([words, words])
    cells[:, text] = _words(series.filter(pl.Series(values=text)))
    return cells


def _large(values: np.ndarray) -> np.ndarray:
    large: np.ndarray = np.abs(values) >= _EXACT
    return large


def _words(texts: pl.Series) -> np.ndarray:
    """The words of texts that are neither null nor empty: uint64 of shape (2, n)."""
    size = texts.str.len_bytes().to_numpy().astype(np.int64)
    if len(texts) > 1 and size.sum() > _BYTES:
        half = len(texts) // 2
        return np.concatenate([_words(texts[:half]), _words(texts[half:])], axis=1)
    data = texts.str.join("")[0].encode() + bytes(8)
    # Every 8 bytes that start anywhere in the data, as one word, without a copy.
    anywhere = np.ndarray(len(data) - 7, dtype="<u8", buffer=data, strides=(1,))
    lanes: np.ndarray = np.multiply.outer(_STEP, size.view(np.uint64))
    (_add_across if size.max() <= _SHORT else _add_along)(lanes, anywhere, size)
    return lanes


def _add_across(lanes: np.ndarray, anywhere: np.ndarray, size: np.ndarray) -> None:
    """Add to the lanes the first word of every text, then the second of those that have one, and so on."""
    rows, start, place = np.arange(len(size)), np.cumsum(size) - size, np.zeros(1, dtype=np.uint64)
    while len(rows):
        words = anywhere[start] & _MASKS[np.minimum(size, 8)]
        for lane, step, seed in zip(lanes, _STEP, _SEED, strict=True):
            lane[rows] += mix(words ^ (place * step + seed))
        more = np.flatnonzero(size > 8)
        rows, start, size, place = rows[more], start[more] + 8, size[more] - 8, place + 1


def _add_along(lanes: np.ndarray, anywhere: np.ndarray, size: np.ndarray) -> None:
    """Add to the lanes all words of all texts, one text behind the other: long ones in a few steps, too."""
    count = (size + 7) >> 3
    first = np.cumsum(count) - count
    position = np.arange(count.sum()) - np.repeat(first, count)
    words = anywhere[np.repeat(np.cumsum(size) - size, count) + 8 * position]
    words[first + count - 1] &= _MASKS[(size - 1 & 7) + 1]
    place = position.view(np.uint64)
    for lane, step, seed in zip(lanes, _STEP, _SEED, strict=True):
        np.add(lane, np.add.reduceat(mix(words ^ (place * step + seed)), first), out=lane)
