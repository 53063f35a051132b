"""What a reviewer needs on one page, and the history of releases on another; neither runs a script."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.card import CardFacts
from holdfast.core.release import History
from holdfast.errors import InputError
from holdfast.report.charts.against import against_champion
from holdfast.report.charts.frame import to_spec
from holdfast.report.charts.staircase import staircase
from holdfast.report.html import environment, read

if TYPE_CHECKING:
    import altair as alt

_SECTIONS = (
    ("asked", "What is asked"),
    ("fixes", "What its fixes did"),
    ("guards", "Guards"),
    ("open", "Findings left open"),
    ("quality", "Quality"),
    ("data", "Data"),
    ("cost", "Cost"),
    ("reproduce", "How to make it again"),
    ("history", "History"),
)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A chart as two pictures that stand in the page, and what they show in words."""

    light: str
    dark: str
    description: str


def release_page(facts: CardFacts) -> str:
    """All that a reviewer of a release needs, as one HTML document that loads and runs nothing.

    First what is asked, by which two commands it is answered, and the candidate against the
    champion; then what speaks for and against. InputError for a run that was never put to the gate.
    """
    if facts.stage is None:
        raise InputError(
            f"{facts.record.id} was never put to the gate, so there is nothing to review. "
            f"Put it there: holdfast release {facts.record.id}"
        )
    release = facts.stage.release
    figures = {"against": against_champion(release), "staircase": staircase(facts.history)}
    return _document(
        "release.html.j2",
        {
            "facts": facts,
            "sections": _SECTIONS,
            "title": f"{release.id}: {release.run}",
            "version": facts.version,
        },
        figures,
    )


def history_page(history: History, version: str) -> str:
    """Every release, the staircase first, as one HTML document that loads and runs nothing."""
    named = {"history": history, "sections": (), "title": "What was released", "version": version}
    return _document("history.html.j2", named, {"staircase": staircase(history)})


def _document(template: str, named: Mapping[str, object], charts: Mapping[str, alt.LayerChart]) -> str:
    from markupsafe import Markup

    figures = {name: _drawing(chart) for name, chart in charts.items()}
    style = Markup(read("page.css"))
    return environment().get_template(template).render(**named, figures=figures, style=style)


def _drawing(chart: alt.LayerChart) -> _Drawing:
    return _Drawing(_picture(to_spec(chart)), _picture(to_spec(chart, dark=True)), str(chart.description))


def _picture(spec: Mapping[str, object]) -> str:
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(json.dumps(spec)).encode()
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn).decode()}"
