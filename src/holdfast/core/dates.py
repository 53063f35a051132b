"""Dates and times written as text, read alike one by one and column by column.

A pattern is made of %Y %y %m %d %b %B %H %I %M %S %p, `%.f` (a fraction of a second that
may be absent) and `%#z` (Z, +01, +0100 or +01:00). A moment with a zone becomes UTC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import polars as pl

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december",
)  # fmt: skip
# One or two digits, as chrono reads them; the second form is for digits that touch.
_LOOSE = {"m": "0?[1-9]|1[0-2]", "d": "0?[1-9]|[12][0-9]|3[01]"}
_LOOSE |= {"H": "[01]?[0-9]|2[0-3]", "I": "0?[1-9]|1[0-2]", "M": "[0-5]?[0-9]", "S": "[0-5]?[0-9]"}
_TIGHT = {"m": "0[1-9]|1[0-2]", "d": "0[1-9]|[12][0-9]|3[01]"}
_TIGHT |= {"H": "[01][0-9]|2[0-3]", "I": "0[1-9]|1[0-2]", "M": "[0-5][0-9]", "S": "[0-5][0-9]"}
_FIXED = {
    "Y": "[1-9][0-9]{3}",
    "y": "[0-9]{2}",
    "b": "|".join(month[:3] for month in _MONTHS),
    "B": "|".join(_MONTHS),
    "p": "[ap]m",
    "z": "z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?",
}
_TOKEN = re.compile(r"%\.f|%#z|%[YymdbBHIMSp]")


def parse_date(text: str, patterns: Sequence[str]) -> datetime | None:
    """The moment that a trimmed text names by the first pattern that fits, or None.

    >>> parse_date("12/1/2010 8:45", ["%Y-%m-%d", "%m/%d/%Y %H:%M"])
    datetime.datetime(2010, 12, 1, 8, 45)
    """
    for pattern in patterns:
        if match := _compiled(pattern).fullmatch(text):
            moment = _moment(match.groupdict())
            if moment is not None:
                return moment
    return None


def date_expression(text: pl.Expr, patterns: Sequence[str]) -> pl.Expr:
    """`parse_date` of a column of trimmed text, as Datetime("us")."""
    read = [_pattern_expression(text, pattern) for pattern in patterns]
    return pl.coalesce(read) if read else pl.lit(None, dtype=pl.Datetime("us"))


def plain_date(moment: date) -> datetime:
    """A date or datetime as a datetime without a zone (UTC when it had one)."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time())
    plain = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return plain.replace(fold=0)


def plain_dates(cells: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """`plain_date` of a column of dates or datetimes, as Datetime("us")."""
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        cells = cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return cells.cast(pl.Datetime("us"))


def _pattern_expression(text: pl.Expr, pattern: str) -> pl.Expr:
    # chrono lets more through than it says (signs, inner blanks, years of any length):
    # the same expression that Python uses decides first.
    fits = text.str.contains(f"^{_regex(pattern)}$")
    read = pl.when(fits).then(text).str.to_datetime(pattern, strict=False, time_unit="us", cache=False)
    return read.dt.replace_time_zone(None) if "%#z" in pattern else read


@lru_cache(maxsize=512)
def _regex(pattern: str) -> str:
    pieces, at = ["(?i)"], 0
    for token in _TOKEN.finditer(pattern):
        pieces.append(re.escape(pattern[at : token.start()]))
        at = token.end()
        letter = token.group()[-1]
        if letter == "f":
            pieces.append(r"(?:\.(?P<f>[0-9]{1,9}))?")
            continue
        touches = pattern[token.start() - 2 : token.start()] in _ALL or pattern[at : at + 2] in _ALL
        digits = _FIXED.get(letter) or (_TIGHT if touches else _LOOSE)[letter]
        pieces.append(f"(?P<{letter}>{digits})")
    return "".join(pieces) + re.escape(pattern[at:])


_ALL = frozenset(f"%{letter}" for letter in "YymdHIMS")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_regex(pattern), re.ASCII)


def _moment(found: dict[str, str]) -> datetime | None:
    if "Y" in found:
        year = int(found["Y"])
    else:
        year = int(found["y"])
        year += 2000 if year < 70 else 1900
    name = found.get("B") or found.get("b")
    month = _month(name) if name else int(found["m"])
    hour = int(found.get("H") or 0)
    if "p" in found:
        hour = int(found["I"]) % 12 + (12 if found["p"].lower() == "pm" else 0)
    fraction = int((found.get("f") or "0").ljust(6, "0")[:6])
    clock = (hour, int(found.get("M") or 0), int(found.get("S") or 0), fraction)
    try:
        return datetime(year, month, int(found["d"]), *clock) - _offset(found.get("z"))
    except ValueError:  # the thirtieth of February
        return None


def _month(name: str) -> int:
    return next(i for i, month in enumerate(_MONTHS, start=1) if month.startswith(name.lower()))


def _offset(zone: str | None) -> timedelta:
    if not zone or zone in "zZ":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -span if zone[0] == "-" else span
