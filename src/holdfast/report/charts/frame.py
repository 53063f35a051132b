"""What every chart is made of, and how it becomes a file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from holdfast.errors import InputError
from holdfast.report.charts.theme import DARK, LIGHT, config

if TYPE_CHECKING:
    import altair as alt

WIDTH, HEIGHT = 640, 340
_SUBTITLE = 64  # letters in a line, so that a chart at two thirds of its width still shows all

Row = Mapping[str, object]


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Rows as a chart's data; what is not a finite number becomes null."""
    import altair as alt

    return alt.InlineData(values=[{k: _finite(v) for k, v in row.items()} for row in rows])


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def finish(
    chart: alt.LayerChart, title: str, subtitle: str, description: str, *, height: int = HEIGHT
) -> alt.LayerChart:
    """The chart with its title, its size, and a description for those who cannot see it."""
    import altair as alt

    lines = _lines(subtitle)
    return chart.properties(
        title=alt.TitleParams(text=title, subtitle=lines) if lines else alt.TitleParams(text=title),
        width=WIDTH,
        height=height,
        description=description,
    ).configure(**config(LIGHT, background=LIGHT.paper))


def _lines(subtitle: str) -> list[str]:
    """Parts between semicolons, as many in a line as fit; only a long part is broken."""
    lines: list[str] = []
    for part in subtitle.split("; ") if subtitle else []:
        if lines and len(lines[-1]) + len(part) + 2 <= _SUBTITLE:
            lines[-1] += f"; {part}"
        else:
            lines += wrap(part, _SUBTITLE)
    return lines


def save(chart: alt.LayerChart, path: str | Path, *, dark: bool = False) -> Path:
    """Write a chart as .png (at twice its size), .svg or .json (Vega-Lite); no network is used.

    Raises InputError for any other kind of file.
    """
    path = Path(path)
    path.write_bytes(encoded(chart, path.suffix.lower() or path.name, dark=dark))
    return path


def encoded(chart: alt.LayerChart, kind: str, *, dark: bool = False) -> bytes:
    """A chart as the bytes of a file of that ending (see `save`)."""
    import vl_convert

    spec = to_spec(chart, dark=dark)
    match kind:
        case ".png":
            return vl_convert.vegalite_to_png(json.dumps(spec), scale=2)
        case ".svg":
            return vl_convert.vegalite_to_svg(json.dumps(spec)).encode()
        case ".json":
            return json.dumps(spec, indent=2).encode()
    raise InputError(f"A chart cannot be written as {kind!r}; use .png, .svg or .json.")


def to_spec(chart: alt.LayerChart, *, dark: bool = False) -> dict[str, object]:
    """A chart as Vega-Lite, in light or dark colours."""
    palette = DARK if dark else LIGHT
    return {**chart.to_dict(), "config": config(palette, background=palette.paper)}
