"""The demo's second half: the planted faults are found, two are fixed, a harmful fix is refused."""

from __future__ import annotations

import pytest

import holdfast as hf
from holdfast.core.events import silent
from holdfast.core.proof import ProofOutcome
from holdfast.core.release import Standing
from holdfast.data.roles import Overrides
from holdfast.data.simulated import churn
from holdfast.project.demo import found, run_demo
from holdfast.project.demo_ratchet import Audience, Scene, ratchet
from holdfast.project.fitting import fit
from holdfast.project.handle import open_project
from holdfast.project.history import history
from holdfast.project.request import TrainRequest

LEARNER = "lightgbm_small"
QUIET = Audience(lambda line: None, lambda value: None, silent)


def held_up(done, project):
    """What the demo promises, whatever the numbers are."""
    relabel, slice_, harmful = done.proofs
    assert (relabel.outcome, slice_.outcome) == (ProofOutcome.PROVEN, ProofOutcome.PROVEN)
    assert harmful.outcome is ProofOutcome.HARMFUL and all(one.sealed is None for one in harmful.claims)
    assert done.refused == (harmful.after,) and len(done.released) == 2
    told = history(project)
    assert told.champion is not None and told.champion.release.run == slice_.after
    assert told.champion.release.fixes == (relabel.id, slice_.id)
    assert [one.standing for one in told.stages] == [Standing.FORMER, Standing.CHAMPION]
    assert told.stages[1].release.difference.low > 0
    assert done.picture.read_text(encoding="utf-8").startswith("<svg")
    assert "region = 'Coast' and plan = 'Standard'" in done.found[1][1]


def test_two_planted_faults_are_fixed_and_proven_and_a_harmful_fix_is_refused(tmp_path):
    table, planted = churn(rows=14_000)
    file = tmp_path / "customers.csv"
    table.write_csv(file)
    columns = Overrides(target=planted.target, ignore=(planted.leak,))
    fit(TrainRequest(str(file), columns, project=tmp_path, learners=(LEARNER,), folds=3), started=0.0)
    project = open_project(tmp_path)
    done = ratchet(Scene(project, file, columns, planted, QUIET), LEARNER)
    held_up(done, project)


def test_every_misspelt_column_is_quoted():
    table, planted = churn(rows=2_000)
    checks = hf.read(table, target=planted.target).checks
    *_, (fault, said) = found(checks, planted)
    assert len(planted.misspelt) > 1
    assert all(f"{column}: " in said for column, _ in planted.misspelt), fault


@pytest.mark.slow
def test_the_whole_demo_ends_within_four_minutes(tmp_path):
    done = run_demo(tmp_path, rows=20_000, audience=QUIET)
    assert done.seconds < 240
    assert all(said for _, said in done.found)
    held_up(done.ratcheted, open_project(tmp_path))
