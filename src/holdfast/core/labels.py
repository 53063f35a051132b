"""Class labels are text as read; "0", 0, 0.0 and -0.0 are one label, and so is False beside 1s and 0s."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import polars as pl

from holdfast.errors import PredictionsError

# A binary task's positive class when nobody says and the two are not numbers: the first
# of these that is one of the two labels, else the label that sorts last.
_POSITIVE_WORDS = ("yes", "true", "y", "t", "positive", "pos", "1")

_TRUTH = {"0": False, "false": False, "1": True, "true": True}

# Up to here every whole number is a float64 of its own.
_EXACT = 2.0**53


def column_of(values: object, what: str = "labels") -> pl.Series:
    """Values of any one-dimensional kind (list, numpy, pandas, polars, Arrow) as a Series of plain cells.

    Missing cells of any system become null; objects that are not plain (a UUID, a Path)
    become their text. PredictionsError, naming `what`, for anything without one value
    per row.
    """
    if isinstance(values, pl.Series):
        series = values
    elif isinstance(values, list | tuple | range):
        series = _of_list(list(values), what)
    else:
        plain = values.tolist() if isinstance(values, np.ma.MaskedArray) else values
        array = np.asarray(plain)
        array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
        if array.ndim != 1:
            kind = f"shape {array.shape}" if array.ndim else f"only one value of type {type(values).__name__}"
            raise PredictionsError(f"The {what} should be one value per example, but has {kind}.")
        series = _of_list(array.tolist(), what) if array.dtype == object else _of_array(array)
    if series.dtype.is_nested():
        raise PredictionsError(f"The {what} should be one value per example, but cells are {series.dtype}.")
    return series


def label_text(labels: object, what: str = "labels") -> pl.Series:
    """Labels as text, a null where there is none; whole numbers lose their decimals.

    >>> label_text([1.0, 0, None]).to_list()
    ['1', '0', None]
    >>> label_text(["1.0", "Yes", "007", "-0.0"]).to_list()
    ['1', 'Yes', '007', '0']
    """
    series = column_of(labels, what)
    if series.dtype.is_float():
        return _float_text(series.cast(pl.Float64) if series.dtype == pl.Float16 else series)
    if series.dtype == pl.Binary:
        return series.cast(pl.String, strict=False)
    text = series.cast(pl.String)
    if series.dtype.is_integer() or series.dtype == pl.Boolean:
        return text
    ending = text.filter(text.str.ends_with("0"))
    if not (ending.str.contains(".0", literal=True) | (ending == "-0")).any():
        return text  # nothing to shorten, as in most columns of words or ids
    return text.str.replace(r"^(-?(?:0|[1-9]\d*))\.0+$", "$1").str.replace(r"^-0$", "0")


def spelled_like(labels: pl.Series, known: Collection[str]) -> pl.Series:
    """Truth values in the spelling of `known`: a prediction `True` for targets of "0" and "1" is "1".

    Labels that are among `known`, or are no truth values, stay as they are.

    >>> spelled_like(pl.Series(["true", "false", "0"]), ["0", "1"]).to_list()
    ['1', '0', '0']
    """
    spelling = {_TRUTH[name.casefold()]: name for name in known if name.casefold() in _TRUTH}
    strange = set(labels.drop_nulls().unique().to_list()).difference(known)
    other = {name: spelling[truth] for name in strange if (truth := _TRUTH.get(name.casefold())) in spelling}
    return labels.replace(other) if other else labels


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Distinct labels sorted: by value when all are numbers, as scikit-learn's `classes_` are, else as text.

    >>> in_order(["10", "9", "9"]), in_order(["b", "10", "9"])
    (('9', '10'), ('10', '9', 'b'))
    """
    distinct = sorted(set(labels))
    values = [_number(name) for name in distinct]
    if any(value is None for value in values):
        return tuple(distinct)
    return tuple(name for _, name in sorted(zip(values, distinct, strict=True)))


def positive_of(classes: Sequence[str]) -> str | None:
    """The positive class of a binary task when nobody says which; None for other tasks.

    The larger of two numbers, else a word for yes, else the label that sorts last.

    >>> positive_of(["No", "yes"]), positive_of(["<=50K", ">50K"]), positive_of(["a", "b", "c"])
    ('yes', '>50K', None)
    >>> positive_of(["2", "1"]), positive_of(["Yes", "no"])
    ('2', 'Yes')
    """
    return known_positive(classes) or (max(classes) if len(classes) == 2 else None)


def known_positive(classes: Sequence[str]) -> str | None:
    """`positive_of` where the two labels say it themselves; None where it would be a guess.

    >>> known_positive(["0", "1"]), known_positive(["No", "yes"]), known_positive(["churned", "stayed"])
    ('1', 'yes', None)
    """
    if len(classes) != 2:
        return None
    if all(_number(name) is not None for name in classes):
        return in_order(classes)[-1]
    folded = {name.casefold(): name for name in classes}
    return next((folded[word] for word in _POSITIVE_WORDS if word in folded), None)


def codes_of(labels: pl.Series, classes: Sequence[str]) -> np.ndarray:
    """Each label's index in `classes` as int64 of shape (n,); -1 for a label that is not there.

    >>> codes_of(pl.Series(["b", "a", None, "z"]), ["a", "b"]).tolist()
    [1, 0, -1, -1]
    """
    if not classes:
        return np.full(len(labels), -1, dtype=np.int64)
    codes = labels.cast(pl.Enum(classes), strict=False).to_physical()
    return codes.cast(pl.Int64).fill_null(-1).to_numpy()


def _of_array(array: np.ndarray) -> pl.Series:
    if array.dtype.kind in "cV":
        array = array.astype(str)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return pl.Series(values=array.astype(array.dtype.newbyteorder("=")))


def _of_list(cells: list[object], what: str) -> pl.Series:
    series = _try(cells, strict=True)
    if series is not None:
        return series
    plain = [None if _is_missing(cell) else cell for cell in cells]
    if any(isinstance(cell, list | tuple | dict | set | np.ndarray) for cell in plain):
        raise PredictionsError(f"The {what} should be one value per example, but some cells hold several.")
    series = _try(plain, strict=False)
    return _of_objects(plain) if series is None else series


def _try(cells: list[object], *, strict: bool) -> pl.Series | None:
    try:
        series = pl.Series(values=cells, strict=strict)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return None
    return None if series.dtype == pl.Object else series


def _of_objects(cells: list[object]) -> pl.Series:
    return pl.Series(values=[None if cell is None else str(cell) for cell in cells], dtype=pl.String)


def _is_missing(cell: object) -> bool:
    # pandas.NA and pandas.NaT are known by name, so that pandas need not be imported.
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating) and bool(np.isnan(cell))


def _float_text(series: pl.Series) -> pl.Series:
    known = series.fill_nan(None)
    whole = (known == known.round()) & (known.abs() < _EXACT)
    integers = pl.select(pl.when(whole).then(known)).to_series().cast(pl.Int64).cast(pl.String)
    return pl.select(pl.coalesce(integers, known.cast(pl.String)).alias(series.name)).to_series()


def _number(name: str) -> float | None:
    try:
        value = float(name)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
