"""A project: a folder whose store and settings every verb is handed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from holdfast.core.schema import Kind, Role
from holdfast.data.roles import Overrides
from holdfast.store.settings import Settings
from holdfast.store.store import Store, create, is_project, open_store


@dataclass(frozen=True, eq=False)
class Project:
    """An open project; its verbs are functions (`hf.train(..., project=...)`, `hf.leaderboard(...)`)."""

    store: Store

    @property
    def path(self) -> Path:
        """The project's folder."""
        return self.store.root

    @property
    def settings(self) -> Settings:
        """What `holdfast.toml` says."""
        return self.store.settings

    def __repr__(self) -> str:
        return f"Project({str(self.path)!r})"


def open_project(path: str | Path = ".") -> Project:
    """The project in a folder; StoreError says how to make one when there is none."""
    return Project(open_store(path))


def home_of(project: str | Path | Project) -> Project:
    """The project itself, or the one in a folder."""
    return project if isinstance(project, Project) else open_project(project)


def find_project(path: str | Path) -> Project | None:
    """The project in a folder, or None."""
    return open_project(path) if is_project(path) else None


def project_at(path: str | Path, columns: Overrides) -> Project:
    """The project in a folder, made now if there is none; a new one keeps the columns it was made with."""
    return Project(create(path, _settings(columns)))


def with_settings(columns: Overrides, settings: Settings) -> Overrides:
    """What the command says of the columns, and where it is silent, what `holdfast.toml` says."""

    def having(role: Role) -> list[str]:
        return [name for name, given in settings.roles.items() if given is role]

    def one(said: str | None, role: Role) -> str | None:
        return said or next(iter(having(role)), None)

    return replace(
        columns,
        target=columns.target or settings.target or None,
        id=one(columns.id, Role.ID),
        group=one(columns.group, Role.GROUP),
        time=one(columns.time, Role.TIME),
        weight=one(columns.weight, Role.WEIGHT),
        sensitive=columns.sensitive or tuple(having(Role.SENSITIVE)),
        ignore=columns.ignore or tuple(having(Role.IGNORED)),
        kinds={**settings.kinds, **columns.kinds},
    )


def _settings(columns: Overrides) -> Settings:
    roles = {
        **dict.fromkeys(columns.sensitive, Role.SENSITIVE),
        **dict.fromkeys(columns.ignore, Role.IGNORED),
    }
    named = {
        Role.ID: columns.id,
        Role.GROUP: columns.group,
        Role.TIME: columns.time,
        Role.WEIGHT: columns.weight,
    }
    roles |= {name: role for role, name in named.items() if name is not None}
    kinds: dict[str, Kind] = dict(columns.kinds)
    return Settings(target=columns.target or "", roles=roles, kinds=kinds)
