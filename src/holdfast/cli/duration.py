"""Durations as people write them."""

from __future__ import annotations

import re

from holdfast.errors import InputError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)", re.IGNORECASE)


def seconds(text: str) -> float:
    """Seconds from "60s", "2m", "1h30m" or a plain number of seconds.

    >>> seconds("90"), seconds("2m"), seconds("1h30m")
    (90.0, 120.0, 5400.0)
    """
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        raise InputError(f"{text!r} is not a duration. Write it like 60s, 10m or 1h30m.")
    total = sum(float(number) * _UNITS[unit.lower()] for number, unit in parts)
    if total <= 0:
        raise InputError(f"A budget must be longer than {text!r}.")
    return total
