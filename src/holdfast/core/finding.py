"""What is wrong with a model or its data: a bug report with a reproduction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.core.estimate import Estimate
from holdfast.core.fingerprint import fingerprint
from holdfast.core.wording import count
from holdfast.errors import UnknownFindingError

Fact = Estimate | float | int | str


@dataclass(frozen=True, slots=True)
class Suspect:
    """One row that a finding points at; `score` in [0, 1] is how good it looks, low = bad."""

    example: str
    score: float


@dataclass(frozen=True, slots=True)
class Where:
    """Where the trouble is: a `query` (core.query), the `examples` themselves, or a `column`.

    All empty: everywhere.
    """

    query: str = ""
    examples: tuple[Suspect, ...] = ()
    column: str = ""

    def __str__(self) -> str:
        if self.query:
            return self.query
        return f"column {self.column}" if self.column else ("rows" if self.examples else "everywhere")


class FixName(StrEnum):
    """What can answer a finding: a change of the data or of the plan."""

    RELABEL = "relabel"
    DROP_ROWS = "drop-rows"
    REPAIR = "repair"
    DEDUPLICATE = "deduplicate"
    DROP_COLUMN = "drop-column"
    REGROUP = "regroup"
    CLASS_WEIGHTS = "class-weights"
    OVERSAMPLE = "oversample"
    UNDERSAMPLE = "undersample"
    SMOTE = "smote"
    AUGMENT = "augment"  # synthetic rows for a slice
    CONTINUE = "continue"  # train on, on the slice, with replay of the rest
    REGULARISE = "regularise"
    RECALIBRATE = "recalibrate"
    THRESHOLD = "threshold"
    FAIR = "fair"
    MONOTONE = "monotone"
    COLLECT = "collect"  # an export of the rows to label next


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A fix, why it may help here, and what trying it would cost ("one training")."""

    fix: FixName
    why: str
    cost: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, where, and how much of it.

    `size` is how many rows it touches. `effect` is a number with its interval, and
    `effect_of` says of what ("mean log loss in the slice less outside of it"), with unit
    and direction. `share_of_loss` is the part of the model's total loss on the judged rows
    that lies in those rows, in [0, 1], None where there are none. `p` is what is left after
    correcting for all that was tried; None for a plain fact. `examples` are ids to look
    at, worst first, and `remarks` say of some of them what was found there. `facts` are further
    numbers, by name. `about` tells findings of one kind and place apart (a probe's name, a group),
    and is part of the id.
    """

    kind: str
    title: str
    where: Where
    size: int
    effect: Estimate
    effect_of: str
    share_of_loss: float | None = None
    p: float | None = None
    about: str = ""
    examples: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    fixes: tuple[Suggestion, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Stable: the same trouble in a later model or version of the data has the same id."""
        named = fingerprint([self.kind, self.where.query, self.where.column, self.about])
        return f"{self.kind.replace(' ', '-')}-{named[:4]}"

    def __repr__(self) -> str:
        return f"Finding({self.id}: {self.title})"


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings on one model, those that explain most of its loss first.

    `run` names the model, `rows` how many open rows were looked at; `not_run` are the
    kinds that could not be looked for, each with the reason.
    """

    items: tuple[Finding, ...]
    run: str = ""
    dataset: str = ""
    rows: int = 0
    not_run: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        lines = [f"  {one.id}: {one.title}" for one in self.items]
        return "\n".join(
            [f"Findings({len(self)} in {self.run or 'predictions'}, {count(self.rows, 'row')})", *lines]
        )

    def __getitem__(self, name: int | str) -> Finding:
        """By place, by id, or by the beginning of an id; UnknownFindingError otherwise."""
        if isinstance(name, int):
            return self.items[name]
        exact = [one for one in self.items if one.id == name]
        found = exact or [one for one in self.items if one.id.startswith(name)]
        if len(found) != 1:
            raise UnknownFindingError.named(name, [one.id for one in found or self.items], found=bool(found))
        return found[0]


def in_order(found: list[Finding]) -> tuple[Finding, ...]:
    """Leaks first, since with one no other number means much; then by share of loss, then by size."""
    return tuple(
        sorted(found, key=lambda one: (one.kind != "leak", -(one.share_of_loss or 0.0), -one.size, one.id))
    )


@dataclass(frozen=True, slots=True)
class Looked:
    """A finding with some of its rows as they are: `rows` maps column names to cells, as text."""

    finding: Finding
    run: str
    rows: tuple[Mapping[str, str], ...] = ()
