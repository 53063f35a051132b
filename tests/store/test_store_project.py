"""A project's folder: made, opened, moved, refused; and its catalog's versions."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable
from store_cases import dataset

from holdfast.errors import DamagedError, FileError, InputError, NewerError, StoreError
from holdfast.store import catalog
from holdfast.store.datasets import dataset_ids, load_dataset, save_dataset
from holdfast.store.settings import Settings
from holdfast.store.store import create, is_project, open_store
from holdfast.store.tables import tables
from holdfast.store.trainings import trainings


def test_what_a_new_project_holds(tmp_path: Path) -> None:
    root = tmp_path / "a ?#%&' ü" / "project"
    assert not is_project(root)
    with create(root, Settings(target="churn")) as store:
        assert store.settings.target == "churn"
        assert sorted(path.name for path in root.iterdir()) == [".holdfast", "holdfast.toml"]
        held = {path.name for path in (root / ".holdfast").iterdir()}
        assert {".gitignore", "catalog.db", "objects"} <= held
        assert (root / ".holdfast" / ".gitignore").read_text() == "*\n"
    assert is_project(root)


def test_the_owners_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "holdfast.toml").write_text('# mine\n[data]\ntarget = "mine"\n')
    with create(tmp_path, Settings(target="theirs")) as store:
        assert store.settings.target == "mine"
    assert (tmp_path / "holdfast.toml").read_text().startswith("# mine")


def test_a_checked_out_file_alone_is_a_project(tmp_path: Path) -> None:
    (tmp_path / "holdfast.toml").write_text("")
    with open_store(tmp_path) as store:
        assert dataset_ids(store) == ()


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holdfast train FILE --target COLUMN"):
        open_store(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="is a file"):
        create(tmp_path / "file")
    (tmp_path / "holdfast.toml").write_text("[dta]\n")
    with pytest.raises(InputError, match=r"holdfast\.toml"):
        open_store(tmp_path)
    (tmp_path / "holdfast.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match="not UTF-8"):
        open_store(tmp_path)


def test_a_project_can_be_moved(tmp_path: Path) -> None:
    with create(tmp_path / "here") as store:
        kept = save_dataset(store, dataset())
    shutil.move(tmp_path / "here", tmp_path / "there")
    with open_store(tmp_path / "there") as store:
        assert load_dataset(store, kept).id == kept


REFUSED = """
import os, sys, tempfile, tomlkit
from holdfast.errors import StoreError
from holdfast.store.store import create
with tempfile.TemporaryDirectory() as warm: create(warm).close()
if os.geteuid() == 0: os.seteuid(65534)  # root may write anywhere, so somebody else tries
try: create(sys.argv[1])
except StoreError as error: print(error)
"""


@pytest.mark.parametrize("inside", ["new", ".", "hidden/new"])
def test_a_folder_that_may_not_be_written(inside: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hidden").mkdir(0o700 if os.geteuid() == 0 else 0o000)
        Path(folder).chmod(0o555)
        command = [sys.executable, "-c", REFUSED, str(Path(folder) / inside)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        Path(folder).chmod(0o700)
        (Path(folder) / "hidden").chmod(0o700)
    assert "chmod" in done.stdout, done.stderr
    assert "--project FOLDER" in done.stdout


ONLY_READ = """
import os, sys, tempfile
from pathlib import Path
from holdfast.errors import StoreError
from holdfast.store.ledger import entries
from holdfast.store.store import create, open_store
from holdfast.store.trainings import start_training, trainings
root = Path(sys.argv[1])
with create(root) as store: start_training(store, "holdfast train")
with tempfile.TemporaryDirectory() as warm: create(warm).close()
for folder, _, files in os.walk(root):
    for name in files: (Path(folder) / name).chmod(0o444)
    Path(folder).chmod(0o555)
if os.geteuid() == 0: os.setuid(65534)
with open_store(root) as store:
    print([one.command for one in trainings(store)], entries(store))
    try: start_training(store, "another")
    except StoreError as error: print(error)
"""


def test_a_project_that_may_only_be_read_is_read() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        command = [sys.executable, "-c", ONLY_READ, str(Path(folder) / "shop")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for inside, _, _ in os.walk(folder):
            Path(inside).chmod(0o755)
    assert "['holdfast train'] ()" in done.stdout, done.stderr
    assert "readonly database. Make the folder writable" in done.stdout


def catalog_of(root: Path) -> Path:
    return root / ".holdfast" / "catalog.db"


def test_a_catalog_of_a_newer_version(tmp_path: Path) -> None:
    create(tmp_path).close()
    with sqlite3.connect(catalog_of(tmp_path)) as connection:
        connection.execute("UPDATE about SET value = '4' WHERE name = 'version'")
    connection.close()
    with pytest.raises(NewerError, match="pip install -U holdfast") as caught:
        open_store(tmp_path)
    assert "catalog.v4" in str(caught.value)


def test_an_older_catalog_is_brought_up_to_date_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with create(tmp_path) as store:
        kept = save_dataset(store, dataset())

    def add_colour(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE datasets ADD COLUMN colour VARCHAR"))

    monkeypatch.setattr(catalog, "MIGRATIONS", (*catalog.MIGRATIONS, add_colour))
    open_store(tmp_path).close()
    with open_store(tmp_path) as store:  # a second time would fail: the column is there
        assert load_dataset(store, kept).id == kept
        query = text("SELECT value FROM about WHERE name = 'version'")
        assert store.catalog.read(lambda connection: connection.execute(query).scalar()) == "4"
    monkeypatch.undo()
    with pytest.raises(NewerError):
        open_store(tmp_path)


def test_a_failed_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create(tmp_path).close()

    def half(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE datasets ADD COLUMN colour VARCHAR"))
        raise StoreError("stopped half way")

    monkeypatch.setattr(catalog, "MIGRATIONS", (*catalog.MIGRATIONS, half))
    with pytest.raises(StoreError, match="half way"):
        open_store(tmp_path)
    monkeypatch.undo()
    with open_store(tmp_path) as store:
        query = text("SELECT name FROM pragma_table_info('datasets')")
        names = store.catalog.read(lambda connection: set(connection.execute(query).scalars()))
    assert "colour" not in names


def test_a_damaged_catalog_is_named(tmp_path: Path) -> None:
    create(tmp_path).close()
    catalog_of(tmp_path).write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(DamagedError, match=r"catalog\.db is damaged"):
        open_store(tmp_path)


def test_a_database_of_something_else(tmp_path: Path) -> None:
    (tmp_path / ".holdfast").mkdir()
    with sqlite3.connect(catalog_of(tmp_path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    with pytest.raises(DamagedError, match="no Holdfast catalog"):
        open_store(tmp_path)


def test_a_catalog_elsewhere_by_url(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    with create(tmp_path / "project", Settings(catalog=url)) as store:
        save_dataset(store, dataset())
    assert (tmp_path / "elsewhere.db").exists()
    assert not catalog_of(tmp_path / "project").exists()


@pytest.mark.parametrize("url", ["nonsense", "nosuchdb://host/name"])
def test_a_url_that_cannot_be_used(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError, match="catalog's URL"):
        create(tmp_path, Settings(catalog=url))


def test_the_tables_are_plain_enough_for_postgresql() -> None:
    made = [
        str(CreateTable(table).compile(dialect=postgresql.dialect()))
        for table in tables().metadata.sorted_tables
    ]
    assert len(made) == 11
    assert "number SERIAL NOT NULL" in next(text for text in made if "TABLE ledger" in text)


def test_a_busy_catalog_is_waited_for(tmp_path: Path) -> None:
    with create(tmp_path) as store:
        other = sqlite3.connect(catalog_of(tmp_path), isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
        save_dataset(store, dataset())
        other.close()
        assert len(dataset_ids(store)) == 1


def test_a_disk_that_fills_while_the_catalog_is_written(tmp_path: Path) -> None:
    """A file-size limit stands in for a full disk: the system refuses in the middle of a write."""
    code = (
        "import resource, signal, sys\n"
        "from holdfast.errors import StoreError\n"
        "from holdfast.store.store import create\n"
        "from holdfast.store.trainings import start_training\n"
        "store = create(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "for i in range(1000):\n"
        "    try: start_training(store, 'x' * 10_000); print('kept', flush=True)\n"
        "    except StoreError as error: print(error); break\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    *kept, error = done.stdout.splitlines()
    assert "catalog.db cannot be written" in error, done
    assert "Free some space" in error
    with open_store(tmp_path) as store:
        assert len(trainings(store)) == len(kept) > 0


def test_opening_costs_no_heavy_import() -> None:
    code = (
        "import sys, holdfast.store.store, holdfast.store.runs, holdfast.store.logs, holdfast.engine.local\n"
        "heavy = {'sqlalchemy', 'tomlkit', 'pyarrow', 'sklearn', 'scipy.stats'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
