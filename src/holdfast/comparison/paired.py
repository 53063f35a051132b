"""Two models on the same examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdfast.comparison.align import align
from holdfast.comparison.difference import Question, Setting, verdict
from holdfast.comparison.families import differences
from holdfast.core.predictions import Predictions
from holdfast.core.verdict import Verdict
from holdfast.errors import InputError
from holdfast.metrics import AnyMetric, Metric, default_metric, resolve

# The largest difference that would not matter, when nobody says.
_MARGIN_OF_SCORE = 0.01
_MARGIN_OF_LOSS = 0.02  # of the first model's value


def compare(
    a: Predictions,
    b: Predictions,
    *,
    metric: AnyMetric | None = None,
    margin: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Verdict:
    """Is `b` better than `a`? Paired by example id, with the valid test for the metric.

    The default metric is the task's; the default margin 0.01 for scores up to 1, and 2 %
    of the value of `a` for losses and errors. Clusters (`group`) and weights count.
    PredictionsError when the examples, targets or classes are not the same; RoleError on
    sealed rows.

    >>> a = Predictions.of(example=range(6), target=list("nynyny"), prediction=list("yyyyyy"))
    >>> b = Predictions.of(example=range(6), target=list("nynyny"), prediction=list("nynyny"))
    >>> verdict = compare(a, b, metric="accuracy")
    >>> verdict.outcome.value, verdict.difference.value, verdict.p
    ('undecided', 0.5, 0.25)
    """
    names = _two_names(a, b)
    aligned = align((a, b), names)
    chosen = metric_of(aligned, metric)
    [difference] = differences(chosen, aligned, np.array([[0, 1]]), Setting(level, seed))
    question = Question(chosen.name, margin_of(chosen, aligned[0], margin), level, len(aligned[0]))
    return verdict(question, difference, difference.p, names)


def metric_of(aligned: Sequence[Predictions], metric: AnyMetric | None) -> Metric:
    """The metric that was asked for, or the default one that all of the predictions can answer."""
    least = min(aligned, key=lambda p: (p.header.task is not None, p.probability is not None))
    return default_metric(least) if metric is None else resolve(metric, least)


def margin_of(metric: Metric, first: Predictions, margin: float | None) -> float:
    """The given margin, or the default one; InputError unless it is positive."""
    if margin is None:
        return _MARGIN_OF_SCORE if metric.unit_scale else _MARGIN_OF_LOSS * abs(metric.value(first))
    if not margin > 0:
        raise InputError(
            f"A margin is the largest difference that would not matter, more than 0: not {margin!r}."
        )
    return float(margin)


def _two_names(a: Predictions, b: Predictions) -> tuple[str, str]:
    first, second = a.header.model or "first", b.header.model or "second"
    return (first, second) if first != second else (f"{first} (first)", f"{second} (second)")
