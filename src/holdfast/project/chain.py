"""Proofs, guards and reviewed labels, as the record of decisions has them."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from typing import TypeVar

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.guard import Guard
from holdfast.core.proof import Proof
from holdfast.errors import DecisionError, suggest
from holdfast.project.handle import Project
from holdfast.store.decisions import decisions
from holdfast.store.records import decode, encode

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


def proof_named(project: Project, name: str) -> Proof:
    """The proof of that id; DecisionError with the nearest otherwise."""
    known = {proof.id: proof for proof in proofs(project)}
    if name not in known:
        raise DecisionError(f"There is no proof {name!r}. {suggest(list(known)[-3:])}".rstrip())
    return known[name]


def guards(project: Project) -> tuple[Guard, ...]:
    """Those written by hand in holdfast.toml, and those that proven fixes made."""
    made = [value_of(Guard, one, GUARD) for one in of_kind(project, DecisionKind.GUARD)]
    return (*project.settings.guards, *made)


def whoever(name: str | None = None) -> str:
    """The name of who decides: the one given, else the user's on this machine."""
    if name and name.strip():
        return name.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "nobody named"
