"""The tables of the catalog. Plain columns, so that any database will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table


@dataclass(frozen=True, slots=True)
class Tables:
    """One table per noun. Times are UTC, ISO 8601; records are JSON with their format's name.

    `about` holds the catalog's own version and what a project freezes once. Objects
    are named by their hash.
    """

    metadata: MetaData
    about: Table
    datasets: Table
    splits: Table
    trainings: Table
    runs: Table
    folds: Table
    ledger: Table
    trials: Table
    logs: Table
    findings: Table
    decisions: Table


# table -> column -> type. The key is the first column, or the columns named in _KEYS.
_COLUMNS: Mapping[str, Mapping[str, type]] = {
    "about": {"name": str, "value": str},
    "datasets": {"id": str, "source": str, "rows": int, "columns": int, "object": str, "saved": str},
    "splits": {"dataset": str, "object": str, "saved": str},
    "trainings": {"id": str, "record": str, "started": str, "status": str}
    | {"pid": int, "space": str, "heartbeat": float},
    "runs": {"training": str, "id": str, "learner": str, "dataset": str, "started": str}
    | {"status": str, "record": str, "predictions": str, "files": str},
    "folds": {"key": str, "object": str, "seconds": float, "saved": str},
    "ledger": {"number": int, "record": str},
    "trials": {"study": str, "number": int, "record": str, "saved": str},
    "logs": {"number": int, "run": str, "step": int, "at": float, "metrics": str},
    "findings": {"run": str, "saved": str, "record": str},
    "decisions": {"number": int, "record": str, "hash": str},
}
_KEYS: Mapping[str, tuple[str, ...]] = {"runs": ("training", "id"), "trials": ("study", "number")}


@cache
def tables() -> Tables:
    """The tables of catalog version 3."""
    from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table

    metadata = MetaData()
    made = {}
    for table, columns in _COLUMNS.items():
        keys = _KEYS.get(table, (next(iter(columns)),))
        made[table] = Table(table, metadata)
        for name, kind in columns.items():
            # a key of plain Integer counts up by itself
            whole = Integer if name in keys else BigInteger
            types = {str: String, int: whole, float: Double}
            made[table].append_column(Column(name, types[kind], primary_key=name in keys, nullable=False))
    Index("runs_by_id", made["runs"].c.id)
    Index("logs_of_run", made["logs"].c.run)
    return Tables(metadata, *made.values())
