"""The ratchet end to end on a small table, and everything that it refuses."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, Findings, FixName, Suggestion, Where
from holdfast.core.guard import GuardStatus
from holdfast.core.proof import ClaimKind, ProofOutcome
from holdfast.core.release import Refused, Release, Standing
from holdfast.engine.inline import InlineEngine
from holdfast.errors import DecisionError, FixError, RoleError, UnknownFindingError, UnknownRunError
from holdfast.project import fitting, refit
from holdfast.project.chain import guards, proofs
from holdfast.project.fix import fix
from holdfast.project.gate import _constant, propose
from holdfast.project.guard import check_run
from holdfast.project.history import history
from holdfast.project.runs import newest_runs, run_named
from holdfast.project.sign_off import approve, reject, rollback
from holdfast.store.decisions import decisions
from holdfast.store.findings import save_findings
from holdfast.store.ledger import entries
from holdfast.store.trainings import trainings
from holdfast.training.schedule import INTERRUPTED

SAW = "looked at the numbers, the guards and fifty rows"


@pytest.fixture(scope="module")
def customers():
    """2,500 customers; who leaves hangs on a band of ages, and `paid` is known only afterwards."""
    rng = np.random.default_rng(0)
    n = 2_500
    age, dose = rng.uniform(20, 80, n).round(1), rng.normal(size=n).round(3)
    leaves = rng.random(n) < 1 / (1 + np.exp(-np.where(np.abs(age - 50) < 15, 1.5, -1.5) - 2 * dose))
    paid = np.where(leaves, rng.uniform(50, 90, n), rng.uniform(0, 60, n)).round(1)
    region = rng.choice(["north", "south", "east"], n)
    return pl.DataFrame(
        {"age": age, "region": region, "dose": dose, "paid": paid, "left": np.where(leaves, "yes", "no")}
    )


def found(kind, where, *fixes):
    return Finding(
        kind, "made up", where, 100, Estimate(0.1, 0.05, 0.15, 0.95, 1_000), "mean log loss",
        fixes=tuple(Suggestion(one, "it may help", "one training") for one in fixes),
    )  # fmt: skip


LEAK = found("leak", Where(column="paid"), FixName.DROP_COLUMN)
WEAK = found("weak slice", Where(query="region = 'north'"), FixName.CLASS_WEIGHTS)


def of_learner(project, learner):
    return next(run for run in newest_runs(project) if run.record.plan.learner == learner)


@pytest.fixture(scope="module")
def made(customers, tmp_path_factory):
    """A project whose booster leaks, whose leak is mended, and where a plain model was trained besides."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "_engine", lambda request: InlineEngine())
        patch.setattr(refit, "LocalEngine", lambda preload: InlineEngine())
        folder = tmp_path_factory.mktemp("ratchet") / "made"
        hf.train(customers, target="left", learners=["lightgbm_small"], folds=2, project=folder)
        project = hf.open(folder)
        leaky = of_learner(project, "lightgbm_small")
        looked = Findings((LEAK, WEAK), run=leaky.id, dataset=leaky.record.dataset, rows=2_000)
        save_findings(project.store, looked)
        proof = fix(LEAK, project=project)
        hf.train(
            customers, target="left", learners=["linear", "decision_tree"], folds=2, ignore=["paid"],
            project=folder,
        )  # fmt: skip
        runs = {
            "leaky": leaky.id, "mended": proof.after, "plain": of_learner(project, "linear").id,
            "tree": of_learner(project, "decision_tree").id,
        }  # fmt: skip
    return folder, proof, runs


@pytest.fixture
def proof(made):
    return made[1]


@pytest.fixture
def runs(made):
    return made[2]


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy of that project, to do with as one likes."""
    monkeypatch.setattr(fitting, "_engine", lambda request: InlineEngine())
    monkeypatch.setattr(refit, "LocalEngine", lambda preload: InlineEngine())
    shutil.copytree(made[0], tmp_path / "copy")
    return hf.open(tmp_path / "copy")


def written(project, before, after):
    """The project with another line in its settings."""
    toml = project.path / "holdfast.toml"
    text = toml.read_text()
    assert before in text
    toml.write_text(text.replace(before, after))
    return hf.open(project.path)


def kept(project):
    """All that a refused action may not add to."""
    return len(entries(project.store)), len(decisions(project.store)), len(trainings(project.store))


def released(project, name, reviewer="Bob"):
    answer = propose(project, name, author="Ann")
    assert isinstance(answer, Release), answer
    return approve(answer.id, reviewer=reviewer, why=SAW, project=project)


# --- the journey -------------------------------------------------------------------------------


def test_a_leak_is_mended_proven_and_guarded(project, proof, runs):
    assert proof.outcome is ProofOutcome.PROVEN
    assert proof.before == runs["leaky"]
    assert proof.target.sealed.low > 0
    assert (proof.attempt, proof.remaining, proof.level) == (1, 19, 0.05 / 20)
    (guard,) = guards(project)
    assert (guard.name, guard.column, guard.origin) == (LEAK.id, "paid", proof.id)
    (mended,) = check_run(project, run_named(project, runs["mended"]), (guard,))
    (leaky,) = check_run(project, run_named(project, runs["leaky"]), (guard,))
    assert mended.status is GuardStatus.PASSED
    assert leaky.status is GuardStatus.FAILED


def test_a_run_without_the_column_that_a_fix_left_out_knows_its_rows_again(project, runs, customers):
    known = hf.predict(runs["mended"], customers, project=project.path).table["split"]
    assert known.null_count() == 0
    assert set(known) == {"sealed", "trained"}
    new = customers.with_columns(pl.col("dose") + 10, pl.col("paid") + 10)
    assert hf.predict(runs["mended"], new, project=project.path).table["split"].null_count() == len(new)


def test_what_breaks_a_guard_is_turned_away_before_sealed_rows_are_asked(project, runs):
    asked = len(entries(project.store))
    answer = propose(project, runs["leaky"], author="Ann")
    assert isinstance(answer, Refused)
    assert [one.name for one in answer.guards] == [LEAK.id]
    assert len(entries(project.store)) == asked


def test_releases_rise_and_a_rollback_says_who(project, proof, runs):
    first = released(project, runs["plain"])
    assert first.standing is Standing.CHAMPION and first.release.champion == ""
    second = released(project, runs["mended"])
    assert second.release.champion == runs["plain"]
    assert second.release.difference.low > 0
    shown = history(project)
    assert [one.standing for one in shown.stages] == [Standing.FORMER, Standing.CHAMPION]
    assert [one.release.author for one in shown.stages] == ["Ann", "Ann"]
    assert shown.stages[1].by == "Bob" and not shown.stages[1].solo
    scores = [one.release.score.value for one in shown.stages]
    assert scores[1] < scores[0]  # log loss
    assert (proof.id, f"{FixName.DROP_COLUMN} for {LEAK.id}") in shown.proven
    back = rollback(project, reviewer="Cleo", why="support saw odd scores")
    assert (back.left, back.to, back.by) == (second.release.id, first.release.id, "Cleo")
    shown = history(project)
    assert [one.standing for one in shown.stages] == [Standing.CHAMPION, Standing.ROLLED_BACK]
    assert decisions(project.store)[-1].by == "Cleo"
    again = rollback(project, reviewer="Cleo", why="they were right", to=second.release.id)
    assert again.to == second.release.id
    assert history(project).champion.release.run == runs["mended"]


def test_a_rollback_goes_to_who_held_last_and_not_to_who_was_proposed_last(project, runs, monkeypatch):
    monkeypatch.setattr("holdfast.project.gate.passes", lambda verdict, carries_proof: "it may")
    held = [released(project, runs[name]).release.id for name in ("plain", "mended", "tree")]
    rollback(project, reviewer="Cleo", why="odd scores", to=held[0])
    propose(project, runs["leaky"], author="Ann", override=True)
    waiting = history(project).stages[-1].release.id
    approve(waiting, reviewer="Bob", why=SAW, project=project)
    assert rollback(project, reviewer="Cleo", why="it leaks").to == held[0]


def test_a_release_that_waits_is_given_again_and_not_asked_again(project, runs):
    first, asked = propose(project, runs["plain"], author="Ann"), len(entries(project.store))
    assert propose(project, runs["plain"], author="Ann") == first
    assert len(entries(project.store)) == asked


def test_a_release_says_which_proven_fixes_it_carries(project, proof, runs):
    answer = propose(project, runs["mended"], author="Ann")
    assert answer.fixes == (proof.id,)
    assert answer.entry == len(entries(project.store))


def test_a_worse_candidate_is_refused_without_a_number(project, runs):
    released(project, runs["mended"])
    answer = propose(project, runs["plain"], author="Ann")
    assert isinstance(answer, Refused) and not answer.guards
    (entry,) = [one for one in entries(project.store) if one.run == runs["plain"]]
    assert entry.facts == {"author": "Ann"} and not entry.outcome
    assert history(project).refused[-1].run == runs["plain"]


def test_a_useless_fix_is_charged_and_shows_no_sealed_number(project):
    before = len(entries(project.store))
    tried = fix(WEAK, with_="class-weights", project=project)
    assert tried.outcome is not ProofOutcome.PROVEN
    assert all(one.sealed is None for one in tried.claims if one.kind is not ClaimKind.GUARD)
    assert len(entries(project.store)) == before + 1
    assert proofs(project)[-1].id == tried.id
    assert len(guards(project)) == 1


# --- what is refused ---------------------------------------------------------------------------


def refuses(project, error, match, act):
    """The error, and nothing half-done."""
    before = kept(project)
    with pytest.raises(error, match=match):
        act()
    assert kept(project) == before


def test_an_unknown_finding_is_named_with_the_nearest(project):
    for name in ("weak-slice-zzzz", "nothing"):
        refuses(project, UnknownFindingError, name, lambda name=name: fix(name, project=project))


def test_what_a_first_release_must_beat_knows_the_weights_of_the_rows():
    labels, weights = ["yes"] * 60 + ["no"] * 40, [9.0] * 60 + [1.0] * 40
    data = hf.read(pl.DataFrame({"x": range(100), "y": labels, "w": weights}), target="y", weight="w")
    like = hf.Predictions.of(
        example=data.example, target=labels, probability=np.full(100, 0.5), classes=["no", "yes"],
        positive="yes", weight=weights,
    )  # fmt: skip
    guess = _constant(data, data, like)
    assert guess.probability[0, 1] == pytest.approx(540 / 580)


def test_guards_are_not_asked_of_sealed_rows_in_a_file(project, runs, customers):
    everybody = hf.predict(run_named(project, runs["leaky"]).model, customers)
    refuses(project, RoleError, "predicted rows are sealed", lambda: hf.guard(everybody, project=project))


def test_the_first_fix_that_the_learner_can_carry_out_is_taken(project, runs):
    where = Where(query="region = 'south'")
    both = found("weak slice", where, FixName.CONTINUE, FixName.AUGMENT)
    tree = run_named(project, runs["tree"])
    save_findings(project.store, Findings((both,), run=tree.id, dataset=tree.record.dataset, rows=2_000))
    assert fix(both, project=project).fix is FixName.AUGMENT
    with pytest.raises(FixError, match=r"decision_tree cannot go on in a slice, that of .* can.*--run RUN"):
        fix(both, with_="continue", project=project)


def test_a_fix_that_does_not_apply_is_named_with_those_that_do(project):
    refuses(
        project, FixError, r"monotone does not answer.*class-weights",
        lambda: fix(WEAK, with_="monotone", project=project),
    )  # fmt: skip
    refuses(project, FixError, "no fix 'mend-it'", lambda: fix(WEAK, with_="mend-it", project=project))


def test_a_finding_whose_run_is_gone_says_so(project):
    lost = found("weak slice", Where(query="region = 'south'"), FixName.CLASS_WEIGHTS)
    save_findings(project.store, Findings((lost,), run="linear-000000", dataset="gone", rows=10))
    refuses(project, UnknownRunError, "linear-000000", lambda: fix(lost, project=project))


def test_a_finding_whose_data_is_gone_says_so(project):
    run = run_named(project, proofs(project)[0].before)
    for file in (project.path / ".holdfast").rglob("*"):
        if file.is_file() and file.stat().st_size > 5_000 and file.read_bytes()[:4] == b"PAR1":
            file.unlink()
    with pytest.raises(hf.HoldfastError, match=r"missing|gone|lost|restore"):
        fix(WEAK, project=project)
    assert run.id


def test_spent_sealed_rows_prove_nothing_more(project, runs):
    project = written(project, "decisions = 20", "decisions = 1")
    refuses(project, RoleError, r"all 1 answers.*Add new rows", lambda: fix(WEAK, project=project))
    refuses(project, RoleError, "all 1 answers", lambda: propose(project, runs["mended"], author="Ann"))


def test_a_release_is_approved_once(project, runs):
    stage = released(project, runs["plain"])
    for act in (approve, reject):
        refuses(
            project, DecisionError, r"is champion \(by Bob.*cannot be decided again",
            lambda act=act: act(stage.release.id, reviewer="Cleo", why=SAW, project=project),
        )  # fmt: skip


def test_what_was_rejected_stays_rejected(project, runs):
    answer = propose(project, runs["plain"], author="Ann")
    reject(answer.id, reviewer="Bob", why="nobody has looked at the north", project=project)
    refuses(
        project, DecisionError, "is rejected",
        lambda: approve(answer.id, reviewer="Cleo", why=SAW, project=project),
    )  # fmt: skip
    assert history(project).champion is None


def test_of_many_who_approve_at_once_one_is_heard(project, runs):
    answer = propose(project, runs["plain"], author="Ann")

    def word(name):
        try:
            return approve(answer.id, reviewer=name, why=SAW, project=hf.open(project.path)).by
        except DecisionError:
            return None

    with ThreadPoolExecutor(4) as pool:
        heard = [name for name in pool.map(word, ["Bob", "Cleo", "Dan", "Eve"]) if name]
    assert len(heard) == 1
    assert history(project).champion.by == heard[0]


@pytest.mark.parametrize("name", ["Ann", " ann ", "ANN"])
def test_an_author_may_not_approve_their_own_release(project, runs, name):
    answer = propose(project, runs["plain"], author="Ann")
    refuses(
        project, DecisionError, "another person must decide",
        lambda: approve(answer.id, reviewer=name, why=SAW, project=project),
    )  # fmt: skip


def test_in_a_solo_project_they_may_and_the_record_says_so(project, runs):
    project = written(project, "solo = false", "solo = true")
    answer = propose(project, runs["plain"], author="Ann")
    assert approve(answer.id, reviewer="Ann", why=SAW, project=project).solo
    assert history(project).stages[0].solo


@pytest.mark.parametrize(("reviewer", "why"), [("", SAW), ("Bob", " ")])
def test_a_word_without_a_name_or_a_reason_is_none(project, runs, reviewer, why):
    answer = propose(project, runs["plain"], author="Ann")
    refuses(
        project, DecisionError, "a name and a reason",
        lambda: approve(answer.id, reviewer=reviewer, why=why, project=project),
    )  # fmt: skip


def test_a_proposal_against_a_former_champion_is_stale(project, runs):
    released(project, runs["tree"])
    stale = propose(project, runs["mended"], author="Ann", override=True)
    other = propose(project, runs["plain"], author="Ann", override=True)
    approve(other.id, reviewer="Bob", why=SAW, project=project)
    refuses(
        project, DecisionError, f"another run is the champion now.*holdfast release {runs['mended']}",
        lambda: approve(stale.id, reviewer="Bob", why=SAW, project=project),
    )  # fmt: skip
    assert history(project).champion.release.run == runs["plain"]


def test_an_override_is_recorded_by_name(project, runs):
    released(project, runs["mended"])
    answer = propose(project, runs["plain"], author="Ann", override=True)
    assert answer.overrode == "Ann" and answer.why == "the gate said no"
    assert history(project).stages[-1].release.overrode == "Ann"


def test_unknown_releases_and_nothing_to_roll_back_are_clear(project):
    refuses(
        project, DecisionError, "no release 'release-zzzz'",
        lambda: approve("release-zzzz", reviewer="Bob", why=SAW, project=project),
    )  # fmt: skip
    refuses(project, DecisionError, "Nothing is released", lambda: rollback(project, reviewer="B", why=SAW))


def test_the_champion_is_not_put_to_the_gate_again(project, runs):
    released(project, runs["plain"])
    refuses(project, DecisionError, "is the champion already", lambda: propose(project, runs["plain"]))


def test_a_record_that_was_edited_is_named_and_nothing_is_decided_on_it(project, runs):
    answer = propose(project, runs["plain"], author="Ann")
    with sqlite3.connect(project.path / ".holdfast" / "catalog.db") as catalog:
        catalog.execute("update decisions set record = replace(record, 'Ann', 'Bob') where number = 3")
    catalog.close()
    for act in (
        lambda: history(project),
        lambda: approve(answer.id, reviewer="Cleo", why=SAW, project=project),
        lambda: propose(project, runs["mended"], author="Ann"),
    ):
        with pytest.raises(DecisionError, match=r"decision 3 was edited.*Decisions 1 to 2 hold"):
            act()


def test_a_record_that_was_cut_off_is_named(project, runs):
    released(project, runs["plain"])
    with sqlite3.connect(project.path / ".holdfast" / "catalog.db") as catalog:
        catalog.execute("delete from decisions where number = (select max(number) from decisions)")
    catalog.close()
    with pytest.raises(DecisionError, match="decision 4 was cut off"):
        history(project)


GUARD = """
[[guard]]
name = "whole"
kind = "floor"
metric = "log_loss"
at_most = {most}
"""


@pytest.fixture
def anew(monkeypatch):
    """The fix of the fixture is tried again, as if nobody had."""
    monkeypatch.setattr("holdfast.project.fix._tried", lambda *asked: None)


def test_a_guard_that_the_run_before_fails_too_is_not_the_fix_s_doing(project, anew):
    toml = project.path / "holdfast.toml"
    toml.write_text(toml.read_text() + GUARD.format(most=0.0001))
    assert fix(LEAK, project=hf.open(project.path)).outcome is ProofOutcome.PROVEN


def test_history_names_a_ledger_that_gave_answers_back(project, proof):
    with sqlite3.connect(project.path / ".holdfast" / "catalog.db") as catalog:
        catalog.execute("DELETE FROM ledger WHERE number = ?", (proof.decision,))
    catalog.close()
    with pytest.raises(DecisionError, match=f"entry {proof.decision} was taken out"):
        history(project)


def test_ctrl_c_in_a_fix_asks_nothing_of_sealed_rows(project, anew, monkeypatch):
    whole = refit.fit_chosen

    def interrupted(request, *rest):
        found = whole(request, *rest)
        request.on_event(INTERRUPTED)
        return found

    monkeypatch.setattr(refit, "fit_chosen", interrupted)
    asked = len(entries(project.store))
    with pytest.raises(FixError, match="interrupted, so nothing was asked"):
        fix(LEAK, project=project)
    assert len(entries(project.store)) == asked


def test_the_same_fix_is_neither_asked_nor_paid_for_twice(project, proof):
    again = fix(LEAK, project=hf.open(project.path))
    assert again.id == proof.id and len(proofs(project)) == 1


def test_a_fix_that_breaks_a_guard_is_not_proven(project, anew):
    toml = project.path / "holdfast.toml"
    toml.write_text(toml.read_text() + GUARD.format(most=0.2))
    tried = fix(LEAK, project=hf.open(project.path))
    assert tried.outcome is ProofOutcome.HARMFUL
    assert "guard whole" in tried.why
