"""Run a column recipe: typed cells in, float32 features out; the same code for one row and for many.

`Encoder.rows` and `Encoder.row` differ only in how they collect cells (columns of a
table, or a mapping); one numpy function, `_features`, lays the features side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import polars as pl

from holdfast.models.tabular.recipe import Recipe

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000  # microseconds
_MOST = float(np.finfo(np.float32).max)
_UNKNOWN_DATE = np.iinfo(np.int64).min  # what numpy and polars call "not a time"
_MARKS = {
    "words": r"\S+",
    "digits": r"\d",
    "capitals": r"\p{Lu}",
    "marks": r"[^\w\s]",
}

# A model's folds share their dates and texts: with so many cells kept, each is read once per row.
_ROWS_KEPT = 64

Cell = float | bool | str | datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """A recipe made ready to run: its lookups as dicts, their tables as one flat array.

    `flat[base[j] + code]` is feature j of its column's level `code`; `owner[j]` says
    which lookup feature j belongs to.
    """

    recipe: Recipe
    numbers: tuple[str, ...]
    center: np.ndarray
    codes: tuple[tuple[str, dict[str | None, int], int], ...]
    owner: np.ndarray
    base: np.ndarray
    flat: np.ndarray

    @staticmethod
    def of(recipe: Recipe) -> Encoder:
        """Prepare a recipe once; use it for every row."""
        codes, tables, owner, base, start = [], [], [], [], 0
        for which, lookup in enumerate(recipe.lookups):
            unseen = len(lookup.levels)
            known: dict[str | None, int] = {level: code for code, level in enumerate(lookup.levels)}
            codes.append((lookup.column, known | {None: unseen + 1}, unseen))
            tables.append(lookup.table.T.ravel())
            owner += [which] * len(lookup.names)
            base += [start + j * (unseen + 2) for j in range(len(lookup.names))]
            start += lookup.table.size
        return Encoder(
            recipe,
            tuple(number.column for number in recipe.numbers),
            np.array([number.center for number in recipe.numbers]),
            tuple(codes),
            np.array(owner, dtype=np.intp),
            np.array(base, dtype=np.intp),
            np.concatenate(tables) if tables else np.zeros(0, np.float32),
        )

    def row(self, cells: Mapping[str, Cell]) -> np.ndarray:
        """One row of typed cells (None for missing) -> float32 of shape (1, d)."""
        numbers = [np.nan if (cell := cells[name]) is None else cell for name in self.numbers]
        codes = [known.get(cells[name], unseen) for name, known, unseen in self.codes]  # type: ignore[arg-type]
        dates = [_date_row(_stamp(cells[part.column]), part.parts) for part in self.recipe.dates]
        texts = [_text_row(cells[part.column], part.parts) for part in self.recipe.texts]
        return self._features(
            np.array([numbers], dtype=np.float64),
            [*dates, *texts],
            np.array([codes], dtype=np.intp),
        )

    def rows(self, columns: Mapping[str, pl.Series], n: int) -> np.ndarray:
        """Typed columns of n cells each, as a Dataset's table holds them -> float32 of shape (n, d)."""
        numbers = np.empty((n, len(self.numbers)))
        for j, name in enumerate(self.numbers):
            numbers[:, j] = columns[name].cast(pl.Float64).to_numpy()
        dates = []
        for part in self.recipe.dates:
            stamps = columns[part.column].cast(pl.Datetime("us")).to_physical()
            dates.append(date_parts(stamps.fill_null(_UNKNOWN_DATE).to_numpy(), part.parts))
        texts = [text_parts(columns[part.column].cast(pl.String), part.parts) for part in self.recipe.texts]
        codes = np.empty((n, len(self.codes)), dtype=np.intp)
        for j, (name, known, unseen) in enumerate(self.codes):
            codes[:, j] = level_codes(columns[name], known, unseen)
        return self._features(numbers, [*dates, *texts], codes)

    def _features(self, numbers: np.ndarray, parts: list[np.ndarray], codes: np.ndarray) -> np.ndarray:
        kept = numbers.shape[1]
        X = np.empty((len(codes), len(self.recipe.names)), dtype=np.float32)
        X[:, :kept] = np.maximum(np.minimum(numbers - self.center, _MOST), -_MOST)
        at = kept
        for part in parts:
            X[:, at : at + part.shape[1]] = part
            at += part.shape[1]
        if len(self.owner):
            X[:, at:] = self.flat[self.base + codes[:, self.owner]]
        return X


def encode(recipe: Recipe, columns: Mapping[str, pl.Series]) -> np.ndarray:
    """Typed columns of n cells -> float32 features of shape (n, d), C-contiguous, nan for missing.

    >>> from holdfast.models.tabular.recipe import Number
    >>> encode(Recipe((Number("age"),)), {"age": pl.Series([31.0, None])}).tolist()
    [[31.0], [nan]]
    """
    return Encoder.of(recipe).rows(columns, len(next(iter(columns.values()), ())))


def level_codes(column: pl.Series, known: Mapping[str | None, int], unseen: int) -> np.ndarray:
    """Each cell's code, int64 of shape (n,): `known` has a code for None, `unseen` is any other level's."""
    levels = [level for level in known if level is not None]
    codes = [known[level] for level in levels]
    found = column.cast(pl.String).replace_strict(levels, codes, default=unseen, return_dtype=pl.Int64)
    return pl.select(pl.when(column.is_null()).then(known[None]).otherwise(found)).to_series().to_numpy()


def date_parts(stamps: np.ndarray, parts: tuple[str, ...]) -> np.ndarray:
    """Parts of times in microseconds since 1970, int64 of shape (n,) -> float64 of shape (n, parts).

    Weekdays count from Monday = 0; "days" are days since 1970 with their fraction.
    """
    known = stamps != _UNKNOWN_DATE
    day, within = np.divmod(np.where(known, stamps, 0), _DAY)
    days = day.astype("M8[D]")
    months, years = days.astype("M8[M]"), days.astype("M8[Y]")
    values = {
        "year": years.astype(np.int64) + 1970,
        "month": (months - years.astype("M8[M]")).astype(np.int64) + 1,
        "day": (days - months.astype("M8[D]")).astype(np.int64) + 1,
        "weekday": (day + 3) % 7,  # 1 January 1970 was a Thursday
        "hour": within // 3_600_000_000,
        "minute": within // 60_000_000 % 60,
        "days": day + within / _DAY,
    }
    return np.stack([np.where(known, values[part], np.nan) for part in parts], axis=1)


def text_parts(text: pl.Series, parts: tuple[str, ...]) -> np.ndarray:
    """Simple facts of n texts -> float64 of shape (n, parts): lengths, and shares of the characters."""
    characters = text.str.len_chars().cast(pl.Float64)
    counts = {"characters": characters}
    for part in parts:
        if part != "characters":
            count = text.str.count_matches(_MARKS[part]).cast(pl.Float64)
            share = count / characters.clip(lower_bound=1)
            counts[part] = count if part == "words" else share
    return np.stack([counts[part].to_numpy() for part in parts], axis=1)


@lru_cache(maxsize=_ROWS_KEPT)
def _date_row(stamp: int, parts: tuple[str, ...]) -> np.ndarray:
    return date_parts(np.array([stamp]), parts)


@lru_cache(maxsize=_ROWS_KEPT)
def _text_row(text: str | None, parts: tuple[str, ...]) -> np.ndarray:
    """`text_parts` of one text, without the cost of seven queries."""
    if text is None:
        return np.full((1, len(parts)), np.nan)
    characters, counts = len(text), dict.fromkeys(_MARKS, 0)
    for character, times in Counter(text).items():
        marks = _marks_of(character)
        for part in marks:
            counts[part] += times
        if "words" not in marks:
            text = text.replace(character, " ")
    known = {part: count / max(characters, 1) for part, count in counts.items()}
    known |= {"words": sum(map(bool, text.split(" "))), "characters": characters}
    return np.array([[known[part] for part in parts]], dtype=np.float64)


@lru_cache(maxsize=1 << 14)
def _marks_of(character: str) -> frozenset[str]:
    """The patterns that a character matches, by the engine that reads columns: Python's Unicode differs."""
    text = pl.Series([character])
    return frozenset(part for part, pattern in _MARKS.items() if text.str.contains(pattern)[0])


def _stamp(cell: object) -> int:
    return (cell - _EPOCH) // _MICROSECOND if isinstance(cell, datetime) else _UNKNOWN_DATE
