"""A project's folder: `holdfast.toml` for its owner, `.holdfast/` for its objects and catalog."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from holdfast.errors import FileError, StoreError
from holdfast.store.catalog import Catalog, open_catalog
from holdfast.store.disk import speaking_of, temporary_name
from holdfast.store.objects import Objects, open_objects
from holdfast.store.settings import FILE, Settings, parse, template

FOLDER = ".holdfast"


@dataclass(frozen=True, eq=False)
class Store:
    """An open project; close it, or use it with `with`."""

    root: Path
    settings: Settings
    objects: Objects
    catalog: Catalog

    def close(self) -> None:
        """Let go of the catalog."""
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def is_project(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is a project."""
    with speaking_of(Path(path)):
        return Path(path, FILE).is_file() or Path(path, FOLDER).is_dir()


def create(path: str | os.PathLike[str], settings: Settings | None = None) -> Store:
    """Make a project in a folder, or open the one that is there.

    A `holdfast.toml` that exists is kept as it is, and its settings hold. StoreError
    when the folder cannot be written.
    """
    root = Path(path).absolute()
    with speaking_of(root):
        if root.exists() and not root.is_dir():
            raise FileError(f"{root} is a file; a project is a folder.")
        root.mkdir(parents=True, exist_ok=True)
        if not (root / FILE).exists():
            _write_once(root / FILE, template(settings or Settings()))
    return open_store(root)


def open_store(path: str | os.PathLike[str]) -> Store:
    """Open a project; StoreError when the folder is none.

    What is missing of `.holdfast` is made, so that a checked-out `holdfast.toml` is enough.
    """
    root = Path(path).absolute()
    if not is_project(root):
        raise StoreError(
            f"{root} is no Holdfast project: it has neither {FILE} nor {FOLDER}. "
            f"Train one: holdfast train FILE --target COLUMN --project {path}"
        )
    folder = root / FOLDER
    with speaking_of(root):
        settings = _settings(root / FILE)
        folder.mkdir(exist_ok=True)
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text("*\n")
    objects = open_objects(folder / "objects")
    catalog = open_catalog(settings.catalog or folder / "catalog.db")
    store = Store(root, settings, objects, catalog)
    weakref.finalize(store, catalog.close)
    return store


def _settings(path: Path) -> Settings:
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        return Settings()
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}).") from error


def _write_once(path: Path, text: str) -> None:
    # Two commands may start a project at once: the first file stays, and is never half-written.
    temporary = temporary_name(path.parent).with_suffix(".toml")
    try:
        temporary.write_text(text, encoding="utf-8")
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
