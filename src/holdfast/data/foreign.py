"""Predictions from a file: our own format, or columns that any system can write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from holdfast.core.cells import fold
from holdfast.core.labels import codes_of, in_order, known_positive, label_text, spelled_like
from holdfast.core.predictions import Predictions
from holdfast.core.reading import AS_IT_SAYS, Reading
from holdfast.core.task import Task
from holdfast.data.load import load
from holdfast.data.words import ALSO_MISSING, MISSING
from holdfast.errors import FileError, PredictionsError, some
from holdfast.stats.auc import auc

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
_EMPTY = [word for word in (*MISSING, *ALSO_MISSING) if "inf" not in word]  # which is a wrong number
_CODE = r"^[+-]?0[0-9]"  # a number is not written so

# Predictions follow a probability when it ranks so many of their pairs rightly, whatever the threshold.
_FOLLOWS = 0.75


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column of a foreign file is what."""

    named: dict[str, str]
    probabilities: tuple[str, ...]
    classes: tuple[str, ...]


def read_predictions(path: str | Path, reading: Reading = AS_IT_SAYS) -> Predictions:
    """Predictions from predictions.v1, or from CSV, TSV, JSON lines, Parquet, ... of any system.

    A foreign file has a column `example` (or id) with a unique id per row, and either
    `target` with `prediction`, with `probability` (of the positive class) or with one
    `probability_<class>` per class; or only a `loss` per example, lower is better. It may
    have `group` and `weight`. Whole numbers of at most 10 kinds in both target and
    prediction are class labels, unless `reading` says otherwise. A missing-value word
    among numbers is a missing cell.

    The class of a lone `probability` is what `reading` says; else the larger of two
    numbers or a word for yes; else the label that the predictions follow.

    Raises PredictionsError when columns are lacking or do not fit, FileError when the
    file cannot be read.
    """
    name = str(path)
    own = _own(Path(name))
    if own is not None:
        return _as_read(own, reading, name)
    table = load(name).table
    columns = _columns(table.columns, name)
    try:
        return _of(table, columns, reading)
    except PredictionsError as error:
        raise PredictionsError(f"{name}: {error}", command=f"{name}: {error.command}") from None


def _as_read(own: Predictions, reading: Reading, name: str) -> Predictions:
    """Itself: our own format says what it is, and nothing else may be said of it."""
    says = own.header.positive, own.header.task
    for given, said in zip((reading.positive, reading.task), says, strict=True):
        if given is not None and given != said:
            raise PredictionsError(f"{name} says of itself that it is {said!s}, not {given}.")
    return own


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


def _of(table: pl.DataFrame, columns: _Columns, reading: Reading) -> Predictions:
    cells = {meaning: _plain(table[name]) for meaning, name in columns.named.items()}
    probability: object = None
    classes: Sequence[str] | None = None
    positive, task = reading.positive, reading.task
    if task is Task.REGRESSION:
        pass  # a column of probabilities, if there is one, is beside the question
    elif columns.probabilities:
        labels = _labels(cells)
        probability, classes = _per_class(table, columns, labels)
        if len(columns.probabilities) < len(classes):
            positive = positive or known_positive(labels) or columns.classes[0]
    elif lone := columns.named.get("probability"):
        probability = _numbers(table, (lone,)).to_series()
        positive = positive or _spoken_of(lone, probability, cells.get("prediction"), _labels(cells))
    elif task is None and _are_labels(cells):
        task = Task.CLASSIFICATION
    return Predictions.of(
        example=cells["example"],
        target=cells.get("target"),
        prediction=cells.get("prediction"),
        probability=probability,
        classes=classes,
        positive=positive,
        group=cells.get("group"),
        weight=cells.get("weight"),
        loss=cells.get("loss"),
        task=task,
    )


def _per_class(table: pl.DataFrame, columns: _Columns, labels: Sequence[str]) -> tuple[object, list[str]]:
    """The matrix and its classes; the column of one of two labels speaks of the other too."""
    classes = label_text(list(columns.classes)).to_list()
    values = _numbers(table, columns.probabilities).to_numpy()
    if len(classes) == 1 and len(labels) == 2 and classes[0] in labels:
        other = [label for label in labels if label != classes[0]]
        return np.hstack([values, 1 - values]), [*classes, *other]
    return values, classes


def _spoken_of(
    name: str, probability: pl.Series, prediction: pl.Series | None, labels: Sequence[str]
) -> str | None:
    """Which of two labels a lone column of probabilities is of; PredictionsError where nothing says so.

    A number or a word for yes does (1, "yes", "true"); among other labels the one that the
    predictions follow. Predictions that follow the other one contradict.
    """
    if len(labels) != 2:
        return None
    known, followed = known_positive(labels), _followed(probability, prediction, labels)
    if known is not None and followed in (None, known):
        return known
    if known is None and followed is not None:
        return followed
    fault = (
        f"Column {name!r} does not say whether it is the probability of {' or of '.join(map(repr, labels))}."
    )
    if known is not None:
        fault = f"Column {name!r} should be of {known!r}, but {followed!r} is predicted where it is high."
    rename = "call that column " + " or ".join(f"'probability_{label}'" for label in labels)
    raise PredictionsError(
        f"{fault} So {rename}.", command=f"{fault} Say which: --positive LABEL. Or {rename}."
    )


def _followed(probability: pl.Series, prediction: pl.Series | None, labels: Sequence[str]) -> str | None:
    """The label that is predicted where the probability is high; None where neither is."""
    if prediction is None:
        return None
    codes = codes_of(spelled_like(label_text(prediction), labels), labels)
    known = codes >= 0
    agreement, _ = auc(codes[known] == 1, probability.to_numpy()[known])
    if agreement >= _FOLLOWS:
        return labels[1]
    return labels[0] if agreement <= 1 - _FOLLOWS else None


def _labels(cells: dict[str, pl.Series]) -> tuple[str, ...]:
    """The distinct labels of targets and predictions, in the targets' spelling."""
    seen: set[str] = set()
    for what in ("target", "prediction"):
        if what in cells:
            labels = spelled_like(label_text(cells[what]), seen)
            seen |= set(labels.drop_nulls().unique().to_list())
    return in_order(seen)


def _plain(column: pl.Series) -> pl.Series:
    """Numbers that only missing-value words made a column of text; any other column as it is.

    >>> _plain(pl.Series(["1.5", "NaN", None])).to_list(), _plain(pl.Series(["007", "NA"])).to_list()
    ([1.5, None, None], ['007', 'NA'])
    """
    if column.dtype != pl.String:
        return column
    text = column.str.strip_chars()
    empty = text.str.to_lowercase().is_in(_EMPTY) | (text == "")
    filled = text.set(empty, None)
    numbers = filled.cast(pl.Float64, strict=False)
    written = numbers.null_count() == filled.null_count() < len(column)
    if not empty.any() or not written or filled.str.contains(_CODE).any():
        return column
    return numbers


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
