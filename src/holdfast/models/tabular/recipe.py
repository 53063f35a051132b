"""The column recipe: how each cell of a row becomes floats. A frozen value, kept as JSON.

A recipe is data, not code: `encode` runs it, in training and in serving alike. Its
features come in the order numbers, dates, texts, lookups. Missing is nan everywhere
but in a lookup, which has a row of its own for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from holdfast.core.fingerprint import fingerprint_bytes
from holdfast.errors import ModelError

DATE_PARTS = ("year", "month", "day", "weekday", "hour", "minute", "days")
TEXT_PARTS = ("characters", "words", "digits", "capitals", "marks")


@dataclass(frozen=True, slots=True)
class Number:
    """A number or boolean (0 or 1), less `center`: not 0 where float32 would merge the column's values."""

    column: str
    center: float = 0.0


@dataclass(frozen=True, slots=True)
class Parts:
    """A date or a text, taken apart into some of DATE_PARTS or TEXT_PARTS."""

    column: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A category: each level is a row of `table`, float32 of shape (levels + 2, k).

    The last two rows are those of an unseen level and of a missing cell. One-hot codes,
    target means and counts are all written this way. `names` are the k features.
    """

    column: str
    levels: tuple[str, ...]
    names: tuple[str, ...]
    table: np.ndarray


@dataclass(frozen=True, eq=False)
class Recipe:
    """Every column that the model looks at, and the d features that it becomes."""

    numbers: tuple[Number, ...] = ()
    dates: tuple[Parts, ...] = ()
    texts: tuple[Parts, ...] = ()
    lookups: tuple[Lookup, ...] = field(default=())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the d features, in order."""
        return (
            *(number.column for number in self.numbers),
            *(f"{part.column}: {name}" for part in (*self.dates, *self.texts) for name in part.parts),
            *(name for lookup in self.lookups for name in lookup.names),
        )

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row must have."""
        parts: tuple[Number | Parts | Lookup, ...] = (*self.numbers, *self.dates, *self.texts, *self.lookups)
        return tuple(part.column for part in parts)

    @cached_property
    def data(self) -> bytes:
        """The recipe as JSON; `Recipe.parse` reads it back exactly."""
        facts = {
            "numbers": [[number.column, number.center] for number in self.numbers],
            "dates": [[part.column, part.parts] for part in self.dates],
            "texts": [[part.column, part.parts] for part in self.texts],
            "lookups": [
                {"column": one.column, "levels": one.levels, "names": one.names, "table": _cells(one.table)}
                for one in self.lookups
            ],
        }
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

    @cached_property
    def id(self) -> str:
        """Names the recipe by its content, so that models of one fold share it."""
        return fingerprint_bytes(self.data)

    @staticmethod
    def parse(data: bytes) -> Recipe:
        """A recipe from its JSON; ModelError says what is wrong with it."""
        try:
            facts = json.loads(data)
            return Recipe(
                tuple(Number(_text(name), _finite(center)) for name, center in facts["numbers"]),
                tuple(_parts(entry, DATE_PARTS) for entry in facts["dates"]),
                tuple(_parts(entry, TEXT_PARTS) for entry in facts["texts"]),
                tuple(_lookup(entry) for entry in facts["lookups"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise ModelError(f"The column recipe is damaged: {error or type(error).__name__}.") from error


def _cells(table: np.ndarray) -> list[list[float]]:
    # the shortest text that names the same float32: half the length of its float64 digits
    return [[float(str(cell)) for cell in row] for row in table]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a name")
    return value


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _parts(entry: Any, known: tuple[str, ...]) -> Parts:
    column, parts = entry
    if unknown := [part for part in parts if part not in known]:
        raise ValueError(f"column {column!r} has unknown parts {unknown}")
    return Parts(_text(column), tuple(parts))


def _lookup(entry: Any) -> Lookup:
    column, levels = _text(entry["column"]), tuple(map(_text, entry["levels"]))
    names = tuple(map(_text, entry["names"]))
    table = np.array(entry["table"], dtype=np.float64)
    if table.shape != (len(levels) + 2, len(names)) or not np.isfinite(table).all():
        raise ValueError(
            f"the table of column {column!r} has shape {table.shape}, not {(len(levels) + 2, len(names))}, "
            "or holds what is not a number"
        )
    return Lookup(column, levels, names, table.astype(np.float32))
