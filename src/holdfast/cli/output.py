"""What every verb prints: a drawing for people, or JSON for machines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np
import typer


def emit(value: object) -> None:
    """Print a value as JSON on one document; what a number cannot be in JSON is null."""
    json.dump(plain(value), sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def plain(value: object) -> object:
    """A frozen value as lists, dicts, numbers and text.

    >>> plain({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    match value:
        case Enum():
            return value.value
        case bool() | int() | str() | None:
            return value
        case float() | np.floating():
            return float(value) if math.isfinite(value) else None
        case np.integer():
            return int(value)
        case np.ndarray():
            return [plain(item) for item in value.tolist()]
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case tuple() | list() | set() | frozenset():
            return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return str(value)


def note(text: str) -> None:
    """A line for the reader that is no part of the answer: on standard error."""
    typer.echo(text, err=True)
