"""What dense learners minimise: raw outputs, their gradient, their loss, and the way to predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.core.task import Task
from holdfast.errors import PlanError
from holdfast.models.tabular.boosting import focal_gradient, focal_loss, huber_delta
from holdfast.models.tabular.graphs import Builder
from holdfast.models.tabular.losses import Loss, parse_loss, row_weights
from holdfast.models.tabular.matrix import Matrix, Setting
from holdfast.models.tabular.trees import Link

_LEAST = 1e-7  # the least probability, or share of the mean count, that a logarithm is taken of
_HIGHEST = 30.0  # exp of it is far beyond any count, and safe in float32


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """A loss on raw outputs of shape (n, O).

    For classification these are log odds of the second class (K = 2, O = 1) or one score
    per class. For regression O = 1 and the target is (y - centre) / spread, predictions
    being held inside [low, high], the range seen in training; for "poisson" the raw
    output is the logarithm of the mean over `spread`. `delta` is Huber's, in spreads.
    """

    task: Task
    loss: Loss
    classes: int
    centre: float = 0.0
    spread: float = 1.0
    low: float = 0.0
    high: float = 0.0
    delta: float = 1.0

    @property
    def outputs(self) -> int:
        """The number O of raw outputs."""
        return self.classes if self.classes > 2 else 1

    def weights(self, rows: Matrix) -> np.ndarray:
        """What each row counts, float64 of shape (n,)."""
        if self.loss.name == "balanced":
            return row_weights(rows.y, rows.weight, self.classes)
        return np.ones(len(rows.y)) if rows.weight is None else rows.weight

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Codes or values (n,) -> float32 of shape (n, O) on the scale of the raw outputs."""
        if self.outputs > 1:
            target = np.zeros((len(y), self.classes), dtype=np.float32)
            target[np.arange(len(y)), y] = 1
            return target
        return ((y - self.centre) / self.spread).astype(np.float32)[:, None]

    def start(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The raw outputs that predict the same for every row, float64 of shape (O,)."""
        if self.task is Task.REGRESSION:
            return np.zeros(1)
        share = np.bincount(y, weights=weight, minlength=self.classes) + 1 / self.classes
        logs = np.log(share / share.sum())
        return np.asarray(logs if self.outputs > 1 else logs[1:] - logs[:1])

    def gradient(self, raw: np.ndarray, target: np.ndarray) -> np.ndarray:
        """The derivative of each row's loss by its raw outputs, float32 of shape (n, O)."""
        match self.loss.name:
            case "log_loss" | "balanced":
                return np.asarray(_probabilities(raw) - target)
            case "focal":
                binary = self.outputs == 1
                codes = (target[:, 0] > 0.5).astype(np.int64) if binary else target.argmax(axis=1)
                slope = focal_gradient(raw[:, 0] if binary else raw, codes)[0]
                return slope.reshape(raw.shape).astype(np.float32)
            case "poisson":
                return np.asarray(np.exp(np.minimum(raw, _HIGHEST)) - target)
            case "squared":
                return np.asarray(raw - target)
            case "huber":
                return np.asarray(np.clip(raw - target, -self.delta, self.delta))
        q = self.loss.quantile
        return np.where(raw > target, np.float32(1 - q), np.float32(-q))

    def value(self, raw: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
        """The mean loss (lower is better): nats, or in the target's units; Poisson's without its constant."""
        if self.loss.name == "focal":
            return focal_loss((raw[:, 0] if self.outputs == 1 else raw).astype(np.float64), y, weight)
        predicted = self.predictions(raw)
        if self.task is Task.CLASSIFICATION:
            rows = -np.log(np.maximum(predicted[np.arange(len(y)), y], _LEAST))
        else:
            rows = self._errors(predicted[:, 0], y)
        return float(np.average(rows, weights=weight))

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """float64: probabilities of shape (n, K), or values of shape (n, 1)."""
        raw = raw.astype(np.float64)
        if self.task is Task.REGRESSION:
            values = np.exp(np.minimum(raw, _HIGHEST)) if self.loss.name == "poisson" else raw
            return np.clip(values * self.spread + self.centre, self.low, self.high)
        share = _probabilities(raw)
        return share if self.outputs > 1 else np.concatenate([1 - share, share], axis=1)

    def build(self, graph: Builder, raw: str, features: int) -> bytes:
        """The finished model: from the node of raw outputs to "Y"."""
        if self.task is Task.CLASSIFICATION:
            link: Link = "softmax" if self.outputs > 1 else "sigmoid"
            return graph.finish(raw, np.zeros(self.outputs), link, features)
        values = raw
        if self.loss.name == "poisson":
            values = graph.node("Exp", graph.node("Min", raw, graph.constant(_HIGHEST)))
        scaled = graph.node("Mul", values, graph.constant(self.spread))
        shifted = graph.node("Add", scaled, graph.constant(self.centre))
        return graph.finish(graph.clipped(shifted, self.low, self.high), np.zeros(1), "identity", features)

    def _errors(self, predicted: np.ndarray, y: np.ndarray) -> np.ndarray:
        error = predicted - y
        match self.loss.name:
            case "squared":
                return np.asarray(np.square(error))
            case "absolute":
                return np.asarray(np.abs(error))
            case "poisson":
                return np.asarray(predicted - y * np.log(np.maximum(predicted, _LEAST * self.spread)))
            case "huber":
                size, delta = np.abs(error), self.delta * self.spread
                return np.asarray(np.where(size <= delta, np.square(error) / 2, delta * (size - delta / 2)))
        q = self.loss.quantile
        return np.asarray(np.where(error > 0, (1 - q) * error, -q * error))


def objective_of(train: Matrix, setting: Setting) -> Objective:
    """The objective of these rows; PlanError where they cannot have the loss."""
    loss = parse_loss(setting.loss, setting.task)
    if setting.task is Task.CLASSIFICATION:
        return Objective(setting.task, loss, setting.classes)
    y = train.y
    low, high, mean = float(y.min()), float(y.max()), float(np.average(y, weights=train.weight))
    if loss.name == "poisson":
        if low < 0 or mean <= 0:
            raise PlanError(
                f"The Poisson loss is for counts, but the target goes down to {low:g} with mean {mean:g}; "
                "take loss='squared'."
            )
        return Objective(setting.task, loss, 1, 0.0, mean, max(low, _LEAST * mean), high)
    spread = float(np.std(y)) or 1.0
    delta = huber_delta(y) / spread
    return Objective(setting.task, loss, 1, mean, spread, low, high, delta)


def _probabilities(raw: np.ndarray) -> np.ndarray:
    """Sigmoid of one column, softmax of several; the same shape and dtype."""
    if raw.shape[1] == 1:
        odds: np.ndarray = np.exp(-np.clip(raw, -80, 80))
        return 1 / (1 + odds)
    share: np.ndarray = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(share / share.sum(axis=1, keepdims=True))
