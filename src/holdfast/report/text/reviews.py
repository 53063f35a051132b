"""What people are asked and what they said, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.decision import Decision
from holdfast.core.review import Reviewed
from holdfast.report import words
from holdfast.report.text.frame import heading, pairs, stack

_FIRST = ("given", "suggested")


def row_to_review(row: Mapping[str, object], number: int, rows: int) -> RenderableType:
    """One row, its cells in pairs, the labels last so that the eye meets the facts first."""
    cells = [
        (name, _cell(cell)) for name, cell in row.items() if name not in (*_FIRST, "example", "confident")
    ]
    labels: list[tuple[str, str | Text]] = [
        (name, Text(_cell(row[name]), style="bold")) for name in _FIRST if name in row
    ]
    sure = " (a surer one)" if row.get("confident") else ""
    return stack(heading(f"{number} of {rows}", f"{row['example']}{sure}"), pairs([*cells, *labels]))


def reviewed(found: Reviewed) -> RenderableType:
    """What all reviewers say together."""
    who = ", ".join(f"{words.clean(name)} ({n:,} rows)" for name, n in found.reviewers.items())
    facts: list[tuple[str, str | Text]] = [
        ("reviewers", who),
        ("labels to change", f"{found.changed:,}"),
        ("labels to keep", f"{found.kept:,}"),
        ("agreement", str(found.agreement)),
    ]
    if found.tied:
        facts.append(("split", f"{len(found.tied):,} rows, which keep their labels"))
    return stack(heading("Reviewed labels", found.subject), pairs(facts))


def analysis(kept: Decision) -> RenderableType:
    """A signed analysis."""
    body = kept.body
    facts = [
        ("reviewer", kept.by),
        ("says", "valid" if body.get("valid") else "does not hold"),
        ("why", kept.why),
        ("limits", str(body.get("limits") or "none stated")),
        ("possible biases", str(body.get("biases") or "none stated")),
    ]
    facts += [("file", str(body["hash"])[:12])] if body.get("hash") else []
    return stack(heading(f"Review of {kept.subject}", f"decision {kept.number}"), pairs(facts))


def _cell(cell: object) -> str:
    return "" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)
