"""Identity computed from content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import blake2b

_SIZE = 16  # bytes: 128 bits


def fingerprint(value: object) -> str:
    """32 hex digits that name a JSON-like value (dataclasses count as their fields).

    >>> fingerprint({"b": 1, "a": 2}) == fingerprint({"a": 2, "b": 1})
    True
    """
    return fingerprint_bytes(canonical(value).encode())


def fingerprint_bytes(data: bytes) -> str:
    """32 hex digits that name these bytes (BLAKE2b, 128 bits)."""
    return blake2b(data, digest_size=_SIZE).hexdigest()


def fingerprint_files(files: Mapping[str, bytes]) -> str:
    """32 hex digits that name a folder of files, whatever order they come in."""
    return fingerprint({name: fingerprint_bytes(data) for name, data in files.items()})


def canonical(value: object) -> str:
    """One JSON text per value: keys sorted, no blanks, dataclasses and enums as plain data."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")
