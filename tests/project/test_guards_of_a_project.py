"""Guards by hand that could never be decided: refused, with the line that mends them."""

from __future__ import annotations

import shutil

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, Findings, FixName, Suggestion, Suspect, Where
from holdfast.core.guard import Guard, GuardKind, GuardStatus
from holdfast.engine.inline import InlineEngine
from holdfast.errors import InputError
from holdfast.project import fitting, refit
from holdfast.project.chain import GUARD, body_of
from holdfast.project.guard import judged_name
from holdfast.project.runs import data_of, newest_runs
from holdfast.report import text
from holdfast.store.decisions import append_decision
from holdfast.store.findings import save_findings


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project of 800 patients with ids, with one run, and the run."""
    rng = np.random.default_rng(0)
    dose = rng.normal(size=800).round(3)
    smokes = np.where(rng.random(800) < 0.4, "Yes", "No")
    well = rng.random(800) < 1 / (1 + np.exp(-2 * dose - (smokes == "No")))
    patients = pl.DataFrame(
        {
            "id": [f"p{i}" for i in range(800)],
            "dose": dose,
            "smokes": smokes,
            "well": np.where(well, "yes", "no"),
        }
    )
    folder = tmp_path_factory.mktemp("guarded") / "made"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "_engine", lambda request: InlineEngine())
        hf.train(patients, target="well", id="id", learners=["linear"], folds=2, project=folder)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "copy")


@pytest.fixture
def run(folder):
    (run,) = newest_runs(hf.open(folder))
    return run


def guarded(folder, *lines):
    """What a guard of these lines comes to."""
    toml = folder / "holdfast.toml"
    toml.write_text(toml.read_text() + "\n".join(['\n[[guard]]\nname = "g"', *lines, ""]))
    return hf.guard(project=folder)


def rows_of(folder, run):
    dataset, split = data_of(hf.open(folder), run.record)
    return dataset.example.filter(split.open).to_list(), dataset.example.filter(split.sealed).to_list()


def test_an_example_that_no_row_is_is_refused(folder, run):
    (first, *_), _ = rows_of(folder, run)
    with pytest.raises(InputError, match=r"The guard 'g': examples: no row .* 'nobody'") as caught:
        guarded(folder, 'kind = "examples"', f'examples = ["nobody", "{first}"]')
    assert str(caught.value).endswith(f'Leave it out: examples = ["{first}"]')


def test_a_sealed_example_is_refused_as_no_guard_will_ever_look_at_it(folder, run):
    _, sealed = rows_of(folder, run)
    with pytest.raises(InputError, match=f"sealed is '{sealed[0]}'. Name other rows"):
        guarded(folder, 'kind = "examples"', f'examples = ["{sealed[0]}"]')
    theirs = hf.open(folder)
    with pytest.raises(InputError, match="sealed is"):
        hf.guard(run.predictions, project=theirs)


def test_an_example_that_a_fix_dropped_is_undecided_and_no_mistake(folder, run, monkeypatch):
    monkeypatch.setattr(refit, "LocalEngine", lambda preload: InlineEngine())
    dropped = rows_of(folder, run)[0][0]
    finding = Finding(
        "label errors", "made up", Where(examples=(Suspect(dropped, 0.9),)), 1,
        Estimate(0.1, 0.05, 0.15), "mean log loss",
        fixes=(Suggestion(FixName.DROP_ROWS, "it may help", "one training"),),
    )  # fmt: skip
    project = hf.open(folder)
    save_findings(project.store, Findings((finding,), run=run.id, dataset=run.record.dataset, rows=640))
    proof = hf.fix(finding, with_="drop-rows", project=project)
    guarded(folder, 'kind = "examples"', f'examples = ["{dropped}"]')
    (checked,) = hf.guard(proof.after, project=folder)
    assert checked.status is GuardStatus.UNDECIDED
    assert checked.said == f"0 of 1 example right; not predicted, or of unknown target: '{dropped}'."


def test_a_reference_that_no_run_is_is_refused(folder, run):
    with pytest.raises(InputError, match=f"'g': reference = 'linear-zz'. No run .* or '{run.id}'"):
        guarded(folder, 'kind = "not-worse"', 'metric = "auc"', 'reference = "linear-zz"')


def test_a_guard_by_hand_may_not_have_the_name_of_a_proven_one(folder):
    proven = Guard("g", GuardKind.INVARIANCE, column="dose", at_most=0.0, origin="proof-2c89")
    decision = Decision(DecisionKind.GUARD, "g", "Ann", "proven", body_of(proven, GUARD))
    append_decision(hf.open(folder).store, decision)
    with pytest.raises(InputError, match=r"toml: the guard 'g' .* proof-2c89 made.* name = \"g by hand\"$"):
        guarded(folder, 'kind = "size"', "at_most = 50")


def test_the_words_of_the_file_are_the_words_of_a_slice(folder):
    lines = ('kind = "floor"', 'metric = "log_loss"', "at_most = 5", "where = \"smokes = 'No'\"")
    (checked,) = guarded(folder, *lines)
    assert checked.status is GuardStatus.PASSED
    assert "where smokes = 'No', to be at most 5." in checked.said


def test_a_project_without_guards_is_told_how_to_write_one(folder, run):
    (folder / "holdfast.toml").unlink()
    checked = hf.guard(project=folder)
    said = text.plain(text.guards(checked, judged_name("best", hf.open(folder))))
    assert said.startswith(f"Guards on best ({run.id})\n")
    block = said[said.index("[[guard]]") : said.index("What the other kinds")]
    (folder / "holdfast.toml").write_text(block)
    assert [one.guard.name for one in hf.guard(project=folder)] == ["good enough"]
    assert all(f'kind = "{kind}"' in said for kind in GuardKind)


def test_what_is_judged_has_a_name(folder, run, tmp_path):
    project = hf.open(folder)
    assert judged_name(run.id, project) == judged_name(run, project) == run.id
    assert judged_name("linear", project) == f"linear ({run.id})"
    (tmp_path / "theirs.csv").write_text("id,target,prediction\n")
    assert judged_name(str(tmp_path / "theirs.csv"), project) == "theirs.csv"
