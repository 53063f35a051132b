"""Many models: all pairs, Holm, letters; the leaderboard and what is owed to having been picked."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made import classified, regressed

from holdfast.comparison.board import leaderboard
from holdfast.comparison.families import scored
from holdfast.comparison.families.scored import Scored
from holdfast.comparison.many import compare_all
from holdfast.comparison.optimism import corrected, winner_out_of_bag
from holdfast.comparison.paired import compare
from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.core.run import Cost, Run, RunRecord, Status
from holdfast.core.verdict import Outcome
from holdfast.errors import PredictionsError, RoleError
from holdfast.metrics import resolve
from holdfast.stats.multiplicity import holm

ALPACA = Path("../shared/data/alpaca_eval_matrix/win_probability.csv.gz")


def models(n, noises, make=classified, **columns):
    return [make(n, model=f"m{k}", noise=noise, seed=k, **columns) for k, noise in enumerate(noises)]


@pytest.mark.parametrize("name", ["log_loss", "accuracy", "f1", "auc", "average_precision"])
@pytest.mark.parametrize("columns", [{}, {"group": np.arange(300) // 15}], ids=["rows", "clusters"])
def test_pairs_are_those_of_compare_with_holm(name, columns):
    given = models(300, [1.4, 1.0, 0.7], **columns)
    found = compare_all(given, metric=name)
    by_name = {p.header.model: p for p in given}
    alone = [compare(by_name[v.first], by_name[v.second], metric=name) for v in found.verdicts]
    assert len(alone) == 3
    assert [v.p for v in found.verdicts] == pytest.approx(holm(np.array([v.p for v in alone])), rel=1e-6)
    for ours, theirs in zip(found.verdicts, alone, strict=True):
        assert ours.difference == theirs.difference
        assert ours.margin == theirs.margin


def test_models_are_ranked_from_the_best_and_found_again():
    given = models(400, [1.5, 0.6, 1.0], regressed)
    found = compare_all(given, metric="mae")
    assert found.names == ("m1", "m2", "m0")
    values = [score.value for score in found.scores]
    assert values == sorted(values)
    assert found.between("m1", "m0").outcome is Outcome.WORSE
    assert [(v.first, v.second) for v in found.verdicts] == list(combinations(found.names, 2))
    assert found.letters == ("a", "b", "c")
    assert found.given_first == "m0"
    assert found.against_given_first == {"m1": Outcome.BETTER, "m2": Outcome.BETTER}
    assert str(found).splitlines()[0].startswith("a  m1  ")


def test_letters_say_which_verdicts_are_decided():
    found = compare_all(models(150, [1.0, 1.0, 1.3, 1.3, 1.6]), metric="log_loss")
    letters = dict(zip(found.names, found.letters, strict=True))
    for verdict in found.verdicts:
        decided = verdict.outcome in (Outcome.BETTER, Outcome.WORSE)
        assert decided == (not set(letters[verdict.first]) & set(letters[verdict.second]))


def test_rows_needed_grow_with_the_number_of_comparisons():
    two, more = models(200, [1.0, 1.0], regressed), models(200, [1.0] * 6, regressed)
    few = compare_all(two, metric="mae", margin=0.01).verdicts[0]
    many = compare_all(more, metric="mae", margin=0.01)
    same = next(v for v in many.verdicts if {v.first, v.second} == {few.first, few.second})
    assert same.n_needed > 1.3 * few.n_needed


def test_p_values_of_many_pairs_are_not_floored():
    rng = np.random.default_rng(0)
    hard = rng.random(300)
    given = [Predictions.of(example=range(300), loss=hard + 0.2 * k, model=f"m{k}") for k in range(20)]
    found = compare_all(given)
    assert all(v.outcome is Outcome.WORSE for v in found.verdicts)
    assert set(found.letters) == set("abcdefghijklmnopqrst")


def test_two_models_at_least_and_names_of_their_own():
    with pytest.raises(PredictionsError, match="at least two models, not 1"):
        compare_all(models(20, [1.0]))
    with pytest.raises(PredictionsError, match="called 'm0'"):
        compare_all(models(20, [1.0]) * 2)


def test_a_model_without_a_score_comes_last():
    labels = Predictions.of(
        example=range(50),
        target=classified(50).table["target"],
        prediction=classified(50).table["prediction"],
    ).named("labels")
    found = compare_all([labels, *models(50, [1.0, 1.2])], metric="auc")
    assert found.names[-1] == "labels"
    assert not found.scores[-1].known
    assert found.verdicts[-1].p == 1


@pytest.mark.skipif(not ALPACA.exists(), reason="the published table is not here")
def test_alpaca_eval():
    table = pl.read_csv(ALPACA)
    given = [
        Predictions.of(example=np.arange(len(table)), loss=1 - table[name], model=name)
        for name in table.columns[2:]
    ]
    found = compare_all(given)
    assert (found.n, len(found.names), len(found.verdicts)) == (805, 52, 1326)
    wins = {name: table[name].mean() for name in table.columns[2:]}
    assert list(found.names) == sorted(wins, key=wins.__getitem__, reverse=True)
    assert sum(v.outcome is Outcome.WORSE for v in found.verdicts) > 600
    assert found.names[0] == "NullModel"


def run(p: Predictions, seconds: float) -> Run:
    record = RunRecord(
        p.header.model, "t", None, "d", Status.FINISHED, "", cost=Cost(predict_seconds=seconds)
    )
    return Run(record, p)


def test_recommended_is_the_fastest_shown_equivalent():
    best, near, far = models(4_000, [0.8, 0.801, 1.5], regressed)
    twin = best.named("twin")
    near = Predictions(
        best.table.with_columns(loss=best.table["loss"] * 1.001), replace(best.header, model="near")
    )
    board = leaderboard([run(far, 1e-6), run(best, 9e-6), run(near, 2e-6), run(twin, 3e-6)], metric="loss")
    assert board.best == "m0"
    assert board.recommended == "twin"
    assert board["near"].against_best.outcome is Outcome.WORSE
    assert "3.0 times as fast" in board.reason
    assert board["m0"].against_best is None
    assert [entry.name for entry in board.entries] == ["m0", "twin", "near", "m2"]
    assert board["twin"].cost.predict_seconds == 3e-6
    assert len(board.verdicts) == 6


def test_a_timing_that_differs_little_recommends_nothing():
    best, *_ = models(3_000, [0.8], regressed)
    board = leaderboard([run(best, 40e-6), run(best.named("twin"), 39.6e-6), run(best.named("third"), 27e-6)])
    assert board.recommended == board.best == "m0"
    assert "at least 1.5 times as fast" in board.reason


def test_among_those_about_as_fast_the_better_score_is_recommended():
    best, *_ = models(4_000, [0.8], regressed)
    rng = np.random.default_rng(0)
    runs = [run(best, 90e-6)]
    for name, shift, seconds in (("good", 1e-5, 21e-6), ("fair", 2e-4, 20e-6), ("slow", 1e-6, 55e-6)):
        loss = best.table["loss"] + shift + rng.normal(0, 0.01, len(best))
        loss -= (loss - best.table["loss"]).mean() - shift
        runs.append(
            run(Predictions(best.table.with_columns(loss=loss), replace(best.header, model=name)), seconds)
        )
    board = leaderboard(runs, metric="loss")
    assert [entry.name for entry in board.entries] == ["m0", "slow", "good", "fair"]
    assert board.recommended == "good"


def test_what_compare_calls_worse_is_not_recommended_because_many_were_compared():
    [best] = models(3_000, [0.8], regressed)
    others = [best.named(f"other{k}") for k in range(8)]
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.05, len(best))
    noise += 2.7 * noise.std() / np.sqrt(len(best)) - noise.mean()  # p about 0.007: not under Holm's 45 pairs
    near = Predictions(
        best.table.with_columns(loss=best.table["loss"] + noise), replace(best.header, model="near")
    )
    board = leaderboard([run(best, 9e-6), run(near, 1e-6), *(run(p, 9e-6) for p in others)], metric="loss")
    assert board["near"].against_best.outcome is Outcome.EQUIVALENT
    assert compare(best, near, metric="loss").outcome is Outcome.WORSE
    assert board.recommended == board.best == "m0"


def test_undecided_is_no_tie():
    board = leaderboard([run(p, s) for p, s in zip(models(60, [1.0, 1.02]), (2e-6, 1e-6), strict=True)])
    [verdict] = board.verdicts
    assert verdict.outcome is Outcome.UNDECIDED
    assert board.recommended == board.best
    assert "no other model is shown equivalent" in board.reason


def test_a_time_that_nobody_measured_recommends_nothing():
    best, *_ = models(3_000, [0.8], regressed)
    board = leaderboard([run(best, 5e-6), run(best.named("logged"), 0.0)])
    assert board.recommended == board.best == "m0"


def test_what_is_returned_reads_well_where_it_is_typed():
    first, second = models(60, [1.0, 1.02])
    board = leaderboard([run(first, 2e-6), run(second, 1e-6)])
    head, best, other, last = repr(board).splitlines()
    assert head == "log loss, lower is better; 60 rows, out of fold"
    assert best == f"*>  m0  {board['m0'].score}  a  best" and other.endswith("  a  undecided")
    assert last.startswith("> recommended: m0 has the best score")
    assert repr(board.entries[0].score) == f"{board['m0'].score} (n=60)"
    assert repr(board.verdicts[0]).startswith("m1 is not told apart from m0 on log_loss:")
    assert "\n" not in repr(board.verdicts[0])
    assert repr(compare_all([first, second])) == str(compare_all([first, second]))


def test_one_run_is_a_leaderboard():
    [only] = models(50, [1.0])
    board = leaderboard([run(only, 1e-6)])
    assert (board.best, board.recommended, board.reason) == ("m0", "m0", "m0 is the only model.")
    assert board.corrected == board.entries[0].score
    assert board.verdicts == ()


def test_a_run_without_predictions_is_left_out_of_the_ranking_and_named():
    best, other = models(50, [0.8, 1.0])
    silent = Run(replace(run(best, 1e-6).record, id="logged"))
    board = leaderboard([run(best, 1e-6), silent, run(other, 1e-6)])
    assert {entry.name for entry in board.entries} == {"m0", "m1"}
    assert board.notes == ("Not ranked, for want of predictions: 'logged'.",)


def test_runs_without_predictions_and_sealed_rows_are_refused():
    [p] = models(20, [1.0])
    with pytest.raises(PredictionsError, match="no predictions to rank them by: 'm0'"):
        leaderboard([Run(run(p, 1e-6).record)])
    with pytest.raises(PredictionsError, match="at least one run"):
        leaderboard([])
    with pytest.raises(RoleError, match="sealed"):
        leaderboard([run(classified(20, model="m", split=["sealed"] * 20), 1e-6)])


def test_the_winner_of_equals_is_corrected_to_what_it_is_worth():
    values, fair, shown = 0.0, [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(20, 300))
        means = noise.mean(axis=1) + values
        equals = Scored(means, (noise - noise.mean(axis=1, keepdims=True)) / 300)
        best = Estimate(float(means.max()), 0.0, 1.0, n=300, method="t")
        shown.append(best.value)
        fair.append(corrected(best, equals, greater_is_better=True, seed=seed).value)
    error = np.std(fair) / np.sqrt(60)
    assert np.mean(shown) > 0.09
    assert abs(np.mean(fair)) < 0.02 + 2 * error


def test_a_clear_winner_owes_nothing_to_luck():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(5, 400))
    found = Scored(np.array([0.0, 0.0, 0.0, 0.0, 3.0]), (noise - noise.mean(axis=1, keepdims=True)) / 400)
    assert winner_out_of_bag(found, rng) == pytest.approx(3.0, abs=0.01)


def test_many_units_are_corrected_as_few_are():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(8, 6_000))
    means = noise.mean(axis=1)
    influence = (noise - means[:, None]) / 6_000
    in_blocks = winner_out_of_bag(Scored(means, influence), np.random.default_rng(1))
    order = np.argsort(rng.random(6_000))
    again = winner_out_of_bag(Scored(means, influence[:, order]), np.random.default_rng(2))
    assert in_blocks < means.max()
    assert in_blocks == pytest.approx(again, abs=0.15 * (means.max() - means.mean()))


def test_losses_are_corrected_upward():
    given = models(200, [1.0] * 10, regressed)
    board = leaderboard([run(p, 1e-6) for p in given], metric="mae")
    best = board.entries[0].score
    assert board.corrected.value > best.value
    assert board.corrected.high - board.corrected.low == pytest.approx(best.high - best.low)
    assert "optimism of the best of 10" in board.corrected.method


@pytest.mark.parametrize("name", ["accuracy", "f1", "auc", "average_precision", "log_loss"])
def test_scores_are_the_metrics_and_influences_their_jackknife(name):
    given = models(150, [1.0, 0.8])
    metric = resolve(name, given[0])
    found = scored(metric, given)
    sign = 1 if metric.greater_is_better else -1
    for k, p in enumerate(given):
        assert found.values[k] * sign == pytest.approx(metric.value(p))
        left_out = [sign * metric.value(p.where(np.arange(150) != i)) for i in range(150)]
        jackknife = np.mean(left_out) - np.array(left_out)
        assert np.corrcoef(jackknife, found.influence[k])[0, 1] > 0.995
        assert found.influence[k].std() == pytest.approx(jackknife.std(), rel=0.06)
