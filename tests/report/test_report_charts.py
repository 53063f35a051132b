"""Charts hold exactly the facts that they were given, in both papers, without a network."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.curves import Confusion, Residuals, Roc
from holdfast.core.estimate import Estimate
from holdfast.core.run import Cost
from holdfast.errors import InputError
from holdfast.report import charts
from holdfast.report.charts.board import on_scale
from holdfast.report.charts.frame import to_spec
from holdfast.report.charts.labels import Spot, place
from holdfast.report.charts.theme import DARK, LIGHT


def _all(facts):
    board, pictures = facts.leaderboard, facts.pictures
    drawn = [
        charts.quality_against_time(board),
        charts.quality_against_time(board, time="fit"),
        charts.leaderboard(board),
        charts.importance(pictures.importance),
        charts.learning(facts.runs[1].curves),
    ]
    if pictures.confusion is not None:
        drawn += [
            charts.confusion(pictures.confusion),
            charts.roc(pictures.roc),
            charts.precision_recall(pictures.precision_recall),
            charts.reliability(pictures.reliability),
        ]
    if pictures.residuals is not None:
        drawn.append(charts.residuals(pictures.residuals))
    return drawn


def _rows(chart):
    """Every row of data in a chart."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


@pytest.mark.parametrize("name", ["churn", "houses", "hostile"])
def test_every_chart_is_valid_named_and_described(name, request):
    for chart in _all(request.getfixturevalue(name)):
        spec = chart.to_dict(validate=True)
        assert spec["title"]["text"]
        assert spec["description"]
        json.dumps(spec, allow_nan=False)


def test_quality_picture_holds_each_timed_model_with_its_interval(churn):
    board = churn.leaderboard
    rows = {row["name"]: row for row in _rows(charts.quality_against_time(board))}
    timed = [entry for entry in board.entries if entry.cost.predict_seconds]
    assert set(rows) == {entry.name for entry in timed}
    for entry in timed:
        row = rows[entry.name]
        assert (row["score"], row["low"], row["high"]) == (
            entry.score.value,
            entry.score.low,
            entry.score.high,
        )
        assert row["seconds"] == entry.cost.predict_seconds
    assert rows[board.best]["role"] == "best"
    assert rows[board.recommended]["role"] == "recommended"


def test_quality_picture_names_what_it_leaves_out(churn):
    predict = charts.quality_against_time(churn.leaderboard).to_dict()["title"]["subtitle"]
    fit = charts.quality_against_time(churn.leaderboard, time="fit").to_dict()["title"]["subtitle"]
    assert "constant-1f3e5a was not timed" in " ".join(predict)
    assert "constant-1f3e5a (0.579 [0.569, 0.589]) is off the scale" in " ".join(fit)


def test_a_board_without_times_or_intervals_is_still_a_chart(churn):
    entries = tuple(
        replace(e, cost=Cost(), score=Estimate(e.score.value, math.nan, math.nan))
        for e in churn.leaderboard.entries
    )
    board = replace(churn.leaderboard, entries=entries)
    json.dumps(charts.quality_against_time(board).to_dict(), allow_nan=False)
    json.dumps(charts.leaderboard(board).to_dict(), allow_nan=False)


def test_models_far_behind_are_cut_and_never_the_best_two(churn):
    entries = churn.leaderboard.entries
    assert [e.name for e in on_scale(entries)] == [e.name for e in entries[:-1]]
    assert on_scale([entries[0], entries[-1]]) == [entries[0], entries[-1]]


def test_confusion_colours_by_the_share_of_the_true_class():
    chart = charts.confusion(Confusion(("a", "b"), np.array([[30, 10], [0, 0]])))
    shares = {(row["true"], row["predicted"]): row["share"] for row in _rows(chart)}
    assert shares == {("a", "a"): 0.75, ("a", "b"): 0.25, ("b", "a"): 0.0, ("b", "b"): 0.0}


def test_a_confusion_of_very_many_classes_keeps_the_largest():
    counts = np.eye(300, dtype=np.int64) * np.arange(1, 301)
    chart = charts.confusion(Confusion(tuple(map(str, range(300))), counts))
    assert {row["true"] for row in _rows(chart)} == {str(i) for i in range(260, 300)}
    assert "the 40 largest of 300 classes" in " ".join(chart.to_dict()["title"]["subtitle"])


def test_many_classes_are_not_all_drawn_and_that_is_said():
    area = Estimate(0.9, 0.8, 0.95, n=100)
    line = np.array([0.0, 1.0])
    chart = charts.roc([Roc(f"class {i}", line, line, 1 - line, area) for i in range(11)])
    assert len({row["label"] for row in _rows(chart) if "label" in row}) == 8
    assert "8 of 11 classes" in " ".join(chart.to_dict()["title"]["subtitle"])


def test_residuals_say_how_many_rows_are_not_drawn():
    chart = charts.residuals(Residuals(np.zeros(10), np.ones(10), 5000))
    assert chart.to_dict()["title"]["subtitle"] == ["10 of 5,000 rows"]


@pytest.mark.parametrize("dark", [False, True])
def test_files_are_written_offline(churn, tmp_path, dark):
    chart = charts.quality_against_time(churn.leaderboard)
    png = charts.save(chart, tmp_path / "a.png", dark=dark).read_bytes()
    assert png.startswith(b"\x89PNG")
    svg = charts.save(chart, str(tmp_path / "a.svg"), dark=dark).read_text()
    assert "recommended" in svg
    assert (DARK if dark else LIGHT).paper in svg
    spec = json.loads(charts.save(chart, tmp_path / "a.json", dark=dark).read_text())
    assert spec == to_spec(chart, dark=dark)


def test_an_unknown_kind_of_file_is_refused_with_the_kinds_that_work(churn, tmp_path):
    with pytest.raises(InputError, match=r"\.png, \.svg or \.json"):
        charts.save(charts.leaderboard(churn.leaderboard), tmp_path / "a.gif")


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_stand_out_against_their_paper(palette):
    assert _contrast(palette.ink, palette.paper) >= 7
    assert _contrast(palette.quiet, palette.paper) >= 4.5
    for color in (*palette.series, palette.muted):
        assert _contrast(color, palette.paper) >= 3
    assert _contrast(palette.on_strong, palette.strong) >= 4.5
    assert _contrast(palette.ink, palette.pale) >= 4.5


def _contrast(a, b):
    """The contrast ratio of WCAG 2."""

    def luminance(color):
        channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@given(st.lists(st.tuples(st.floats(0, 640), st.floats(0, 340)), min_size=1, max_size=12))
@settings(max_examples=50)
def test_each_point_gets_a_place_for_its_name(points):
    spots = [Spot(x, y, y - 20, y + 20, f"model-{i}") for i, (x, y) in enumerate(points)]
    assert len(place(spots, width=640, height=340)) == len(spots)


def test_names_of_close_points_do_not_overlap():
    spots = [Spot(300 + 6 * i, 170 + 3 * i, 150, 200, f"model-{i}") for i in range(5)]
    sides = place(spots, width=640, height=340)
    boxes = []
    for spot, side in zip(spots, sides, strict=True):
        left = spot.x + side.dx - (0 if side.align == "left" else 6.4 * len(spot.name))
        boxes.append((left, spot.y + side.dy - 6, left + 6.4 * len(spot.name), spot.y + side.dy + 6))
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]
