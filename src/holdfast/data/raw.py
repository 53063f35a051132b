"""Raw columns: text as read, or Float64, Boolean and Datetime("us") where a file has types of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import polars as pl
import polars.selectors as cs

from holdfast.core.cells import BLANKS, fold, text_expression
from holdfast.core.dates import plain_dates
from holdfast.core.labels import label_text
from holdfast.data.coded import is_coded, levels_in
from holdfast.errors import ColumnError, some

# Beyond 15 digits a float64 no longer holds every whole number; codes begin with zeros.
_CODE = r"^[+-]?(?:0[0-9]|[0-9]{16})"
_FIRST = 256
_EXACT = 2**53
_RAW = (pl.String, pl.Float64, pl.Boolean, pl.Datetime("us"))


def column_names(given: Sequence[str], table: str) -> tuple[str, ...]:
    """The names without white space around them, a nameless column called by its place.

    Raises ColumnError when two columns have one name.

    >>> column_names([" age ", "", "sex"], "people.csv")
    ('age', 'column_2', 'sex')
    """
    names = [name.strip(BLANKS) or f"column_{place}" for place, name in enumerate(given, start=1)]
    if repeated := [name for name, times in Counter(names).items() if times > 1]:
        raise ColumnError(f"{table} has more than one column called {some(repeated)}. Rename all but one.")
    return tuple(names)


def as_plain_numbers(table: pl.DataFrame, texts: Collection[str] = ()) -> pl.DataFrame:
    """The table with Float64 for each text column in which every cell is a plain number.

    `texts` are the folded names of columns to leave as text.

    >>> table = as_plain_numbers(pl.DataFrame({"price": ["1.5", "", "2e3"], "zip": ["00123", "10115", "4"]}))
    >>> table["price"].to_list(), table["zip"].dtype
    ([1.5, None, 2000.0], String)
    """
    # Coded while it was read, because a sample made it look like text.
    levels = [levels_in(cells)[0].to_frame() for cells in table if is_coded(cells)]
    coded = [name for level in levels for name in numeric_names(level, texts)]
    table = table.with_columns(pl.col(coded).cast(pl.String)) if coded else table
    names = numeric_names(table, texts)
    return table.with_columns(pl.col(names).cast(pl.Float64, strict=False)) if names else table


def numeric_names(table: pl.DataFrame, texts: Collection[str] = ()) -> list[str]:
    """The text columns, but `texts`, whose cells are all empty or plain numbers and no code as 00123 is."""
    names = [name for name, dtype in table.schema.items() if dtype == pl.String and fold(name) not in texts]
    likely = _numbers_among(table.head(_FIRST), names, least=0)
    return _numbers_among(table, likely, least=1)


def plain_number(cells: pl.Expr) -> pl.Expr:
    """Whether a cell of text is empty or a plain number and no code, as `numeric_names` asks of every one."""
    number = cells.cast(pl.Float64, strict=False).is_finite().fill_null(False)
    return cells.is_null() | (cells == "") | (number & ~cells.str.contains(_CODE))


def raw_frame(table: pl.DataFrame) -> pl.DataFrame:
    """Columns of any dtype as raw columns; nested ones are spread (structs) or written as JSON (lists)."""
    while structs := [name for name, dtype in table.schema.items() if dtype == pl.Struct]:
        name = structs[0]
        fields = table[name].struct.unnest()
        spread = fields.rename({field: f"{name}.{field}" for field in fields.columns})
        before, after = (
            table.columns[: table.columns.index(name)],
            table.columns[table.columns.index(name) + 1 :],
        )
        table = pl.concat([table.select(before), spread, table.select(after)], how="horizontal")
    table = table.with_columns(cs.float().cast(pl.Float64).fill_nan(None))
    changed = [_raw(column) for column in table.iter_columns() if column.dtype not in _RAW]
    return table.with_columns(changed) if changed else table


def _numbers_among(table: pl.DataFrame, names: list[str], *, least: int) -> list[str]:
    """Which of these text columns hold plain numbers only, and at least so many of them."""
    if not names:
        return []
    cells = pl.col(names)
    finite = table.select(cells.cast(pl.Float64, strict=False).is_finite().sum()).row(0)
    filled = table.select((cells.str.len_bytes() > 0).sum()).row(0)
    likely = [name for name, f, n in zip(names, finite, filled, strict=True) if f == n >= least]
    codes = table.select(pl.col(likely).str.contains(_CODE).any()).row(0) if likely else ()
    return [name for name, code in zip(likely, codes, strict=True) if not code]


def _raw(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if dtype in (pl.Categorical, pl.Enum, pl.Time) or dtype == pl.Null:
        return column.cast(pl.String)
    if dtype == pl.Duration:
        return column.dt.total_microseconds().cast(pl.Float64) / 1e6
    if dtype.is_temporal():
        return column.to_frame().select(plain_dates(pl.col(column.name), dtype)).to_series()
    if dtype.is_numeric():
        number = column.cast(pl.Float64)
        large = dtype.is_integer() and (number.abs() >= _EXACT).any()
        return column.cast(pl.String) if large else number
    if isinstance(dtype, pl.List | pl.Array):
        written = pl.struct("list").struct.json_encode().str.slice(len('{"list":')).str.strip_suffix("}")
        filled = pl.when(pl.col("list").is_not_null()).then(written).alias(column.name)
        return column.alias("list").to_frame().select(filled).to_series()
    if dtype == pl.Object:
        return label_text(column.to_list()).alias(column.name)
    raise ColumnError(f"Column {column.name!r} holds {dtype}, which is no cell of a table. Leave it out.")


def together(tables: list[pl.DataFrame], names: list[str]) -> pl.DataFrame:
    """The rows of several tables with the same columns; where dtypes differ, as text."""
    first = tables[0]
    for table, name in zip(tables[1:], names[1:], strict=True):
        if odd := set(table.columns) ^ set(first.columns):
            raise ColumnError(
                f"{name} and {names[0]} do not have the same columns: {sorted(odd)} is in only one."
            )
    mixed = {name for name in first.columns if len({table[name].dtype for table in tables}) > 1}
    return pl.concat(
        [
            table.select(
                text_expression(pl.col(name), table[name].dtype).alias(name)
                if name in mixed
                else pl.col(name)
                for name in first.columns
            )
            for table in tables
        ]
    )
