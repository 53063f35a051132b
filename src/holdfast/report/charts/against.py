"""A candidate against the champion: the difference, no difference, and the margin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from holdfast.core.release import Release
from holdfast.report import words
from holdfast.report.charts.frame import Row, data, finish

if TYPE_CHECKING:
    import altair as alt

_HEIGHT = 96


def against_champion(release: Release) -> alt.LayerChart:
    """The candidate less the champion on sealed rows with its interval; to the right is better.

    The dashed line is no difference. In the band a difference would not matter.
    """
    import altair as alt

    difference, margin = release.difference, release.margin
    scale = alt.Scale(domain=_ends(release), nice=False, zero=False)
    held = words.short(release.champion, 40) or "a constant"
    title = f"difference in {words.metric(release.metric)}, turned so that to the right is better"
    axis = alt.Axis(title=title, tickCount=6)
    row: Row = {
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "shown": str(difference),
        "from": -margin,
        "to": margin,
        "zero": 0.0,
    }
    base = alt.Chart(data([row]))

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    middle = alt.value(_HEIGHT / 2)
    shown = base.mark_text(style="name", dy=-16, fontSize=13, fontWeight=600)
    return finish(
        alt.layer(
            base.mark_rect(style="muted", opacity=0.16).encode(x=x("from"), x2="to:Q"),
            base.mark_rule(style="reference").encode(x=x("zero")),
            base.mark_rule(style="accent-line", strokeWidth=3).encode(x=x("low"), x2="high:Q", y=middle),
            base.mark_point(style="accent", size=150).encode(x=x("difference"), y=middle),
            shown.encode(x=x("difference"), y=middle, text="shown:N"),
        ),
        f"{words.short(release.run, 40)} against {held}",
        f"{difference.level * 100:g} % interval; {words.count(release.rows, 'sealed row')}, in pairs; "
        f"band: the margin of {words.two_digits(margin)}",
        f"{words.short(release.run, 40)} less {held}: {difference}, positive is better, "
        f"with a margin of {words.two_digits(margin)}.",
        height=_HEIGHT,
    )


def _ends(release: Release) -> list[float]:
    """From where to where the axis goes: the interval, the margin and 0, with some air."""
    difference, margin = release.difference, release.margin
    known = [v for v in (difference.low, difference.high, difference.value) if math.isfinite(v)]
    ends = [*known, -margin, margin, 0.0]
    air = (max(ends) - min(ends)) * 0.08 or 1.0
    return [min(ends) - air, max(ends) + air]
