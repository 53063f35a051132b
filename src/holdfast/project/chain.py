"""Proofs, guards and reviewed labels, as the record of decisions has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.guard import Guard
from holdfast.core.proof import Proof, ProofOutcome
from holdfast.errors import InputError
from holdfast.project.handle import Project
from holdfast.store.decisions import decisions
from holdfast.store.ledger import user_name
from holdfast.store.records import decode, encode
from holdfast.store.settings import FILE

T = TypeVar("T")

# The formats of decisions' bodies.
PROOF, GUARD, RELEASE, REFUSED = "proof.v1", "guard.v1", "release.v1", "refused.v1"
REVIEW, ANALYSIS = "label-review.v1", "analysis.v1"


def body_of(value: object, form: str) -> Mapping[str, object]:
    """A frozen value as the plain body of a decision, under its format's name."""
    body: Mapping[str, object] = json.loads(encode(value, form))
    return body


def value_of(kind: type[T], decision: Decision, form: str) -> T:
    """The frozen value back from a decision's body."""
    return decode(kind, json.dumps(decision.body), form)


def of_kind(project: Project, *kinds: DecisionKind) -> tuple[Decision, ...]:
    """The decisions of some kinds, oldest first; DecisionError when the record was changed."""
    return tuple(one for one in decisions(project.store) if one.kind in kinds)


def proofs(project: Project) -> tuple[Proof, ...]:
    """Every fix that was tried, oldest first."""
    return tuple(value_of(Proof, one, PROOF) for one in of_kind(project, DecisionKind.PROOF))


def carried(tried: Sequence[Proof], run: str, since: str = "") -> tuple[Proof, ...]:
    """The proven fixes that made a run, oldest first: all of them, or those `since` another run."""
    made = {one.after: one for one in tried if one.outcome is ProofOutcome.PROVEN}
    chain: list[Proof] = []
    while run in made and run != since and made[run] not in chain:
        chain.append(made[run])
        run = made[run].before
    return tuple(reversed(chain))


def guards(project: Project) -> tuple[Guard, ...]:
    """Those written by hand in holdfast.toml, and those that proven fixes made.

    InputError where one by hand has the name of one that was proven: nobody could tell them apart.
    """
    made = [value_of(Guard, one, GUARD) for one in of_kind(project, DecisionKind.GUARD)]
    origins = {one.name: one.origin for one in made}
    for one in project.settings.guards:
        if one.name in origins:
            raise InputError(
                f"{project.path / FILE}: the guard {one.name!r} has the name of the one that "
                f'{origins[one.name]} made. Give it another: name = "{one.name} by hand"'
            )
    return (*project.settings.guards, *made)


def whoever(name: str | None = None) -> str:
    """The name of who decides: the one given, else the user's on this machine."""
    if name and name.strip():
        return name.strip()
    return user_name() or "nobody named"
