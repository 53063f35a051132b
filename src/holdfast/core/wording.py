"""Numbers with their nouns, and metrics' names as people write them."""

from __future__ import annotations

from collections.abc import Sequence

_NAMES = {
    "auc": "AUC",
    "f1": "F1",
    "brier": "Brier score",
    "mae": "MAE",
    "mape": "MAPE",
    "mcc": "MCC",
    "mse": "MSE",
    "r2": "R²",
    "rmse": "RMSE",
}


def count(n: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "row"), count(5634, "row"), count(2, "class"), count(0, "more answer")
    ('1 row', '5,634 rows', '2 classes', '0 more answers')
    """
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n:,} {noun}{ending}"


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Each row as a line, cells of a column below each other.

    >>> in_columns([("a", "ridge", "0.9"), ("ab", "tree", "0.8")])
    ['a   ridge  0.9', 'ab  tree   0.8']
    """
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{n}}" for cell, n in zip(row, wide, strict=True)).rstrip() for row in rows]


def as_written(metric: str) -> str:
    """A metric's name as people write it.

    >>> as_written("log_loss"), as_written("auc"), as_written("f1_macro")
    ('log loss', 'AUC', 'F1 (macro)')
    """
    for how in ("macro", "weighted"):
        if metric.endswith(f"_{how}"):
            return f"{as_written(metric.removesuffix(f'_{how}'))} ({how})"
    return _NAMES.get(metric, metric.replace("_", " "))
