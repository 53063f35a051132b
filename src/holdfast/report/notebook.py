"""How a notebook shows core values, which themselves know nothing of drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from holdfast.report.html import environment

if TYPE_CHECKING:
    from collections.abc import Callable

# (module, class) -> the template macro that draws it
_MACROS = {
    ("holdfast.core.estimate", "Estimate"): "interval",
    ("holdfast.core.leaderboard", "Leaderboard"): "warned_leaderboard",
    ("holdfast.core.report_facts", "DataFacts"): "data",
    ("holdfast.core.run", "RunRecord"): "run",
    ("holdfast.core.verdict", "Verdict"): "verdict",
}


class Formatter(Protocol):
    """The part of IPython's HTML formatter that is used here."""

    def for_type_by_name(self, type_module: str, type_name: str, func: Callable[[object], str]) -> object:
        """Draw values of the named class with `func`."""


def register(formatter: Formatter) -> None:
    """Teach IPython's `text/html` formatter to draw core values; nothing heavy is imported."""
    for (module, name), macro in _MACROS.items():
        formatter.for_type_by_name(module, name, _drawer(macro))
    formatter.for_type_by_name("holdfast.core.run", "Run", lambda run: html(run.record))  # type: ignore[attr-defined]


def html(value: object) -> str:
    """A core value as HTML; TypeError for a kind that has no drawing."""
    kind = (type(value).__module__, type(value).__name__)
    if kind not in _MACROS:
        raise TypeError(f"There is no drawing of {kind[1]} for notebooks.")
    return _drawer(_MACROS[kind])(value)


def _drawer(macro: str) -> Callable[[object], str]:
    def draw(value: object) -> str:
        module = environment().get_template("parts.html.j2").module
        return f'<div class="holdfast">{getattr(module, macro)(value)}</div>'

    return draw
