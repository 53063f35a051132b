"""Durations as people write them."""

from __future__ import annotations

import re

from holdfast.errors import InputError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)", re.IGNORECASE)


def seconds(budget: str | float) -> float:
    """Seconds from "60s", "2m", "1h30m" or a plain number of seconds.

    >>> seconds("90"), seconds("2m"), seconds("1h30m"), seconds(60)
    (90.0, 120.0, 5400.0, 60.0)
    """
    if not isinstance(budget, str):
        try:
            return float(budget)
        except (TypeError, ValueError):
            raise _no_duration(budget) from None
    parts = _PART.findall(budget)
    if not parts or _PART.sub("", budget).strip():
        raise _no_duration(budget)
    total = sum(float(number) * _UNITS[unit.lower()] for number, unit in parts)
    if total <= 0:
        raise InputError(f"A budget must be longer than {budget!r}.")
    return total


def _no_duration(budget: object) -> InputError:
    return InputError(f"{budget!r} is not a duration. Write it like 60s, 10m or 1h30m.")
