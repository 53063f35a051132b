"""How the columns of a new table fitted a known schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Conformity:
    """What had to be done so that a table could be read as a schema.

    `missing` are features that the table lacks (filled with empty cells), `extra` its
    columns that the schema does not know (left out), `renamed` maps a column's name in
    the table to its name in the schema. `unseen` counts, per category, the cells whose
    level was not there before; `unread` counts, per column, the cells that cannot mean
    what the column means (taken as missing).
    """

    rows: int
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, int] = field(default_factory=dict)
    unread: Mapping[str, int] = field(default_factory=dict)

    @property
    def perfect(self) -> bool:
        """Whether nothing had to be done."""
        return not (self.missing or self.extra or self.renamed or self.unseen or self.unread)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What had to be done, one fact each, the gravest first.

        >>> Conformity(3, missing=("age",), unseen={"city": 2}).sentences
        ("Missing, taken as empty: 'age'.", "Levels never seen before: 'city' (2 cells).")
        """
        renamed = [f"{given!r} as {known!r}" for given, known in self.renamed.items()]
        facts = {
            "Missing, taken as empty": [repr(name) for name in self.missing],
            "Cells that could not be read, taken as empty": _counted(self.unread),
            "Levels never seen before": _counted(self.unseen),
            "Matched by name without regard to case": renamed,
            "Not used": [repr(name) for name in self.extra],
        }
        return tuple(f"{fact}: {_few(names)}." for fact, names in facts.items() if names)


def _counted(cells: Mapping[str, int]) -> list[str]:
    ordered = sorted(cells.items(), key=lambda item: -item[1])
    return [f"{name!r} ({count:,} cell{'s' if count > 1 else ''})" for name, count in ordered]


def _few(names: list[str], most: int = 8) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
