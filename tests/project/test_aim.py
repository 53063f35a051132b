"""A fix is judged by the weakness that its finding is about, and by labels that all have been looked at."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, Findings, FixName, Suggestion, Suspect, Where
from holdfast.core.guard import GuardKind
from holdfast.core.proof import ClaimKind, ClaimStatus, ProofOutcome
from holdfast.core.review import Answer
from holdfast.engine.inline import InlineEngine
from holdfast.errors import FixError
from holdfast.project import fitting, refit
from holdfast.project.chain import guards, proofs
from holdfast.project.fix import fix
from holdfast.project.review import record_review, sheet
from holdfast.project.runs import newest_runs
from holdfast.store.findings import save_findings
from holdfast.store.ledger import entries


def customers(n=2_500):
    rng = np.random.default_rng(0)
    age, dose, noise = rng.uniform(20, 80, n).round(1), rng.normal(size=n).round(3), rng.normal(size=n)
    late = (dose + rng.normal(0, 0.2, n)).round(3)
    leaves = rng.random(n) < 1 / (1 + np.exp(1.5 + np.where(np.abs(age - 50) < 15, -1.0, 1.0) - 3 * dose))
    return pl.DataFrame(
        {"id": [f"r{i}" for i in range(n)], "age": age, "dose": dose, "late": late, "noise": noise}
    ).with_columns(left=np.where(leaves, "yes", "no"))


def found(kind, where, *fixes, about=""):
    return Finding(
        kind, "made up", where, 100, Estimate(0.1, 0.05, 0.15, 0.95, 1_000), "mean log loss", about=about,
        fixes=tuple(Suggestion(one, "it may help", "one training") for one in fixes),
    )  # fmt: skip


BREAKS = found("fragile", Where(column="late"), FixName.DROP_COLUMN, about="missing column")
NOISE = found("fragile", Where(), FixName.REGULARISE, about="noise")
UNSURE = found("miscalibrated", Where(), FixName.RECALIBRATE, FixName.REGULARISE)
BORDER = found("threshold", Where(), FixName.THRESHOLD, about="balanced accuracy")
TWINS = found("twins", Where(examples=(Suspect("r1", 0.5),)), FixName.DEDUPLICATE)
LABELS = found(
    "label errors", Where(examples=tuple(Suspect(f"r{i}", 0.1) for i in range(40))), FixName.RELABEL
)
ALL = (BREAKS, NOISE, UNSURE, BORDER, TWINS, LABELS)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "_engine", lambda request: InlineEngine())
        patch.setattr(refit, "LocalEngine", lambda preload: InlineEngine())
        folder = tmp_path_factory.mktemp("aim") / "project"
        hf.train(customers(), target="left", id="id", learners=["lightgbm_small"], folds=2, project=folder)
        project = hf.open(folder)
        (run,) = newest_runs(project)
        save_findings(project.store, Findings(ALL, run=run.id, dataset=run.record.dataset, rows=2_000))
        yield project


def test_a_fragile_model_is_judged_on_rows_that_are_broken_in_the_same_way(project):
    proof = fix(BREAKS, project=project)
    assert proof.target.name == "mean log loss with no cell of late known"
    assert proof.target.open.low > 0  # without the column nothing breaks
    assert proof.outcome is ProofOutcome.PROVEN
    (guard,) = [one for one in guards(project) if one.origin == proof.id]
    assert (guard.kind, guard.column) == (GuardKind.INVARIANCE, "late")


def test_what_breaks_everywhere_is_judged_with_the_same_noise(project):
    proof = fix(NOISE, project=project)
    assert proof.target.name == "mean log loss with noise of a tenth of each number's spread"
    assert proof.target.open.known


def test_recalibration_is_judged_by_what_it_changes(project):
    proof = fix(UNSURE, project=project)
    assert (proof.target.name, proof.target.metric) == ("mean log loss, all rows", "loss")


def test_a_moved_threshold_tells_what_it_costs_in_accuracy(project):
    proof = fix(BORDER, project=project)
    assert proof.target.metric == "balanced_accuracy"
    (cost,) = [claim for claim in proof.claims if claim.kind is ClaimKind.COST]
    assert cost.name == "accuracy, all rows" and cost.open.value < 0 and cost.sealed is None
    assert cost.status is ClaimStatus.HARMED
    assert (
        proof.outcome is ProofOutcome.NOT_PROVEN
    )  # there are few sealed rows; what it costs decides nothing
    assert f"holdfast fix {BORDER.id} --with collect" in proof.collect


@pytest.mark.parametrize("other", [FixName.THRESHOLD, FixName.RECALIBRATE, FixName.CLASS_WEIGHTS])
def test_what_does_not_answer_a_finding_is_not_proven_for_it(project, other):
    asked = len(entries(project.store))
    with pytest.raises(FixError, match=f"{other} does not answer {TWINS.id}.*deduplicate"):
        fix(TWINS, with_=other, project=project)
    assert len(entries(project.store)) == asked


def test_labels_are_judged_when_all_have_been_looked_at_and_paid_for_once(project):
    given = dict(customers().select("id", "left").iter_rows())
    changed = {f"r{i}": given[f"r{i}"] for i in range(20)}
    other = {"yes": "no", "no": "yes"}
    changed |= {f"r{i}": other[given[f"r{i}"]] for i in range(20, 40)}

    def tried():
        return fix(LABELS, labels=changed, project=project)

    asked, first = len(entries(project.store)), tried()
    shown = sheet(project, first.after)
    rows = shown.rows["example"].to_list()
    assert f"{len(rows)} sealed rows wait" in first.why and first.decision == 0
    answers = [Answer(name, given[name], given[name]) for name in rows]
    record_review(project, shown, answers[:250], reviewer="Ann")
    record_review(project, shown, [Answer(rows[250], "", given[rows[250]])], reviewer="Bob")
    assert f"{len(rows) - 251} sealed rows wait" in tried().why
    assert len(entries(project.store)) == asked
    record_review(project, shown, answers[251:], reviewer="Ann")
    judged = tried()
    assert judged.decision == len(entries(project.store)) == asked + 1
    assert tried().id == judged.id
    assert len(entries(project.store)) == asked + 1
    # another word on a label is another question
    record_review(project, shown, [Answer(rows[0], other[given[rows[0]]], given[rows[0]])], reviewer="Ann")
    assert tried().id != judged.id
    assert len(entries(project.store)) == asked + 2
    assert len([one for one in proofs(project) if one.finding == LABELS.id]) == 2
