"""What came of a fix: every claim that it had to meet, on rows that it had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.estimate import Estimate
from holdfast.core.finding import FixName


class ProofOutcome(StrEnum):
    """What is shown of a fix."""

    PROVEN = "proven"
    NOT_PROVEN = "not proven"
    HARMFUL = "harmful"


class ClaimKind(StrEnum):
    """What a claim is there for."""

    TARGET = "target"  # what the finding is about gets better
    MAIN = "main metric"  # and the model as a whole no worse
    GUARD = "guard"
    SLICE = "slice"  # nor any other part of the rows
    COST = "cost"  # what it gives away, which is told and decides nothing


class ClaimStatus(StrEnum):
    """What sealed rows say of a claim."""

    IMPROVED = "improved"
    HELD = "held"
    UNDECIDED = "undecided"
    HARMED = "harmed"


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a fix must do, or must not do.

    `open` is the fixed model less the one before on open rows, out of fold, positive =
    better. `sealed` is the same on sealed rows; None unless the fix is proven, since a
    number that is shown is a question that was answered; `status` then tells of open rows.
    `rows` are the sealed rows that were asked, `needed` how many it would take to tell (None:
    enough). `metric` names what `margin` is a loss of, "" where that is no metric by itself.
    """

    kind: ClaimKind
    name: str
    status: ClaimStatus
    open: Estimate
    sealed: Estimate | None
    margin: float
    rows: int
    needed: int | None = None
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """A fix, tried and judged. `id` names it; `before` and `after` are runs.

    `level` is the one-sided level at which the target was tested: the ledger's alpha
    divided by the decisions that its sealed rows must last for. `attempt` counts the
    fixes tried on this finding, `decision` is the ledger's entry. `collect` describes the
    rows that would tell, where too few did.
    """

    id: str
    finding: str
    fix: FixName
    before: str
    after: str
    outcome: ProofOutcome
    claims: tuple[Claim, ...]
    level: float
    why: str = ""
    attempt: int = 1
    decision: int = 0
    remaining: int = 0
    collect: str = ""
    changed: str = ""
    query: str = ""

    @property
    def target(self) -> Claim:
        """The claim about what the finding is about."""
        return next(claim for claim in self.claims if claim.kind is ClaimKind.TARGET)
