"""The templates: every value that they show is cleaned and escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.report import words
from holdfast.report.text.data import class_shares

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """The template environment; a name that a template misspells is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, finalize=_shown
    )
    made.globals |= {"words": words, "class_shares": class_shares}
    return made


def read(name: str) -> str:
    """The text of a file that stands beside the templates."""
    return (FOLDER / name).read_text(encoding="utf-8")


def _shown(value: object) -> object:
    # Markup is a subclass of str and already escaped.
    return words.clean(value) if type(value) is str else value
