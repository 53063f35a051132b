"""The record of decisions: added to, verified whenever it is read, never changed.

The hashes of the chain (core.decision) tell what was edited, moved or taken out; the
number and hash of the newest record, kept apart from the others, tell what was cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.core.decision import Decision, chained, changed, edited, verified
from holdfast.errors import StoreError
from holdfast.store.catalog import stamp
from holdfast.store.newest import hold, note, noted
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

# A new form of record comes with a new version of the catalog, so any other name was written by hand.
FORMAT = "decision.v1"
_CHAIN = "decision"

Allow = Callable[[tuple[Decision, ...]], None]
"""Shown all decisions so far, oldest first; raises when there may not be one more."""


def append_decision(store: Store, decision: Decision, *, allow: Allow | None = None) -> Decision:
    """Add a decision to the record, in one transaction; the decision as it was kept.

    `at`, `number`, `previous` and `hash` are given here. Nobody else writes between what
    `allow` is shown and what is written, so of two who approve the same thing at once one is
    told of the other. DecisionError when the record was changed.
    """

    def work(connection: Connection) -> Decision:
        hold(connection, _CHAIN)
        earlier = _read(connection)
        if allow is not None:
            allow(earlier)
        kept = chained(replace(decision, at=stamp()), earlier[-1] if earlier else None)
        row = {"number": kept.number, "record": encode(kept, FORMAT), "hash": kept.hash}
        connection.execute(tables().decisions.insert().values(**row))
        note(connection, _CHAIN, _named(kept))
        return kept

    return store.catalog.write(work)


def decisions(store: Store) -> tuple[Decision, ...]:
    """All decisions, oldest first; DecisionError names the first that is not as it was written."""
    return store.catalog.read(_read)


def _read(connection: Connection) -> tuple[Decision, ...]:
    from sqlalchemy import select

    known = tables().decisions
    rows = connection.execute(
        select(known.c.number, known.c.record, known.c.hash).order_by(known.c.number)
    ).all()
    found = tuple(verified(_decoded(place, tuple(row)) for place, row in enumerate(rows, start=1)))
    _check_end(found, noted(connection, _CHAIN))
    return found


def _decoded(place: int, row: tuple[object, ...]) -> Decision:
    number, text, name = row
    try:
        decision = decode(Decision, str(text), FORMAT)
    except StoreError as error:
        raise edited(place) from error
    # What reads alike need not be the same: 1e-5 and 1E-5, or a field that nobody knows.
    if encode(decision, FORMAT) != text or (decision.number, decision.hash) != (number, name):
        raise edited(place, decision)
    return decision


def _check_end(found: tuple[Decision, ...], newest: str) -> None:
    last = _named(found[-1]) if found else ""
    if last == newest:
        return
    noted, first = newest.partition(" ")[0], len(found) + 1
    if noted.isdigit() and int(noted) >= first:
        gone = f"decision {first} was" if int(noted) == first else f"decisions {first} to {noted} were"
        raise changed(f"{gone} cut off its end", first)
    end = found[-1] if found else "nothing"
    raise changed(f"it ends with {end}, which is not the end that was noted", len(found))


def _named(decision: Decision) -> str:
    return f"{decision.number} {decision.hash}"
