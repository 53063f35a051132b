"""The `[[guard]]` tables of holdfast.toml: claims that a project's owner writes by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from holdfast.core.guard import Guard, GuardKind
from holdfast.errors import InputError, suggest

_TEXTS = ("name", "kind", "where", "metric", "column", "reference", "direction")
_NUMBERS = ("at_least", "at_most", "margin")
_KEYS = (*_TEXTS, *_NUMBERS, "examples")

_HEADING = f"""
# What every later model must meet; `holdfast guard` says whether one does. A kind is one of
# {", ".join(GuardKind)}
"""
_EXAMPLE = """\
# [[guard]]
# name = "newcomers"
# kind = "floor"
# where = "contract = 'Month-to-month' and tenure < 6"
# metric = "log_loss"
# at_most = 0.62
"""


def parse_guards(tables: object, path: Path) -> tuple[Guard, ...]:
    """The guards of a `holdfast.toml`, in order; InputError names the file, the guard and the mend."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"{path}: guards are tables of their own. Begin each with a line [[guard]]")
    guards = tuple(_guard(table, number, path) for number, table in enumerate(tables, start=1))
    names = [guard.name for guard in guards]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: two guards are called {twice!r}. Rename one of them.")
    return guards


def guards_text(guards: Sequence[Guard]) -> str:
    """The guards as `parse_guards` reads them, below a comment; an example if there are none."""
    import tomlkit

    if not guards:
        return _HEADING + _EXAMPLE
    tables = tomlkit.aot()
    for guard in guards:
        given = {key: getattr(guard, key) for key in _KEYS}
        table = {key: value for key, value in given.items() if value not in ("", None, ())}
        table["kind"] = guard.kind.value
        tables.append(tomlkit.item({key: _plain(value) for key, value in table.items()}))
    document = tomlkit.document()
    document["guard"] = tables
    return _HEADING + tomlkit.dumps(document)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _guard(table: Mapping[str, object], number: int, path: Path) -> Guard:
    place = f"{path}: guard {number}" + (f" ({table['name']!r})" if "name" in table else "")
    for key, value in table.items():
        _check(key, value, place)
    if "name" not in table:
        raise InputError(f'{place} has no name. Give it one: name = "newcomers"')
    kind = str(table.get("kind", ""))
    if kind not in list(GuardKind):
        near = get_close_matches(kind, list(GuardKind), n=2, cutoff=0.5) or list(GuardKind)
        what = f"there is no kind {kind!r}" if kind else "it has no kind"
        raise InputError(f"{place}: {what}. {suggest(str(one) for one in near)}")
    numbers = {key: float(cast("float", table[key])) for key in _NUMBERS if key in table}
    texts = {key: str(table[key]) for key in _TEXTS if key in table and key != "kind"}
    examples = tuple(cast("list[str]", table.get("examples", ())))
    try:
        return Guard(kind=GuardKind(kind), examples=examples, **texts, **numbers)  # type: ignore[arg-type]
    except InputError as error:
        raise type(error)(f"{path}: {error}") from error


def _check(key: str, value: object, place: str) -> None:
    if key not in _KEYS:
        near = get_close_matches(key, _KEYS, n=2, cutoff=0.5) or _KEYS
        raise InputError(f"{place}: a guard has no {key!r}. {suggest(near)}")
    if key in _TEXTS:
        right, wanted = isinstance(value, str), 'a text, such as "log_loss"'
    elif key in _NUMBERS:
        right, wanted = (
            isinstance(value, int | float) and not isinstance(value, bool),
            "a number, such as 0.62",
        )
    else:
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        wanted = 'a list of ids in quotes, such as ["7590-VHVEG", "5575-GNVDE"]'
    if not right:
        raise InputError(f"{place}: {key} is {value!r}; it takes {wanted}.")
