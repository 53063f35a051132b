"""Scores of bare arrays, for loops that try many mixes of outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from holdfast.core.header import Header
from holdfast.core.task import Task
from holdfast.metrics.metric import Metric
from holdfast.metrics.names import resolve
from holdfast.metrics.rows import Arrays

Loss = Callable[[np.ndarray], float]
"""A model's outputs -> a loss; lower is better."""


def scorer(
    metric: str | Metric,
    target: np.ndarray,
    *,
    classes: Sequence[str] = (),
    positive: str | None = None,
    weight: np.ndarray | None = None,
) -> Loss:
    """A function from outputs to the metric AS A LOSS: its value, or minus it where greater is better.

    With `classes` it is classification: `target` are class codes (n,), -1 where unknown,
    and outputs probabilities (n, K), or (n,) for the positive class of two. Without,
    `target` are numbers (n,), nan where unknown, and outputs (n,) or (n, 1). Undefined is
    infinity, the worst loss. No tables are made, so a call costs what its arithmetic does.

    >>> loss = scorer("rmse", np.array([1.0, 2.0]))
    >>> loss(np.array([1.0, 4.0])) == 2**0.5
    True
    >>> scorer("accuracy", np.array([0, 1]), classes=("n", "y"), positive="y")(np.array([0.2, 0.9]))
    -1.0
    """
    task = Task.CLASSIFICATION if classes else Task.REGRESSION
    header = Header(task, tuple(classes), positive)
    found = resolve(metric, task)
    known = target >= 0 if classes else ~np.isnan(target)
    rows: np.ndarray | slice = slice(None) if known.all() else known
    target, weight = target[rows], None if weight is None else weight[rows]
    sign = -1.0 if found.greater_is_better else 1.0

    def loss(output: np.ndarray) -> float:
        value = sign * found.value(Arrays(header, target, output[rows], weight))
        return float("inf") if np.isnan(value) else value

    return loss
