"""One calm look for every chart, on white and on dark paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one paper; `series` are told apart by people who see colours differently.

    The series are Okabe and Ito's (2008), darkened or lightened to stand at least 3:1
    against the paper; `pale` to `strong` is the ramp of a heat map.
    """

    paper: str
    ink: str
    quiet: str
    grid: str
    muted: str
    series: tuple[str, ...]
    pale: str
    strong: str
    on_strong: str


LIGHT = Palette(
    paper="#ffffff",
    ink="#1c2430",
    quiet="#5b6675",
    grid="#e6e9ee",
    muted="#8a94a3",
    series=("#0b67ad", "#c9560a", "#0b8562", "#a8518a", "#5f6b7a", "#8a6d00", "#2f94cc", "#7a4fd0"),
    pale="#f1f5fa",
    strong="#0b5394",
    on_strong="#ffffff",
)
DARK = Palette(
    paper="#12161c",
    ink="#e7ebf0",
    quiet="#9aa6b5",
    grid="#262d37",
    muted="#7b8796",
    series=("#58b0ee", "#f0914a", "#3fc79a", "#dd8fc4", "#a9b4c2", "#d9bd45", "#8fcdf5", "#b49af2"),
    pale="#1a212b",
    strong="#6cb9f2",
    on_strong="#0d1117",
)


def config(palette: Palette, *, background: str) -> Mapping[str, object]:
    """The Vega-Lite config that draws in these colours."""
    ramp = [palette.pale, palette.strong]
    return {
        "background": background,
        "font": FONT,
        "padding": {"left": 4, "right": 12, "top": 4, "bottom": 4},
        "view": {"stroke": None},
        "title": _title(palette),
        **_guides(palette),
        "range": {"category": list(palette.series), "ramp": ramp, "heatmap": ramp},
        "text": {"fontSize": 11},
        "point": {"size": 90, "filled": True, "opacity": 1},
        "rule": {"strokeWidth": 1.5},
        "style": _styles(palette),
    }


def _title(palette: Palette) -> Mapping[str, object]:
    return {
        "anchor": "start",
        "frame": "group",
        "offset": 14,
        "color": palette.ink,
        "fontSize": 14,
        "fontWeight": 600,
        "subtitleColor": palette.quiet,
        "subtitleFontSize": 12,
        "subtitlePadding": 5,
    }


def _guides(palette: Palette) -> Mapping[str, object]:
    text = {
        "labelColor": palette.quiet,
        "titleColor": palette.ink,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": 500,
    }
    axis = {
        "domain": False,
        "ticks": False,
        "gridColor": palette.grid,
        "labelPadding": 7,
        "titlePadding": 10,
        "labelLimit": 200,
    }
    legend = {"orient": "top", "direction": "horizontal", "title": None, "symbolSize": 90}
    return {"axis": {**text, **axis}, "legend": {**text, **legend}}


def _styles(palette: Palette) -> Mapping[str, object]:
    accent = palette.series[0]
    return {
        "accent": {"color": accent},
        "accent-line": {"color": accent, "strokeWidth": 2},
        "muted": {"color": palette.muted},
        "muted-line": {"color": palette.muted, "strokeWidth": 1.5},
        "reference": {"color": palette.muted, "strokeWidth": 1.2, "strokeDash": [4, 4]},
        "name": {"color": palette.ink},
        "halo": {"color": palette.paper, "stroke": palette.paper, "strokeWidth": 4, "strokeJoin": "round"},
        "on-pale": {"color": palette.ink},
        "on-strong": {"color": palette.on_strong},
    }
