"""Catalogs of every version open; the statements in assets made version 1, and are never written again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from store_cases import record

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.finding import Findings
from holdfast.store.decisions import append_decision, decisions
from holdfast.store.findings import load_findings, save_findings
from holdfast.store.runs import runs
from holdfast.store.store import create, open_store
from holdfast.store.trials import load_trials

ASSETS = Path(__file__).parent / "assets"


def version_1(root: Path) -> Path:
    (root / ".holdfast").mkdir(parents=True)
    file = root / ".holdfast" / "catalog.db"
    connection = sqlite3.connect(file)
    connection.executescript((ASSETS / "catalog.v1.sql").read_text())
    connection.close()
    return file


def shape(file: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return found


def test_a_catalog_of_version_1_is_upgraded_and_keeps_what_it_held(tmp_path: Path) -> None:
    file = version_1(tmp_path / "old")
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


def test_an_upgraded_catalog_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    file = version_1(tmp_path / "old")
    open_store(tmp_path / "old").close()
    create(tmp_path / "new").close()
    assert shape(file) == shape(tmp_path / "new" / ".holdfast" / "catalog.db")


def test_two_processes_upgrade_one_catalog(tmp_path: Path) -> None:
    version_1(tmp_path)
    code = "import sys; from holdfast.store.store import open_store; open_store(sys.argv[1]).close()"
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    with open_store(tmp_path) as store:
        assert len(runs(store)) == 1
