"""One HTML file that can be sent to a colleague: it holds everything it shows and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from holdfast.core.report_facts import ReportFacts
from holdfast.report import charts
from holdfast.report.charts.frame import to_spec
from holdfast.report.charts.theme import DARK, LIGHT, config
from holdfast.report.html import environment, read

if TYPE_CHECKING:
    import altair as alt
    from markupsafe import Markup

_SECTIONS = (
    ("leaderboard", "Leaderboard"),
    ("quality", "Quality"),
    ("importance", "What the model uses"),
    ("data", "Data"),
    ("cost", "Cost"),
    ("reproduce", "How to make it again"),
)
_LARGE = 100_000  # bytes from which a drawing of many points is smaller as pixels


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart in the page: drawn from `spec`, or shown as `image` on paper and without scripts."""

    spec: Markup
    image: str
    description: str


def page(facts: ReportFacts) -> str:
    """The report as one HTML document.

    Whatever comes from outside (column names, labels, notes) is escaped, and the
    document's own policy lets no script run but the two that it was written with.
    """
    from markupsafe import Markup

    figures = {name: _figure(chart) for name, chart in charts_of(facts).items()}
    library, script = _library(), read("page.js")
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            facts=facts,
            figures=figures,
            sections=[part for part in _SECTIONS if part[0] != "importance" or "importance" in figures],
            policy=_policy(library, script),
            style=Markup(read("page.css")),
            themes=_json(
                {
                    "light": config(LIGHT, background="transparent"),
                    "dark": config(DARK, background="transparent"),
                }
            ),
            library=Markup(library),
            script=Markup(script),
        )
    )


def charts_of(facts: ReportFacts) -> Mapping[str, alt.LayerChart]:
    """Every chart of the report, by name."""
    board, pictures = facts.leaderboard, facts.pictures
    drawn = {
        "quality": charts.quality_against_time(board),
        "scores": charts.leaderboard(board),
        "fit": charts.quality_against_time(board, time="fit"),
    }
    if pictures.confusion is not None:
        drawn["confusion"] = charts.confusion(pictures.confusion)
    if pictures.roc:
        drawn["roc"] = charts.roc(pictures.roc)
    if pictures.precision_recall:
        drawn["precision_recall"] = charts.precision_recall(pictures.precision_recall)
    if pictures.reliability:
        drawn["reliability"] = charts.reliability(pictures.reliability)
    if pictures.residuals is not None:
        drawn["residuals"] = charts.residuals(pictures.residuals)
    if any(curve.steps for curve in facts.record.curves):
        drawn["learning"] = charts.learning(facts.record.curves)
    if pictures.importance:
        drawn["importance"] = charts.importance(pictures.importance)
    return drawn


def _figure(chart: alt.LayerChart) -> Figure:
    import vl_convert

    spec = to_spec(chart)
    svg = vl_convert.vegalite_to_svg(json.dumps(spec)).encode()
    image = _embedded("svg+xml", svg)
    if len(svg) > _LARGE:
        image = _embedded("png", vl_convert.vegalite_to_png(json.dumps(spec), scale=2))
    fluid = {key: value for key, value in spec.items() if key not in ("config", "$schema")}
    fluid |= {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}
    return Figure(_json(fluid), image, str(spec["description"]))


def _embedded(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _json(value: object) -> Markup:
    """JSON that cannot end the script element that it stands in."""
    from markupsafe import Markup

    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@cache
def _library() -> str:
    import vl_convert

    return vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub forgets the default


def _policy(*scripts: str) -> str:
    """No network and no script but these: the browser's own guarantee."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:"
