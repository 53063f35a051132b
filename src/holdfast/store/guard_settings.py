"""The `[[guard]]` tables of holdfast.toml: claims that a project's owner writes by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from holdfast.core.guard import DIRECTIONS, Guard, GuardKind
from holdfast.errors import InputError, suggest

_TEXTS = ("name", "kind", "where", "metric", "column", "reference", "direction")
_NUMBERS = ("at_least", "at_most", "margin")
_KEYS = (*_TEXTS, *_NUMBERS, "examples", "bands")
# What each field takes, for whoever wrote something else.
_TAKES: Mapping[str, str] = {
    "name": 'a text of your own, such as "newcomers"',
    "kind": f"one of {', '.join(map(repr, map(str, GuardKind)))}",
    "where": "a slice in quotes, such as \"contract = 'monthly' and tenure < 6\"",
    "metric": 'the name of a metric or a rate in quotes, such as "log_loss" or "tpr"',
    "column": 'the name of a column in quotes, such as "gender"',
    "reference": 'the id of a run in quotes, such as "lightgbm-4f2a91"',
    "direction": " or ".join(f'"{one}"' for one in DIRECTIONS),
    "at_least": "a number without quotes, such as 0.8",
    "at_most": "a number without quotes, such as 0.62",
    "margin": "a number above 0 without quotes, such as 0.01",
    "examples": 'a list of ids in quotes, such as ["7590-VHVEG", "5575-GNVDE"]',
    "bands": "a list of numbers that rise, such as [30, 60]",
}

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
        first, second = [n for n, name in enumerate(names, start=1) if name == twice][:2]
        raise InputError(
            f"{path}: guards {first} and {second} have one name, {twice!r}. Rename the second, for example: "
            f'name = "{twice} 2"'
        )
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
        near = get_close_matches(kind, list(GuardKind), n=2, cutoff=0.5)
        hint = suggest(str(one) for one in near) if near else f"It takes {_TAKES['kind']}."
        what = f"there is no kind {kind!r}" if kind else "it has no kind"
        raise InputError(f"{place}: {what}. {hint}")
    numbers = {key: float(cast("float", table[key])) for key in _NUMBERS if key in table}
    texts = {key: str(table[key]) for key in _TEXTS if key in table and key != "kind"}
    examples = tuple(cast("list[str]", table.get("examples", ())))
    bands = tuple(map(float, cast("list[float]", table.get("bands", ()))))
    try:
        return Guard(kind=GuardKind(kind), examples=examples, bands=bands, **texts, **numbers)  # type: ignore[arg-type]
    except InputError as error:
        raise type(error)(f"{path}: {error}") from error


def _check(key: str, value: object, place: str) -> None:
    if key not in _KEYS:
        near = get_close_matches(key, _KEYS, n=2, cutoff=0.5)
        hint = suggest(near) if near else f"There are: {', '.join(_KEYS)}."
        raise InputError(f"{place}: a guard has no {key!r}. {hint}")
    if key in _TEXTS:
        right = isinstance(value, str)
    elif key in _NUMBERS:
        right = _is_number(value)
    else:
        fits = _is_number if key == "bands" else lambda item: isinstance(item, str)
        right = isinstance(value, list) and all(map(fits, value))
    if not right:
        raise InputError(f"{place}: {key} is {value!r}; it takes {_TAKES[key]}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
