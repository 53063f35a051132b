"""What each column is for: what the user says, else what its name and its cells show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from holdfast.core.schema import Column, Kind, Role
from holdfast.core.task import Task
from holdfast.data.infer import Guess
from holdfast.errors import ColumnError, some

# Whose rows belong together when one of these has an id.
_OWNERS = (
    "customer", "client", "user", "patient", "subject", "session", "account", "member", "household",
    "student", "employee", "person", "visitor", "device", "player", "participant", "speaker", "author",
    "driver", "passenger",
)  # fmt: skip
_ID_WORDS = ("id", "ids", "uuid", "guid", "key", "rowid", "index", "idx", "identifier")
_CODE_WORDS = (*_ID_WORDS, "code", "zip", "zipcode", "postcode", "postal")
_JOINED = re.compile(rf"(?:{'|'.join(_OWNERS)}|order|row|case|record|sample)(?:id|no|key)")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NEARLY = 0.95  # of the cells differ: an id whose rows sometimes repeat
_ROWS = 20  # below this, cells that all differ say nothing


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user says about the columns; the rest is inferred.

    `key` are the features that a project's rows were first named by, once it has any:
    whatever is a feature now, a row keeps its name and its role.
    """

    target: str | None = None
    id: str | None = None
    group: str | None = None
    time: str | None = None
    weight: str | None = None
    sensitive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    task: Task | None = None
    key: tuple[str, ...] = ()

    @property
    def texts(self) -> set[str]:
        """The columns whose cells mean what is written there, also where all of it could be numbers."""
        said = {name for name, kind in self.kinds.items() if kind in (Kind.CATEGORY, Kind.TEXT)}
        return said - {self.target}

    @property
    def roles(self) -> dict[str, Role]:
        """The role of each column that was given one; ColumnError when one was given two."""
        roles: dict[str, Role] = {}
        for name, role in self._given():
            if name in roles:
                raise ColumnError(
                    f"Column {name!r} is given as {roles[name]} and as {role}; it can be one only."
                )
            roles[name] = role
        return roles

    def _given(self) -> Iterator[tuple[str, Role]]:
        single = {Role.TARGET: self.target, Role.ID: self.id, Role.GROUP: self.group}
        single |= {Role.TIME: self.time, Role.WEIGHT: self.weight}
        yield from ((name, role) for role, name in single.items() if name is not None)
        yield from ((name, Role.SENSITIVE) for name in self.sensitive)
        yield from ((name, Role.IGNORED) for name in self.ignore)

    def check(self, names: tuple[str, ...]) -> None:
        """ColumnError, with the nearest names, for a column that the table lacks."""
        for name in (*self.roles, *self.kinds):
            if name not in names:
                what = "target column" if name == self.target else "column"
                raise ColumnError.absent(name, names, what=what)
        if lacking := [name for name in self.key if name not in names]:
            raise ColumnError(
                f"The table lacks {some(lacking)}, by which this project tells its rows apart. To train "
                "without a column keep it in the table and ignore it (--ignore COLUMN), or start another "
                "project: --project DIR"
            )


def assign(guesses: Mapping[str, Guess], overrides: Overrides) -> tuple[Column, ...]:
    """Every column with its role: the user's word first, then ids, one group key, and features."""
    given = overrides.roles
    columns = [_column(name, guess, given.get(name)) for name, guess in guesses.items()]
    free = [
        column.name for column in columns if column.name not in given and column.name not in overrides.kinds
    ]
    found = _identifiers({name: guesses[name] for name in free}, next(iter(guesses), ""), overrides)
    return tuple(found.get(column.name, column) for column in columns)


def _column(name: str, guess: Guess, role: Role | None) -> Column:
    if role in (Role.ID, Role.GROUP):
        return _named(name, guess, role)
    # Only the user knows whether the newest rows are what a model will meet.
    hint = f" (to seal the newest rows: time={name!r})" if guess.kind is Kind.DATE and role is None else ""
    return Column(name, guess.kind, role or Role.FEATURE, guess.format, guess.why + hint)


def _identifiers(free: Mapping[str, Guess], first: str, overrides: Overrides) -> dict[str, Column]:
    """The columns that name rows or their owners, as the columns they become."""
    found: dict[str, Column] = {}
    unfixed = {name: guess for name, guess in free.items() if name not in overrides.key}
    unique = [name for name, guess in unfixed.items() if _names_rows(name, guess, first)]
    unique.sort(key=lambda name: (not _hints_id(name), list(free).index(name)))
    for place, name in enumerate(unique):
        role = Role.ID if place == 0 and overrides.id is None else Role.IGNORED
        found[name] = _named(name, free[name], role)
    keys = {
        name: guess for name, guess in unfixed.items() if name not in found and _names_owners(name, guess)
    }
    # Of several keys the coarsest: whose rows belong together, those of its sessions do too.
    for place, name in enumerate(sorted(keys, key=lambda name: keys[name].distinct)):
        role = Role.GROUP if place == 0 and overrides.group is None else Role.IGNORED
        found[name] = _named(name, keys[name], role)
    for name, guess in free.items():
        if name not in found and guess.kind is Kind.NUMBER and guess.whole and _hints(name, _CODE_WORDS):
            why = f"a category: its name says that its {guess.distinct:,} numbers are codes"
            found[name] = replace(_column(name, guess, Role.FEATURE), kind=Kind.CATEGORY, why=why)
    return found


def _named(name: str, guess: Guess, role: Role) -> Column:
    """A column of names, alike whether it was said or found to be one; none of the names is kept."""
    why = "an identifier: no two cells are equal"
    if guess.distinct < guess.known:
        why = f"a group key: {guess.distinct:,} of them own {guess.known:,} rows"
    return Column(name, Kind.TEXT, role, replace(guess.format, spelling={}), why)


def _names_rows(name: str, guess: Guess, first: str) -> bool:
    """Whether no two cells are equal, and the column is one of names: not of measurements or of prose."""
    if guess.distinct < guess.known or guess.known < 2:
        return False
    if guess.kind is Kind.NUMBER:
        return guess.whole and (
            _hints_id(name) or (name == first and _nameless(name) and guess.known >= _ROWS)
        )
    if guess.kind not in (Kind.CATEGORY, Kind.TEXT):
        return False
    return _hints_id(name) or (guess.words < 1.5 and guess.known >= _ROWS)


def _names_owners(name: str, guess: Guess) -> bool:
    """Whether cells repeat and the name says whose rows these are, or nearly every cell names its row."""
    if guess.distinct >= guess.known or guess.distinct < 10:
        return False
    if (guess.kind is Kind.NUMBER and not guess.whole) or guess.kind in (Kind.DATE, Kind.BOOLEAN):
        return False
    owner = _hints_id(name) and any(word in name.lower() for word in _OWNERS)
    if owner and guess.known - guess.distinct >= 0.01 * guess.known:
        return True
    return _hints_id(name) and guess.distinct >= _NEARLY * guess.known


def _hints_id(name: str) -> bool:
    return _hints(name, _ID_WORDS)


def _nameless(name: str) -> bool:
    return bool(re.fullmatch(r"column_1|unnamed.*|\.+1|v1", name.lower()))


def _hints(name: str, words: tuple[str, ...]) -> bool:
    """Whether the first or last word of a name is one of these."""
    parts = [part.lower() for part in _CAMEL.findall(name)]
    return bool(parts) and (parts[-1] in words or parts[0] in words or bool(_JOINED.fullmatch(name.lower())))
