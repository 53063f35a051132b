"""Classifiers: confusion, ROC, precision and recall, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from holdfast.core.curves import Confusion, PrecisionRecall, Reliability, Roc
from holdfast.report import words
from holdfast.report.charts.frame import Row, data, finish

if TYPE_CHECKING:
    import altair as alt

_MOST_TOLD = 3
MOST_CURVES = 8  # as many as there are colours
_MOST_CLASSES = 40
_MOST_WRITTEN = 12  # classes whose counts still fit into their cells
_LETTERS_ACROSS = 60  # of class names that fit side by side under half a page
_WHITE_ABOVE = 0.65  # the share from which a cell is too dark for dark ink


def confusion(counts: Confusion) -> alt.LayerChart:
    """A heat map of the share of each true class (down) predicted as each class (across)."""
    import altair as alt

    right, total = words.weight(counts.counts.trace()), words.weight(counts.counts.sum())
    about = f"{right} of {total} rows predicted right"
    if len(counts.classes) > _MOST_CLASSES:
        about += f"; the {_MOST_CLASSES} largest of {len(counts.classes):,} classes"
        counts = _largest(counts)
    names = [words.clean(name) for name in counts.classes]
    totals = counts.counts.sum(axis=1)
    share = counts.counts / np.maximum(totals, 1)[:, None]
    rows: list[dict[str, object]] = [
        {"true": names[i], "predicted": names[j], "rows": words.weight(n), "share": float(share[i, j])}
        for (i, j), n in np.ndenumerate(counts.counts)
    ]
    angle = -40 if len(names) * max(map(len, names)) > _LETTERS_ACROSS else 0
    x = alt.X("predicted:N", sort=names, axis=_names_axis("predicted class", labelAngle=angle))
    y = alt.Y("true:N", sort=names, axis=_names_axis("true class"))
    layers = [_cells(rows, x, y)]
    if len(names) <= _MOST_WRITTEN:
        dark = share.ravel() > _WHITE_ABOVE
        for style, part in (("on-pale", np.flatnonzero(~dark)), ("on-strong", np.flatnonzero(dark))):
            text = alt.Chart(data([rows[at] for at in part])).mark_text(style=style, fontSize=13)
            layers.append(text.encode(x=x, y=y, text=alt.Text("rows:N")))
    return finish(
        alt.layer(*layers),
        "Confusion",
        about,
        "; ".join(f"{r['true']} predicted as {r['predicted']}: {r['rows']} rows" for r in rows[:64]),
        height=min(600, max(180, 46 * len(names))),
    )


def _largest(counts: Confusion) -> Confusion:
    kept = np.sort(np.argsort(-counts.counts.sum(axis=1), kind="stable")[:_MOST_CLASSES])
    return Confusion(tuple(counts.classes[at] for at in kept), counts.counts[np.ix_(kept, kept)])


def _names_axis(title: str, *, labelAngle: int = 0) -> alt.Axis:
    import altair as alt

    return alt.Axis(title=title, labelAngle=labelAngle, labelLimit=140, grid=False)


def _cells(rows: Sequence[Row], x: alt.X, y: alt.Y) -> alt.Chart:
    import altair as alt

    legend = alt.Legend(title="share of the true class", format="%")
    fill = alt.Color("share:Q", scale=alt.Scale(domain=[0, 1]), legend=legend)
    tips = [
        alt.Tooltip("true:N"),
        alt.Tooltip("predicted:N"),
        alt.Tooltip("rows:N"),
        alt.Tooltip("share:Q", format=".1%"),
    ]
    return alt.Chart(data(rows)).mark_rect(cornerRadius=3).encode(x=x, y=y, color=fill, tooltip=tips)


def roc(curves: Sequence[Roc]) -> alt.LayerChart:
    """The share of each class found against the share of other rows taken for it."""
    drawn = curves[:MOST_CURVES]
    rows = [
        {"x": float(x), "y": float(y), "threshold": float(t), "label": words.clean(curve.label), "at": at}
        for curve in drawn
        for at, (x, y, t) in enumerate(
            zip(curve.false_positive_rate, curve.true_positive_rate, curve.threshold, strict=True)
        )
    ]
    areas = "; ".join(f"{_prefix(curve.label, drawn)}AUC {curve.area}" for curve in drawn)
    chance: list[Row] = [{"x": 0.0, "y": 0.0, "at": 0}, {"x": 1.0, "y": 1.0, "at": 1}]
    return finish(
        _curves(rows, chance, "false positive rate", "true positive rate"),
        "ROC",
        _subtitle(areas, len(curves)),
        f"ROC curve. {areas}. The dashed line is chance.",
    )


def precision_recall(curves: Sequence[PrecisionRecall]) -> alt.LayerChart:
    """How many of the rows taken for a class belong to it, against the share of it that is found."""
    drawn = curves[:MOST_CURVES]
    rows = [
        {"x": float(x), "y": float(y), "threshold": float(t), "label": words.clean(curve.label), "at": at}
        for curve in drawn
        for at, (x, y, t) in enumerate(zip(curve.recall, curve.precision, curve.threshold, strict=True))
    ]
    areas = "; ".join(f"{_prefix(c.label, drawn)}average precision {c.average_precision}" for c in drawn)
    return finish(
        _curves(rows, [], "recall", "precision"),
        "Precision and recall",
        _subtitle(areas, len(curves)),
        f"Precision against recall. {areas}.",
    )


def reliability(curves: Sequence[Reliability]) -> alt.LayerChart:
    """Observed against predicted frequency, with 95 % Wilson bars; on the diagonal is calibrated."""
    import altair as alt

    drawn = curves[:MOST_CURVES]
    rows = [row for curve in drawn for row in _bins(curve)]
    x, y = _unit(alt.X, "x", "predicted probability"), _unit(alt.Y, "y", "observed frequency")
    low = _unit(alt.Y, "low", "observed frequency")
    color = _color(rows)
    tips = [
        alt.Tooltip("label:N", title="class"), alt.Tooltip("x:Q", title="predicted", format=".3f"),
        alt.Tooltip("y:Q", title="observed", format=".3f"), alt.Tooltip("low:Q", format=".3f"),
        alt.Tooltip("high:Q", format=".3f"), alt.Tooltip("rows:Q", format=","),
    ]  # fmt: skip
    diagonal = alt.Chart(data([{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 1.0}])).mark_line(style="reference")
    base = alt.Chart(data(rows))
    errors = "; ".join(
        f"{_prefix(c.label, drawn)}calibration error {c.error}, {words.two_digits(c.reference)} when perfect"
        for c in drawn
    )
    return finish(
        alt.layer(
            diagonal.encode(x=x, y=y),
            base.mark_rule().encode(x=x, y=low, y2="high:Q", color=color),
            base.mark_line(strokeWidth=1.5, opacity=0.6).encode(x=x, y=y, color=color),
            base.mark_point(size=60).encode(x=x, y=y, color=color, tooltip=tips),
        ),
        "Calibration",
        _subtitle(errors, len(curves)),
        f"Observed against predicted frequency. {errors}. The dashed diagonal is perfect calibration.",
    )


def _bins(curve: Reliability) -> list[Row]:
    columns = (curve.predicted, curve.observed, curve.observed_low, curve.observed_high, curve.count)
    label = words.clean(curve.label)
    return [
        {"label": label, "x": float(x), "y": float(y), "low": float(low), "high": float(high), "rows": int(n)}
        for x, y, low, high, n in zip(*columns, strict=True)
    ]


def _curves(rows: Sequence[Row], reference: Sequence[Row], across: str, up: str) -> alt.LayerChart:
    import altair as alt

    x, y = _unit(alt.X, "x", across), _unit(alt.Y, "y", up)
    tips = [
        alt.Tooltip("label:N", title="class"), alt.Tooltip("x:Q", title=across, format=".3f"),
        alt.Tooltip("y:Q", title=up, format=".3f"), alt.Tooltip("threshold:Q", format=".3f"),
    ]  # fmt: skip
    line = alt.Chart(data(rows)).mark_line(strokeWidth=2).encode(x=x, y=y, color=_color(rows), order="at:Q")
    hover = alt.Chart(data(rows)).mark_point(size=60, opacity=0).encode(x=x, y=y, tooltip=tips)
    dashed = (
        [alt.Chart(data(reference)).mark_line(style="reference").encode(x=x, y=y, order="at:Q")]
        if reference
        else []
    )
    return alt.layer(*dashed, line, hover)


def _unit(channel: type[alt.X | alt.Y], field: str, title: str) -> alt.X | alt.Y:
    import altair as alt

    return channel(f"{field}:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(title=title, tickCount=5))


def _color(rows: Sequence[Row]) -> alt.Color:
    import altair as alt

    labels = list(dict.fromkeys(row["label"] for row in rows))
    legend = alt.Legend() if len(labels) > 1 else None
    return alt.Color("label:N", scale=alt.Scale(domain=labels), legend=legend)


def _prefix(label: str, drawn: Sequence[object]) -> str:
    return f"{words.short(label, 24)}: " if len(drawn) > 1 else ""


def _subtitle(text: str, count: int) -> str:
    """The estimates of few classes; of many, how many are drawn (the description has their estimates)."""
    if count <= _MOST_TOLD:
        return text
    return f"each class against the rest; {min(count, MOST_CURVES)} of {count:,} classes"
