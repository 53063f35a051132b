"""The made-up table: every planted fault is where it is said to be."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from made_datasets import dataset

from holdfast.data.checks import check
from holdfast.data.simulated import Planted, churn


@pytest.fixture(scope="module")
def made() -> tuple[pl.DataFrame, Planted]:
    return churn(8_000, seed=3)


def features(table: pl.DataFrame, planted: Planted) -> pl.DataFrame:
    clean = pl.col("plan", "region").str.strip_chars().str.to_titlecase()
    return table.with_columns(clean).drop("customer_id", planted.target)


def test_the_same_seed_makes_the_same_table(made: tuple[pl.DataFrame, Planted]) -> None:
    again, planted = churn(8_000, seed=3)
    assert again.equals(made[0])
    assert (planted.wrong == made[1].wrong).all()
    assert not churn(8_000, seed=4)[0].equals(again)


def test_what_is_in_the_table(made: tuple[pl.DataFrame, Planted]) -> None:
    table, planted = made
    kinds = {type(dtype) for dtype in table.dtypes}
    assert {pl.String, pl.Date, pl.Float64, pl.Int64} <= kinds
    assert table.height == 8_000
    assert 0.75 < table["customer_id"].n_unique() / table.height < 0.95
    assert table.null_count().sum_horizontal().item() > 1_000
    assert (table["signed_up"] <= table["last_login"]).all()
    assert 0.25 < (table[planted.target] == "Yes").mean() < 0.4


def test_customers_that_come_back_are_the_same_people(made: tuple[pl.DataFrame, Planted]) -> None:
    table = made[0].with_columns(pl.col("plan", "region").str.strip_chars().str.to_titlecase())
    facts = table.group_by("customer_id").agg(pl.col("signed_up", "plan", "region").n_unique())
    assert facts.drop("customer_id").to_numpy().max() == 1


def test_four_percent_of_labels_are_wrong(made: tuple[pl.DataFrame, Planted]) -> None:
    assert len(made[1].wrong) == 320
    assert len(np.unique(made[1].wrong)) == 320


def test_the_slice_is_where_it_is_said_and_inverted(made: tuple[pl.DataFrame, Planted]) -> None:
    table, planted = made
    clean = features(table, planted)
    inside = clean.select(pl.all_horizontal(pl.col(c) == level for c, level in planted.inverted_slice))
    assert (np.flatnonzero(inside.to_series()) == planted.inverted).all()
    left = (table[planted.target] == "Yes").to_numpy()
    calls, mask = table["support_calls"].to_numpy(), inside.to_series().to_numpy()
    assert np.corrcoef(calls[mask], left[mask])[0, 1] < -0.05
    assert np.corrcoef(calls[~mask], left[~mask])[0, 1] > 0.05
    assert 300 < mask.sum() < 700


def test_copies_are_copies(made: tuple[pl.DataFrame, Planted]) -> None:
    table, planted = made
    assert len(planted.copies) == 120
    assert (
        table[planted.copies]
        .join(table[np.setdiff1d(np.arange(8_000), planted.copies)], on=table.columns, nulls_equal=True)
        .height
        == 120
    )


def test_misspelt_cells_are_where_they_are_said(made: tuple[pl.DataFrame, Planted]) -> None:
    table, planted = made
    for name, rows in planted.misspelt:
        common = table[name].value_counts().filter(pl.col("count") > 500)[name]
        assert (np.flatnonzero(~table[name].is_in(common.implode())) == rows).all()
        assert 150 < len(rows) < 330


def test_the_checks_name_the_leak_and_the_twins(made: tuple[pl.DataFrame, Planted]) -> None:
    table, planted = made
    columns = table.drop("customer_id").with_columns(pl.selectors.date().cast(pl.Datetime("us")))
    checks = check(dataset(columns.to_dict(), target=planted.target))
    assert checks[0].column == planted.leak
    twins = next(check for check in checks if check.kind == "twins")
    assert twins.rows == 240


def test_a_good_model_is_good_and_not_perfect(made: tuple[pl.DataFrame, Planted]) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    table, planted = made
    clean = features(table, planted).drop(planted.leak)
    X = clean.with_columns(pl.col(pl.String).rank("dense")).cast(pl.Float64).to_numpy()
    y = (table[planted.target] == "Yes").to_numpy()
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0).fit(X[:5_000], y[:5_000])
    assert 0.79 < roc_auc_score(y[5_000:], model.predict_proba(X[5_000:])[:, 1]) < 0.87
