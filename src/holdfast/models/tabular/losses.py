"""What a learner minimises: the names of losses, and the row weights that go with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.core.task import Task
from holdfast.errors import PlanError, suggest

LOSSES = {
    Task.CLASSIFICATION: ("log_loss", "balanced", "focal"),
    Task.REGRESSION: ("squared", "absolute", "huber", "quantile", "poisson"),
}
FOCAL_GAMMA = 2.0  # Lin et al. 2017, "Focal loss for dense object detection"


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss's name, and for "quantile" the quantile in (0, 1) (0.5 for every other)."""

    name: str
    quantile: float = 0.5


def parse_loss(text: str, task: Task) -> Loss:
    """Read "log_loss", "huber", "quantile:0.9", ...; PlanError when the task has no such loss.

    >>> parse_loss("quantile:0.9", Task.REGRESSION)
    Loss(name='quantile', quantile=0.9)
    """
    name, _, argument = text.partition(":")
    if name not in LOSSES[task] or (argument and name != "quantile"):
        raise PlanError(f"{task.capitalize()} has no loss {text!r}. {suggest(LOSSES[task])}")
    if not argument:
        return Loss(name)
    try:
        quantile = float(argument)
    except ValueError:
        quantile = np.nan
    if not 0 < quantile < 1:
        raise PlanError(f"The quantile in {text!r} must be a number between 0 and 1, as in 'quantile:0.9'.")
    return Loss(name, quantile)


def row_weights(codes: np.ndarray, weight: np.ndarray | None, classes: int) -> np.ndarray:
    """The weights of the "balanced" loss, float64 of shape (n,) with mean 1.

    Every class that occurs gets the same total: n / (K n_k) for each row of class k,
    times the row's own `weight`.
    """
    own = np.ones(len(codes)) if weight is None else weight
    total = np.bincount(codes, weights=own, minlength=classes)
    share = np.divide(1.0, total, out=np.zeros(classes), where=total > 0)
    balanced = own * share[codes]
    return np.asarray(balanced * (len(codes) / balanced.sum()))
