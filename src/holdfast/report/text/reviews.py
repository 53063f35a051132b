"""What people are asked and what they said, for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.decision import Decision
from holdfast.core.estimate import Estimate
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
    sure = " (a confident contradiction)" if row.get("confident") else ""
    return stack(heading(f"{number} of {rows}", f"{row['example']}{sure}"), pairs([*cells, *labels]))


def reviewed(found: Reviewed) -> RenderableType:
    """What all reviewers say together."""
    who = ", ".join(f"{words.clean(name)} ({words.count(n, 'row')})" for name, n in found.reviewers.items())
    facts: list[tuple[str, str | Text]] = [
        ("reviewers", who),
        ("labels to change", f"{found.changed:,}"),
        ("labels to keep", f"{found.kept:,}"),
        ("agreement", _agreement(found.agreement)),
    ]
    if found.tied:
        facts.append(
            (
                "split",
                f"{words.count(len(found.tied), 'row')}, where no label has the most votes: they keep theirs",
            )
        )
    return stack(heading("Reviewed labels", found.subject), pairs(facts))


def _agreement(alpha: Estimate) -> str:
    """Krippendorff's alpha with what it rests on; undecided where the rows allow no interval."""
    if not alpha.known:
        return f"unknown: {alpha.reason}"
    on = f"on {words.count(alpha.n, 'row')} that several people answered"
    if math.isnan(alpha.low):
        return f"undecided: {alpha} {on}, too few or too much alike for an interval"
    return f"{alpha} {on} (Krippendorff's alpha: 1 is perfect, 0 is chance)"


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
