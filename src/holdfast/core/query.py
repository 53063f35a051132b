"""A slice of a table as a text that can be read, kept and run again.

    contract = 'Month-to-month' and tenure < 6
    "zip code" in ('1010', '1020') and income is missing
    signed_up >= '2024-01-31' and length(comment) > 200

A query is terms joined by `and`. A term is a column, a comparison and a constant:
`=`, `!=`, `<`, `<=`, `>`, `>=`, `in (...)`, `not in (...)`, `is missing`, `is not missing`;
`length(column)` counts a text's characters. Texts and dates stand in single quotes ('' for
one inside), a column that is no plain word in double ones; yes or no are `true`, `false`, or a
file's words for them such as 'Yes'. A missing cell meets no term but `is missing`. Nothing is
ever evaluated: the grammar has no calls and no arithmetic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from holdfast.core.schema import FALSE, TRUE
from holdfast.errors import ColumnError, QueryError

Constant = str | float | bool
_LONGEST = 10_000  # characters
_WORD = re.compile(r"[^\W\d]\w*", re.UNICODE)
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")+")|(?P<sign><=|>=|!=|<>|==|=|<|>|\(|\)|,)"""
    r"""|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?P<word>[^\W\d]\w*))"""
)
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_KEYWORDS = ("and", "in", "not", "is", "missing", "true", "false", "or")
_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `sign` is a comparison, "in", "not in", "is missing" or "is not missing"."""

    column: str
    sign: str
    constants: tuple[Constant, ...] = ()
    length: bool = False

    def __str__(self) -> str:
        name = _name(self.column)
        name = f"length({name})" if self.length else name
        if self.sign.startswith("is"):
            return f"{name} {self.sign}"
        texts = [_constant(value) for value in self.constants]
        listed = f"({', '.join(texts)})" if self.sign.endswith("in") else texts[0]
        return f"{name} {self.sign} {listed}"


@dataclass(frozen=True, slots=True)
class Query:
    """All rows that meet every one of the terms; `str` gives the text that `parse_query` reads.

    >>> query = parse_query("tenure < 6 and contract = 'Month-to-month'")
    >>> query.mask(pl.DataFrame({"tenure": [3.0, 9.0], "contract": ["Month-to-month"] * 2})).tolist()
    [True, False]
    >>> print(query)
    tenure < 6 and contract = 'Month-to-month'
    """

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return " and ".join(map(str, self.terms))

    def mask(self, table: pl.DataFrame) -> np.ndarray:
        """Which rows are in the slice, bool of shape (n,).

        ColumnError for a column that the table lacks, QueryError for one of another kind.
        """
        chosen = np.ones(table.height, dtype=bool)
        for term in self.terms:
            if term.column not in table.columns:
                raise ColumnError.absent(term.column, table.columns)
            chosen &= _met(term, table[term.column])
        return chosen


def parse_query(text: str) -> Query:
    """The query that a text says; QueryError points at what it cannot be."""
    return _Parser(text, _tokens(text)).query()


class _Parser:
    """Reads tokens from left to right; one method for each rule of the grammar."""

    def __init__(self, text: str, tokens: Sequence[tuple[str, str, int]]) -> None:
        self.text, self.tokens, self.at = text, tokens, 0

    def query(self) -> Query:
        """query := term ("and" term)*"""
        terms = [self.term()]
        while self.kind != "end":
            if self.is_word("or"):
                raise self.wrong("a query has no 'or'; write column in ('a', 'b'), or two queries")
            self.word("and")
            terms.append(self.term())
        return Query(tuple(terms))

    def term(self) -> Term:
        """term := column (comparison constant | ["not"] "in" list | "is" ["not"] "missing")"""
        column, length = self.column()
        if self.is_word("is"):
            self.next()
            sign = "is not missing" if self.take("not") else "is missing"
            self.word("missing")
            return Term(column, sign, length=length)
        negated = self.take("not")
        if negated or self.is_word("in"):
            self.word("in")
            return Term(column, "not in" if negated else "in", self.constants(), length)
        sign = {"==": "=", "<>": "!="}.get(self.value, self.value)
        if self.kind != "sign" or sign not in _COMPARISONS:
            raise self.wrong(f"a comparison is wanted after {column!r}: one of {', '.join(_COMPARISONS)}, in")
        self.next()
        return Term(column, sign, (self.constant(),), length)

    def column(self) -> tuple[str, bool]:
        """column := name | "length" "(" name ")" """
        name = self.name()
        if name == "length" and self.value == "(":
            self.next()
            inner = self.name()
            self.sign(")")
            return inner, True
        if self.value == "(":
            raise self.wrong("nothing is called here; a query holds columns, comparisons and constants")
        return name, False

    def name(self) -> str:
        """A plain word, or any text in double quotes."""
        if self.kind == "name":
            return self.next()[1:-1].replace('""', '"')
        if self.kind == "word" and self.value.lower() not in _KEYWORDS:
            return self.next()
        raise self.wrong("the name of a column is wanted" + _mend(self.kind))

    def constants(self) -> tuple[Constant, ...]:
        """list := "(" constant ("," constant)* ")" """
        self.sign("(")
        found = [self.constant()]
        while self.value == ",":
            self.next()
            found.append(self.constant())
        self.sign(")")
        return tuple(found)

    def constant(self) -> Constant:
        """A text, a number, `true` or `false`."""
        if self.kind == "text":
            return self.next()[1:-1].replace("''", "'")
        if self.kind == "number" and abs(float(self.value)) < math.inf:
            return float(self.next())
        if self.is_word("true") or self.is_word("false"):
            return self.next().lower() == "true"
        quoted = f". A text stands in single quotes: '{self.value}'" if self.kind == "word" else ""
        raise self.wrong(f"a constant is wanted: a number, a 'text', true or false{quoted}")

    @property
    def kind(self) -> str:
        """Of the token that comes next."""
        return self.tokens[self.at][0]

    @property
    def value(self) -> str:
        """The text of the token that comes next."""
        return self.tokens[self.at][1]

    def is_word(self, word: str) -> bool:
        """Whether a keyword comes next."""
        return self.kind == "word" and self.value.lower() == word

    def take(self, word: str) -> bool:
        """Pass over a keyword where it comes next."""
        there = self.is_word(word)
        self.at += there
        return there

    def next(self) -> str:
        """The token that comes next; go on behind it."""
        self.at += 1
        return self.tokens[self.at - 1][1]

    def word(self, word: str) -> None:
        """A keyword must come next."""
        if not self.take(word):
            raise self.wrong(f"{word!r} is wanted")

    def sign(self, sign: str) -> None:
        """A sign must come next."""
        if self.value != sign:
            raise self.wrong(f"{sign!r} is wanted")
        self.next()

    def wrong(self, why: str) -> QueryError:
        """What is wrong with the token that comes next, and where it is."""
        _, found, place = self.tokens[self.at]
        return QueryError.at(self.text, place, found, why)


def _tokens(text: str) -> list[tuple[str, str, int]]:
    if len(text) > _LONGEST:
        raise QueryError(
            f"A query of {len(text):,} characters is longer than any slice needs ({_LONGEST:,})."
        )
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise QueryError.at(
                text, place, text[place], "a query holds no such sign" + _unclosed(text[place])
            )
        kind = str(found.lastgroup)
        tokens.append((kind, found.group(kind), found.start(kind)))
        at = found.end()
    return [*tokens, ("end", "", len(text))]


def _unclosed(sign: str) -> str:
    return ", or a quote is not closed" if sign in "'\"" else ""


def _mend(kind: str) -> str:
    return "; 'single quotes' hold texts, \"double quotes\" columns" if kind == "text" else ""


def _name(column: str) -> str:
    plain = _WORD.fullmatch(column) and column.lower() not in (*_KEYWORDS, "length")
    return column if plain else '"' + column.replace('"', '""') + '"'


def _constant(value: Constant) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else repr(float(value))


def _met(term: Term, cells: pl.Series) -> np.ndarray:
    if term.length:
        if cells.dtype != pl.String:
            raise QueryError(f"{term}: column {term.column!r} holds no text whose length could be counted.")
        cells = cells.str.len_chars().cast(pl.Float64)
    if term.sign.startswith("is"):
        missing = cells.is_null()
        return (missing if term.sign == "is missing" else ~missing).to_numpy()
    values = [_fitting(term, value, cells.dtype) for value in term.constants]
    if term.sign.endswith("in"):
        inside = cells.is_in(pl.Series(values=values, dtype=cells.dtype).implode())
        met = ~inside if term.sign == "not in" else inside
    else:
        (value,) = values
        signs = {
            "=": cells.eq, "!=": cells.ne, "<": cells.lt, "<=": cells.le, ">": cells.gt, ">=": cells.ge,
        }  # fmt: skip
        met = signs[term.sign](value)
    return met.fill_null(False).to_numpy()


def _fitting(term: Term, value: Constant, dtype: pl.DataType) -> object:
    """The constant as a cell of the column's type."""
    if dtype == pl.Boolean and isinstance(value, bool):
        return value
    if dtype == pl.Boolean and isinstance(value, str) and (word := value.strip().lower()) in (*TRUE, *FALSE):
        return word in TRUE
    if dtype.is_numeric() and isinstance(value, float) and not isinstance(value, bool):
        return value
    if dtype == pl.String and isinstance(value, str):
        return value
    if dtype.is_temporal() and isinstance(value, str):
        for pattern in _FORMATS:
            try:
                return datetime.strptime(value, pattern)
            except ValueError:
                continue
        raise QueryError(f"{term}: {value!r} is no date; write it as '2024-01-31' or '2024-01-31 14:30'.")
    raise QueryError(
        f"{term}: column {term.column!r} is compared with {_wanted(dtype)}, not with {_constant(value)}."
    )


def _wanted(dtype: pl.DataType) -> str:
    """What cells of a type are compared with."""
    if dtype.is_numeric():
        return "a number, which stands without quotes"
    if dtype == pl.Boolean:
        return "true or false, or words for them: 'yes', 'no'"
    return "a date such as '2024-01-31'" if dtype.is_temporal() else "a 'text' in single quotes"
