"""Models against each other: quality against time, and their intervals."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from holdfast.core.leaderboard import Entry, Leaderboard
from holdfast.report import words
from holdfast.report.charts.frame import HEIGHT, WIDTH, data, finish
from holdfast.report.charts.labels import Spot, place

if TYPE_CHECKING:
    import altair as alt

_HASH = re.compile(r"-[0-9a-f]{4,}$")
_TIME_LABEL = (
    "datum.value >= 1 ? format(datum.value, '~r') + ' s' : datum.value >= 1e-3 "
    "? format(datum.value * 1e3, '~r') + ' ms' : datum.value >= 1e-6 "
    "? format(datum.value * 1e6, '~r') + ' µs' : format(datum.value * 1e9, '~r') + ' ns'"
)


def quality_against_time(
    board: Leaderboard, *, time: Literal["predict", "fit"] = "predict"
) -> alt.LayerChart:
    """Each model's score with its interval over the time it takes; best and recommended stand out.

    Time is on a log scale. Models that were not timed, and those so far behind that
    they would squeeze the others together, are named below the title instead.
    """
    import altair as alt

    timed = [entry for entry in board.entries if _seconds(entry, time) > 0 and entry.score.known]
    shown = on_scale(timed)
    scores, seconds = score_domain(shown), _time_domain([_seconds(entry, time) for entry in shown])
    what = "time to predict one row, in batches" if time == "predict" else "time to fit, all folds"
    x = alt.X(
        "seconds:Q",
        scale=alt.Scale(type="log", domain=seconds, nice=False),
        axis=alt.Axis(values=_ticks(*seconds), labelExpr=_TIME_LABEL, title=f"{what} (log scale)"),
    )
    y = alt.Y(
        "score:Q",
        scale=alt.Scale(domain=scores, nice=False, zero=False),
        axis=alt.Axis(
            title=f"{words.metric(board.metric)} ({words.direction(board.greater_is_better)})", tickCount=6
        ),
    )
    rows = [{**_row(board, entry), "seconds": _seconds(entry, time)} for entry in shown]
    layers = [*_intervals(rows, x, y, vertical=True), *_names(rows, scores, seconds, x, y)]
    about = [f"{round(board.entries[0].score.level * 100)} % intervals"] if board.entries else []
    about += [f"{words.count(board.n, 'row')}, out of fold"] if board.n else []
    left_out = [entry for entry in board.entries if entry not in shown]
    about += [f"{words.short(entry.name, 28)} {_why_left_out(entry, timed)}" for entry in left_out]
    return finish(
        alt.layer(*layers),
        "Quality against time to predict" if time == "predict" else "Quality against time to fit",
        "; ".join(about),
        f"{words.recommendation(board)} {words.reason(board)} {words.cheaper(board)}".strip(),
    )


def leaderboard(board: Leaderboard) -> alt.LayerChart:
    """Each model's score with its interval, from best to worst."""
    import altair as alt

    shown = on_scale([entry for entry in board.entries if entry.score.known])
    x = alt.X(
        "score:Q",
        scale=alt.Scale(domain=score_domain(shown), nice=False, zero=False),
        axis=alt.Axis(
            title=f"{words.metric(board.metric)} ({words.direction(board.greater_is_better)})", tickCount=6
        ),
    )
    names = [words.clean(entry.name) for entry in shown]
    y = alt.Y("name:N", sort=names, axis=alt.Axis(title=None, grid=False))
    layers = _intervals([_row(board, entry) for entry in shown], x, y, vertical=False)
    left_out = [
        f"{words.short(e.name, 28)} {e.score}: off the scale" for e in board.entries if e not in shown
    ]
    return finish(
        alt.layer(*layers),
        "Scores with their intervals",
        "; ".join(left_out),
        ", ".join(f"{words.clean(entry.name)} {entry.score}" for entry in board.entries),
        height=max(80, 26 * len(shown)),
    )


def on_scale(entries: Sequence[Entry]) -> list[Entry]:
    """The entries, best first, up to the first gap that would squeeze those before it together."""
    if len(entries) < 3:
        return list(entries)
    best = entries[0].score
    reach = best.high - best.low if not math.isnan(best.low) else abs(best.value) / 50
    for i, entry in enumerate(entries):
        distance = abs(entry.score.value - best.value)
        if i >= 2 and distance > 3 * reach:
            return list(entries[:i])
        reach = max(reach, distance)
    return list(entries)


def score_domain(entries: Sequence[Entry]) -> list[float]:
    """The lowest and highest end of the entries' intervals, with a little air."""
    ends = [end for e in entries for end in (e.score.low, e.score.high, e.score.value) if math.isfinite(end)]
    if not ends:
        return [0.0, 1.0]
    air = (max(ends) - min(ends)) * 0.06 or abs(ends[0]) * 0.05 or 1.0
    return [min(ends) - air, max(ends) + air]


def _seconds(entry: Entry, time: str) -> float:
    return entry.cost.predict_seconds if time == "predict" else entry.cost.fit_seconds


def _why_left_out(entry: Entry, timed: Sequence[Entry]) -> str:
    return f"({entry.score}) is off the scale" if entry in timed else "was not timed"


def _time_domain(seconds: Sequence[float]) -> list[float]:
    if not seconds:
        return [1e-6, 1.0]
    air = max(1.25, (max(seconds) / min(seconds)) ** 0.08)
    return [min(seconds) / air, max(seconds) * air]


def _ticks(low: float, high: float) -> list[float]:
    steps = (1,) if high / low > 100 else (1, 2, 5)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [value for d in decades for step in steps if low <= (value := step * 10.0**d) <= high]


def _row(board: Leaderboard, entry: Entry) -> dict[str, object]:
    roles = [role for role in ("best", "recommended") if getattr(board, role) == entry.name]
    return {
        "name": words.clean(entry.name),
        "label": words.short(entry.name if roles else _without_hash(board, entry.name), 30),
        "score": entry.score.value,
        "low": entry.score.low,
        "high": entry.score.high,
        "role": " and ".join(roles),
        "shown": str(entry.score),
        "stands": words.against_best(entry.against_best),
        "fit": words.duration(entry.cost.fit_seconds),
        "predict": words.moment(entry.cost.predict_seconds),
    }


def _without_hash(board: Leaderboard, name: str) -> str:
    bare = _HASH.sub("", name)
    return bare if sum(_HASH.sub("", entry.name) == bare for entry in board.entries) == 1 else name


def _intervals(rows: Sequence[dict[str, object]], x: alt.X, y: alt.Y, *, vertical: bool) -> list[alt.Chart]:
    """Bars and points: the ordinary ones in grey, then the best and the recommended in colour."""
    import altair as alt

    plain = [row for row in rows if not row["role"]]
    marked = [row for row in rows if row["role"]]
    roles = [str(row["role"]) for row in marked]
    color = alt.Color("role:N", scale=alt.Scale(domain=roles))
    shape = alt.Shape("role:N", scale=alt.Scale(domain=roles, range=["diamond", "square"]))
    tips = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (
            ("name", "run"), ("shown", "score"), ("stands", "against best"),
            ("fit", "fit"), ("predict", "per row"),
        )
    ]  # fmt: skip
    ends = {"y": y, "y2": alt.Y2("high:Q")} if vertical else {"x": x, "x2": alt.X2("high:Q")}
    ends |= {"x": x} if vertical else {"y": y}
    low = {"y": _at_low(y)} if vertical else {"x": _at_low(x)}
    bars = alt.Chart(data(plain)).mark_rule(style="muted-line").encode(**{**ends, **low})
    points = alt.Chart(data(plain)).mark_point(style="muted").encode(x=x, y=y, tooltip=tips)
    bright_bars = alt.Chart(data(marked)).mark_rule(strokeWidth=2.5).encode(**{**ends, **low}, color=color)
    bright = (
        alt.Chart(data(marked)).mark_point(size=170).encode(x=x, y=y, color=color, shape=shape, tooltip=tips)
    )
    return [bars, points, bright_bars, bright]


def _at_low(axis: alt.X | alt.Y) -> alt.X | alt.Y:
    moved = axis.copy()
    moved.shorthand = "low:Q"
    return moved


def _names(
    rows: Sequence[dict[str, object]], scores: list[float], seconds: list[float], x: alt.X, y: alt.Y
) -> list[alt.Chart]:
    import altair as alt

    def across(value: float) -> float:
        return WIDTH * math.log(value / seconds[0]) / math.log(seconds[1] / seconds[0])

    def down(value: float) -> float:
        return HEIGHT * (scores[1] - value) / (scores[1] - scores[0])

    named = sorted(rows, key=lambda row: not row["role"])
    spots = [
        Spot(across(row["seconds"]), down(row["score"]), down(row["high"]), down(row["low"]), row["label"])  # type: ignore[arg-type]
        for row in named
    ]
    sides = place(spots, width=WIDTH, height=HEIGHT)
    return [
        alt.Chart(data([row for row, s in zip(named, sides, strict=True) if s == side]))
        .mark_text(align=side.align, dx=side.dx, dy=side.dy, baseline="middle", style=style)
        .encode(x=x, y=y, text="label:N")
        for style in ("halo", "name")
        for side in dict.fromkeys(sides)
    ]
