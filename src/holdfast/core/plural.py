"""Numbers with their nouns."""

from __future__ import annotations


def count(n: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "row"), count(5634, "row"), count(2, "class"), count(0, "more answer")
    ('1 row', '5,634 rows', '2 classes', '0 more answers')
    """
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n:,} {noun}{ending}"
