"""The ratchet as a picture: what was released, one step after the other, and who took one back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.core.estimate import Estimate, decimals
from holdfast.core.release import History, Release
from holdfast.errors import InputError
from holdfast.report import words
from holdfast.report.charts.frame import Row, data, finish
from holdfast.report.charts.steps import BY_HAND, REFUSED, REJECTED, RELEASED, WAITS, Step, steps_of

if TYPE_CHECKING:
    import altair as alt

_MOST_LEVEL = 7  # names that fit side by side below the chart
_MOST_SLANTED = 24  # names that fit when slanted
_MOST_WRITTEN = 12  # scores that can be read beside their points


def staircase(history: History) -> alt.LayerChart:
    """The champion's score on sealed rows after each decision; up is better whatever the metric.

    Each release has its interval. Proposals, rejections and refusals are light marks, of which a
    refusal has no number. A step that somebody took against the gate, or back, is in another
    colour with their name. Releases judged by another metric than the newest are named below
    the title. InputError where nothing was put to the gate yet.
    """
    import altair as alt

    if not history.stages:
        raise InputError(
            "Nothing has passed the gate yet, so there are no stairs to draw: holdfast release RUN"
        )
    newest = history.stages[-1].release
    steps = steps_of(history, newest.metric)
    scores = [step.score for step in steps if step.score is not None]
    scores += [Estimate(step.again, step.again, step.again) for step in steps if step.again is not None]
    if not scores:
        raise InputError(f"{newest.id} has no score on sealed rows, so there are no stairs to draw.")
    domain = _domain(scores, room=any(step.kind == REFUSED for step in steps))
    worst = domain[0] if newest.greater_is_better else domain[1]
    rows = [_row(place, step, worst) for place, step in enumerate(steps)]
    x = _across(rows)
    y = alt.Y(
        "score:Q",
        scale=alt.Scale(domain=domain, nice=False, zero=False, reverse=not newest.greater_is_better),
        axis=alt.Axis(title=_axis_title(newest), tickCount=6),
    )
    line = _line(steps, rows, worst)
    return finish(
        alt.layer(
            *_intervals(rows, x, y), *_stairs(line, x, y), *_marks(rows, x, y), *_texts(rows, line, x, y)
        ),
        "What was released",
        _subtitle(history, newest, steps),
        "; ".join(
            f"{row['date']} {row['name']} ({row['run']}): {row['shown']}, {row['stands']}, by {row['by']}"
            for row in rows
        ),
    )


def _domain(scores: Sequence[Estimate], *, room: bool) -> list[float]:
    """From the lowest to the highest end of an interval, with air, and more of it for refusals."""
    ends = [end for score in scores for end in (score.low, score.high, score.value) if math.isfinite(end)]
    air = (max(ends) - min(ends)) * 0.12 or abs(ends[0]) * 0.05 or 1.0
    more = air if room else 0.0
    return [min(ends) - air - more, max(ends) + air + more]


def _row(place: int, step: Step, worst: float) -> Row:
    score = step.score
    digits = 0 if score is None else decimals(score.value, score.high - score.low)
    name = words.short(step.name, 24)
    return {
        # the number keeps apart what has one name and day, and is not shown
        "step": f"{place:04d}{name}\n{step.at[:10]}",
        "kind": step.kind,
        "name": name,
        "date": step.at[:10],
        "score": worst if score is None else score.value,
        "low": None if score is None else score.low,
        "high": None if score is None else score.high,
        **_ends(score, worst),
        "number": "" if score is None else f"{score.value:,.{digits}f}",
        "shown": "no number" if score is None else str(score),
        "said": step.said,
        "again": step.again,
        **step.row,
    }


def _ends(score: Estimate | None, worst: float) -> Row:
    """The interval's end that is drawn uppermost, the better one, and the lowest."""
    if score is None:
        return {"top": worst, "bottom": worst}
    ends = (score.value, score.value) if math.isnan(score.low) else (score.low, score.high)
    near, far = sorted(ends, key=lambda end: abs(end - worst))
    return {"top": far, "bottom": near}


def _across(rows: Sequence[Row]) -> alt.X:
    import altair as alt

    lines = "split(slice(datum.label, 4), '\\n')"
    crowded = len(rows) > _MOST_LEVEL
    axis = alt.Axis(
        title=None,
        grid=False,
        labelExpr=f"join(reverse({lines}), '  ')" if crowded else lines,
        labelAngle=-40 if crowded else 0,
        labelOverlap=len(rows) > _MOST_SLANTED,
    )
    steps = [row["step"] for row in rows]
    return alt.X("step:N", sort=steps, scale=alt.Scale(type="point", domain=steps, padding=0.5), axis=axis)


def _axis_title(newest: Release) -> str:
    turned = "" if newest.greater_is_better else ", so the axis is turned"
    return f"{words.metric(newest.metric)} ({words.direction(newest.greater_is_better)}{turned})"


def _line(steps: Sequence[Step], rows: Sequence[Row], worst: float) -> list[Row]:
    """The champion's score from its first on: at each step and before it, and whether it fell there."""
    line: list[Row] = []
    now: float | None = None
    for step, row in zip(steps, rows, strict=True):
        before = now
        if step.stands and step.score is not None:
            now = step.score.value
        if now is not None:
            fell = before is not None and abs(now - worst) < abs(before - worst)
            line.append(
                {"step": row["step"], "kind": step.kind, "score": now, "before": before, "fell": fell}
            )
    return line


def _stairs(line: Sequence[Row], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    import altair as alt

    by_hand = [row for row in line if row["kind"] == BY_HAND and row["before"] is not None]
    moved = alt.Chart(data(by_hand)).mark_rule(strokeWidth=2)
    return [
        alt.Chart(data(line)).mark_line(style="accent-line", interpolate="step-after").encode(x=x, y=y),
        moved.encode(x=x, y=y, y2="before:Q", color=_color()),
    ]


def _intervals(rows: Sequence[Row], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Broad and pale, so that the stairs can be told from them."""
    import altair as alt

    low = y.copy()
    low.shorthand = "low:Q"
    light = alt.Chart(data([row for row in rows if row["kind"] in (WAITS, REJECTED)]))
    bright = alt.Chart(data([row for row in rows if row["kind"] in (RELEASED, BY_HAND)]))
    return [
        light.mark_rule(style="muted-line", strokeWidth=9, opacity=0.2).encode(x=x, y=low, y2="high:Q"),
        bright.mark_rule(strokeWidth=9, opacity=0.25).encode(x=x, y=low, y2="high:Q", color=_color()),
    ]


def _marks(rows: Sequence[Row], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    import altair as alt

    def of(*kinds: str) -> alt.Chart:
        return alt.Chart(data([row for row in rows if row["kind"] in kinds]))

    tips = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (
            ("name", "what"), ("run", "run"), ("shown", "score"), ("stands", "stands"), ("by", "by"),
            ("date", "when"), ("why", "why"), ("fixes", "fixes"),
        )
    ]  # fmt: skip
    light = of(WAITS, REJECTED).mark_point(style="muted", filled=False, strokeWidth=1.8)
    crosses = of(REFUSED).mark_point(style="muted", shape="cross", size=70, angle=45)
    bright = of(RELEASED, BY_HAND).mark_point(size=130)
    again = y.copy()
    again.shorthand = "again:Q"
    measured = alt.Chart(data([row for row in rows if row["again"] is not None]))
    return [
        measured.mark_point(style="muted", shape="diamond", size=60, filled=False).encode(x=x, y=again),
        light.encode(x=x, y=y, tooltip=tips),
        crosses.encode(x=x, y=y, tooltip=tips),
        bright.encode(x=x, y=y, color=_color(), tooltip=tips),
    ]


def _texts(rows: Sequence[Row], line: Sequence[Row], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Beside each release its score, and whose word it was at the end of its interval that is free."""
    import altair as alt

    numbers = alt.Chart(data([row for row in rows if row["number"]] if len(rows) <= _MOST_WRITTEN else []))
    fell = {row["step"] for row in line if row["fell"]}
    layers: list[alt.Chart] = []
    for style in ("halo", "name"):
        layers.append(
            numbers.mark_text(style=style, align="left", dx=9, dy=-9).encode(x=x, y=y, text="number:N")
        )
        for end, baseline, dy in (("top", "bottom", -14), ("bottom", "top", 6)):
            at = y.copy()
            at.shorthand = f"{end}:Q"
            shown = [row for row in rows if row["said"] and (row["step"] in fell) == (end == "bottom")]
            mark = alt.Chart(data(shown)).mark_text(style=style, baseline=baseline, dy=dy, lineBreak="\n")
            layers.append(mark.encode(x=x, y=at, text="said:N"))
    return layers


def _color() -> alt.Color:
    import altair as alt

    return alt.Color("kind:N", scale=alt.Scale(domain=[RELEASED, BY_HAND]), legend=None)


def _subtitle(history: History, newest: Release, steps: Sequence[Step]) -> str:
    kinds = {step.kind for step in steps}
    parts = [f"sealed rows, {round(newest.score.level * 100)} % intervals"]
    if BY_HAND in kinds:
        parts.append("orange: by somebody's word")
    if kinds & {WAITS, REJECTED}:
        parts.append("circle: not released")
    if REFUSED in kinds:
        parts.append("cross: turned away, no number")
    if any(step.again is not None for step in steps):
        parts.append("diamond: the champion before, on the same rows")
    others = [one.release for one in history.stages if one.release.metric != newest.metric]
    names = ", ".join(f"{words.short(one.id, 24)} ({words.metric(one.metric)})" for one in others[-4:])
    if others:
        parts.append(f"judged by another metric and not drawn: {names}")
    return "; ".join(parts)
