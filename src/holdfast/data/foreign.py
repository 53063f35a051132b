"""Predictions from a file: our own format, or columns that any system can write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from holdfast.core.cells import fold
from holdfast.core.labels import in_order, label_text
from holdfast.core.predictions import Predictions
from holdfast.data.load import load
from holdfast.errors import FileError, PredictionsError, some

_OWN = "holdfast"  # the key of our header in a Parquet file
_PARQUET = b"PAR1"
# What other systems call the same column, in lower case.
_NAMES = {
    "example": ("example", "example_id", "id", "row_id", "item", "item_id", "uid", "index"),
    "target": ("target", "label", "y_true", "actual", "truth", "y"),
    "prediction": ("prediction", "predicted", "y_pred", "pred", "predicted_label", "prediction_label"),
    "probability": ("probability", "proba", "prob", "y_prob", "y_proba", "y_score"),
    "loss": ("loss",),
    "group": ("group", "group_id", "cluster"),
    "weight": ("weight", "sample_weight"),
}
_PREFIXES = ("probability_", "proba_", "prob_")
_CLASSES = 10


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column of a foreign file is what."""

    named: dict[str, str]
    probabilities: tuple[str, ...]
    classes: tuple[str, ...]


def read_predictions(path: str | Path) -> Predictions:
    """Predictions from predictions.v1, or from CSV, TSV, JSON lines, Parquet, ... of any system.

    A foreign file has a column `example` (or id) with a unique id per row, and either
    `target` with `prediction`, with `probability` (of the positive class) or with one
    `probability_<class>` per class; or only a `loss` per example, lower is better. It may
    have `group` and `weight`. Whole numbers of at most 10 kinds in both target and
    prediction are class labels.

    Raises PredictionsError when columns are lacking or do not fit, FileError when the
    file cannot be read.
    """
    name = str(path)
    own = _own(Path(name))
    if own is not None:
        return own
    table = load(name).table
    columns = _columns(table.columns, name)
    try:
        return _of(table, columns)
    except PredictionsError as error:
        raise PredictionsError(f"{name}: {error}") from None


def _own(path: Path) -> Predictions | None:
    """Predictions in our own format, or None when the file is something else."""
    try:
        with path.open("rb") as file:
            if file.read(4) != _PARQUET:
                return None
        if _OWN not in pl.read_parquet_metadata(path):
            return None
        return Predictions.decode(path.read_bytes())
    except OSError:
        return None  # `load` says what is wrong, and what would mend it
    except pl.exceptions.PolarsError as error:
        raise FileError(f"{path} is not a sound Parquet file: {str(error).splitlines()[0]}.") from None


def _columns(names: Sequence[str], file: str) -> _Columns:
    folded = {fold(name): name for name in names}
    named = {}
    for meaning, words in _NAMES.items():
        if found := next((folded[word] for word in words if word in folded), None):
            named[meaning] = found
    probabilities: tuple[str, ...] = ()
    prefix = ""
    for prefix in _PREFIXES:
        probabilities = tuple(name for name in names if name.lower().startswith(prefix))
        if probabilities:
            break
    if "example" not in named:
        raise PredictionsError(
            f"{file} has no column of example ids, by which predictions are matched; its columns are "
            f"{some(names, 8)}. Call that column 'example'."
        )
    if "target" in named and not ({"prediction", "probability"} & set(named) or probabilities):
        lacking = "a column 'prediction', 'probability' or one 'probability_<class>' per class"
    elif "target" not in named and "loss" not in named and not probabilities and "prediction" not in named:
        lacking = "a column 'target' with 'prediction' or 'probability_<class>', or at least a 'loss'"
    else:
        return _Columns(named, probabilities, tuple(name[len(prefix) :] for name in probabilities))
    raise PredictionsError(f"{file} lacks {lacking}; its columns are {some(names, 8)}.")


def _of(table: pl.DataFrame, columns: _Columns) -> Predictions:
    cells = {meaning: table[name] for meaning, name in columns.named.items()}
    probability: object = cells.get("probability")
    classes: Sequence[str] | None = None
    if columns.probabilities:
        classes = label_text(list(columns.classes)).to_list()
        probability = _numbers(table, columns.probabilities).to_numpy()
    elif probability is not None:
        probability = _numbers(table, (columns.named["probability"],)).to_series()
    elif _are_labels(cells):
        both = pl.concat([label_text(cells[what]) for what in ("target", "prediction") if what in cells])
        classes = in_order(both.drop_nulls().unique().to_list())
    return Predictions.of(
        example=cells["example"],
        target=cells.get("target"),
        prediction=cells.get("prediction"),
        probability=probability,
        classes=classes,
        group=cells.get("group"),
        weight=cells.get("weight"),
        loss=cells.get("loss"),
    )


def _numbers(table: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    for name in names:
        if not table[name].dtype.is_numeric() or table[name].null_count():
            raise PredictionsError(f"Column {name!r} should hold a number in every row.")
    return table.select(names)


def _are_labels(cells: dict[str, pl.Series]) -> bool:
    """Whether targets and predictions are whole numbers of few kinds, as class labels are."""
    given = [cells[what] for what in ("target", "prediction") if what in cells]
    if not given or not all(column.dtype.is_numeric() for column in given):
        return bool(given)
    return all(
        bool((column.drop_nulls().floor() == column.drop_nulls()).all()) and column.n_unique() <= _CLASSES
        for column in given
    )
