"""New rows are read as a known schema: to be predicted, or to be judged on."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from holdfast.core.conformity import Conformity
from holdfast.core.dataset import Dataset
from holdfast.data.conform import conform
from holdfast.data.read import read
from holdfast.errors import ColumnError

N = 40
TRAIN = pl.DataFrame(
    {
        "customer_id": [f"c{i}" for i in range(N)],
        "Age": ["41", "7", "?", "12"] * (N // 4),
        "city": ["Bern", "Oslo", "New York", "Bern"] * (N // 4),
        "member": ["Yes", "No"] * (N // 2),
        "since": ["2010-02-28", "2011-12-31"] * (N // 2),
        "income": ["<=50K", ">50K"] * (N // 2),
    }
)


@pytest.fixture(scope="module")
def train() -> Dataset:
    return read(TRAIN, target="income")


def test_the_training_file_conforms_to_itself(train: Dataset) -> None:
    same, conformity = conform(TRAIN, train.schema)
    assert conformity == Conformity(N)
    assert conformity.perfect
    assert same.table.equals(train.table, null_equal=True)
    assert same.id == train.id
    assert (same.twin == train.twin).all()


def test_reordered_renamed_extra_and_retyped_columns(train: Dataset) -> None:
    new = pl.DataFrame(
        {
            "colour": ["red", "blue"],
            "MEMBER ": [True, False],
            "city": ["new  york", "Atlantis"],
            "age": [41, 7],
            "since": pl.Series(["2010-02-28", "2012-01-01"]).str.to_date(),
        }
    )
    data, conformity = conform(new, train.schema)
    assert conformity == Conformity(
        rows=2,
        extra=("colour",),
        renamed={"MEMBER": "member", "age": "Age"},
        unseen={"city": 1},
    )
    assert data.schema == train.schema
    assert data.table.row(0)[1:5] == (41.0, "New York", True, train.table["since"][0])
    assert data.table["city"][1] == "Atlantis"
    assert data.target.to_list() == [None, None]
    assert not conformity.perfect


def test_missing_columns_and_cells_that_cannot_be_read(train: Dataset) -> None:
    data, conformity = conform(pl.DataFrame({"Age": ["old", "7", "na"]}), train.schema)
    assert conformity.missing == ("city", "member", "since")
    assert conformity.unread == {"Age": 1}
    assert data.table["Age"].to_list() == [None, 7.0, None]
    assert data.table["city"].null_count() == 3
    assert "Missing, taken as empty: 'city', 'member', 'since'." in conformity.sentences
    with pytest.raises(ColumnError, match="none of the features 'Age', 'city', 'member' and 1 more"):
        conform(pl.DataFrame({"customer_id": ["a"], "x": [1]}), train.schema)


def test_ids_come_from_the_id_column_else_from_the_cells(train: Dataset) -> None:
    rows = TRAIN.drop("income").head(3)
    named, _ = conform(rows, train.schema)
    assert named.example.to_list() == ["c0", "c1", "c2"]
    repeated, _ = conform(pl.concat([rows, rows]), train.schema)
    assert repeated.example.to_list() == ["c0", "c1", "c2", "c0#2", "c1#2", "c2#2"]
    hashed, _ = conform(rows.drop("customer_id"), train.schema)
    shuffled, _ = conform(
        rows.drop("customer_id").reverse().select(pl.all().reverse().reverse()), train.schema
    )
    assert hashed.example.to_list() == shuffled.example.reverse().to_list()
    assert hashed.example.n_unique() == 3


def test_raw_cells_give_the_same_ids_however_the_file_was_typed() -> None:
    train = TRAIN.drop("customer_id")
    first = read(train, target="income")
    typed = train.with_columns(pl.col("Age").cast(pl.Float64, strict=False).fill_null(0))
    second, _ = conform(typed.filter(pl.col("Age") != 0), first.schema)
    assert set(second.example) <= set(first.example)


def test_labels_with_a_full_stop_are_the_classes_they_mean(train: Dataset) -> None:
    new = TRAIN.head(4).with_columns(income=pl.Series(["<=50K.", " >50k. ", "<=50K", "unheard"]))
    data, _ = conform(new, train.schema)
    assert data.target.to_list() == ["<=50K", ">50K", "<=50K", "unheard"]
    (step,) = [step for step in data.lineage if step.column == "income"]
    assert (step.name, step.touched) == ("labels matched", 2)


def test_weights_that_are_not_given_are_one() -> None:
    table = TRAIN.with_columns(w=pl.lit(2.0))
    first = read(table, target="income", weight="w")
    data, _ = conform(TRAIN, first.schema)
    assert data.weight is not None
    assert data.weight.tolist() == [1.0] * N


def test_known_levels_may_be_handed_in(train: Dataset) -> None:
    _, conformity = conform(TRAIN, train.schema, levels={"city": {"Bern"}})
    assert conformity.unseen == {"city": N // 2}


def test_a_file_of_another_format(train: Dataset, tmp_path: Path) -> None:
    TRAIN.write_parquet(tmp_path / "new.parquet")
    data, conformity = conform(tmp_path / "new.parquet", train.schema)
    assert conformity.perfect
    assert data.table.equals(train.table, null_equal=True)


def test_infinities_are_counted_among_the_cells_that_cannot_be_read(train: Dataset) -> None:
    for infinite in (pl.Series([float("inf"), 1.0]), pl.Series(["-Infinity", "1"])):
        _, conformity = conform(pl.DataFrame({"Age": infinite}), train.schema)
        assert conformity.unread == {"Age": 1}


def test_codes_that_look_like_numbers_stay_the_levels_that_they_are(tmp_path: Path) -> None:
    codes = ["1e5", "2e3", "b7", "c9"] * 20
    known = read(pl.DataFrame({"code": codes, "x": range(80), "y": ["p", "q"] * 40}), target="y")
    path = tmp_path / "new.csv"
    path.write_text("code,x\n1e5,1\n1e5,2\n")
    rows, found = conform(str(path), known.schema)
    assert rows.table["code"].to_list() == ["1e5", "1e5"] and not found.unseen
    assert rows.table["x"].to_list() == [1.0, 2.0]


def test_a_category_that_is_said_is_read_as_it_is_written() -> None:
    table = pl.DataFrame({"code": ["1e5", "2e3"] * 20, "x": range(40), "y": ["p", "q", "q", "p"] * 10})
    data = read(table, target="y", kinds={"code": "category"})
    assert set(data.table["code"]) == {"1e5", "2e3"}
