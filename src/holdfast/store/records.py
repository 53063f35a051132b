"""Frozen values <-> JSON text, under format names that carry a version.

A field that a text lacks takes its default, and one that the dataclass lacks is passed
over, so that a record may gain and lose optional fields within a version. Numbers that
JSON does not have ("nan", "inf") are written as text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TypeVar, Union, cast, get_args, get_origin, get_type_hints

from holdfast.errors import DamagedError, NewerError

T = TypeVar("T")


def encode(value: object, form: str) -> str:
    """A dataclass as JSON text of the format `form` ("run.v1")."""
    plain = cast("dict[str, object]", _plain(value))
    return json.dumps({"format": form, **plain}, ensure_ascii=False, allow_nan=False)


def decode(kind: type[T], text: str, form: str) -> T:
    """The dataclass back from its text.

    NewerError when a newer Holdfast wrote it, DamagedError when it is not what it says.
    """
    try:
        facts = json.loads(text)
        written = facts.pop("format")
        if written == form:
            return cast("T", _build(kind, facts))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"This is no {form} record ({error}): {text[:80]!r}.") from error
    raise NewerError.format(str(written), form)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain_item(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return [_plain(item) for item in sorted(value)]
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _plain_item(value: object) -> object:
    # Among values of several kinds, "nan" could be a text.
    no_json = isinstance(value, float) and not math.isfinite(value)
    return {"float": str(value)} if no_json else _plain(value)


def _build(hint: object, data: object) -> object:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _build_one_of(get_args(hint), data)
    if origin is tuple:
        inner, *rest = get_args(hint)
        if inner is float and rest == [...]:  # a learning curve has thousands
            return tuple(map(float, cast("list[float]", data)))
        hints = [inner] * len(cast("list[object]", data)) if rest == [...] else [inner, *rest]
        return tuple(_build(h, item) for h, item in zip(hints, cast("list[object]", data), strict=True))
    if origin is frozenset:
        return frozenset(_build(get_args(hint)[0], item) for item in cast("list[object]", data))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        inner = get_args(hint)[1]
        return {key: _build(inner, item) for key, item in cast("dict[str, object]", data).items()}
    if hint is float:
        return float(cast("float", data["float"] if isinstance(data, dict) else data))
    if isinstance(hint, type) and is_dataclass(hint):
        given, kinds = cast("dict[str, object]", data), _hints(hint)
        return hint(**{name: _build(kinds[name], given[name]) for name in kinds if name in given})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    if isinstance(hint, type) and not isinstance(data, hint):
        raise TypeError(f"{data!r} is not {hint.__name__}")
    return data


def _build_one_of(arms: tuple[object, ...], data: object) -> object:
    if data is None and NoneType in arms:
        return None
    named = [arm for arm in arms if arm is not NoneType]
    if len(named) == 1:
        return _build(named[0], data)
    if isinstance(data, dict):
        return _build(_arm_of(named, data.keys()), data)
    if not isinstance(data, tuple(arm for arm in named if isinstance(arm, type))):
        raise TypeError(f"{data!r} is none of {named}")
    return data


def _arm_of(arms: list[object], names: Set[str]) -> object:
    """The one of several kinds that has fields of these names."""
    if names == {"float"}:
        return float
    for arm in arms:
        if isinstance(arm, type) and is_dataclass(arm) and names <= _hints(arm).keys():
            return arm
    raise TypeError(f"{sorted(names)} are the fields of none of {arms}")


@cache
def _hints(kind: type) -> dict[str, object]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
