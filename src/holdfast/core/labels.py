"""Class labels are text as read; "0", 0, 0.0 and False-as-a-number are one label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

# A binary task's positive class when nobody says: the first of these that is one of
# the two labels, else the label that sorts last.
_POSITIVE_WORDS = ("1", "yes", "true", "y", "t", "positive", "pos")


def label_text(labels: object) -> pl.Series:
    """Labels as text, a null where there is none; whole numbers lose their decimals.

    >>> label_text([1.0, 0, None]).to_list()
    ['1', '0', None]
    >>> label_text(["1.0", "Yes", "007"]).to_list()
    ['1', 'Yes', '007']
    """
    series = labels if isinstance(labels, pl.Series) else _series(labels)
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.Boolean:
        return series.cast(pl.String)
    if series.dtype.is_float():
        series = series.fill_nan(None)
        whole = series.round() == series
        text = series.cast(pl.String)
        return (
            pl.select(
                pl.when(whole).then(text.str.strip_suffix(".0")).otherwise(text).alias(series.name)
            ).to_series()
            if len(series)
            else text
        )
    if series.dtype != pl.String:
        return series.cast(pl.String)
    return series.str.replace(r"^(-?(?:0|[1-9]\d*))\.0+$", "$1")


def positive_of(classes: Sequence[str]) -> str | None:
    """The positive class of a binary task when nobody says which; None for other tasks.

    >>> positive_of(["No", "Yes"]), positive_of(["<=50K", ">50K"]), positive_of(["a", "b", "c"])
    ('Yes', '>50K', None)
    """
    if len(classes) != 2:
        return None
    folded = {name.casefold(): name for name in classes}
    for word in _POSITIVE_WORDS:
        if word in folded:
            return folded[word]
    return sorted(classes)[-1]


def codes_of(labels: pl.Series, classes: Sequence[str]) -> np.ndarray:
    """Each label's index in `classes` as int64 of shape (n,); -1 for a label that is not there."""
    lookup = {name: code for code, name in enumerate(classes)}
    codes = labels.replace_strict(lookup, default=-1, return_dtype=pl.Int64)
    return codes.fill_null(-1).to_numpy()


def _series(labels: object) -> pl.Series:
    values = np.asarray(labels)
    if values.dtype == object:
        return pl.Series(values=[_plain(value) for value in values.tolist()], dtype=pl.String)
    return pl.Series(values=values)


def _plain(value: object) -> str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
