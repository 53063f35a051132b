"""From a finding to a change: what applies, what is changed, and what never is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, FixName, Suggestion, Suspect, Where
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.data.conform import conform
from holdfast.data.read import read
from holdfast.debugging.fixes import Asked, applicable, change_for
from holdfast.errors import FixError

KINDS = {"age": Kind.NUMBER, "city": Kind.CATEGORY, "sex": Kind.CATEGORY, "member": Kind.BOOLEAN}


def rows(target: object = None, n: int = 400) -> Dataset:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 80, n).astype(float)
    table = pl.DataFrame(
        {
            "age": age,
            "city": rng.choice(
                ["Oslo", "Rome", "Bonn", "Kiel", "Ulm"], n, p=[0.5, 0.482, 0.006, 0.006, 0.006]
            ),
            "sex": rng.choice(["f", "m"], n),
            "member": rng.random(n) < 0.5,
            "y": np.where(age + rng.normal(0, 10, n) > 50, "10", "9") if target is None else target,
        }
    )
    kind = Kind.NUMBER if table["y"].dtype.is_numeric() else Kind.CATEGORY
    schema = Schema((*(Column(name, k) for name, k in KINDS.items()), Column("y", kind, Role.TARGET)))
    ids = pl.Series([f"r{i}" for i in range(n)])
    return Dataset(table, schema, ids, table.drop("y").hash_rows().to_numpy(), content="rows")


def asked(
    where: Where,
    *,
    data: Dataset | None = None,
    kind: str = "weak slice",
    labels: dict[str, object] | None = None,
    about: str = "",
    fixes: tuple[Suggestion, ...] = (),
) -> Asked:
    data = rows() if data is None else data
    finding = Finding(kind, "t", where, 9, Estimate.absent("made", n=0), "loss", about=about, fixes=fixes)
    return Asked(finding, data, np.arange(len(data)) % 4 != 0, labels)


EXAMPLES = Where(examples=tuple(Suspect(f"r{i}", 0.1) for i in range(12)))
SLICE = Where(query="age >= 30 and city = 'Oslo'")


def test_every_change_of_rows_names_its_finding_and_makes_another_version():
    questions = {
        FixName.RELABEL: asked(EXAMPLES, labels={"r1": "9", "r2": "10", "r3": "9"}),
        FixName.DROP_ROWS: asked(SLICE),
        FixName.REPAIR: asked(Where(query="age > 75", column="age")),
        FixName.DROP_COLUMN: asked(Where(column="sex")),
        FixName.REGROUP: asked(Where(column="city")),
    }
    ids = set()
    for fix, question in questions.items():
        change = change_for(fix, question)
        assert question.finding.id in str(change.dataset.lineage[-1])
        assert len(change.dataset) == change.kept.sum()
        ids.add(change.dataset.id)
    assert len(ids | {rows().id}) == 6


@pytest.mark.parametrize("fix", [FixName.RELABEL, FixName.DROP_ROWS, FixName.REPAIR])
def test_sealed_rows_keep_their_labels_their_cells_and_their_place(fix):
    labels = {f"r{i}": "9" for i in range(12)} | {f"r{i}": "10" for i in range(12, 24)}
    where = Where(examples=tuple(Suspect(f"r{i}", 0.1) for i in range(24)), column="age")
    question = asked(where, labels=labels)
    change = change_for(fix, question)
    sealed = ~question.open
    after = change.dataset.take(sealed[change.kept])
    assert change.kept[sealed].all()
    assert after.table.equals(question.dataset.take(sealed).table)
    assert not change.dataset.table.equals(question.dataset.table)


def test_reviewed_labels_are_changed_and_no_others():
    question = asked(EXAMPLES, labels={f"r{i}": "9" for i in (1, 2, 3)})
    after = change_for(FixName.RELABEL, question).dataset
    changed = (after.target != question.dataset.target).to_numpy()
    assert set(np.flatnonzero(changed)) <= {1, 2, 3}
    assert after.target.gather([1, 2, 3]).to_list() == ["9"] * 3


def test_a_row_without_a_label_can_be_given_one():
    data = rows()
    empty = data.table.with_columns(pl.when(pl.int_range(pl.len()) != 1).then("y").alias("y"))
    question = asked(EXAMPLES, data=Dataset(empty, data.schema, data.example, data.twin), labels={"r1": "9"})
    after = change_for(FixName.RELABEL, question).dataset
    assert after.target[1] == "9" and after.target.null_count() == 0


def test_reviewed_numbers_are_read_and_what_is_none_is_named():
    data = rows(target=np.arange(400.0))
    after = change_for(FixName.RELABEL, asked(EXAMPLES, data=data, labels={"r1": "7.5", "r2": 8})).dataset
    assert after.target.gather([1, 2, 3]).to_list() == [7.5, 8.0, 3.0]
    for wrong in ("many", "nan", "inf"):
        with pytest.raises(FixError, match="no numbers"):
            change_for(FixName.RELABEL, asked(EXAMPLES, data=data, labels={"r1": wrong}))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "by a person's word only"),
        ({"nobody": "9"}, "1 row that the data lacks: 'nobody'"),
        ({"r1": "maybe"}, "labels that the data lacks: 'maybe'"),
        ({"r0": "9", "r4": "10", "r8": "9"}, "nothing to change"),  # all sealed
    ],
)
def test_a_review_that_cannot_be_meant_is_refused(labels, said):
    with pytest.raises(FixError, match=said):
        change_for(FixName.RELABEL, asked(EXAMPLES, labels=labels))


def test_of_copies_one_open_row_is_kept():
    data = rows()
    doubled = data.take(np.r_[np.arange(400), np.arange(100)])
    ids = pl.Series([f"r{i}" for i in range(500)])
    data = Dataset(doubled.table, doubled.schema, ids, doubled.twin)
    question = asked(EXAMPLES, data=data, kind="twins")
    change = change_for(FixName.DEDUPLICATE, question)
    left = change.dataset.take(question.open[change.kept])
    keys = pl.DataFrame({"twin": left.twin, "y": left.target})
    assert keys.is_unique().all() and change.kept[~question.open].all()


def test_of_conflicting_labels_those_in_the_minority_are_dropped():
    where = Where(examples=(Suspect("r1", 0.67), Suspect("r2", 0.67), Suspect("r3", 0.33)))
    change = change_for(FixName.DROP_ROWS, asked(where, kind="conflicting labels"))
    assert np.flatnonzero(~change.kept).tolist() == [3]


def test_a_fix_that_would_leave_a_class_without_rows_is_refused():
    with pytest.raises(FixError, match="there are no rows of '10'"):
        change_for(FixName.DROP_ROWS, asked(Where(query="y = '10'")))


def test_merged_levels_are_read_the_same_way_from_raw_cells(tmp_path):
    data = rows()
    file = tmp_path / "t.csv"
    data.table.write_csv(file)
    question = asked(Where(column="city"), data=read(file, target="y"))
    after = change_for(FixName.REGROUP, question).dataset
    gone = sorted(set(data.table["city"].unique()) - set(after.table["city"].unique()))
    assert len(gone) >= 2 and "other" in after.table["city"].unique()
    raw = tmp_path / "new.csv"
    data.table.with_columns(city=pl.lit(f"  {gone[0].upper()} ")).head(3).write_csv(raw)
    seen, _ = conform(raw, after.schema)
    assert seen.table["city"].to_list() == ["other"] * 3


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_the_direction_is_the_one_that_the_data_show(sign, task):
    data = rows()
    effect = sign * data.table["age"] + np.random.default_rng(1).normal(0, 5, 400)
    # "10" is the second class by value, though it sorts first as text
    target = np.where(effect > effect.median(), "10", "9") if task == "classes" else effect
    change = change_for(FixName.MONOTONE, asked(Where(column="age"), data=rows(target=target)))
    assert change.monotone == ("age", sign)
    assert ("rises" in change.said) == (sign > 0)


def test_a_column_that_goes_nowhere_has_no_direction():
    data = rows()
    flat = Dataset(data.table.with_columns(age=pl.lit(1.0)), data.schema, data.example, data.twin)
    with pytest.raises(FixError, match="do not rise or fall together"):
        change_for(FixName.MONOTONE, asked(Where(column="age"), data=flat))


@pytest.mark.parametrize(
    ("fix", "question", "said"),
    [
        (FixName.RELABEL, asked(SLICE), "no rows whose labels"),
        (FixName.DROP_ROWS, asked(Where()), "points at no rows"),
        (FixName.REPAIR, asked(SLICE), "points at no cells"),
        (FixName.DEDUPLICATE, asked(EXAMPLES), "not about rows that are equal"),
        (FixName.DROP_COLUMN, asked(Where(column="y")), "one column that a model looks at"),
        (FixName.REGROUP, asked(Where(column="age")), "column of categories"),
        (FixName.REGROUP, asked(Where(column="city"), kind="group split"), "roles for ever"),
        (FixName.AUGMENT, asked(EXAMPLES), "names no slice"),
        (FixName.CONTINUE, asked(Where(query="age > 78")), "and 100 are wanted"),
        (FixName.MONOTONE, asked(Where(column="sex")), "column of numbers"),
        (FixName.FAIR, asked(SLICE), "sensitive column"),
        (FixName.THRESHOLD, asked(SLICE, data=rows(target=np.arange(400.0))), "this target is a number"),
        (FixName.FAIR, asked(Where(column="sex"), data=rows(target=np.arange(400) % 3 * 1.0)), "a number"),
        (FixName.THRESHOLD, asked(SLICE, data=rows(target=["a", "b", "c", "a"] * 100)), "the target has 3"),
        (FixName.SMOTE, asked(SLICE, data=rows(target=["a", "b"] * 198 + ["c"] * 4)), "has 3 open rows"),
    ],
)  # fmt: skip
def test_a_fix_that_does_not_apply_says_why_and_which_do(fix, question, said):
    with pytest.raises(FixError, match=f"{fix} does not answer .*{said}.*These do: "):
        change_for(fix, question)
    assert fix not in applicable(question)


def test_the_fixes_that_a_finding_suggests_come_first():
    fixes = (Suggestion(FixName.THRESHOLD, "", ""), Suggestion(FixName.RELABEL, "", ""))
    able = applicable(asked(SLICE, fixes=fixes))
    assert able[0] is FixName.THRESHOLD and FixName.RELABEL not in able and len(set(able)) == len(able)


def test_a_proxys_constraint_is_on_the_column_that_it_stands_for():
    change = change_for(FixName.FAIR, asked(Where(column="city"), kind="proxy", about="sex"))
    assert change.treatment.column == "sex"
