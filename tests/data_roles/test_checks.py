"""Checks: planted faults are found and named, and honest tables raise no alarm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_datasets import dataset

from holdfast.core.dataset import Check, Dataset, Step
from holdfast.core.labels import label_text
from holdfast.data.checks import check
from holdfast.data.probe import signals

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
N = 2_000


def honest(n: int = N, *, seed: int = 0, regression: bool = False) -> dict[str, object]:
    """Columns that tell something of the target: an AUC of about 0.8, or an R2 of about 0.5."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=n)
    y = signal + rng.normal(size=n)
    return {
        "signal": signal,
        "level": pl.Series(["low", "high", "mid"]).gather(rng.integers(0, 3, n)),
        "flag": rng.random(n) < 0.3,
        "y": y if regression else pl.Series(np.where(y > 0.8, "Yes", "No")),
    }


def found(data: Dataset, kind: str) -> list[Check]:
    return [check for check in check(data) if check.kind == kind]


def yes(columns: dict[str, object]) -> np.ndarray:
    return (pl.Series(columns["y"]) == "Yes").to_numpy()


@pytest.mark.parametrize("regression", [False, True])
def test_an_honest_table_has_nothing_to_report(regression: bool) -> None:
    assert check(dataset(honest(regression=regression))) == ()


def leaks() -> dict[str, dict[str, object]]:
    columns, rng = honest(), np.random.default_rng(1)
    y = yes(columns)
    plain = {
        "number": np.where(y, rng.uniform(5, 9, N), rng.uniform(0, 4.9, N)),
        "not monotone": np.where(y, rng.uniform(4, 5, N), rng.choice([1.0, 9.0], N)),
        "category": np.where(y, "closed", rng.choice(["open", "new"], N)),
        "boolean": np.where(rng.random(N) < 0.995, y, ~y),
        "date": pl.Series(np.where(y, 1, 400) + rng.integers(0, 300, N)).cast(pl.Date),
        "filled for the positives": pl.Series(np.where(y, rng.normal(size=N), np.nan)).fill_nan(None),
    }
    return {name: {"leaked it": cells} | columns for name, cells in plain.items()}


@pytest.mark.parametrize("name", leaks())
def test_a_leak_is_the_first_warning_and_is_named(name: str) -> None:
    first = check(dataset(leaks()[name]))[0]
    assert (first.kind, first.severity, first.column) == ("leak", "warning", "leaked it")
    assert "--ignore 'leaked it'" in first.message
    assert "AUC" in first.message and "y" in first.message


def test_two_leaks_do_not_excuse_each_other() -> None:
    columns = honest()
    both = {"a": yes(columns) * 1.0, "b": yes(columns) * 2.0 + 1} | columns
    assert [check.column for check in found(dataset(both), "leak")] == ["a", "b"]


def test_a_leak_of_a_number() -> None:
    columns = honest(regression=True)
    noise = np.random.default_rng(2).normal(size=N) * 0.01
    leak = {"with tax": pl.Series(columns["y"]).to_numpy() * -1.19 + noise}
    first = check(dataset(leak | columns))[0]
    assert (first.kind, first.column) == ("leak", "with tax")
    assert "R²" in first.message


def test_a_leak_among_classes() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 4, N)
    columns = {"x": y + rng.normal(size=N), "code": y * 10.0 + rng.integers(0, 3, N)}
    data = dataset(columns | {"y": pl.Series([f"k{k}" for k in y])})
    assert [check.column for check in found(data, "leak")] == ["code"]


def test_a_partial_gap_that_only_one_class_has() -> None:
    columns = honest()
    reason = np.where(yes(columns) & (np.random.default_rng(4).random(N) < 0.3), "moved", None)
    (leak,) = found(dataset({"reason": pl.Series(reason.tolist(), dtype=pl.String)} | columns), "leak")
    assert leak.column == "reason"
    assert "where it is filled are 'Yes'" in leak.message


def test_a_gap_that_tells_a_number() -> None:
    columns = honest(regression=True)
    high = pl.Series(columns["y"]).to_numpy() > 0
    columns["note"] = pl.Series(np.where(high, 1.0, np.nan)).fill_nan(None)
    assert [check.column for check in found(dataset(columns), "leak")] == ["note"]


@pytest.mark.parametrize("n", [60, 200, 2_000])
def test_a_strong_honest_column_is_no_leak(n: int) -> None:
    rng = np.random.default_rng(n)
    y = rng.random(n) < 0.4
    columns = {f"x{i}": rng.normal(size=n) + (2.2 if i == 0 else 0) * y for i in range(10)}
    data = dataset(columns | {"y": pl.Series(y).cast(pl.String)})
    assert found(data, "leak") == []


def test_signals_agree_with_a_slow_oracle() -> None:
    """The AUC of rates by level, each half scored with the other's, pair by pair."""
    rng = np.random.default_rng(5)
    level = rng.integers(0, 6, 400)
    y = rng.random(400) < level / 6
    data = dataset({"level": pl.Series(level).cast(pl.String) + "x", "y": pl.Series(np.where(y, "b", "a"))})
    extra = rng.permutation(400)  # twins share a half, so give each row a hash of its own
    data = Dataset(data.table, data.schema, data.example, extra.astype(np.uint64))
    half, areas = extra % 2, []
    for here in (0, 1):
        other = half != here
        common = y if y.mean() > 0.5 else ~y
        rate = [
            (common[other & (level == k)].sum() + common.mean()) / ((other & (level == k)).sum() + 1)
            for k in range(6)
        ]
        score = np.array(rate)[level[~other]]
        ones, zeros = score[common[~other]], score[~common[~other]]
        areas.append(((ones[:, None] > zeros) + 0.5 * (ones[:, None] == zeros)).mean())
    assert signals(data)[0].score == pytest.approx(np.mean(areas), abs=1e-12)


def test_what_is_learned_of_a_group_is_no_leak() -> None:
    """Each customer leaves or stays for good, and a code names the customer."""
    customer = np.repeat(np.arange(300), 8)
    rng = np.random.default_rng(9)
    left = pl.Series(np.where(rng.random(300) < 0.4, "Yes", "No")[customer])
    columns = {"g": pl.Series(customer).cast(pl.String) + "g", "x": rng.normal(size=2_400), "y": left}
    columns |= {"code": pl.Series(customer).cast(pl.String) + "c"}
    assert found(dataset(columns, group="g"), "leak") == []
    assert [check.column for check in found(dataset(columns), "leak")] == ["code", "g"]


def test_order_of_rows_changes_no_check() -> None:
    columns = leaks()["category"]
    data = dataset(columns)
    shuffled = data.take(np.random.default_rng(6).permutation(N))
    assert check(data) == check(shuffled)


def test_twins_and_what_they_disagree_on() -> None:
    x = [*range(90), *[0] * 5, *[1] * 3]
    y = ["a", "b"] * 45 + ["a", "a", "a", "b", "b"] + ["b"] * 3
    checks = check(dataset({"x": pl.Series(x).cast(pl.Float64) + 0.5, "y": y}))
    kinds = {check.kind: check for check in checks}
    assert kinds["twins"].rows == 10
    assert "(2 sets)" in kinds["twins"].message
    assert kinds["conflicting labels"].rows == 6
    assert "wrong on at least 2" in kinds["conflicting labels"].message


def test_numbers_on_which_twins_differ() -> None:
    columns = {"x": [1.5, 1.5, 2.5, 2.5, *np.arange(100) * 1.1], "y": [1.0, 3.0, 4.0, 4.0, *np.arange(100.0)]}
    (conflict,) = found(dataset(columns), "conflicting labels")
    assert conflict.rows == 2
    assert "1.414" in conflict.message


def test_plain_facts_are_named() -> None:
    columns = honest(400)
    columns |= {
        "same": ["x"] * 400,
        "nothing": pl.Series([None] * 400, dtype=pl.Float64),
        "copy": columns["signal"],
        "hole": pl.Series([1.5, None, None, 2.5] * 100),
        "row": list(range(1, 401)),
        "code": [f"c{i}" for i in range(400)],
    }
    checks = {(check.kind, check.column): check for check in check(dataset(columns))}
    assert {
        ("constant", "same"),
        ("constant", "nothing"),
        ("redundant", "copy"),
        ("missing", "hole"),
        ("id-like", "row"),
        ("id-like", "code"),
    } == set(checks)
    assert "'signal'" in checks["redundant", "copy"].message
    assert "50%" in checks["missing", "hole"].message
    assert "--id row" in checks["id-like", "row"].message


def test_many_columns_share_a_note() -> None:
    constant = {f"{{c}} {i}": ["x"] * N for i in range(50)}
    (note,) = found(dataset(constant | honest()), "constant")
    assert "and 47 more" in note.message
    assert note.column == ""


def test_the_target_itself() -> None:
    columns = honest()
    y = np.where(np.random.default_rng(7).random(N) < 0.02, "Yes", "No").astype(object)
    y[:30] = None
    kinds = {check.kind: check for check in check(dataset(columns | {"y": pl.Series(y.tolist())}))}
    assert kinds["missing target"].rows == 30
    assert "'Yes'" in kinds["imbalance"].message
    rare = ["k1"] * (N - 4) + ["k2"] * 4
    (check_rare,) = found(dataset(columns | {"y": rare}), "rare class")
    assert (check_rare.severity, check_rare.rows) == ("warning", 4)


def test_merged_spellings_come_from_the_lineage() -> None:
    data = dataset(honest())
    step = Step("spelling", "level", 12, "'LOW' to 'low'")
    (spelling,) = found(Dataset(data.table, data.schema, data.example, data.twin, (step,)), "spelling")
    assert (spelling.column, spelling.rows) == ("level", 12)
    assert "'LOW' to 'low'" in spelling.message


def test_wide_tables() -> None:
    wide = np.random.default_rng(8).normal(size=(60, 2_000))
    data = dataset({f"x{i}": wide[:, i] for i in range(2_000)} | {"y": ["a", "b"] * 30})
    assert found(data, "leak") == []


REAL = {
    "payment_fraud/payment_fraud.csv.gz": ("label", "accountAgeDays"),
    "telco_churn/telco_churn.csv.gz": ("Churn", None),
    "adult_income/train.csv.gz": ("class", None),
    "credit_default/credit_default.csv.gz": ("default.payment.next.month", None),
    "california_housing/housing.csv.gz": ("median_house_value", None),
    "titanic/titanic.csv": ("Survived", None),
    "insurance_charges/insurance.csv": ("charges", None),
    "covertype_sample/covtype_sample.csv.gz": ("Cover_Type", None),
}


@pytest.mark.parametrize("path", REAL)
def test_real_tables(path: str) -> None:
    if not (SHARED / path).exists():
        pytest.skip("the real tables are not on this machine")
    target, leak = REAL[path]
    table = pl.read_csv(SHARED / path, infer_schema_length=None, null_values=["NA", "", " "])
    if target not in ("median_house_value", "charges"):
        table = table.with_columns(label_text(table[target]))
    checks = check(dataset(table.to_dict(), target=target))
    assert [check.column for check in checks if check.kind == "leak"] == ([leak] if leak else [])
    if leak:
        assert checks[0].column == leak
        assert checks[0].severity == "warning"
        assert "AUC 1.000" in checks[0].message
