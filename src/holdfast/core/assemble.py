"""Build the Predictions table from whatever arrays a system has, checking as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from holdfast.core.header import COLUMNS, Header
from holdfast.core.labels import codes_of, column_of, in_order, label_text, positive_of, spelled_like
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.errors import PredictionsError, some

# A predicted probability is never taken as exactly 0 for the log loss: one float32 step
# from 1 is the least that the stored probabilities can tell apart.
_LEAST = float(np.finfo(np.float32).eps)

# Rows whose sum is off by more than float32 rounding were printed with a few decimals:
# they are scaled to sum 1 up to the second number, and refused beyond it.
_ROUNDING = 1e-5
_ROUNDED_SUM = 0.02


@dataclass(frozen=True, slots=True)
class Given:
    """The arrays as a caller gave them; every one but `example` may be None."""

    example: object
    target: object = None
    prediction: object = None
    probability: object = None
    classes: Sequence[object] | None = None
    positive: object = None
    group: object = None
    weight: object = None
    loss: object = None
    split: object = None
    fold: object = None
    threshold: float | None = None
    task: str | None = None


def assemble(given: Given, *, model: str = "") -> tuple[pl.DataFrame, Header]:
    """The table and header of Predictions; PredictionsError names what does not fit."""
    example = _ids(given.example)
    n = len(example)
    if _task(given) is Task.CLASSIFICATION:
        columns, header = _classified(given, n)
    elif given.positive is not None:
        raise PredictionsError(f"A positive class ({given.positive!r}) belongs to labels; these are numbers.")
    elif given.target is not None or given.prediction is not None:
        columns, header = _regressed(given, n)
    else:
        columns, header = _scored(given, n)
    columns |= {
        "example": example,
        "group": _text(given.group, n, "group"),
        "split": _text(given.split, n, "split"),
        "fold": _column(given.fold, n, "fold", pl.Int64),
        "weight": _weights(given.weight, n),
    }
    header = Header(header.task, header.classes, header.positive, header.threshold, model=model)
    return pl.DataFrame([columns[name].alias(name) for name in COLUMNS]), header


def _task(given: Given) -> Task:
    """What was said; else labels are classification, and numbers are without probabilities or classes."""
    if given.task is not None:
        if given.task not in list(Task):
            raise PredictionsError(f"A task is one of {some(map(str, Task))}, not {given.task!r}.")
        return Task(given.task)
    labelled = _is_labels(given.target) or _is_labels(given.prediction)
    if given.probability is not None or given.classes is not None or labelled:
        return Task.CLASSIFICATION
    return Task.REGRESSION


def log_loss(codes: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Each row's log loss in nats, float64 of shape (n,); nan where the code is -1.

    `codes` int of shape (n,), `probability` of shape (n, K). A probability below one
    float32 step counts as that step, so one row can lose at most 15.9 nats.
    """
    picked = probability[np.arange(len(codes)), np.maximum(codes, 0)].astype(np.float64)
    return np.where(codes >= 0, -np.log(np.clip(picked, _LEAST, 1.0)), np.nan)


def _classified(given: Given, n: int) -> tuple[dict[str, pl.Series], Header]:
    target, prediction, classes = _labels(given, n)
    positive = _positive(given.positive, classes)
    threshold = _threshold(given.threshold, positive)
    if given.probability is None:
        loss = (target != prediction).cast(pl.Float64)
        probability = _nothing(n)
    else:
        matrix = _probabilities(given.probability, n, classes, positive)
        loss = pl.Series(values=log_loss(codes_of(target, classes), matrix)).fill_nan(None)
        probability = pl.Series(values=matrix, dtype=pl.Array(pl.Float32, len(classes)))
        if given.prediction is None:
            threshold = 0.5 if threshold is None and positive is not None else threshold
            prediction = _decide(matrix, classes, positive, threshold)
    columns = {"target": target, "prediction": prediction, "probability": probability}
    columns["loss"] = loss if given.loss is None else _numbers(given.loss, n, "loss")
    return columns, Header(Task.CLASSIFICATION, classes, positive, threshold)


def _regressed(given: Given, n: int) -> tuple[dict[str, pl.Series], Header]:
    target = _numbers(given.target, n, "target")
    prediction = _numbers(given.prediction, n, "prediction")
    loss = (target - prediction) ** 2 if given.loss is None else _numbers(given.loss, n, "loss")
    columns = {"target": target, "prediction": prediction, "probability": _nothing(n), "loss": loss}
    return columns, Header(Task.REGRESSION)


def _scored(given: Given, n: int) -> tuple[dict[str, pl.Series], Header]:
    if given.loss is None:
        raise PredictionsError(
            "Predictions need a target with a prediction or probability, or at least a loss per example."
        )
    columns = dict.fromkeys(("target", "prediction", "probability"), _nothing(n))
    return {**columns, "loss": _numbers(given.loss, n, "loss")}, Header()


def _ids(example: object) -> pl.Series:
    ids = label_text(example, "example ids")
    if ids.null_count():
        raise PredictionsError(f"Every row needs an id; {count(ids.null_count(), 'example')} without one.")
    if ids.n_unique() < len(ids):
        repeated = ids.filter(ids.is_duplicated()).unique(maintain_order=True).to_list()
        raise PredictionsError(
            f"Example ids must be unique, but {len(repeated):,} repeat: {some(repeated)}. "
            "If rows of one customer or prompt belong together, give each its own id and pass group=."
        )
    return ids


def _is_labels(values: object) -> bool:
    if values is None:
        return False
    dtype = column_of(values).dtype
    return not (dtype.is_numeric() or dtype == pl.Null)


def _check(series: pl.Series, n: int, what: str) -> pl.Series:
    if len(series) != n:
        raise PredictionsError(f"There are {n:,} examples but {len(series):,} values of {what}.")
    return series


def _nothing(n: int) -> pl.Series:
    """A column without any value: of no type, so that it takes no memory."""
    return pl.repeat(None, n, dtype=pl.Null, eager=True)


def _column(values: object, n: int, what: str, dtype: type[pl.DataType]) -> pl.Series:
    if values is None:
        return _nothing(n)
    series = _check(column_of(values, what), n, what)
    try:
        return series.cast(dtype)
    except pl.exceptions.PolarsError as error:
        raise PredictionsError(f"The {what} should be numbers, but some cells are not: {error}") from None


def _text(values: object, n: int, what: str) -> pl.Series:
    if values is None:
        return _nothing(n)
    return _check(label_text(values, what), n, what)


def _numbers(values: object, n: int, what: str) -> pl.Series:
    series = _column(values, n, what, pl.Float64).fill_nan(None)
    if series.is_infinite().any():
        raise PredictionsError(f"The {what} holds {int(series.is_infinite().sum()):,} infinite values.")
    return series


def _weights(values: object, n: int) -> pl.Series:
    if values is None:
        return _ones(n)
    weight = _numbers(values, n, "weight")
    if weight.null_count() or (weight < 0).any():
        raise PredictionsError("Weights must be known and not negative.")
    return weight


@lru_cache(maxsize=1)
def _ones(n: int) -> pl.Series:
    # One column for all models of the same rows: a million of them would take 8 MB per model.
    return pl.repeat(1.0, n, dtype=pl.Float64, eager=True)


def _labels(given: Given, n: int) -> tuple[pl.Series, pl.Series, tuple[str, ...]]:
    """Target, prediction and classes in one spelling; labels outside the classes are an error."""
    target, prediction = _text(given.target, n, "target"), _text(given.prediction, n, "prediction")
    if given.classes is None:
        seen = set(target.drop_nulls().unique().to_list())
        prediction = spelled_like(prediction, seen)
        classes = in_order(seen.union(prediction.drop_nulls().unique().to_list()))
    else:
        classes = tuple(label_text(list(given.classes), "classes").to_list())
        if len(set(classes)) < len(classes) or None in classes:
            raise PredictionsError(f"Each class needs one name of its own, unlike in {list(classes)}.")
        target, prediction = spelled_like(target, classes), spelled_like(prediction, classes)
    for labels, what in ((target, "Targets"), (prediction, "Predictions")):
        strange = set(labels.drop_nulls().unique().to_list()).difference(classes)
        if strange:
            shown = some(sorted(strange))
            raise PredictionsError(f"{what} {shown} are not among the classes {some(classes, 10)}.")
    return target, prediction, classes


def _positive(given: object, classes: tuple[str, ...]) -> str | None:
    if given is None:
        return positive_of(classes)
    name = str(spelled_like(label_text([given], "positive class"), classes)[0])
    if name not in classes:
        raise PredictionsError(f"The positive class {name!r} is not one of {some(classes, 10)}.")
    if len(classes) != 2:
        raise PredictionsError(f"A positive class belongs to two classes; these are {some(classes, 10)}.")
    return name


def _threshold(given: float | None, positive: str | None) -> float | None:
    if given is None:
        return None
    if positive is None or not 0.0 <= given <= 1.0:
        raise PredictionsError(f"A threshold is a probability of the positive class of two, not {given!r}.")
    return float(given)


def _probabilities(given: object, n: int, classes: tuple[str, ...], positive: str | None) -> np.ndarray:
    matrix = _matrix(given)
    if positive is not None and matrix.shape in ((n,), (n, 1)):
        of_positive = matrix.reshape(n)
        first = positive == classes[0]
        matrix = np.stack([of_positive, 1 - of_positive] if first else [1 - of_positive, of_positive], axis=1)
    if matrix.shape != (n, len(classes)):
        raise PredictionsError(
            f"Probabilities have shape {matrix.shape}, not ({n}, {len(classes)}): one row per example, one "
            f"column per class{' ' if classes else ''}{some(classes, 10)}. Name the classes in the columns' "
            "order: classes=[...]",
            command=f"The labels are {some(classes, 10) or 'not known'}, and one lone probability is of one "
            "of two. Give a column probability_<class> for each class.",
        )
    with np.errstate(invalid="ignore", over="ignore"):
        total = matrix.sum(axis=1)
        fine = (matrix >= -_ROUNDING).all(axis=1) & (np.abs(total - 1) <= _ROUNDED_SUM)
    if not fine.all():
        row = int(np.flatnonzero(~fine)[0])
        raise PredictionsError(
            "Probabilities lie in [0, 1] and sum to 1 in every row, which these do not in "
            f"{count(int((~fine).sum()), 'row')}, e.g. row {row}: {some(matrix[row].tolist(), 5)}. "
            "Scores and logits need a softmax first."
        )
    off = np.abs(total - 1) > _ROUNDING
    matrix[off] /= total[off, None]
    return np.ascontiguousarray(np.clip(matrix, 0, 1), dtype=np.float32)


def _matrix(given: object) -> np.ndarray:
    plain = given.to_list() if isinstance(given, pl.Series) and given.dtype == pl.List else given
    try:
        return np.array(plain, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PredictionsError(f"Probabilities should be numbers, (examples, classes): {error}") from None


def _decide(
    matrix: np.ndarray, classes: tuple[str, ...], positive: str | None, threshold: float | None
) -> pl.Series:
    if positive is not None and threshold is not None:
        of_positive = classes.index(positive)
        codes = np.where(matrix[:, of_positive] >= threshold, of_positive, 1 - of_positive)
    else:
        codes = matrix.argmax(axis=1)
    return pl.Series(values=list(classes), dtype=pl.String).gather(codes)
