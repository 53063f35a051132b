"""What each column of a table is, and what it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from holdfast.core.task import Task
from holdfast.errors import ColumnError


class Kind(StrEnum):
    """How the cells of a column are held in a Dataset's table."""

    NUMBER = "number"  # Float64
    BOOLEAN = "boolean"  # Boolean
    CATEGORY = "category"  # String, in one spelling per level
    DATE = "date"  # Datetime("us"), no zone
    TEXT = "text"  # String, as read


class Role(StrEnum):
    """What a column is for."""

    FEATURE = "feature"
    TARGET = "target"
    ID = "id"
    GROUP = "group"
    TIME = "time"
    WEIGHT = "weight"
    SENSITIVE = "sensitive"  # a feature that fairness is checked for
    IGNORED = "ignored"


TRUE = ("yes", "y", "true", "t", "1", "on", "ja", "oui", "si", "sí", "sim")
FALSE = ("no", "n", "false", "f", "0", "off", "nein", "non", "não")
"""How files spell yes and no, in lower case."""


@dataclass(frozen=True, slots=True)
class CellFormat:
    """How the raw text of one column is read; the same facts serve training and serving.

    `missing` are the words that mean an empty cell, in lower case. `decimal` and
    `thousands` are the marks of a number, `strip` the currency and percent signs
    around it (a percent sign divides by 100). `dates` are strptime patterns, tried in
    order. `true` and `false` are spellings in lower case. `spelling` maps the folded
    form of a category (trimmed, inner blanks squeezed, case folded) to the spelling
    that the column keeps; a form that is not there keeps its trimmed self.
    """

    missing: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    strip: str = ""
    dates: tuple[str, ...] = ()
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    spelling: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, kind, role, how its cells are read, and why we think so."""

    name: str
    kind: Kind
    role: Role = Role.FEATURE
    format: CellFormat = CellFormat()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in order.

    >>> schema = Schema((Column("age", Kind.NUMBER), Column("churn", Kind.CATEGORY, Role.TARGET)))
    >>> schema.target.name, [column.name for column in schema.features]
    ('churn', ['age'])
    """

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise ColumnError(f"Two columns are called {column.name!r}; rename one of them.")
            seen.add(column.name)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise ColumnError.absent(name, self.names)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a model may look at: features, sensitive ones, and times."""
        roles = (Role.FEATURE, Role.SENSITIVE, Role.TIME)
        return tuple(column for column in self.columns if column.role in roles)

    def with_role(self, role: Role) -> Column | None:
        """The first column that has this role, if one has."""
        return next((column for column in self.columns if column.role is role), None)

    @property
    def target(self) -> Column:
        """The target column; an error when the table has none."""
        column = self.with_role(Role.TARGET)
        if column is None:
            raise ColumnError(
                "No column is the target. Say which: target='NAME' (on the command line --target NAME)."
            )
        return column

    @property
    def task(self) -> Task:
        """Regression for a target of numbers, else classification."""
        return Task.REGRESSION if self.target.kind is Kind.NUMBER else Task.CLASSIFICATION

    def replaced(self, column: Column) -> Schema:
        """The same schema with the column of that name replaced."""
        if column.name not in self:
            raise ColumnError.absent(column.name, self.names)
        return replace(self, columns=tuple(column if c.name == column.name else c for c in self.columns))
