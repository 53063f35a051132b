"""A model under a name, and who put it there on what evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from holdfast.core.estimate import Estimate
from holdfast.core.guard import Checked


class Standing(StrEnum):
    """Where a release stands."""

    PROPOSED = "waits for review"
    CHAMPION = "champion"
    FORMER = "former champion"
    REJECTED = "rejected"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class GuardSaid:
    """One guard as it came out: its name, its status, and a sentence with the number."""

    name: str
    status: str
    said: str

    @classmethod
    def of(cls, checked: Checked) -> Self:
        """A checked guard, as a record keeps it."""
        return cls(checked.guard.name, str(checked.status), checked.said)


@dataclass(frozen=True, slots=True)
class Release:
    """What a reviewer is asked to sign: a run that passed the gate.

    `score` is the metric on sealed rows, `champion_score` the champion's on the same rows by the
    same labels, which may be better known than when it was itself released. `difference` is
    the candidate less the champion there (positive = better), and `margin` the largest loss
    that would not matter. `champion` is the run that it takes the place of, "" for a first
    release, which is held against a constant. `fixes` are the proofs that it carries. `level`
    is one-sided; `entry` is the ledger's. `overrode` names who put it forward although the gate
    said no, "" where the gate let it pass.
    """

    id: str
    run: str
    champion: str
    metric: str
    greater_is_better: bool
    score: Estimate
    difference: Estimate
    margin: float
    rows: int
    level: float
    why: str
    author: str
    guards: tuple[GuardSaid, ...] = ()
    fixes: tuple[str, ...] = ()
    model: str = ""
    dataset: str = ""
    entry: int = 0
    remaining: int = 0
    overrode: str = ""
    champion_score: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A release as history has it: where it stands, who decided so, when and why.

    `solo` says that its author approved it, which the project allows.
    """

    release: Release
    standing: Standing
    by: str = ""
    at: str = ""
    why: str = ""
    solo: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A candidate that the gate turned away: no, and no number of sealed rows.

    `guards` are those that failed on open rows; with none, the sealed rows said no.
    """

    run: str
    at: str
    by: str
    guards: tuple[GuardSaid, ...] = ()


@dataclass(frozen=True, slots=True)
class Rollback:
    """The champion, the release `left`, gave its place back to the release `to`: who, when and why."""

    left: str
    to: str
    by: str
    at: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Every release, oldest first, and the refusals and rollbacks between them.

    `proven` are the proofs, by id, with what they are of. All `decisions` fit their chain, whose
    last hash is `newest`: written down elsewhere, it shows whether the whole chain was made anew.
    """

    stages: tuple[Stage, ...]
    refused: tuple[Refused, ...] = ()
    proven: tuple[tuple[str, str], ...] = ()
    decisions: int = 0
    newest: str = ""
    rollbacks: tuple[Rollback, ...] = ()

    @property
    def champion(self) -> Stage | None:
        """The release that holds now."""
        return champion_of(self.stages)


def champion_of(stages: Sequence[Stage]) -> Stage | None:
    """The champion among the stages, None before the first."""
    return next((one for one in stages if one.standing is Standing.CHAMPION), None)
