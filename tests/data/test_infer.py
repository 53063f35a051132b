"""What columns are taken for, and why; and that the user's word counts for more."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from holdfast.core.dataset import Dataset
from holdfast.core.schema import Kind, Role
from holdfast.core.task import Task
from holdfast.data.read import read

N = 60
RNG = np.random.default_rng(0)


def cells(*few: str) -> list[str]:
    """So many cells, drawn from these few."""
    return [few[i] for i in RNG.integers(0, len(few), N - len(few))] + list(few)


NUMBERS = {
    "plain": (cells("1", "2.5", "-3e2"), {"1": 1.0, "2.5": 2.5, "-3e2": -300.0}),
    "blanks": (cells("1", "2", " "), {" ": None, "2": 2.0}),
    "words": (cells("1", "2", "3", "4", "5", "?"), {"?": None, "5": 5.0}),
    "unknown": (cells("1", "2", "unknown", "N/A"), {"unknown": None, "1": 1.0}),
    "english": (cells("1,234.50", "12", "1,000,000"), {"1,234.50": 1234.5, "1,000,000": 1e6}),
    "thousands only": (cells("1,234", "12", "999"), {"1,234": 1234.0}),
    "european": (cells("1.234,50", "12,5", "3"), {"1.234,50": 1234.5, "12,5": 12.5}),
    "decimal comma": (cells("1,5", "22,25", "3"), {"1,5": 1.5}),
    "spaces": (cells("1 234", "12", "1\xa0234\xa0567"), {"1 234": 1234.0, "1\xa0234\xa0567": 1234567.0}),
    "apostrophes": (cells("1'234.5", "12"), {"1'234.5": 1234.5}),
    "dollars": (cells("$1,234.50", "-$5", "$ 7"), {"$1,234.50": 1234.5, "-$5": -5.0, "$ 7": 7.0}),
    "euros": (cells("1.234,50 €", "5 €"), {"1.234,50 €": 1234.5}),
    "codes": (cells("USD 12.50", "USD 3"), {"USD 12.50": 12.5}),
    "percent": (cells("12%", "0.5 %", "100%"), {"12%": 0.12, "0.5 %": 0.005}),
    "infinite": (cells("1", "2", "inf", "-Infinity"), {"inf": None, "-Infinity": None, "2": 2.0}),
}


@pytest.mark.parametrize(("given", "means"), NUMBERS.values(), ids=NUMBERS)
def test_numbers(given: list[str], means: dict[str, float | None]) -> None:
    data = read(pl.DataFrame({"c": given}))
    assert data.schema["c"].kind is Kind.NUMBER
    assert {cell: data.table["c"][given.index(cell)] for cell in means} == pytest.approx(means, nan_ok=True)
    assert data.schema["c"].why


NOT_NUMBERS = {
    "zip codes": cells("00123", "10115", "04109"),
    "long codes": cells("12345678901234567", "12345678901234568"),
    "open ended": cells("0", "1", "2", "3+", "10+"),
    "invoices": [str(i) for i in range(1000)] + [f"C{i}" for i in range(40)],
    "versions": cells("1.2.3", "1.2.4"),
    "lists": cells("1,2", "1,2,3", "2,1,1"),
    "sizes": cells("10 kg", "5 lb"),
}


@pytest.mark.parametrize("given", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
def test_what_only_looks_like_numbers_stays_text(given: list[str]) -> None:
    column = read(pl.DataFrame({"c": given, "d": 1.0})).schema["c"]
    assert column.kind is not Kind.NUMBER


@pytest.mark.parametrize(
    "pair", [("Yes", "No"), ("y", "N"), ("TRUE", "false"), ("t", "f"), ("on", "OFF"), ("ja", "nein")]
)
def test_truth_in_any_spelling(pair: tuple[str, str]) -> None:
    given = cells(pair[0], pair[1], pair[0].upper(), f" {pair[1]}", "?")
    data = read(pl.DataFrame({"c": given}))
    assert data.schema["c"].kind is Kind.BOOLEAN
    expected = [None if cell == "?" else cell.strip().lower() == pair[0].lower() for cell in given]
    assert data.table["c"].to_list() == expected


def test_what_only_looks_like_truth() -> None:
    data = read(
        pl.DataFrame({"sex": cells("m", "f"), "three": cells("Yes", "No", "Maybe"), "bit": [0.0, 1.0] * 30})
    )
    assert [column.kind for column in data.schema] == [Kind.CATEGORY, Kind.CATEGORY, Kind.NUMBER]


DATES = {
    "iso": ("2010-02-28", datetime(2010, 2, 28)),
    "iso with time": ("2010-02-28T23:59:01", datetime(2010, 2, 28, 23, 59, 1)),
    "zone": ("2015-02-24 11:35:52 -0800", datetime(2015, 2, 24, 19, 35, 52)),
    "utc": ("2015-02-24T11:35:52.25Z", datetime(2015, 2, 24, 11, 35, 52, 250000)),
    "american": ("12/31/2010 8:45", datetime(2010, 12, 31, 8, 45)),
    "british": ("31/12/2010", datetime(2010, 12, 31)),
    "german": ("31.12.10", datetime(2010, 12, 31)),
    "month": ("31-Dec-2010", datetime(2010, 12, 31)),
    "long month": ("31 December 2010", datetime(2010, 12, 31)),
    "prose": ("Dec 31, 2010", datetime(2010, 12, 31)),
    "half day": ("12/31/2010 08:45:10 PM", datetime(2010, 12, 31, 20, 45, 10)),
    "compact": ("20101231", datetime(2010, 12, 31)),
}


@pytest.mark.parametrize(("cell", "moment"), DATES.values(), ids=DATES)
def test_dates(cell: str, moment: datetime) -> None:
    data = read(pl.DataFrame({"c": [cell] * 40 + [""]}))
    assert data.schema["c"].kind is Kind.DATE, data.schema["c"].why
    assert data.table["c"][0] == moment
    assert data.table["c"][40] is None


def test_the_cells_decide_between_day_and_month() -> None:
    british = [f"{day:02d}/03/2010" for day in range(1, 31)]
    american = [f"03/{day:02d}/2010" for day in range(1, 31)]
    data = read(pl.DataFrame({"british": british, "american": american}))
    assert data.table["british"].to_list() == data.table["american"].to_list()
    sorted_british = ["01/02/2010", "02/02/2010", "01/03/2010", "02/03/2010", "05/03/2010"] * 1
    assert read(pl.DataFrame({"c": sorted_british})).table["c"][2] == datetime(2010, 3, 1)
    unsure = read(pl.DataFrame({"c": ["05/04/2010", "01/02/2010", "02/01/2010"]})).schema["c"]
    assert "cannot be told, the month was taken" in unsure.why


def test_kinds_of_text() -> None:
    data = read(
        pl.DataFrame(
            {
                "prose": [f"the {i}th sentence of a long story" for i in range(N)],
                "city": cells("Bern", "Oslo", "Rome"),
                "constant": ["same"] * N,
                "empty": [""] * N,
                "missing": ["NA", "?"] * (N // 2),
                "country": cells("NA", "DE", "FR", "GB", "US", "CH", "AT", "IT", "ES", "PT", "NL"),
            }
        )
    )
    kinds = [column.kind for column in data.schema]
    assert kinds == [Kind.TEXT, Kind.CATEGORY, Kind.CATEGORY, Kind.NUMBER, Kind.NUMBER, Kind.CATEGORY]
    assert "constant" in data.schema["constant"].why
    assert data.table["empty"].null_count() == data.table["missing"].null_count() == N
    assert data.table["country"].null_count() == 0  # Namibia


def _roles(data: Dataset) -> dict[str, Role]:
    return {column.name: column.role for column in data.schema}


def test_identifiers_and_groups() -> None:
    table = pl.DataFrame(
        {
            "order_id": np.arange(N) + 1000,
            "uuid": [f"a{i:05x}" for i in range(N)],
            "customer_id": [f"C{i // 3}" for i in range(N)],
            "session_id": [f"S{i // 2}" for i in range(N)],
            "store_id": [i % 4 for i in range(N)],
            "fnlwgt": RNG.permutation(N) * 37,
            "price": RNG.normal(size=N),
            "code": [f"x{i:04}" for i in RNG.permutation(N)],
        }
    )
    assert _roles(read(table)) == {
        "order_id": Role.ID,
        "uuid": Role.IGNORED,
        "customer_id": Role.GROUP,
        "session_id": Role.IGNORED,
        "store_id": Role.FEATURE,
        "fnlwgt": Role.FEATURE,
        "price": Role.FEATURE,
        "code": Role.IGNORED,
    }
    assert read(table).schema["store_id"].kind is Kind.CATEGORY
    assert read(table).example.to_list()[:2] == ["1000", "1001"]
    assert read(table).table["customer_id"][3] == "C1"


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("role", ["id", "group"])
def test_a_name_that_is_said_is_the_one_that_was_found(role: str, numbers: bool, tmp_path: Path) -> None:
    owner = np.arange(2000) if role == "id" else np.arange(2000) % 300
    cells = owner.tolist() if numbers else [f"c{k}" for k in owner]
    table = pl.DataFrame({"customer_id": cells, "x": np.arange(2000) % 7, "y": ["p", "q"] * 1000})
    table.write_csv(tmp_path / "t.csv")
    for source in (table, tmp_path / "t.csv"):
        found, said = (read(source, target="y", **given) for given in ({}, {role: "customer_id"}))
        column = said.schema.with_role(Role(role))
        assert found.id == said.id and found.schema == said.schema
        assert not column.format.spelling  # a model's manifest would list everybody


def test_a_nearly_unique_id_keeps_its_rows_together() -> None:
    table = pl.DataFrame({"tweet_id": [*range(99), 5], "x": RNG.normal(size=100)})
    assert _roles(read(table)) == {"tweet_id": Role.GROUP, "x": Role.FEATURE}


def test_the_user_decides() -> None:
    table = pl.DataFrame(
        {
            "customer_id": [f"C{i // 3}" for i in range(N)],
            "level": cells("1", "2", "3"),
            "when": ["2010-01-01", "2011-01-01"] * (N // 2),
            "sex": cells("f", "m"),
            "w": RNG.random(N),
            "junk": RNG.random(N),
            "y": cells("0", "1"),
        }
    )
    data = read(
        table,
        target="y",
        group="level",
        time="when",
        weight="w",
        sensitive=["sex"],
        ignore=["junk"],
        kinds={"customer_id": "text", "sex": Kind.BOOLEAN},
        task="regression",
    )
    assert _roles(data) == {
        "customer_id": Role.FEATURE,
        "level": Role.GROUP,
        "when": Role.TIME,
        "sex": Role.SENSITIVE,
        "w": Role.WEIGHT,
        "junk": Role.IGNORED,
        "y": Role.TARGET,
    }
    assert [data.schema[name].kind for name in ("customer_id", "sex", "when")] == [
        Kind.TEXT,
        Kind.BOOLEAN,
        Kind.DATE,
    ]
    assert data.schema.task is Task.REGRESSION
    assert data.schema["y"].why == "regression: as you said"


def test_numbers_as_a_category_keep_their_short_names() -> None:
    column = read(pl.DataFrame({"level": ["1.0", "2", "3"] * 9}), kinds={"level": "category"}).schema["level"]
    assert column.kind is Kind.CATEGORY
    assert sorted(column.format.spelling) == ["1", "2", "3"]


TARGETS = {
    "two numbers": ([0.0, 1.0] * 30, Task.CLASSIFICATION, {"0", "1"}),
    "two odd numbers": ([-1.5, 2.5] * 30, Task.CLASSIFICATION, {"-1.5", "2.5"}),
    "seven classes": ([float(i % 7) for i in range(N)], Task.CLASSIFICATION, set("0123456")),
    "many whole numbers": ([float(i % 20) for i in range(N)], Task.REGRESSION, None),
    "measures": (list(RNG.normal(size=N)), Task.REGRESSION, None),
    "few halves": ([i % 5 / 2 for i in range(N)], Task.REGRESSION, None),
    "yes and no": (cells("Yes", "No"), Task.CLASSIFICATION, {"Yes", "No"}),
    "spellings": (cells("Yes", "No", "yes", "No "), Task.CLASSIFICATION, {"Yes", "No"}),
    "truth": ([True, False] * 30, Task.CLASSIFICATION, {"true", "false"}),
    "prices": (cells("$1,000", "$2", "$3", "$4.5"), Task.REGRESSION, None),
    "texts": (cells("a", "b", "c"), Task.CLASSIFICATION, {"a", "b", "c"}),
}


@pytest.mark.parametrize(("given", "task", "classes"), TARGETS.values(), ids=TARGETS)
def test_targets(given: list[object], task: Task, classes: set[str] | None) -> None:
    data = read(pl.DataFrame({"x": RNG.normal(size=N), "y": given}), target="y")
    assert data.schema.task is task, data.schema["y"].why
    if classes is None:
        assert data.target.dtype == pl.Float64
    elif data.schema["y"].why.startswith("classification: says"):
        assert {label.lower() for label in data.target.unique()} == {label.lower() for label in classes}
    else:
        assert set(data.target.unique()) == classes


def test_ten_thousand_columns() -> None:
    table = pl.DataFrame({f"x{i}": RNG.normal(size=100) for i in range(9_000)})
    table = table.with_columns(pl.Series(f"c{i}", ["a", "B ", "b", "a"] * 25) for i in range(1_000))
    data = read(table)
    assert [data.schema[name].kind for name in ("x0", "x8999", "c0", "c999")] == ["number"] * 2 + [
        "category"
    ] * 2
    assert data.table["c999"].unique().sort().to_list() == ["B", "a"]
