"""Markdown and its YAML head, in which whatever comes from outside stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from holdfast.core.estimate import Estimate
from holdfast.report import words
from holdfast.report.html import FOLDER
from holdfast.report.text.data import class_shares

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

Yaml = str | bool | int | float | Sequence["Yaml"] | Mapping[str, "Yaml"]

_SPECIAL = re.compile(r"[\\`*_{}\[\]|~$#!@]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LINK = re.compile(r"(?i)(https?|ftp|mailto|xmpp|www)([:.])")
_START = re.compile(r"^(\s*)(?:([-+=])|(\d+)([.)])(?=\s|$))")  # what would begin a list or a rule


def inline(text: str) -> str:
    r"""Text from outside as Markdown that shows just that text: no markup, no link, no HTML.

    >>> print(inline("tenure < 6"), inline("[x](http://a.b) *c*"))
    tenure &lt; 6 \[x\](http\://a.b) \*c\*
    """
    shown = _SPECIAL.sub(lambda found: f"\\{found[0]}", words.clean(text.strip()))
    shown = re.sub("[&<>]", lambda found: _ENTITIES[found[0]], shown)
    shown = _LINK.sub(r"\1\\\2", shown)
    return _START.sub(r"\1\3\\\2\4", shown)


def paragraph(text: str) -> Markup:
    """What somebody wrote, each of their lines as a paragraph of plain text."""
    from markupsafe import Markup

    return Markup("\n\n".join(inline(line.strip()) for line in text.splitlines() if line.strip()))


def code(text: str) -> Markup:
    """Text from outside in a code span, whatever backticks it holds.

    >>> print(code("a`b"))
    `` a`b ``
    """
    from markupsafe import Markup

    shown = words.clean(text).replace("|", "\u00a6")  # a bar would end a table's cell, even here
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    room = " " if "`" in shown else ""
    return Markup(f"{ticks}{room}{shown}{room}{ticks}" if shown.strip() else "")


def fenced(lines: Sequence[str], language: str = "") -> Markup:
    """Lines in a code block that none of them can end."""
    from markupsafe import Markup

    shown = [words.clean(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup("\n".join([f"{fence}{language}", *shown, fence]))


@cache
def environment() -> Environment:
    """The environment of Markdown templates: what they show is escaped unless it is Markdown already."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, finalize=_shown,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.globals |= {"words": words, "code": code, "fenced": fenced, "paragraph": paragraph}
    made.globals |= {"class_shares": class_shares}
    return made


def _shown(value: object) -> object:
    from markupsafe import Markup

    if value is None or hasattr(value, "__html__"):
        return "" if value is None else value
    # the brackets of an interval are text as they are
    plain = isinstance(value, Estimate) and value.known
    return Markup(str(value) if plain else inline(str(value)))


def front_matter(head: Mapping[str, Yaml]) -> str:
    r"""A YAML head between its marks: every text is quoted, so that no text is read as YAML.

    >>> print(front_matter({"license": "mit", "tags": ["yes: no"]}))
    ---
    license: "mit"
    tags:
    - "yes: no"
    ---
    """
    return "\n".join(["---", *_yaml(head), "---"])


def _yaml(value: Mapping[str, Yaml]) -> Iterator[str]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield f"{key}:"
            yield from (f"  {line}" for line in _yaml(item))
        elif isinstance(item, Sequence) and not isinstance(item, str):
            yield f"{key}:"
            for one in item:
                lines = _yaml(one) if isinstance(one, Mapping) else iter([_scalar(one)])
                yield f"- {next(lines)}"
                yield from (f"  {line}" for line in lines)
        else:
            yield f"{key}: {_scalar(item)}"


def _scalar(value: Yaml) -> str:
    if isinstance(value, str):
        return json.dumps(words.clean(value), ensure_ascii=False)
    text = json.dumps(value)
    # YAML reads a number in powers of ten only with a point in it
    return (
        text.replace("e", ".0e", 1) if isinstance(value, float) and "e" in text and "." not in text else text
    )
