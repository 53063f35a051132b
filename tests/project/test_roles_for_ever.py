"""Every row has one name and one role, for ever."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.core.schema import Role
from holdfast.errors import ColumnError, PlanError
from holdfast.project.runs import data_of, records, run_named

pytestmark = pytest.mark.usefixtures("in_this_process")
FEW = ["constant", "decision_tree"]


def fit(table, project, **said):
    said = {"target": "diagnosis", "learners": FEW, "folds": 2, "project": project} | said
    return hf.train(table, **said)


def roles(project, run):
    """Example -> role, of all rows of the run's dataset."""
    dataset, split = data_of(hf.open(project), run.record)
    return dict(zip(dataset.example.to_list(), split.role.tolist(), strict=True))


def test_rows_that_are_added_move_nobody(patients, tmp_path):
    first = roles(tmp_path, fit(patients[:400], tmp_path))
    grown = roles(tmp_path, fit(pl.concat([patients[400:], patients[:400]]), tmp_path))
    assert len(grown) == 569 and first.items() <= grown.items()
    new = [role for example, role in grown.items() if example not in first]
    assert 0.08 < np.mean([role == "sealed" for role in new]) < 0.34  # they have roles of their own


def test_leaving_a_column_out_moves_nobody(patients, tmp_path):
    first = roles(tmp_path, fit(patients, tmp_path))
    fewer = fit(patients, tmp_path, ignore=["mean_radius", "clinic"])
    assert roles(tmp_path, fewer) == first
    hf.compare(fit(patients, tmp_path), fewer)  # the same rows under the same names


def test_equal_rows_of_fewer_columns_share_a_fold_and_leave_the_sealed_ones(tmp_path):
    rng = np.random.default_rng(0)
    n = 400
    table = pl.DataFrame(
        {
            "few": rng.integers(0, 8, n),
            "many": rng.normal(size=n).round(6),
            "diagnosis": rng.choice(["no", "yes"], n),
        }
    )
    fit(table, tmp_path)
    run = fit(table, tmp_path, ignore=["many"])
    dataset, split = data_of(hf.open(tmp_path), run.record)
    folds = pl.DataFrame({"few": dataset.table["few"], "fold": split.fold}).filter(pl.col("fold") >= 0)
    assert folds.group_by("few").agg(pl.col("fold").n_unique())["fold"].max() == 1
    assert split.tied.sum() == (split.role == "sealed").sum() > 0  # every sealed row has an open twin


def test_the_order_of_rows_decides_nothing(patients, tmp_path):
    first = fit(patients, tmp_path)
    shuffled = patients.sample(fraction=1.0, shuffle=True, seed=3)
    again = fit(shuffled, tmp_path)  # folds of the first training are taken up
    assert again.record.dataset == first.record.dataset
    assert again.predictions.table.equals(first.predictions.table)
    anew = fit(shuffled, tmp_path / "other")
    assert {run.id: run.record.model for run in anew.candidates} == {
        run.id: run.record.model for run in first.candidates
    }


@pytest.mark.parametrize("said", [{"group": "clinic"}, {"time": "seen"}, {"id": "case"}], ids=str)
def test_another_key_is_refused_before_anything_is_drawn(said, patients, tmp_path):
    table = patients.with_columns(case=pl.int_range(len(patients)) * 7 % 569)
    fit(table.drop("case"), tmp_path)
    before = records(hf.open(tmp_path))
    with pytest.raises(PlanError, match=r"once and for ever.*--project DIR"):
        fit(table, tmp_path, **said)
    assert records(hf.open(tmp_path)) == before


@pytest.mark.parametrize("said", [{"group": "clinic"}, {"time": "seen"}], ids=str)
def test_the_key_that_a_project_began_with_need_not_be_said_again(said, patients, tmp_path):
    first = fit(patients, tmp_path, **said)
    (role, name), *_ = said.items()
    again = fit(patients, tmp_path)
    assert roles(tmp_path, again) == roles(tmp_path, first)
    column = data_of(hf.open(tmp_path), again.record)[0].schema.with_role(Role(role))
    assert column.name == name
    with pytest.raises(PlanError, match=name):
        fit(patients, tmp_path, **{role: "mean_area"})


def test_a_group_is_never_divided(patients, tmp_path):
    rng = np.random.default_rng(2)
    owned = patients.with_columns(owner=pl.Series(rng.integers(0, 150, len(patients))))
    run = fit(owned, tmp_path, group="owner")
    dataset, split = data_of(hf.open(tmp_path), run.record)
    rows = pl.DataFrame({"owner": dataset.table["owner"], "role": split.role, "fold": split.fold})
    assert rows.group_by("owner").n_unique()["role"].max() == 1
    assert rows.group_by("owner").n_unique()["fold"].max() == 1
    assert run.predictions.table["group"].null_count() == 0


def test_a_column_that_names_rows_may_not_go_missing(patients, tmp_path):
    fit(patients, tmp_path)
    with pytest.raises(ColumnError, match=r"lacks 'clinic'.*--ignore COLUMN"):
        fit(patients.drop("clinic"), tmp_path)


def test_columns_that_come_later_are_features_and_move_nobody(patients, tmp_path):
    first = roles(tmp_path, fit(patients.drop("clinic"), tmp_path))
    wider = fit(patients, tmp_path)
    assert roles(tmp_path, wider) == first
    assert "clinic" in [column.name for column in wider.model.schema.features]


def test_rows_of_ones_own_are_the_sealed_ones_now_and_later(patients, tmp_path):
    run = fit(patients[:400], tmp_path, test=patients[400:])
    assert list(roles(tmp_path, run).values()).count("sealed") == 169
    assert run.predictions.table.height == 400
    later = fit(patients[:400], tmp_path)
    assert "sealed" not in roles(tmp_path, later).values()
    with pytest.raises(PlanError, match="sealed 0%"):
        fit(patients[:400], tmp_path, sealed=0.2)


def test_a_dataset_that_names_its_rows_otherwise_is_refused(patients, tmp_path):
    fit(patients, tmp_path)
    same = hf.read(patients, target="diagnosis")
    assert fit(same, tmp_path).record.dataset == run_named(hf.open(tmp_path), "best").record.dataset
    other = hf.read(patients, target="diagnosis", ignore=["clinic"])
    with pytest.raises(PlanError, match="names its rows by other columns"):
        fit(other, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [{"target": "nothing"}, {"learners": ["nobody"]}, {"metric": "rmse"}, {"loss": "squared"}],
    ids=str,
)
def test_a_question_that_fails_leaves_no_project(wrong, patients, tmp_path):
    with pytest.raises(hf.HoldfastError):
        fit(patients, tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()
