"""The terminal's drawings: complete, within their width, and never steered by what they show."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.curves import Confusion
from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.events import DataRead, FoldFitted, LearnerFitted, Planned, Said, Skipped
from holdfast.core.report_facts import DataFacts, Price
from holdfast.core.run import Cost
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.core.split import Split
from holdfast.core.verdict import Outcome
from holdfast.errors import InputError
from holdfast.report import text, words


def _drawings(facts):
    board = facts.leaderboard
    yield text.leaderboard(board)
    yield text.verdicts(board.verdicts)
    yield from map(text.verdict, board.verdicts)
    yield text.run(facts)
    yield from map(text.record, facts.runs)
    yield text.runs(facts.runs)
    yield text.data(facts.data)
    yield text.metrics(facts.scores, lower_is_better=facts.lower_is_better)
    if facts.pictures.confusion is not None:
        yield text.confusion(facts.pictures.confusion)
    yield text.importance(facts.pictures.importance)
    learners = ("constant", facts.subject)
    yield text.plan(Planned(learners, facts.skipped, 5, board.metric, 60.0, 3, learners[1:]))
    yield text.event(Skipped(facts.subject, facts.title))
    yield text.event(Said(facts.title))


@pytest.mark.parametrize("name", ["churn", "houses", "hostile"])
@pytest.mark.parametrize("width", [80, 100, 140])
def test_every_line_fits_and_none_steers_the_terminal(name, width, request):
    for drawing in _drawings(request.getfixturevalue(name)):
        for line in text.plain(drawing, width=width).splitlines():
            assert len(line) <= width
            assert line.isprintable() or not line
            assert line == line.rstrip()


def test_leaderboard_shows_every_run_with_its_interval_and_marks_the_two(churn):
    board = churn.leaderboard
    lines = text.plain(text.leaderboard(board)).splitlines()
    for rank, entry in enumerate(board.entries, 1):
        line = next(line for line in lines if entry.name in line)
        assert line.startswith(str(rank))
        assert str(entry.score) in line
        assert f"  {entry.letters} " in line
    assert next(line for line in lines if line.startswith("1*")).split()[1] == board.best
    assert next(line for line in lines if line.startswith("2>")).split()[1] == board.recommended
    drawn = "\n".join(lines)
    assert "lower is better" in drawn
    assert str(board.corrected) in drawn
    assert "cheapest to run that is shown equivalent" in drawn
    assert "31,400 rows would settle" in drawn


def test_a_narrow_terminal_costs_columns_and_never_a_name(churn):
    board = churn.leaderboard
    long = "histgradientboostingclassifier-940e90"
    renamed = replace(board, entries=(*board.entries[:-1], replace(board.entries[-1], name=long)))
    lines = text.plain(text.leaderboard(renamed), width=80).splitlines()
    assert all(any(entry.name in line.split() for line in lines) for entry in renamed.entries)
    assert "per row" not in "\n".join(lines) and "per row" in text.plain(text.leaderboard(renamed))
    wide = text.plain(text.leaderboard(board), width=80)
    assert "per row" in wide and "  fit " not in wide  # a little narrow costs little
    tall = replace(churn.runs[0], id=long)
    assert long in text.plain(text.runs([tall]), width=80)
    folded = text.plain(text.verdicts(renamed.verdicts), width=60)
    assert "\N{HORIZONTAL ELLIPSIS}" not in folded


def test_one_model_may_be_best_and_recommended(churn):
    board = replace(churn.leaderboard, recommended=churn.leaderboard.best)
    assert "1*>" in text.plain(text.leaderboard(board))


def test_a_score_that_does_not_exist_is_absent_with_its_reason_and_never_zero(churn):
    drawn = text.plain(text.metrics(churn.scores))
    assert "absent: no row was predicted as positive" in " ".join(drawn.split())
    assert "nan" not in drawn


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_has_its_own_words(churn, outcome):
    verdict = replace(churn.leaderboard.verdicts[0], outcome=outcome)
    others = {words.verdict_sentence(replace(verdict, outcome=o)) for o in Outcome if o is not outcome}
    assert words.verdict_sentence(verdict) not in others
    assert words.verdict_sentence(verdict) in " ".join(text.plain(text.verdict(verdict)).split())


def test_a_p_value_is_labelled_once(churn):
    for p, told in ((0.096, "0.096"), (1e-9, "< 0.001")):
        verdict = replace(churn.leaderboard.verdicts[0], p=p)
        lines = [line.split(None, 1) for line in text.plain(text.verdict(verdict)).splitlines() if line]
        assert ["p", told] in [[name, said.strip()] for name, said in lines]
        assert told in words.evidence(verdict).split(";")[0]


def _compared(board, count):
    """All pairs among `count` models."""
    names = [f"model-{i}" for i in range(count)]
    verdict = board.verdicts[1]
    pairs = [replace(verdict, first=a, second=b) for i, a in enumerate(names) for b in names[i + 1 :]]
    scores = [replace(board.entries[0].score, value=0.4 + i / 100) for i in range(count)]
    return SimpleNamespace(
        metric="loss", greater_is_better=False, names=names, scores=scores, letters=["a"] * count,
        verdicts=pairs, n=805,
    )  # fmt: skip


def test_a_comparison_of_few_shows_every_verdict(churn):
    compared = _compared(churn.leaderboard, 4)
    drawn = text.plain(text.comparison(compared), width=120)
    for verdict in compared.verdicts:
        assert any({verdict.first, verdict.second} <= set(line.split()) for line in drawn.splitlines())
    assert "6 pairs: 0 decided, 0 equivalent, 6 undecided" in drawn
    assert "share a letter" in drawn


def test_a_comparison_of_many_is_ranked_and_counted(churn):
    compared = _compared(churn.leaderboard, 12)
    drawn = text.plain(text.comparison(compared))
    assert len(drawn.splitlines()) < 25
    assert "66 pairs: " in drawn
    for name, score in zip(compared.names, compared.scores, strict=True):
        assert any(name in line and str(score) in line for line in drawn.splitlines())


def test_sealed_rows_say_what_the_answer_cost(churn):
    answer = SimpleNamespace(
        run="best-1", scores=dict(churn.scores), rows=1409, tied=3, remaining=19, budget=20
    )
    drawn = text.plain(text.sealed(answer))
    assert "19 more answers of 20" in drawn
    assert "3 rows left out" in drawn
    assert str(churn.scores["auc"]) in drawn


def test_a_planted_fault_that_nobody_saw_is_said_to_be_so():
    drawn = text.plain(text.found([("a leak", "It alone tells 99 %."), ("wrong labels", "")]))
    assert "It alone tells 99 %." in drawn
    assert "not seen" in drawn


def test_warnings_come_before_notes(churn):
    drawn = text.plain(text.data(churn.data), width=120)
    assert drawn.index("leak") < drawn.index("missing")
    assert "1 warning, 3 notes" in drawn
    assert "No 73.5%, Yes 26.5%" in drawn


def test_confusion_shares_are_of_the_true_class():
    counts = np.array([[90, 10, 0], [5, 15, 0], [0, 0, 0]])
    drawn = text.plain(text.confusion(Confusion(("a", "b", "c"), counts)))
    assert "90.0%" in drawn
    assert "75.0%" in drawn
    assert "no rows" in drawn


def test_events_are_one_line_each():
    fold = text.plain(text.event(FoldFitted("lightgbm", 1, 5, 0.41234, 3.21, 42.0, reused=True)))
    assert fold.count("\n") == 1
    assert "fold 1/5  0.4123  (kept from before)  42.0 s left" in fold
    done = text.plain(text.event(LearnerFitted("lightgbm", 0.4, 3.2, 4.4, first=True)))
    assert done.count("\n") == 1
    assert "a first usable model" in done


def test_data_read_is_drawn_from_the_dataset_itself():
    table = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "b", "b", "b"]})
    schema = Schema((Column("x", Kind.NUMBER), Column("y", Kind.CATEGORY, Role.TARGET)))
    ids, twins = pl.Series(["0", "1", "2", "3"]), np.arange(4, dtype=np.uint64)
    data = Dataset(table, schema, ids, twins, source="t.csv")
    role = np.array(["search", "confirm", "sealed", "search"])
    split = Split(role, np.array([0, 1, -1, 1]), np.zeros(4, dtype=bool), 2, 7, 0.25)
    facts = DataFacts.of(data, split)
    assert (facts.rows, facts.open, facts.sealed, facts.features) == (4, 3, 1, 1)
    assert facts.classes == {"b": 3, "a": 1}
    assert "b 75.0%, a 25.0%" in text.plain(text.event(DataRead(data, split, 0.1)))


def test_show_writes_plain_lines_where_there_is_no_terminal(churn, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    out = io.StringIO()
    text.show(text.leaderboard(churn.leaderboard), file=out)
    assert out.getvalue() == text.plain(text.leaderboard(churn.leaderboard))
    assert "\x1b" not in out.getvalue()


def test_show_uses_colour_on_a_terminal(churn):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    text.show(text.leaderboard(churn.leaderboard), file=out)
    assert "\x1b[" in out.getvalue()


def test_a_price_turns_cpu_time_into_energy_and_money():
    price = Price(watts=10.0, per_kwh=0.5, per_core_hour=1.0, currency="EUR")
    cost = Cost(cpu_seconds=7200.0)
    assert price.energy(cost) == pytest.approx(20.0)
    assert price.money(cost) == pytest.approx(2.01)
    with pytest.raises(InputError, match="negative"):
        Price(watts=-1.0)


def test_the_subject_of_a_report_is_one_of_its_runs(churn):
    with pytest.raises(InputError, match="'nobody'"):
        replace(churn, subject="nobody")


def test_each_fit_is_counted_once(churn):
    members = [run for run in churn.runs if not run.weights]
    assert 0 < len(members) < len(churn.runs)
    paid = sum(run.cost.cpu_seconds for run in members)
    assert churn.total.cpu_seconds == pytest.approx(paid)
    again = replace(members[0], id="decided-anew", plan=replace(members[0].plan, decision="threshold"))
    assert replace(churn, runs=(*churn.runs, again)).total.cpu_seconds == pytest.approx(paid)
    alone = next(run for run in churn.runs if run.weights)
    total = replace(churn, runs=(alone,), subject=alone.id).total
    assert total.fit_seconds == alone.cost.fit_seconds


@given(st.text(), st.integers(3, 60))
def test_short_text_is_printable_and_short(name, most):
    shown = words.short(name, most)
    assert len(shown) <= most
    assert shown.isprintable()
    assert words.clean(words.clean(name)) == words.clean(name)


@given(st.floats(1e-9, 1e6))
def test_times_are_written_within_five_percent(seconds):
    units = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
    parts = words.moment(seconds).replace(",", "").split()
    told = sum(float(n) * units[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))
    assert math.isclose(told, seconds, rel_tol=0.05, abs_tol=31)


@given(st.floats(-1e12, 1e12).filter(lambda x: abs(x) > 1e-12))
def test_two_digits_keep_the_value(value):
    assert math.isclose(float(words.two_digits(value).replace(",", "")), value, rel_tol=0.051)


def test_an_absent_estimate_is_not_a_number_in_progress():
    assert str(Estimate.absent("no rows")) == "absent: no rows"
