"""Each fix on a small project: a candidate comes out, is kept, loads, predicts, and can be made again."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.core.estimate import Estimate
from holdfast.core.events import silent
from holdfast.core.finding import Finding, FixName, Suggestion, Suspect, Where
from holdfast.core.guard import GuardKind, GuardStatus
from holdfast.core.proof import Claim, ClaimKind, ClaimStatus, Proof, ProofOutcome
from holdfast.debugging.fixes import Asked, change_for
from holdfast.engine.inline import InlineEngine
from holdfast.errors import FixError, PlanError
from holdfast.models.tabular.served import load
from holdfast.project import fitting, refit
from holdfast.project.answers import read_answers
from holdfast.project.fix import guard_of
from holdfast.project.fixed import Fixed
from holdfast.project.fold_models import fold_model
from holdfast.project.guard import check_run
from holdfast.project.handle import open_project
from holdfast.project.probing import probe_of
from holdfast.project.refit import Refit, refitted
from holdfast.project.review import Sheet
from holdfast.project.runs import data_of, listed, records, run_named
from holdfast.training.schedule import roles_id

UNKNOWN = Estimate.absent("made", n=0)
SLICE = "plan = 'pro' and age >= 30"
WHERE = {
    FixName.RELABEL: Where(examples=tuple(Suspect(f"r{i}", 0.1) for i in range(60))),
    FixName.DROP_ROWS: Where(query="age > 70"),
    FixName.REPAIR: Where(query="age > 70", column="age"),
    FixName.DEDUPLICATE: Where(),
    FixName.DROP_COLUMN: Where(column="noise"),
    FixName.REGROUP: Where(column="city"),
    FixName.AUGMENT: Where(query=SLICE),
    FixName.CONTINUE: Where(query=SLICE),
    FixName.FAIR: Where(column="sex"),
    FixName.MONOTONE: Where(column="age"),
}


def made(n: int = 1500) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    age, plan, sex = (
        rng.integers(18, 80, n).astype(float),
        rng.choice(["basic", "pro"], n),
        rng.choice(["f", "m"], n),
    )
    noise = rng.normal(size=n)
    margin = (
        (age - 75) / 10 + np.where(plan == "pro", 3 * np.sign(noise), 0) + np.where(sex == "m", 0.7, -0.7)
    )
    city = rng.choice(["Oslo", "Rome", *(f"town {i}" for i in range(8))], n, p=[0.5, 0.444, *[0.007] * 8])
    return pl.DataFrame(
        {
            "id": [f"r{i}" for i in range(n)],
            "age": age,
            "noise": noise,
            "plan": plan,
            "sex": sex,
            "city": city,
            "left": np.where(rng.random(n) < 1 / (1 + np.exp(-margin)), "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    path = tmp_path_factory.mktemp("fixes")
    patch = pytest.MonkeyPatch()
    patch.setattr(fitting, "_engine", lambda request: InlineEngine())
    patch.setattr(refit, "LocalEngine", lambda preload: InlineEngine())
    hf.train(made(), target="left", id="id", project=path, learners=["lightgbm_small"], folds=3)
    yield open_project(path)
    patch.undo()


def fixed(home, fix: FixName, *, run: str = "best"):
    before = run_named(home, run)
    dataset, split = data_of(home, before.record)
    where = WHERE.get(fix, Where())
    kind = "twins" if fix is FixName.DEDUPLICATE else "made"
    labels = {one.example: "yes" for one in where.examples} or None
    suggested = (Suggestion(fix, "it is tried here", "one training"),)
    finding = Finding(kind, "t", where, 9, Estimate.absent("made", n=0), "loss", fixes=suggested)
    change = change_for(fix, Asked(finding, dataset, split.open, labels))
    return before, change, refitted(home, Refit(before, split, change, finding.id, silent))


@pytest.mark.parametrize("fix", [fix for fix in FixName if fix not in (FixName.COLLECT, FixName.DEDUPLICATE)])
def test_a_fix_gives_a_candidate_that_is_kept_loads_and_predicts(home, fix):
    before, change, after = fixed(home, fix)
    kept = run_named(home, after.id)
    assert kept.id != before.id and kept.record.model != before.record.model
    assert len(kept.predictions) == (change.kept & data_of(home, before.record)[1].open).sum()
    model = load(kept.model.files)
    raw = made(40).drop("left").to_dicts()
    output = model.predict_rows(raw)
    assert output.shape == (40, 2) and np.isfinite(output).all()
    dataset, split = data_of(home, kept.record)
    assert dataset.id == change.dataset.id
    for k in range(3):
        assert fold_model(home, kept.record, k, roles_id(split)) is not None
    with probe_of(home, kept, dataset, split) as probe:
        open_rows = dataset.take(split.open)
        assert len(probe.held_out(open_rows)) == len(open_rows)


def test_rows_outside_of_a_slice_in_which_training_went_on_are_predicted_as_before(home):
    before, _, after = fixed(home, FixName.CONTINUE)
    dataset, split = data_of(home, before.record)
    inside = (dataset.table["plan"] == "pro") & (dataset.table["age"] >= 30)
    roles, changed = roles_id(split), False
    for k in range(3):
        old, new = (
            fold_model(home, run.record, k, roles).predict(dataset).probability for run in (before, after)
        )
        assert (old[~inside.to_numpy()] == new[~inside.to_numpy()]).all()
        changed |= bool((old[inside.to_numpy()] != new[inside.to_numpy()]).any())
    assert changed


def test_a_monotone_model_never_falls_where_it_may_only_rise(home):
    _, _, after = fixed(home, FixName.MONOTONE)
    base = made(30).drop("left").to_dicts()
    swept = [[row | {"age": age} for age in np.linspace(15, 90, 60)] for row in base]
    for rows in swept:
        assert (np.diff(after.model.predict_rows(rows)[:, 1]) >= -1e-7).all()


def test_levels_that_were_merged_are_predicted_alike_from_raw_cells(home):
    before, change, after = fixed(home, FixName.REGROUP)
    old = data_of(home, before.record)[0].table["city"]
    merged = old.filter(change.dataset.table["city"] == "other").unique().to_list()
    assert len(merged) >= 2
    row = made(1).drop("left").to_dicts()[0]
    raw = [row | {"city": city} for city in (merged[0], f" {merged[1].upper()} ", "other", "Oslo")]
    outputs = after.model.predict_rows(raw)
    assert (outputs[0] == outputs[1]).all() and (outputs[0] == outputs[2]).all()


def test_a_threshold_that_is_the_best_already_is_not_asked_of_the_sealed_rows(home):
    _, _, first = fixed(home, FixName.THRESHOLD)
    with pytest.raises(FixError, match="no other threshold is better"):
        fixed(home, FixName.THRESHOLD, run=first.id)


def test_recalibrating_changes_probabilities_and_no_decision(home):
    _, _, first = fixed(home, FixName.THRESHOLD)
    _, _, after = fixed(home, FixName.RECALIBRATE, run=first.id)
    assert after.record.plan.decision == "threshold+recalibrate"
    assert after.predictions.table["prediction"].equals(first.predictions.table["prediction"])
    rows = made(200).drop("left")
    said = [
        run.model.predict_rows(rows.to_dicts())[:, 1] >= run.model.manifest.threshold
        for run in (first, after)
    ]
    assert (said[0] == said[1]).mean() > 0.99


@pytest.mark.parametrize("fix", [FixName.SMOTE, FixName.CONTINUE, FixName.DROP_ROWS, FixName.CLASS_WEIGHTS])
def test_a_run_that_a_fix_made_is_replayed_from_the_rows_that_the_project_keeps(home, fix):
    _, _, after = fixed(home, fix)
    again = hf.train(made(), target="left", id="id", project=home.path, replay=after.id)
    assert again.record.model == after.record.model


def test_a_decision_that_was_made_anew_is_not_replayed_and_says_what_is(home):
    before, _, after = fixed(home, FixName.THRESHOLD)
    with pytest.raises(PlanError, match=f"--replay {before.id}"):
        hf.train(made(), target="left", id="id", project=home.path, replay=after.id)


def test_a_run_that_was_made_twice_is_listed_once_and_the_newest_training_first(home):
    first, second = (fixed(home, FixName.SMOTE)[2] for _ in range(2))
    assert first.id == second.id and first.record.training != second.record.training
    assert [one.id for one in records(home)].count(first.id) >= 2
    told = [(one.id, one.training) for one in listed(home)]
    assert told[0] == (second.id, second.record.training)
    assert len({name for name, _ in told}) == len(told)


def test_data_without_copies_has_none_to_drop(home):
    with pytest.raises(FixError, match="no open row"):
        fixed(home, FixName.DEDUPLICATE)


def test_a_second_treatment_is_not_put_in_place_of_the_first_unsaid(home):
    _, _, first = fixed(home, FixName.SMOTE)
    with pytest.raises(FixError, match="smote"):
        fixed(home, FixName.AUGMENT, run=first.id)
    assert first.record.plan.treatment.name == FixName.SMOTE


def proven(finding, fix, after, target):
    main = Claim(ClaimKind.MAIN, "log_loss", ClaimStatus.HELD, UNKNOWN, None, 0.01, 9, metric="log_loss")
    return Proof(
        "proof-made", finding.id, fix, "before", after.id, ProofOutcome.PROVEN, (target, main), 0.01,
        query=finding.where.query,
    )  # fmt: skip


def test_a_gap_that_was_narrowed_is_guarded_as_a_gap(home):
    before, change, after = fixed(home, FixName.FAIR)
    dataset, split = data_of(home, before.record)
    finding = Finding("bias", "t", Where(column="sex"), 9, UNKNOWN, "gap", about="tpr")
    target = Claim(ClaimKind.TARGET, "gap in tpr by sex", ClaimStatus.IMPROVED, UNKNOWN, None, 0.0, 9)
    judged = Fixed(finding, before, run_named(home, after.id), dataset, split, change)
    guard = guard_of(proven(finding, FixName.FAIR, after, target), judged)
    assert (guard.kind, guard.metric, guard.column) == (GuardKind.FAIRNESS, "tpr", "sex")
    (checked,) = check_run(home, judged.after, (guard,))
    assert checked.status is GuardStatus.PASSED


def test_a_guard_has_the_metric_that_its_margin_is_of(home):
    before, change, after = fixed(home, FixName.REGULARISE)
    dataset, split = data_of(home, before.record)
    finding = Finding("weak slice", "t", Where(query=SLICE), 9, UNKNOWN, "loss")
    target = Claim(ClaimKind.TARGET, "t", ClaimStatus.IMPROVED, UNKNOWN, None, 658.0, 9, metric="rmse")
    judged = Fixed(finding, before, after, dataset, split, change)
    guard = guard_of(proven(finding, FixName.REGULARISE, after, target), judged)
    assert (guard.metric, guard.margin, guard.where) == ("rmse", 658.0, SLICE)


def test_labels_and_ids_that_are_numbers_come_back_from_a_file_as_they_were(tmp_path):
    rows = pl.DataFrame({"example": ["17", "18"], "given": ["0", "1"], "suggested": ["1", "0"]})
    shown = Sheet("label-errors-made", rows, {"17": "0", "18": "1"}, ("0", "1"), blind=False)
    file = tmp_path / "filled.csv"
    file.write_text("example,decision,label\n17,change,1\n18,keep,\n")
    assert [(one.example, one.label) for one in read_answers(shown, file)] == [("17", "1"), ("18", "1")]
