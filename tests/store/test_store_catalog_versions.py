"""Catalogs of every version open; the statements in assets made them, and are never written again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from store_cases import record

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.finding import Findings
from holdfast.store.decisions import append_decision, decisions
from holdfast.store.findings import load_findings, save_findings
from holdfast.store.ledger import LedgerEntry, append_entry, entries
from holdfast.store.runs import runs
from holdfast.store.store import create, open_store
from holdfast.store.trials import load_trials

ASSETS = Path(__file__).parent / "assets"


def catalog_of(root: Path, version: int) -> Path:
    (root / ".holdfast").mkdir(parents=True)
    file = root / ".holdfast" / "catalog.db"
    connection = sqlite3.connect(file)
    connection.executescript((ASSETS / f"catalog.v{version}.sql").read_text())
    connection.close()
    return file


def shape(file: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return found


def test_a_catalog_of_version_1_is_upgraded_and_keeps_what_it_held(tmp_path: Path) -> None:
    file = catalog_of(tmp_path / "old", 1)
    assert len(shape(file)) < 20
    with open_store(tmp_path / "old") as store:
        (run,) = runs(store)
        assert run.plan == record().plan
        assert len(load_trials(store, "study")) == 1
        assert (decisions(store), load_findings(store)) == ((), None)
        append_decision(store, Decision(DecisionKind.REVIEW, "profile", "Ann", "sound"))
        save_findings(store, Findings((), run=run.id))
    with open_store(tmp_path / "old") as store:
        assert [one.by for one in decisions(store)] == ["Ann"]
        assert load_findings(store).run == run.id


def test_the_ledger_of_a_catalog_of_version_2_is_chained(tmp_path: Path) -> None:
    catalog_of(tmp_path, 2)
    asked = pl.Series(["a"])
    with open_store(tmp_path) as store:
        assert [(one.number, one.kind, one.run) for one in entries(store)] == [
            (1, "evaluate", "ridge-1"),
            (2, "gate", "größer-2"),
        ]
        assert append_entry(store, LedgerEntry("fix", "tree-1", "d"), asked).number == 3
        assert [one.by for one in decisions(store)] == ["Ann"]


@pytest.mark.parametrize("version", [1, 2])
def test_an_upgraded_catalog_has_the_tables_of_a_new_one(tmp_path: Path, version: int) -> None:
    file = catalog_of(tmp_path / "old", version)
    open_store(tmp_path / "old").close()
    create(tmp_path / "new").close()
    assert shape(file) == shape(tmp_path / "new" / ".holdfast" / "catalog.db")


def test_two_processes_upgrade_one_catalog(tmp_path: Path) -> None:
    catalog_of(tmp_path, 1)
    code = "import sys; from holdfast.store.store import open_store; open_store(sys.argv[1]).close()"
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    with open_store(tmp_path) as store:
        assert len(runs(store)) == 1
