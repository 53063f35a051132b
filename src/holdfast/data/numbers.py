"""How the numbers of a column of text are written."""

from __future__ import annotations

import re

import polars as pl

from holdfast.core.cells import BLANKS, parse_series
from holdfast.core.schema import CellFormat, Column, Kind
from holdfast.data.words import Levels

_SYMBOLS = "$€£¥₹₽₩₺₴₪฿%"
_CURRENCIES = {
    "usd",
    "eur",
    "gbp",
    "chf",
    "inr",
    "jpy",
    "cny",
    "cad",
    "aud",
    "sek",
    "nok",
    "dkk",
    "pln",
    "rs",
    "kr",
}
# How thousands and decimals are marked, the likelier first: "1,234" alone is a thousand.
_NARROW = " \xa0\u202f"
_MARKS = (("", "."), (",", "."), (".", ","), (_NARROW, "."), (_NARROW, ","), ("'’", "."), ("", ","))
# Codes begin with zeros or have more digits than a float64 can tell apart.
_CODE = r"^[+-]?(?:0[0-9]|[0-9]{16})"
_MOSTLY, _WORDS, _FEW, _CODES_AMONG = 0.95, 0.8, 3, 0.005


def number_format(levels: Levels, *, forced: bool = False) -> CellFormat | None:
    """How these cells are read as numbers, or None when they are none.

    Numbers they are when 95 % of the filled cells can be read and few of the others have
    digits, or 80 % and the others are at most three words; `forced` takes what can be read.
    """
    cells = levels.filled
    if cells.is_empty() or (not forced and levels.share(cells["value"].str.contains(r"[0-9]")) < _WORDS):
        return None
    if not forced and cells["value"].str.contains(_CODE).any():
        return None
    strip = _affixes(cells["value"])
    best: tuple[float, CellFormat, pl.Series] | None = None
    for thousands, decimal in _MARKS:
        form = CellFormat(decimal=decimal, thousands=thousands, strip=strip)
        read = parse_series(cells["value"], Column("value", Kind.NUMBER, format=form)).is_not_null()
        share = levels.share(read)
        if best is None or share > best[0]:
            best = share, form, read
        if share == 1:
            break
    assert best is not None
    share, form, read = best
    if forced:
        return form if share > 0 else None
    others = cells["value"].filter(~read)
    if len(others) <= _FEW and (share >= _MOSTLY or not others.str.contains(r"[0-9]").any()):
        return form if share >= _WORDS else None
    # Many other cells with digits in them, such as C555935, make it a column of codes.
    codes = levels.share(~read & cells["value"].str.contains(r"[0-9]"))
    return form if share >= _MOSTLY and codes <= _CODES_AMONG else None


def _affixes(values: pl.Series) -> str:
    """The currency and percent signs that stand before or behind the digits."""
    seen = values.str.extract_all(r"^[^0-9.,]+|[^0-9.,]+$").explode().drop_nulls().unique().to_list()
    found: set[str] = set()
    for affix in seen:
        sign = affix.strip(BLANKS + "+-")
        if re.fullmatch(f"[{re.escape(_SYMBOLS)}]", sign) or sign.lower().rstrip(".") in _CURRENCIES:
            found |= set(sign)
    return "".join(sorted(found))
