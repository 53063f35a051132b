"""One model: residuals, what its columns are worth, how it learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.core.curves import Importance, Residuals
from holdfast.core.learner import Curve
from holdfast.report import words
from holdfast.report.charts.frame import data, finish

if TYPE_CHECKING:
    import altair as alt


def residuals(facts: Residuals) -> alt.LayerChart:
    """Target minus prediction against prediction; a pattern is something that was not learned."""
    import altair as alt

    rows = [{"x": float(x), "y": float(y)} for x, y in zip(facts.prediction, facts.residual, strict=True)]
    x = alt.X("x:Q", scale=alt.Scale(zero=False), axis=alt.Axis(title="prediction", tickCount=6))
    y = alt.Y("y:Q", axis=alt.Axis(title="residual (target minus prediction)", tickCount=6))
    tips = [
        alt.Tooltip("x:Q", title="prediction", format=",.4~g"),
        alt.Tooltip("y:Q", title="residual", format=",.4~g"),
    ]
    points = (
        alt.Chart(data(rows)).mark_point(style="accent", size=16, opacity=0.35).encode(x=x, y=y, tooltip=tips)
    )
    zero = alt.Chart(data([{"y": 0.0}])).mark_rule(style="reference").encode(y=y)
    shown = f"{len(rows):,} of {facts.n:,} rows" if len(rows) < facts.n else words.count(facts.n, "row")
    return finish(alt.layer(points, zero), "Residuals", shown, "Residuals against predictions.")


def importance(columns: Sequence[Importance], *, most: int = 20) -> alt.LayerChart:
    """How much worse the metric gets when a column's cells are shuffled, with intervals."""
    import altair as alt

    known = sorted((c for c in columns if c.drop.known), key=lambda c: -c.drop.value)
    rows = [
        {
            "column": words.clean(c.column),
            "drop": c.drop.value,
            "low": c.drop.low,
            "high": c.drop.high,
            "shown": str(c.drop),
        }
        for c in known[:most]
    ]
    x = alt.X("drop:Q", axis=alt.Axis(title="loss of score when the column is shuffled", tickCount=6))
    low = alt.X("low:Q", axis=alt.Axis(title="loss of score when the column is shuffled", tickCount=6))
    order = [row["column"] for row in rows]
    y = alt.Y("column:N", sort=order, axis=alt.Axis(title=None, grid=False))
    tips = [alt.Tooltip("column:N"), alt.Tooltip("shown:N", title="drop")]
    base = alt.Chart(data(rows))
    hidden = len(columns) - len(rows)
    return finish(
        alt.layer(
            base.mark_bar(style="accent", height=5, opacity=0.3, cornerRadiusEnd=2).encode(x=x, y=y),
            base.mark_rule(style="accent-line").encode(x=low, x2="high:Q", y=y),
            base.mark_point(style="accent", size=60).encode(x=x, y=y, tooltip=tips),
        ),
        "Importance",
        "permutation, with intervals"
        + (f"; {hidden:,} less important columns are not shown" if hidden > 0 else ""),
        "; ".join(f"{row['column']}: {row['shown']}" for row in rows),
        height=max(80, 26 * len(rows)),
    )


def learning(curves: Sequence[Curve]) -> alt.LayerChart:
    """The validation loss after each step, one line per fold, with the step that was kept."""
    import altair as alt

    rows = [
        {"fold": f"fold {i + 1}", "step": step, "loss": float(loss)}
        for i, curve in enumerate(curves)
        for step, loss in zip(curve.steps, curve.loss, strict=True)
    ]
    best = {(f"fold {i + 1}", curve.best) for i, curve in enumerate(curves)}
    kept = [row for row in rows if (row["fold"], row["step"]) in best]
    x = alt.X("step:Q", axis=alt.Axis(title="step", tickCount=6))
    y = alt.Y(
        "loss:Q",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(title="validation loss (lower is better)", tickCount=5),
    )
    line = alt.Chart(data(rows)).mark_line(style="muted-line").encode(x=x, y=y, detail="fold:N")
    tips = [
        alt.Tooltip("fold:N"),
        alt.Tooltip("step:Q", title="kept step"),
        alt.Tooltip("loss:Q", format=".4~g"),
    ]
    dots = alt.Chart(data(kept)).mark_point(style="accent", size=60).encode(x=x, y=y, tooltip=tips)
    return finish(
        alt.layer(line, dots),
        "Learning curves",
        f"{words.count(len(curves), 'fold')}; the dot is the step that was kept",
        "Validation loss over training steps, one line per fold.",
    )
