"""`--tune`: what is searched is settled before anything is fitted, and what was found once is not lost."""

from __future__ import annotations

import pytest

import holdfast as hf
from holdfast.core.events import FoldFitted, LearnerFitted, Planned
from holdfast.core.space import Range
from holdfast.errors import PlanError
from holdfast.report import text

pytest.importorskip("optuna")
SMALL = {"lightgbm_small": {"num_leaves": Range(2, 6, integer=True), "rounds": Range(5, 20, integer=True)}}


@pytest.fixture
def tune(patients, tmp_path, in_this_process, monkeypatch):
    """Tries three settings within a project; gives the runs by name, and what was said."""
    monkeypatch.setattr("holdfast.training.tune._MOST_TRIALS", 3)

    def tuned(learners, *, spaces=SMALL):
        heard = []
        table = patients.select("mean_radius", "mean_texture", "diagnosis")
        run = hf.train(
            table, target="diagnosis", learners=learners, folds=2, project=tmp_path,
            budget=600, tune=True, spaces=spaces, on_event=heard.append,
        )  # fmt: skip
        return {one.record.plan.learner: one.record for one in run.candidates}, heard

    return tuned


def test_learners_without_a_space_are_fitted_and_not_tuned(tune):
    runs, heard = tune(["constant", "lightgbm_small"])
    assert {"constant", "lightgbm_small"} <= set(runs)
    assert {name.partition("~")[0] for name in runs if "~" in name} == {"lightgbm_small"}
    plan = next(said for said in heard if isinstance(said, Planned))
    assert "tunes  lightgbm_small; the others have no search space" in text.plain(text.plan(plan))
    done = [said for said in heard if isinstance(said, LearnerFitted)]
    assert [said.first for said in done] == [True] + [False] * (len(done) - 1)
    elapsed = [said.elapsed for said in heard if isinstance(said, FoldFitted)]
    assert elapsed == sorted(elapsed)


@pytest.mark.parametrize(
    ("learners", "spaces", "message"),
    [
        (["constant", "linear"], {}, "no search space for 'constant', 'linear'. There is one for 'lightgbm"),
        (["lightgbm_small"], {"lightgbm_small": {"num_leafs": Range(2, 6)}}, "no option 'num_leafs'"),
        (["lightgbm_small"], {"lightgbm_smal": {"num_leaves": Range(2, 6)}}, "no learner 'lightgbm_smal'"),
    ],
)
def test_what_cannot_be_tuned_is_told_before_anything_is_fitted(tune, tmp_path, learners, spaces, message):
    with pytest.raises(PlanError, match=message):
        tune(learners, spaces=spaces)
    assert not list(tmp_path.iterdir())


def test_what_an_earlier_tuning_found_is_a_candidate_again(tune):
    first, _ = tune(["lightgbm_small"])
    found = {name: record.model for name, record in first.items() if "~" in name}
    assert len(found) == 3
    again, _ = tune(["lightgbm_small"])
    assert {name: record.model for name, record in again.items() if "~" in name} == found
    elsewhere = {"lightgbm_small": {"num_leaves": Range(20, 30, integer=True)}}
    other, _ = tune(["lightgbm_small"], spaces=elsewhere)
    assert not [name for name in other if "~" in name]  # theirs are not among what this one may try
