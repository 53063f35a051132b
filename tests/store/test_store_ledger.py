"""The ledger on disk: it only grows, and whoever changes it is noticed."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from holdfast.errors import DecisionError
from holdfast.store.ledger import LedgerEntry, append_entry, entries, entry_examples
from holdfast.store.store import Store, create

ASKED = LedgerEntry("evaluate", "ridge-1", "d", "auc", "0.81 [0.79, 0.83]", {"auc": 0.81, "who": "me"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with create(tmp_path) as store:
        yield store


def sql(store: Store, statement: str, *values: object) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(store.root / ".holdfast" / "catalog.db")
    with connection:
        found = connection.execute(statement, values).fetchall()
    connection.close()
    return found


def filled(store: Store, n: int = 4) -> None:
    for i in range(n):
        append_entry(store, dataclasses.replace(ASKED, run=f"run-{i}"), pl.Series(["a", "b"]))


def test_the_ledger_only_grows(store: Store) -> None:
    one = append_entry(store, ASKED, pl.Series("id", ["b", "a"]))
    two = append_entry(store, dataclasses.replace(ASKED, kind="gate"), pl.Series(["c"]))
    assert (one.number, two.number) == (1, 2)
    assert entries(store) == (one, two)
    assert one.at < two.at
    assert entry_examples(store, one).to_list() == ["a", "b"]
    assert entry_examples(store, two).to_list() == ["c"]


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        ("1", "entry 1 was"),
        ("2", "entry 2 was"),
        ("2, 3", "entry 2 was"),
        ("4", "entry 4 was"),
        ("3, 4", "entries 3 to 4 were"),
        ("1, 2, 3, 4", "entries 1 to 4 were"),
    ],
)
def test_an_entry_that_was_taken_out_is_named(store: Store, gone: str, named: str) -> None:
    filled(store)
    sql(store, f"DELETE FROM ledger WHERE number IN ({gone})")
    with pytest.raises(DecisionError, match=f"{named} taken out"):
        entries(store)
    with pytest.raises(DecisionError, match=f"{named} taken out"):
        append_entry(store, ASKED, pl.Series(["c"]))


@pytest.mark.parametrize("number", [1, 2, 4])
def test_an_entry_that_was_edited_is_named(store: Store, number: int) -> None:
    filled(store)
    other = append_entry(store, ASKED, pl.Series(["z"])).examples
    sql(store, "DELETE FROM ledger WHERE number = 5")
    sql(store, "UPDATE about SET value = '' WHERE name = 'newest ledger entry'")
    (record,) = sql(store, "SELECT record FROM ledger WHERE number = ?", number)[0]
    changed = json.dumps(json.loads(record) | {"examples": other})
    sql(store, "UPDATE ledger SET record = ? WHERE number = ?", changed, number)
    with pytest.raises(
        DecisionError, match=f"entry {number} was" if number < 4 else "entry 4 was not written"
    ):
        entries(store)


def test_an_entry_that_moved_or_is_no_record_is_named(store: Store) -> None:
    filled(store)
    sql(store, "UPDATE ledger SET number = 9 WHERE number = 2")
    with pytest.raises(DecisionError, match="entry 2 was taken out"):
        entries(store)
    sql(store, "UPDATE ledger SET number = 2, record = '{' WHERE number = 9")
    with pytest.raises(DecisionError, match="entry 2 was edited"):
        entries(store)


def test_an_entry_that_someone_added_is_named(store: Store) -> None:
    filled(store, 2)
    (record,) = sql(store, "SELECT record FROM ledger WHERE number = 2")[0]
    sql(store, "INSERT INTO ledger VALUES (3, ?)", json.dumps(json.loads(record) | {"number": 3}))
    with pytest.raises(DecisionError, match="entry 2 was edited"):
        entries(store)
