"""The staircase holds each release with its interval, rises, and says who took a step back."""

# ruff: noqa: E501

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from holdfast.core.estimate import Estimate
from holdfast.core.release import History, Refused, Release, Rollback, Stage, Standing
from holdfast.errors import InputError
from holdfast.report.charts.against import against_champion
from holdfast.report.charts.frame import save, to_spec
from holdfast.report.charts.staircase import staircase

HOSTILE = "<script>alert('x')</script>\n' + fetch('//evil') + '\u202e"
SCORES = (0.475, 0.461, 0.443, 0.507)


def _release(name, score, *, greater=False, **more):
    known = Estimate(score, score - 0.02, score + 0.02, n=1601, method="t")
    difference = Estimate(0.018, 0.008, 0.027, 0.995, 1601)
    metric = "auc" if greater else "log_loss"
    return Release(
        name, f"run-of-{name}", "", metric, greater, known, difference, 0.009, 1601, 0.0025, "better", "Ann", **more
    )  # fmt: skip


def _stage(place, standing=Standing.FORMER, *, score=None, **more):
    release = _release(f"release-{place}", SCORES[place] if score is None else score, **more)
    return Stage(release, standing, "Bob", f"2026-05-0{place + 1}T10:00:00+00:00", "looked at it")


RISING = History((_stage(0), _stage(1), _stage(2, Standing.CHAMPION)))
FALLEN = History(
    (_stage(0), _stage(1), _stage(2, Standing.CHAMPION), _stage(3, Standing.ROLLED_BACK, overrode="Zoe")),
    (Refused("run-x", "2026-05-02T18:00:00+00:00", "Ann"),),
    rollbacks=(Rollback("release-3", "release-2", "Ida", "2026-05-06T10:00:00+00:00", "complaints"),),
)


def _datasets(chart):
    return list(chart.to_dict(validate=True)["datasets"].values())


def _marks(chart):
    """Every point: what is drawn, by the place and name below it."""
    return {row["step"]: row for rows in _datasets(chart) for row in rows if "shown" in row}


def _line(chart):
    """The rows of the champion's line, in order."""
    rows = next(rows for rows in _datasets(chart) if rows and "before" in rows[0])
    return sorted(rows, key=lambda row: row["step"])


def _texts(chart):
    return {row["said"] for row in _marks(chart).values()} - {""}


def test_each_release_stands_at_its_score_with_its_interval():
    drawn = {row["name"]: row for row in _marks(staircase(RISING)).values()}
    for stage in RISING.stages:
        score, row = stage.release.score, drawn[stage.release.id]
        assert (row["score"], row["low"], row["high"]) == (score.value, score.low, score.high)
        assert row["date"] == stage.at[:10]
        assert row["shown"] == str(score)


def test_the_line_of_champions_rises_and_stays_until_the_next():
    line = _line(staircase(RISING))
    assert [row["score"] for row in line] == [0.475, 0.461, 0.443]
    assert not any(row["fell"] for row in line)
    assert _texts(staircase(RISING)) == set()


def test_a_step_back_says_who_took_it():
    chart = staircase(FALLEN)
    line = _line(chart)
    assert [row["score"] for row in line] == [0.475, 0.461, 0.461, 0.443, 0.507, 0.443]
    assert [row["kind"] for row in line if row["fell"]] == ["by hand"]
    assert _texts(chart) == {"overridden\nby Zoe", "rolled back\nby Ida"}
    by_hand = [row["name"] for row in _marks(chart).values() if row["kind"] == "by hand"]
    assert sorted(by_hand) == ["release-3", "rolled back"]
    assert "by Ida" in chart.to_dict()["description"]


def test_what_comes_in_order_of_time_is_drawn_so():
    assert [row["name"] for _, row in sorted(_marks(staircase(FALLEN)).items())] == [
        "release-0", "release-1", "turned away", "release-2", "release-3", "rolled back",
    ]  # fmt: skip


def test_a_refusal_shows_no_number():
    row = next(row for row in _marks(staircase(FALLEN)).values() if row["name"] == "turned away")
    assert (row["low"], row["high"], row["number"], row["shown"]) == (None, None, "", "no number")
    lowest = max(score for score in SCORES) + 0.02
    assert row["score"] > lowest  # at the worse edge, below every interval


@pytest.mark.parametrize("standing", [Standing.PROPOSED, Standing.REJECTED])
def test_what_is_not_released_moves_no_line(standing):
    chart = staircase(replace(RISING, stages=(*RISING.stages, _stage(3, standing))))
    assert [row["score"] for row in _line(chart)] == [0.475, 0.461, 0.443, 0.443]
    assert _texts(chart) == ({"rejected\nby Bob"} if standing is Standing.REJECTED else set())


@pytest.mark.parametrize("greater", [True, False])
def test_up_is_better_whatever_the_metric(greater):
    stages = (_stage(0, score=0.6, greater=greater), _stage(1, Standing.CHAMPION, score=0.7, greater=greater))
    chart = staircase(History(stages))
    scales = [
        layer["encoding"]["y"]["scale"]
        for layer in chart.to_dict()["layer"]
        if "scale" in layer.get("encoding", {}).get("y", {})
    ]
    assert {scale["reverse"] for scale in scales} == {not greater}
    assert _line(chart)[1]["fell"] is not greater


def test_one_release_is_a_staircase(tmp_path):
    chart = staircase(History((_stage(0, Standing.CHAMPION),)))
    assert len(_line(chart)) == 1
    waiting = staircase(History((_stage(0, Standing.PROPOSED),)))
    assert len(_marks(waiting)) == 1
    assert save(waiting, tmp_path / "waiting.png").stat().st_size > 1000


def test_releases_by_another_metric_are_named_and_not_drawn():
    history = History((_stage(0, score=0.8, greater=True), _stage(1, Standing.CHAMPION)))
    chart = staircase(history)
    assert [row["name"] for row in _marks(chart).values()] == ["release-1"]
    assert "release-0 (AUC)" in " ".join(chart.to_dict()["title"]["subtitle"])


def test_an_absent_interval_and_an_absent_score_are_still_a_chart():
    bare = replace(RISING.stages[0].release, score=Estimate(0.4, float("nan"), float("nan")))
    absent = replace(RISING.stages[1].release, score=Estimate.absent("no rows"))
    stages = (replace(RISING.stages[0], release=bare), replace(RISING.stages[1], release=absent))
    json.dumps(to_spec(staircase(History(stages))), allow_nan=False)
    with pytest.raises(InputError, match="no score on sealed rows"):
        staircase(History(stages[1:]))


def test_without_a_release_there_are_no_stairs():
    with pytest.raises(InputError, match="Nothing has passed the gate yet"):
        staircase(History((), FALLEN.refused))


def test_hostile_names_are_data_and_never_code(tmp_path):
    release = replace(_release(f"r{HOSTILE}", 0.4), run=HOSTILE, overrode=HOSTILE, author=HOSTILE)
    stage = Stage(release, Standing.CHAMPION, HOSTILE, "2026-05-01T10:00:00+00:00", HOSTILE)
    history = History((stage,), (Refused(HOSTILE, "2026-05-02T10:00:00+00:00", HOSTILE),))
    for chart in (staircase(history), against_champion(replace(release, champion=HOSTILE))):
        spec = chart.to_dict(validate=True)
        spec.pop("datasets")
        expressions = [part for part in json.dumps(spec).split('"') if "datum" in part]
        assert not any("evil" in part or "alert" in part for part in expressions)
        drawn = save(chart, tmp_path / "chart.svg").read_text(encoding="utf-8")
        assert "<script" not in drawn
        assert "\u202e" not in drawn


@pytest.mark.parametrize("count", [9, 40])
def test_many_releases_fit(count, tmp_path):
    stages = tuple(
        replace(
            _stage(0, Standing.FORMER, score=0.5 - at / 500), at=f"2026-05-{at % 28 + 1:02d}T{at // 28:02d}"
        )
        for at in range(count)
    )
    assert save(staircase(History(stages)), tmp_path / "many.png").stat().st_size > 1000


def test_the_difference_is_drawn_with_its_interval_its_margin_and_no_difference():
    release = replace(_release("release-1", 0.44), champion="run-0")
    (rows,) = [rows for rows in _datasets(against_champion(release)) if rows]
    (row,) = rows
    assert (row["difference"], row["low"], row["high"]) == (0.018, 0.008, 0.027)
    assert (row["from"], row["to"], row["zero"]) == (-0.009, 0.009, 0.0)
    title = against_champion(release).to_dict()["title"]
    assert "run-0" in title["text"]
    assert "99.5 % interval" in title["subtitle"][0]
