"""`parse_cell` and `parse_series` are one function, for any cell and any column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.core.cells import fold, fold_expression, parse_cell, parse_series
from holdfast.core.schema import CellFormat, Column, Kind

FORMATS = {
    "plain": CellFormat(missing=("na", "-999")),
    "english": CellFormat(missing=("na",), thousands=",", strip="$€%"),
    "german": CellFormat(decimal=",", thousands=".", strip="€ EUR"),
    "swiss": CellFormat(thousands="' \xa0\u202f"),
    "comma": CellFormat(decimal=","),
    "dates": CellFormat(
        missing=("?",),
        dates=(
            "%Y-%m-%dT%H:%M:%S%.f%#z",
            "%Y-%m-%d",
            "%m/%d/%Y %H:%M",
            "%d.%m.%y",
            "%d %B %Y %I:%M %p",
            "%b %d, %Y",
            "%Y%m%d",
            "%d-%b-%y",
        ),
    ),
    "truths": CellFormat(true=("yes", "y", "1", "true"), false=("no", "n", "0", "false"), missing=("?",)),
    "spelled": CellFormat(spelling={"new york": "New York", "7": "7", "straße": "Straße"}, missing=("n/a",)),
}

numberish = st.text("0123456789.,-+eE $€%' \xa0()_", max_size=12)
dateish = st.from_regex(
    r"\A[12]?[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}"
    r"([ T]?[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,9})?)?"
    r"( [AaPp][Mm])?(Z|[+-][0-9]{2}:?[0-9]{2})?)?\Z"
)
words = st.sampled_from(
    [
        "YES",
        "no ",
        " Y",
        "NA",
        "?",
        "n/a",
        "-999",
        "new  york",
        "NEW\tYORK ",
        "7.0",
        "7.50",
        "7.00",
        "007",
        "1e5",
        "inf",
        "nan",
        "٣",
        "1_000",
        "1,234.5",
        "1.234,5",
        "12,34,567",
        "5%",
        "-$5",
        "$-5",
        "€ 1.234,50",
        "1 234",
        "20100131",
        "2010131",
        "31 January 2010 8:45 pm",
        "Jan 5, 2010",
        "30-Feb-10",
        "2010-02-30",
        "+2010-01-01",
        "2010- 1-2",
        "0010-01-01",
        "12/1/2010  8:45",
        "2015-02-24T11:35:52.123456789+01",
        "STRASSE",
        "STRAßE",
    ]
)
texts = st.one_of(numberish, dateish, words, st.text(max_size=8))
scalars = st.one_of(
    st.none(),
    texts,
)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", Kind)
@settings(deadline=None)
@given(cells=st.lists(scalars, min_size=1, max_size=20))
def test_text_cells(kind: Kind, form: str, cells: list[str | None]) -> None:
    column = Column("c", kind, format=FORMATS[form])
    series = parse_series(pl.Series("c", cells, dtype=pl.String), column)
    assert series.to_list() == [parse_cell(cell, column) for cell in cells]


@pytest.mark.parametrize("kind", Kind)
@settings(deadline=None)
@given(cells=st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=10))
@example(cells=[1e-5, 3.3e-5, 1e-7, 1e16, 1e22, -0.0, 0.1, 20100131.0])
def test_float_cells(kind: Kind, cells: list[float | None]) -> None:
    for form in FORMATS.values():
        column = Column("c", kind, format=form)
        series = parse_series(pl.Series("c", cells, dtype=pl.Float64), column)
        assert series.to_list() == [parse_cell(cell, column) for cell in cells]


@pytest.mark.parametrize("kind", Kind)
@settings(deadline=None)
@given(cells=st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53)), min_size=1, max_size=10))
def test_whole_and_truth_cells(kind: Kind, cells: list[int | None]) -> None:
    for form in FORMATS.values():
        column = Column("c", kind, format=form)
        series = parse_series(pl.Series("c", cells, dtype=pl.Int64), column)
        assert series.to_list() == [parse_cell(cell, column) for cell in cells]
        truths = [None if cell is None else cell > 0 for cell in cells]
        series = parse_series(pl.Series("c", truths, dtype=pl.Boolean), column)
        assert series.to_list() == [parse_cell(cell, column) for cell in truths]


@pytest.mark.parametrize("kind", Kind)
@settings(deadline=None)
@given(cells=st.lists(st.datetimes(datetime(1000, 1, 2), datetime(9999, 1, 1)), min_size=1, max_size=10))
def test_moments(kind: Kind, cells: list[datetime]) -> None:
    column = Column("c", kind, format=FORMATS["dates"])
    zone = timezone(timedelta(hours=2))
    zoned = [cell.replace(tzinfo=UTC).astimezone(zone) for cell in cells]
    expected = [parse_cell(cell, column) for cell in cells]
    assert parse_series(pl.Series("c", cells, dtype=pl.Datetime("us")), column).to_list() == expected
    assert parse_series(pl.Series("c", zoned, dtype=pl.Datetime("us", "UTC")), column).to_list() == expected
    assert [parse_cell(cell, column) for cell in zoned] == expected


@settings(deadline=None)
@given(cells=st.lists(texts, min_size=1))
def test_fold(cells: list[str]) -> None:
    folded = pl.DataFrame({"c": cells}).select(fold_expression(pl.col("c"))).to_series()
    assert folded.to_list() == [fold(cell) for cell in cells]


NUMBERS = [
    ("plain", "12", 12.0),
    ("plain", " 1e3 ", 1000.0),
    ("plain", ".5", 0.5),
    ("plain", "inf", None),
    ("plain", "1e999", None),
    ("plain", "1_000", None),
    ("plain", "-999", None),
    ("plain", "1,5", None),
    ("english", "$1,234.50", 1234.5),
    ("english", "-$5", -5.0),
    ("english", "$ -5", -5.0),
    ("english", "12%", 0.12),
    ("english", "1,2", None),
    ("english", "12,34,567", 1234567.0),
    ("german", "€ 1.234,50", 1234.5),
    ("german", "1.5", None),
    ("german", "12 EUR", 12.0),
    ("swiss", "1'234.5", 1234.5),
    ("swiss", "1\xa0234", 1234.0),
    ("comma", "3,14", 3.14),
    ("comma", "3.14", None),
]


@pytest.mark.parametrize(("form", "text", "number"), NUMBERS)
def test_numbers(form: str, text: str, number: float | None) -> None:
    assert parse_cell(text, Column("c", Kind.NUMBER, format=FORMATS[form])) == number


MOMENTS = [
    ("12/1/2010 8:45", datetime(2010, 12, 1, 8, 45)),
    ("2010-02-30", None),
    ("2010-1-2", datetime(2010, 1, 2)),
    ("1.2.69", datetime(2069, 2, 1)),
    ("1.2.70", datetime(1970, 2, 1)),
    ("20100131", datetime(2010, 1, 31)),
    ("2015-02-24T11:35:52.5-0800", datetime(2015, 2, 24, 19, 35, 52, 500000)),
    ("31 january 2010 8:45 PM", datetime(2010, 1, 31, 20, 45)),
    ("Jan 5, 2010", datetime(2010, 1, 5)),
    ("5-MAR-99", datetime(1999, 3, 5)),
    ("soon", None),
    (20100131, datetime(2010, 1, 31)),
]


@pytest.mark.parametrize(("cell", "moment"), MOMENTS)
def test_dates(cell: str, moment: datetime | None) -> None:
    assert parse_cell(cell, Column("c", Kind.DATE, format=FORMATS["dates"])) == moment


def test_categories_and_truths() -> None:
    city, flag = (
        Column("c", Kind.CATEGORY, format=FORMATS["spelled"]),
        Column("c", Kind.BOOLEAN, format=FORMATS["truths"]),
    )
    cells = ["new  york ", "NEW\tYORK", "Bern ", "7.0", 7, 7.0, "7.50", "007", "N/A", True]
    expected = ["New York", "New York", "Bern", "7", "7", "7", "7.5", "007", None, "true"]
    assert [parse_cell(cell, city) for cell in cells] == expected
    assert [parse_cell(cell, flag) for cell in ["YES", 1, 0.0, False, "maybe", ""]] == [
        True,
        True,
        False,
        False,
        None,
        None,
    ]
