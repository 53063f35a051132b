"""In which patterns the dates of a column are written."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import polars as pl

from holdfast.core.cells import parse_series
from holdfast.core.schema import CellFormat, Column, Kind
from holdfast.data.words import Levels

_SHAPE = re.compile(
    r"(?:(?P<ymd>\d{4}(?P<s1>[-/.])\d{1,2}(?P=s1)\d{1,2})"
    r"|(?P<any>\d{1,2}(?P<s2>[-/.])\d{1,2}(?P=s2)(?P<year>\d{4}|\d{2}))"
    r"|(?P<compact>(?:19|20)\d{6})"
    r"|(?P<dby>\d{1,2}(?P<s3>-|\. | )(?P<month>[A-Za-z]{3,9})(?P<s4>[- ])(?P<year3>\d{4}|\d{2}))"
    r"|(?P<bdy>(?P<month2>[A-Za-z]{3,9}) \d{1,2}(?P<comma>,?) \d{4}))"
    r"(?P<time>(?P<gap>[ T])\d{1,2}:\d{2}(?P<second>:\d{2}(?P<fraction>\.\d{1,9})?)?"
    r"(?P<half> ?[AaPp][Mm])?(?P<zone> ?(?:Z|[+-]\d{2}(?::?\d{2})?))?)?"
)
_SHOWN, _MOST, _ROWS = 300, 6, 10_000
_MOSTLY = 0.95
# Which of day and month comes first when every day is below 13, by the mark between them.
_USUAL = {"/": "%m/%d", ".": "%d.%m", "-": "%d-%m"}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The patterns of a column of dates; `guessed` when day and month could be either way round."""

    patterns: tuple[str, ...]
    guessed: bool = False


def date_patterns(levels: Levels, rows: pl.Series, *, forced: bool = False) -> Calendar | None:
    """The patterns that read 95 % of the filled cells as dates (`forced`: any of them), or None.

    `rows` are the column's cells in the order of the file, which may be that of time.
    """
    values = levels.filled["value"]
    shown = values[:: max(1, len(values) // _SHOWN)]
    shapes = [_pattern(text) for text in shown.to_list()]
    common = [pattern for pattern, _ in Counter(shape for shape in shapes if shape).most_common(_MOST)]
    if not common or (not forced and sum(map(bool, shapes)) < _MOSTLY * len(shapes)):
        return None
    chosen, guessed = [], False
    for pattern in common:
        best, unsure = _ordered(pattern, values, rows)
        chosen.append(best)
        guessed |= unsure
    patterns = tuple(dict.fromkeys(chosen))
    share = levels.share(_read(values, patterns).is_not_null())
    return Calendar(patterns, guessed) if share >= _MOSTLY or (forced and share > 0) else None


def _pattern(text: str) -> str | None:
    """The pattern of one text, with ? where day and month may be either way round."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    if found["ymd"]:
        day = f"%Y{found['s1']}%m{found['s1']}%d"
    elif found["any"]:
        mark = found["s2"]
        day = f"?{mark}?{mark}{'%Y' if len(found['year']) == 4 else '%y'}"
    elif found["compact"]:
        day = "%Y%m%d"
    elif found["dby"]:
        year = "%Y" if len(found["year3"]) == 4 else "%y"
        day = f"%d{found['s3']}{_month(found['month'])}{found['s4']}{year}"
    else:
        day = f"{_month(found['month2'])} %d{found['comma']} %Y"
    return day + (_clock(found) if found["time"] else "")


def _month(name: str) -> str:
    return "%b" if len(name) == 3 else "%B"


def _clock(found: re.Match[str]) -> str:
    hour = "%I" if found["half"] else "%H"
    second = "" if not found["second"] else ":%S%.f" if found["fraction"] else ":%S"
    half = f"{' ' if found['half'].startswith(' ') else ''}%p" if found["half"] else ""
    zone = f"{' ' if found['zone'].startswith(' ') else ''}%#z" if found["zone"] else ""
    return f"{found['gap']}{hour}:%M{second}{half}{zone}"


def _ordered(pattern: str, values: pl.Series, rows: pl.Series) -> tuple[str, bool]:
    """The pattern with its day and month in the order that reads most cells, and whether that is a guess."""
    if "?" not in pattern:
        return pattern, False
    mark = pattern[1]
    usual = [_USUAL[mark]] + [first for first in (f"%d{mark}%m", f"%m{mark}%d") if first != _USUAL[mark]]
    tried = []
    for first in usual:
        candidate = first + pattern[3:]
        in_time = _read(rows[:_ROWS], (candidate,)).drop_nulls().is_sorted()
        tried.append((candidate, _read(values, (candidate,)).count(), in_time))
    (one, read, sorted_), (other, other_read, other_sorted) = tried
    if read != other_read:
        return (one, False) if read > other_read else (other, False)
    if sorted_ != other_sorted:  # the rows are in the order of time
        return (one, False) if sorted_ else (other, False)
    return one, True


def _read(values: pl.Series, patterns: tuple[str, ...]) -> pl.Series:
    return parse_series(values, Column("value", Kind.DATE, format=CellFormat(dates=patterns)))
