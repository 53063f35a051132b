"""What was found wrong with each run; a later look at the same run takes the place of an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.finding import Finding, Findings
from holdfast.errors import UnknownFindingError
from holdfast.store.catalog import stamp
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

FORMAT = "findings.v1"


def save_findings(store: Store, findings: Findings) -> None:
    """Keep the findings on a run, in place of those that are kept of it."""
    row = {"run": findings.run, "saved": stamp(), "record": encode(findings, FORMAT)}

    def work(connection: Connection) -> None:
        known = tables().findings
        connection.execute(known.delete().where(known.c.run == findings.run))
        connection.execute(known.insert().values(**row))

    store.catalog.write(work)


def load_findings(store: Store, run: str | None = None) -> Findings | None:
    """The findings on a run (None: those saved last); None where there are none."""
    from sqlalchemy import select

    known = tables().findings
    query = select(known.c.record).order_by(known.c.saved.desc())
    if run is not None:
        query = query.where(known.c.run == run)
    text = store.catalog.read(lambda connection: connection.execute(query).scalar())
    return None if text is None else decode(Findings, text, FORMAT)


def find_finding(store: Store, name: str) -> tuple[Finding, str]:
    """The finding of that id, or of an id that begins so, and the run that it is about.

    Where several runs have it, the one that was looked at last. UnknownFindingError, with
    the nearest ids, when that is no finding or more than one.
    """
    looked = _newest_first(store)
    known = list(dict.fromkeys(one.id for findings in looked for one in findings))
    meant = name
    if name not in known:
        begun = [known_id for known_id in known if name and known_id.startswith(name)]
        if len(begun) != 1:
            raise UnknownFindingError.named(name, begun or known, found=bool(begun))
        (meant,) = begun
    return next((one, findings.run) for findings in looked for one in findings if one.id == meant)


def finding_ids(store: Store) -> tuple[str, ...]:
    """The ids of all findings that are kept, those of the run looked at last first."""
    return tuple(dict.fromkeys(one.id for findings in _newest_first(store) for one in findings))


def _newest_first(store: Store) -> list[Findings]:
    from sqlalchemy import select

    known = tables().findings
    query = select(known.c.record).order_by(known.c.saved.desc())
    texts = store.catalog.read(lambda connection: list(connection.execute(query).scalars()))
    return [decode(Findings, text, FORMAT) for text in texts]
