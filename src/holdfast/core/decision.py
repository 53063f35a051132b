"""What people decided, one record after the other, each sealed by the hash of the one before.

A record that is edited, taken out of the middle or moved no longer fits its neighbours.
Whoever can write the whole chain anew can still do so: the newest hash, written down
elsewhere (a release shows it), is what such a one cannot match.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from holdfast.core.fingerprint import canonical, fingerprint
from holdfast.errors import DecisionError, InputError


class DecisionKind(StrEnum):
    """What was decided."""

    LABELS_REVIEWED = "labels reviewed"
    PROOF = "proof"
    GUARD = "guard"
    PROPOSAL = "proposal"  # a release was put to the gate, and passed it
    REFUSAL = "refusal"
    APPROVAL = "approval"
    REJECTION = "rejection"
    ROLLBACK = "rollback"
    REVIEW = "review"  # an analysis or an insight was validated


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: what it is about, who took it, and why.

    `subject` is the id of a finding, proof, guard, release or analysis. `body` is plain
    data: texts, numbers, booleans, None, and lists and mappings of those. `at` (UTC),
    `number` (from 1), `previous` and `hash` are given when it is added to a chain.
    """

    kind: DecisionKind
    subject: str
    by: str
    why: str = ""
    body: Mapping[str, object] = field(default_factory=dict)
    at: str = ""
    number: int = 0
    previous: str = ""
    hash: str = ""

    def __str__(self) -> str:
        return f"decision {self.number} ({self.kind} of {self.subject} by {self.by})"


def chained(decision: Decision, after: Decision | None) -> Decision:
    """The decision as the one that follows `after` (None: as the first), with number and hash.

    The body comes back as it will be read: tuples as lists, dataclasses as mappings, numbers
    that JSON lacks as text. InputError for a text that no file could hold.

    >>> first = chained(Decision(DecisionKind.APPROVAL, "release-1", "Ann"), None)
    >>> second = chained(Decision(DecisionKind.ROLLBACK, "release-1", "Bob"), first)
    >>> second.number, second.previous == first.hash
    (2, True)
    """
    body = json.loads(canonical(decision.body), parse_constant=str)
    number, previous = (1, "") if after is None else (after.number + 1, after.hash)
    made = replace(decision, body=body, number=number, previous=previous)
    try:
        return replace(made, hash=_hash(made))
    except UnicodeEncodeError as error:
        raise InputError(
            f"What {decision.by!r} says of {decision.subject!r} holds bytes that are no text. "
            "Write it again in plain letters."
        ) from error


def verify(decisions: Iterable[Decision]) -> None:
    """Nothing when the decisions, oldest first, are as they were written; else see `verified`."""
    for _ in verified(decisions):
        pass


def verified(decisions: Iterable[Decision]) -> Iterator[Decision]:
    """The decisions, oldest first, each as soon as it is seen to be as it was written.

    DecisionError names the first that was edited, that is missing, or that stands where
    another stood.
    """
    previous = ""
    for number, decision in enumerate(decisions, start=1):
        if _hash(decision) != decision.hash:
            raise edited(number, decision)
        if decision.number != number:
            raise changed(
                f"where decision {number} should stand there is {decision}, so {number} was removed or moved",
                number,
            )
        if decision.previous != previous:
            raise changed(
                f"{decision} does not follow decision {number - 1}: one of the two was written anew", number
            )
        previous = decision.hash
        yield decision


def edited(number: int, decision: Decision | None = None) -> DecisionError:
    """A record that is not what was written."""
    now = "" if decision is None else f" and now reads {decision.kind} of {decision.subject} by {decision.by}"
    return changed(f"decision {number} was edited{now}", number)


def changed(what: str, number: int) -> DecisionError:
    """The record was changed at decision `number`: say what holds, and what to do."""
    holds = f"Decisions 1 to {number - 1} hold" if number > 2 else ("Decision 1 holds" if number == 2 else "")
    return DecisionError(
        f"The record of decisions was changed: {what}. {holds}{'. ' if holds else ''}"
        "No decision is taken on a changed record: restore .holdfast/catalog.db from a copy of the project, "
        "and ask who wrote to it."
    )


def _hash(decision: Decision) -> str:
    named = {one.name: getattr(decision, one.name) for one in fields(decision)}
    del named["hash"]
    return fingerprint(named)
