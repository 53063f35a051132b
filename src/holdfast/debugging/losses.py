"""What losses are called, what a guess would lose, and whether two answers are the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from holdfast.core.assemble import log_loss
from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.metrics.evaluate import evaluate

_MOVED = 0.5  # of the root mean squared error: a number that moves this far is another answer


@dataclass(frozen=True, slots=True)
class LossName:
    """What losses are called: each by `name`, `mean` their mean with its unit.

    A title gives the root of a mean squared error, which has the target's unit.
    """

    name: str
    mean: str
    squared: bool = False

    @property
    def metric(self) -> str:
        """The metric that compares models by these losses, in the target's unit where they are squared."""
        return "rmse" if self.squared else "loss"

    @property
    def short(self) -> str:
        """What a title calls the mean that `told` gives."""
        return f"root mean {self.name}" if self.squared else self.name

    @property
    def compared(self) -> str:
        """What two models are compared by on some rows; `metric` in words."""
        return self.short if self.squared else f"mean {self.name}"

    @property
    def less_rest(self) -> str:
        """What an effect is that compares some rows with all others."""
        return f"{self.mean} of these rows less that of all others; above 0 is worse"

    def told(self, mean: float) -> str:
        """A mean loss as a title gives it, to three digits."""
        return three(math.sqrt(mean) if self.squared and mean >= 0 else mean)


_LOG = LossName("log loss", "mean log loss (nats)")
_WRONG = LossName("error rate", "error rate")
_SQUARE = LossName("squared error", "mean squared error", squared=True)
_GIVEN = LossName("loss", "mean loss")


def loss_of(judged: Predictions) -> LossName:
    """What the losses of these predictions are; simply "loss" where somebody else has measured them."""
    if is_log_loss(judged):
        return _LOG
    if judged.header.task is Task.CLASSIFICATION:
        wrong = judged.target_codes != judged.prediction_codes
        return _WRONG if np.array_equal(judged.loss, wrong) else _GIVEN
    if judged.header.task is Task.REGRESSION:
        square = (judged.target_values - judged.prediction_values) ** 2
        return _SQUARE if np.allclose(judged.loss, square, equal_nan=True) else _GIVEN
    return _GIVEN


def against_rest(judged: Predictions, inside: np.ndarray) -> str:
    """The losses of the rows of a mask (n,) and of all others: "log loss 0.611, elsewhere 0.327"."""
    weight = judged.weights
    name = loss_of(judged)
    here, rest = (
        name.told(float(np.average(judged.loss[side], weights=weight[side]))) for side in (inside, ~inside)
    )
    return f"{name.short} {here}, elsewhere {rest}"


def three(value: float) -> str:
    """A number in a title, to three significant digits.

    >>> three(0.61123), three(77512.4), three(0.0)
    ('0.611', '77,500', '0')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(0, digits)}f}"


def is_log_loss(judged: Predictions) -> bool:
    """Whether the losses are minus the log of the probability of what came out, in nats."""
    if judged.header.task is not Task.CLASSIFICATION or judged.probability is None:
        return False
    known = judged.target_codes >= 0
    usual = log_loss(judged.target_codes[known], judged.probability[known])
    return bool(np.allclose(judged.loss[known], usual))


def share_of_loss(judged: Predictions, rows: np.ndarray) -> float | None:
    """The part of the total loss that lies in these rows (a mask, or places).

    None where losses can be negative.
    """
    loss = judged.loss if judged.weight is None else judged.loss * judged.weight
    total = float(loss.sum())
    return float(loss[rows].sum()) / total if total > 0 and loss.min() >= 0 else None


def mean_guess_loss(judged: Predictions) -> float:
    """The mean of `guess_loss`, with the rows' weights."""
    return float(np.average(guess_loss(judged), weights=judged.weight))


def guess_loss(judged: Predictions) -> np.ndarray:
    """Each row's loss, shape (n,), under the best answer that is the same for all rows.

    The shares of the classes; the most common class without probabilities; the mean. The
    answer knows these rows' targets, so that beating it counts.
    """
    weight = judged.weights
    if judged.header.task is not Task.CLASSIFICATION:
        off = judged.target_values - np.average(judged.target_values, weights=weight)
        return np.asarray(off**2)
    counts = np.bincount(judged.target_codes, weights=weight, minlength=len(judged.header.classes))
    if judged.probability is None:
        return np.asarray(judged.target_codes != counts.argmax(), dtype=np.float64)
    return np.asarray(-np.log(counts[judged.target_codes] / counts.sum()))


def moved(before: Predictions, after: Predictions, judged: Predictions) -> np.ndarray:
    """Which rows get another answer, bool of shape (n,); `judged` has the rows' weights.

    Another class; for numbers, one further away than half the root mean squared error of `before`.
    """
    if before.header.task is Task.CLASSIFICATION:
        return np.asarray((before.table["prediction"] != after.table["prediction"]).to_numpy())
    typical = root_mean_square(before.prediction_values - before.target_values, judged)
    return np.asarray(np.abs(after.prediction_values - before.prediction_values) > _MOVED * typical)


def root_mean_square(off: np.ndarray, judged: Predictions) -> float:
    """Of errors (n,), with the rows' weights."""
    return math.sqrt(float(np.average(off**2, weights=judged.weight)))


def two_answers(before: Predictions, after: Predictions, rows: Iterable[int]) -> dict[str, str]:
    """What is said of some rows before and after, by example id: "no 0.02, then yes 0.91"."""
    return {before.example[row]: f"{_answer(before, row)}, then {_answer(after, row)}" for row in rows}


def _answer(p: Predictions, row: int) -> str:
    if p.header.task is not Task.CLASSIFICATION:
        return three(float(p.prediction_values[row]))
    said = str(p.table["prediction"][row])
    return said if p.probability is None else f"{said} {p.probability[row, p.prediction_codes[row]]:.2f}"


def share_of(rows: np.ndarray, judged: Predictions) -> Estimate:
    """The share of the rows that a mask marks, with Wilson's interval (weights and groups respected)."""
    as_labels = Predictions.of(
        example=judged.example,
        target=np.full(len(rows), "yes"),
        prediction=np.where(rows, "yes", "no"),
        group=judged.group_codes,
        weight=judged.weight,
    )
    return evaluate(as_labels, "accuracy")
