"""Why a model answers as it does on one row: sampled Shapley values, with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from scipy.special import expit

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.explanation import Contribution, Explanation
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.errors import ColumnError, InputError, PredictionsError
from holdfast.stats.interval import mean_t

Predict = Callable[[Dataset], Predictions]
"""Rows, known to nobody, -> the model's answers in the same order."""

_ROWS = 50_000  # asked about at most
_FEWEST, _MOST = 20, 100  # pairs of orders
_LEAST = float(np.finfo(np.float32).eps)
_LEVEL = 0.95


def explain(
    dataset: Dataset, row_id: str, predict: Predict, *, columns: Sequence[str] | None = None, seed: int = 0
) -> Explanation:
    """Each column's contribution to the answer on one row: interventional Shapley values.

    From a row of the dataset drawn at random, the row's own cells are put in one after the other,
    in a random order and then in its reverse (antithetic: Mitchell et al. 2022), and each
    step's change is that column's contribution. The steps of an order add up to the whole
    way, so contributions sum to `value` less `base` exactly. A pair of orders is one
    unit of Student's interval: 100 of them, fewer (at least 20) where more would ask about over
    50,000 rows.

    The answers are seen as log-odds of the positive class of two, as the probability of the
    predicted class of several, or as the predicted number. `columns` default to all features;
    others keep the row's own cells. ColumnError for unknown columns, InputError for an
    unknown row.
    """
    names = [column.name for column in dataset.schema.features] if columns is None else list(columns)
    for name in names:
        if name not in dataset.schema:
            raise ColumnError.absent(name, dataset.schema.names)
    if not names:
        raise InputError("An explanation needs at least one column to share the answer among.")
    row = _row_of(dataset, row_id)
    d, rng = len(names), np.random.default_rng(seed)
    pairs = int(np.clip(_ROWS // (2 * (d + 1)), _FEWEST, _MOST))
    background = np.resize(rng.permutation(len(dataset)), pairs)
    own = predict(_asked(dataset, np.array([[row]]), names[:0], row))
    scale = _scale_of(own)
    ranks = _ranks(pairs, d, rng)
    # (pairs, 2, d + 1, d): after k steps the columns of the first k ranks are the row's own.
    taken = ranks[:, :, None, :] < np.arange(d + 1)[:, None]
    source = np.where(taken, row, background[:, None, None, None])
    answers = _numbers(predict(_asked(dataset, source.reshape(-1, d), names, row)), scale)
    steps = np.diff(answers.reshape(pairs, 2, d + 1), axis=2)
    moves = np.take_along_axis(steps, ranks, axis=2).mean(axis=1)
    effects = [_mean(moves[:, j]) for j in range(d)]
    cells = [_text(dataset.table[name], row) for name in names]
    parts = [Contribution(*each) for each in zip(names, cells, effects, strict=True)]
    base, value = _mean(answers.reshape(pairs, 2, d + 1)[:, 0, 0]), float(_numbers(own, scale)[0])
    odds = scale is not None and own.header.positive is not None
    return Explanation(
        example=row_id,
        of=_said(own, scale),
        base=base,
        value=value,
        contributions=tuple(sorted(parts, key=lambda one: -abs(one.effect.value))),
        probability=float(expit(value)) if odds else None,
        base_probability=_as_probability(base) if odds else None,
    )


def _row_of(dataset: Dataset, row_id: str) -> int:
    found = (dataset.example == row_id).arg_true()
    if not len(found):
        raise InputError(
            f"The dataset has no row {row_id!r}; its rows are called e.g. {dataset.example[0]!r}. "
            "A finding lists the ids of the rows that it is about."
        )
    return int(found[0])


def _ranks(pairs: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """When each column takes its turn, int64 of shape (pairs, 2, d): an order and its reverse."""
    order = rng.permuted(np.tile(np.arange(d), (pairs, 1)), axis=1)
    return np.stack([order, d - 1 - order], axis=1)


def _asked(dataset: Dataset, source: np.ndarray, names: Sequence[str], row: int) -> Dataset:
    """Rows whose named columns come from the rows of `source` (m, d), and all others from `row`."""
    m = len(source)
    table = dataset.table[np.full(m, row)]
    mixed = [dataset.table[name].gather(source[:, j]) for j, name in enumerate(names)]
    ids = pl.Series("example", [f"asked {i}" for i in range(m)])
    return replace(
        dataset, table=table.with_columns(mixed), example=ids, twin=np.zeros(m, dtype=np.uint64), key=None
    )


def _scale_of(own: Predictions) -> int | None:
    """The class whose probability is explained; None for numbers."""
    if own.header.task is Task.REGRESSION:
        return None
    if own.probability is None:
        raise PredictionsError("An explanation needs predicted probabilities or numbers; these are labels.")
    if own.header.positive is not None:
        return own.header.classes.index(own.header.positive)
    return int(own.prediction_codes[0])


def _numbers(answers: Predictions, scale: int | None) -> np.ndarray:
    """What is explained, float64 of shape (n,)."""
    if scale is None:
        return answers.prediction_values
    assert answers.probability is not None  # `_scale_of` has looked
    of_class = answers.probability[:, scale].astype(np.float64)
    if answers.header.positive is None:
        return of_class
    against = answers.probability[:, 1 - scale].astype(np.float64)
    return np.log(np.maximum(of_class, _LEAST)) - np.log(np.maximum(against, _LEAST))


def _as_probability(odds: Estimate) -> Estimate:
    value, low, high = (float(expit(bound)) for bound in (odds.value, odds.low, odds.high))
    return replace(odds, value=value, low=low, high=high)


def _said(own: Predictions, scale: int | None) -> str:
    if scale is None:
        return "the prediction"
    label = own.header.classes[scale]
    return f"log-odds of {label!r}" if own.header.positive is not None else f"probability of {label!r}"


def _mean(values: np.ndarray) -> Estimate:
    interval = mean_t(values, _LEVEL)
    method = "pairs of random orders, Student's t"
    return Estimate(float(values.mean()), interval.low, interval.high, _LEVEL, len(values), method)


def _text(cells: pl.Series, row: int) -> str:
    cell = cells[row]
    return "missing" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)
