"""The language of slices: what is read is what is written, and nothing is ever run."""

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.query import Query, Term, parse_query
from holdfast.errors import ColumnError, QueryError

TABLE = pl.DataFrame(
    {
        "age": [1.0, None, 3.0],
        "pay plan": ["x", "it's", None],
        "paid": [True, False, None],
        "day": [datetime(2024, 1, 31), datetime(2024, 2, 1), None],
    }
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("age < 3", [0]),
        ("age != 1", [2]),
        ("age is missing", [1]),
        ("age is not missing and age >= 3", [2]),
        ("\"pay plan\" = 'it''s'", [1]),
        ("\"pay plan\" in ('x', 'it''s')", [0, 1]),
        ("\"pay plan\" NOT IN ('x')", [1]),
        ("paid = true", [0]),
        ("paid != true", [1]),
        ("paid = 'No'", [1]),
        ("paid in ('YES', 'n')", [0, 1]),
        ("day >= '2024-02-01'", [1]),
        ('length("pay plan") > 2', [1]),
    ],
)
def test_a_query_selects_its_rows_and_a_missing_cell_meets_no_comparison(text, rows):
    assert parse_query(text).mask(TABLE).nonzero()[0].tolist() == rows


names = st.text(min_size=1, max_size=8).filter(lambda text: "\0" not in text)
constants = st.one_of(
    st.text(max_size=8), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)
).map(lambda value: value + 0.0 if isinstance(value, float) else value)
terms = st.one_of(
    st.builds(
        Term, names, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.tuples(constants), st.booleans()
    ),
    st.builds(Term, names, st.sampled_from(["in", "not in"]), st.lists(constants, min_size=1).map(tuple)),
    st.builds(Term, names, st.sampled_from(["is missing", "is not missing"])),
)


@given(st.lists(terms, min_size=1, max_size=4).map(lambda some: Query(tuple(some))))
def test_what_is_written_is_read_back_the_same(query):
    assert parse_query(str(query)) == query


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "open('x')", "age.__class__ = 1", "age < (1)", "age < 1; age",
        "age = 1 or age = 2", "age <", "age < 'x", "1 = 1", "age = day", "", "and", "age in ()", "age in (1",
        "age is", "not age", "lambda: 0", "age < 1 --", "age = $1", "age == ", "x" * 20_000, "age < 1e999x",
    ],
)  # fmt: skip
def test_what_is_no_query_is_refused(text):
    with pytest.raises(QueryError):
        parse_query(text)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("agee < 1", ColumnError, "Did you mean 'age'"),
        ("age = 'x'", QueryError, "a number"),
        ("paid = 1", QueryError, "true or false"),
        ("paid = 'perhaps'", QueryError, "words for them: 'yes', 'no', not with 'perhaps'"),
        ("age = '1'", QueryError, "a number, which stands without quotes"),
        ("day > 'soon'", QueryError, "2024-01-31"),
        ("length(age) > 1", QueryError, "no text"),
    ],
)
def test_a_query_that_does_not_fit_the_columns_says_what_would(text, error, words):
    with pytest.raises(error, match=words):
        parse_query(text).mask(TABLE)


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_a_clear_error(text):
    try:
        parse_query(text)
    except QueryError as error:
        assert "cannot be read at character" in str(error)


def test_a_word_without_quotes_is_told_where_they_stand():
    with pytest.raises(QueryError, match="A text stands in single quotes: 'No'"):
        parse_query("paid = No")
