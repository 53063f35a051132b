"""Tuning trials, so that a search can go on where it was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.space import Trial
from holdfast.store.catalog import stamp
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

FORMAT = "trial.v1"


def add_trial(store: Store, study: str, trial: Trial) -> int:
    """Keep a trial as the next of its study; its number, from 0. Two processes may add to one study."""

    def work(connection: Connection) -> int:
        from sqlalchemy import func, select

        trials = tables().trials
        last = connection.execute(select(func.max(trials.c.number)).where(trials.c.study == study)).scalar()
        number = 0 if last is None else last + 1
        row = {"study": study, "number": number, "record": encode(trial, FORMAT), "saved": stamp()}
        connection.execute(trials.insert().values(**row))
        return number

    return store.catalog.write(work)


def load_trials(store: Store, study: str) -> tuple[Trial, ...]:
    """The trials of a study, in the order of their numbers."""
    from sqlalchemy import select

    trials = tables().trials
    query = select(trials.c.record).where(trials.c.study == study).order_by(trials.c.number)
    texts = store.catalog.read(lambda connection: list(connection.execute(query).scalars()))
    return tuple(decode(Trial, text, FORMAT) for text in texts)
