"""The rates that groups of rows are compared by, each a metric on some of the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.metrics.metric import Metric
from holdfast.metrics.names import resolve
from holdfast.metrics.rows import Rows


@dataclass(frozen=True, slots=True)
class Rate:
    """A metric on the rows that it is a rate of."""

    metric: Metric
    base: Callable[[Predictions], np.ndarray]


def rates_of(p: Predictions) -> dict[str, Rate]:
    """By name; see `by_group.rate_names`."""
    if p.header.task is Task.REGRESSION:
        residual = Metric.custom("mean residual", _residual, greater_is_better=False)
        return {
            "mean residual": Rate(residual, _all),
            "rmse": Rate(resolve("rmse", p), _all),
            "mae": Rate(resolve("mae", p), _all),
        }
    if p.header.positive is None:
        name = "loss" if p.header.task is None else "accuracy"
        return {name: Rate(resolve(name, p), _all)}
    rates = {
        "selection rate": Rate(_SELECTED, _all),
        "tpr": Rate(_SELECTED, _of_positive),
        "fpr": Rate(_SELECTED, lambda p: ~_of_positive(p)),
        "precision": Rate(_POSITIVE, _selected),
    }
    if p.probability is not None:
        rates["calibration"] = Rate(OFF, _all)
    return rates


def _all(p: Predictions) -> np.ndarray:
    return np.ones(len(p), dtype=bool)


def _code(p: Rows) -> int:
    assert p.header.positive is not None
    return p.header.classes.index(p.header.positive)


def _of_positive(p: Rows) -> np.ndarray:
    return np.asarray(p.target_codes == _code(p))


def _selected(p: Rows) -> np.ndarray:
    return np.asarray(p.prediction_codes == _code(p))


def _probability(p: Rows) -> np.ndarray:
    assert p.probability is not None
    return np.asarray(p.probability[:, _code(p)].astype(np.float64))


def _off(p: Predictions) -> np.ndarray:
    return np.asarray(_probability(p) - _of_positive(p))


def chance_of(p: Predictions) -> np.ndarray:
    """The variance of each outcome if the probabilities are right."""
    return np.asarray(_probability(p) * (1 - _probability(p)))


def _residual(p: Predictions) -> np.ndarray:
    return np.asarray(p.prediction_values - p.target_values)


def _selected_share(counts: np.ndarray, classes: Sequence[str], positive: str | None) -> np.ndarray:
    code = list(classes).index(str(positive))
    return np.asarray(counts[..., code].sum(axis=-1) / counts.sum(axis=(-2, -1)))


def _positive_share(counts: np.ndarray, classes: Sequence[str], positive: str | None) -> np.ndarray:
    code = list(classes).index(str(positive))
    return np.asarray(counts[..., code, :].sum(axis=-1) / counts.sum(axis=(-2, -1)))


# The tpr and the fpr are the shares selected of two sets of rows, precision is the share of
# positives among those selected: shares of rows, with the interval of an accuracy.
_SELECTED = Metric(
    "share selected", Task.CLASSIFICATION, "accuracy", False, True,
    of_counts=_selected_share, per_row=_selected,
)  # fmt: skip
OFF = Metric.custom("mean probability minus outcome", _off, greater_is_better=False)
_POSITIVE = Metric(
    "share positive", Task.CLASSIFICATION, "accuracy", True, True,
    of_counts=_positive_share, per_row=_of_positive,
)  # fmt: skip
