"""Build the Predictions table from whatever arrays a system has, checking as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.header import COLUMNS, Header
from holdfast.core.labels import codes_of, label_text, positive_of
from holdfast.core.task import Task
from holdfast.errors import PredictionsError, some

# A predicted probability is never taken as exactly 0 for the log loss: one float32 step
# from 1 is the least that the stored probabilities can tell apart.
_LEAST = float(np.finfo(np.float32).eps)


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


def assemble(given: Given, *, model: str = "") -> tuple[pl.DataFrame, Header]:
    """The table and header of Predictions; PredictionsError names what does not fit."""
    example = _ids(given.example)
    n = len(example)
    if given.probability is not None or given.classes is not None or _is_text(given):
        columns, header = _classified(given, n)
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


def log_loss(codes: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Each row's log loss in nats, float64 of shape (n,); nan where the code is -1.

    `codes` int of shape (n,), `probability` of shape (n, K). A probability below one
    float32 step counts as that step, so one row can lose at most 15.9 nats.
    """
    picked = probability[np.arange(len(codes)), np.maximum(codes, 0)].astype(np.float64)
    return np.where(codes >= 0, -np.log(np.clip(picked, _LEAST, 1.0)), np.nan)


def _classified(given: Given, n: int) -> tuple[dict[str, pl.Series], Header]:
    target = _labels(given.target, n, "target")
    prediction = _labels(given.prediction, n, "prediction")
    classes = _classes(given.classes, target, prediction)
    positive = _positive(given.positive, classes)
    codes = codes_of(target, classes)
    strange = target.filter(pl.Series(values=codes < 0) & target.is_not_null()).unique().to_list()
    if strange:
        raise PredictionsError(f"Targets {some(sorted(strange))} are not among the classes {list(classes)}.")
    threshold = given.threshold
    if given.probability is None:
        loss = _errors(target, prediction)
        probability = pl.Series(values=[None] * n, dtype=pl.Null)
    else:
        matrix = _probabilities(given.probability, n, classes, positive)
        loss = pl.Series(values=log_loss(codes, matrix)).fill_nan(None)
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
    nothing = pl.Series(values=[None] * n, dtype=pl.Null)
    columns = {"target": target, "prediction": prediction, "probability": nothing, "loss": loss}
    return columns, Header(Task.REGRESSION)


def _scored(given: Given, n: int) -> tuple[dict[str, pl.Series], Header]:
    if given.loss is None:
        raise PredictionsError(
            "Predictions need a target with a prediction or probability, or at least a loss per example."
        )
    nothing = pl.Series(values=[None] * n, dtype=pl.Null)
    columns = {"target": nothing, "prediction": nothing, "probability": nothing}
    return {**columns, "loss": _numbers(given.loss, n, "loss")}, Header()


def _ids(example: object) -> pl.Series:
    ids = label_text(example)
    if ids.null_count():
        raise PredictionsError(f"{ids.null_count():,} examples have no id; every row needs one.")
    if ids.n_unique() < len(ids):
        repeated = ids.filter(ids.is_duplicated()).unique(maintain_order=True).to_list()
        raise PredictionsError(
            f"Example ids must be unique, but {len(repeated):,} repeat: {some(repeated)}. "
            "If rows of one customer or prompt belong together, give each its own id and pass group=."
        )
    return ids


def _is_text(given: Given) -> bool:
    for labels in (given.target, given.prediction):
        if labels is not None:
            values = labels if isinstance(labels, pl.Series) else pl.Series(values=_listed(labels), strict=False)
            return not values.dtype.is_numeric()
    return False


def _listed(values: object) -> object:
    return values if isinstance(values, np.ndarray | pl.Series) else list(values)  # type: ignore[call-overload]


def _check(series: pl.Series, n: int, what: str) -> pl.Series:
    if len(series) != n:
        raise PredictionsError(f"There are {n:,} examples but {len(series):,} values of {what}.")
    return series


def _column(values: object, n: int, what: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    if values is None:
        return pl.Series(values=[None] * n, dtype=dtype)
    series = values if isinstance(values, pl.Series) else pl.Series(values=_listed(values), strict=False)
    return _check(series, n, what).cast(dtype)


def _text(values: object, n: int, what: str) -> pl.Series:
    return pl.Series(values=[None] * n, dtype=pl.String) if values is None else _check(label_text(values), n, what)


def _labels(values: object, n: int, what: str) -> pl.Series:
    return _text(values, n, what)


def _numbers(values: object, n: int, what: str) -> pl.Series:
    series = _column(values, n, what, pl.Float64).fill_nan(None)
    if series.is_infinite().any():
        raise PredictionsError(f"The {what} holds {int(series.is_infinite().sum()):,} infinite values.")
    return series


def _weights(values: object, n: int) -> pl.Series:
    if values is None:
        return pl.repeat(1.0, n, dtype=pl.Float64, eager=True)
    weight = _numbers(values, n, "weight")
    if weight.null_count() or (weight < 0).any():
        raise PredictionsError("Weights must be known and not negative.")
    return weight


def _classes(given: Sequence[object] | None, target: pl.Series, prediction: pl.Series) -> tuple[str, ...]:
    if given is None:
        seen = pl.concat([target, prediction]).drop_nulls().unique()
        return tuple(sorted(seen.to_list()))
    classes = tuple(label_text(list(given)).to_list())
    if len(set(classes)) < len(classes):
        raise PredictionsError(f"A class is named twice in {list(classes)}.")
    return classes


def _positive(given: object, classes: tuple[str, ...]) -> str | None:
    if given is None:
        return positive_of(classes)
    name = str(label_text([given])[0])
    if name not in classes:
        raise PredictionsError(f"The positive class {name!r} is not one of {list(classes)}.")
    return name


def _probabilities(given: object, n: int, classes: tuple[str, ...], positive: str | None) -> np.ndarray:
    matrix = np.asarray(given.to_numpy() if isinstance(given, pl.Series) else given, dtype=np.float64)
    if matrix.ndim == 1 and positive is not None:
        of_positive = classes.index(positive)
        matrix = np.stack([1 - matrix, matrix], axis=1)[:, [1 - of_positive, of_positive]]
    if matrix.shape != (n, len(classes)):
        raise PredictionsError(
            f"Probabilities have shape {matrix.shape}, not ({n}, {len(classes)}): "
            f"one row per example and one column per class {list(classes)}."
        )
    bad = ~np.isfinite(matrix).all(axis=1) | (matrix < -1e-6).any(axis=1) | (np.abs(matrix.sum(axis=1) - 1) > 1e-3)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise PredictionsError(
            f"{int(bad.sum()):,} rows of probabilities do not lie in [0, 1] and sum to 1, "
            f"e.g. row {row}: {matrix[row].tolist()}."
        )
    return np.ascontiguousarray(np.clip(matrix, 0, 1), dtype=np.float32)


def _decide(
    matrix: np.ndarray, classes: tuple[str, ...], positive: str | None, threshold: float | None
) -> pl.Series:
    if positive is not None and threshold is not None:
        of_positive = classes.index(positive)
        codes = np.where(matrix[:, of_positive] >= threshold, of_positive, 1 - of_positive)
    else:
        codes = matrix.argmax(axis=1)
    return pl.Series(values=list(classes), dtype=pl.String).gather(codes)


def _errors(target: pl.Series, prediction: pl.Series) -> pl.Series:
    return (target != prediction).cast(pl.Float64)
