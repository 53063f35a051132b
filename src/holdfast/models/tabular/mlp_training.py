"""The training loop of the MLP: its schedules, Adam, and the averaged weights that are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import monotonic

import numpy as np

from holdfast.core.learner import Curve
from holdfast.models.tabular.matrix import Setting
from holdfast.models.tabular.mlp_network import Shape, backward, forward
from holdfast.models.tabular.objectives import Objective

_MOMENTUM, _SECOND = 0.9, 0.95
_AVERAGE = 0.998  # of the running mean of weights, over steps
_MASKS = 1 << 21  # random numbers that dropout masks are cut from
_CHUNK = 8192  # rows that are predicted at a time


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of the loop."""

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    dropout: float
    patience: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Inputs float32 (n, inputs), what the objective compares with, and what each row counts (n,)."""

    inputs: np.ndarray
    y: np.ndarray
    weight: np.ndarray


def coslog4(t: float) -> float:
    """Four cosine cycles over [0, 1], each twice as long as the one before.

    >>> [round(coslog4(t), 6) for t in (0.0, 1 / 15, 1.0)]
    [0.0, 0.0, 0.0]
    """
    return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t)))


def flat_cos(t: float) -> float:
    """1 over the first half, then down to 0 along a cosine."""
    return 1.0 if t < 0.5 else 0.5 * (1 + math.cos(math.pi * (2 * t - 1)))


def trained(
    shape: Shape,
    flat: np.ndarray,
    objective: Objective,
    rows: tuple[Rows, Rows],
    recipe: Recipe,
    setting: Setting,
) -> tuple[np.ndarray, Curve]:
    """The averaged weights of the epoch with the lowest validation loss, and the loss after each.

    `rows` are training and validation rows, `flat` the starting weights (spent).
    """
    learn, held = rows
    started, rng = monotonic(), np.random.default_rng([setting.seed, 1])
    adam, loop = _Adam(shape, flat), _Epoch(shape, objective, learn, recipe)
    best, lowest, losses = flat.copy(), math.inf, []
    kept = 0
    for epoch in range(recipe.epochs):
        loop.run(adam, epoch, rng)
        raw = predict(shape, adam.average, held.inputs)
        losses.append(objective.value(raw, held.y, held.weight))
        setting.progress((epoch + 1) / recipe.epochs)
        if losses[-1] < lowest:
            best, lowest, kept = adam.average.copy(), losses[-1], epoch + 1
        spent = setting.budget is not None and monotonic() - started > setting.budget
        if spent or epoch + 1 - kept >= recipe.patience or not math.isfinite(losses[-1]):
            break
    setting.progress(1.0)
    return best, Curve(tuple(range(1, len(losses) + 1)), tuple(losses), kept)


def predict(shape: Shape, flat: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Raw outputs, float32 of shape (n, O)."""
    own, parts = shape.views(flat), []
    for start in range(0, max(len(inputs), 1), _CHUNK):
        part = inputs[start : start + _CHUNK]
        numbers = np.ascontiguousarray(part[:, : shape.numbers].T)
        parts.append(forward(shape, own, part, numbers, [])[0])
    return np.concatenate(parts)


class _Epoch:
    """One pass over the training rows, in shuffled batches."""

    def __init__(self, shape: Shape, objective: Objective, rows: Rows, recipe: Recipe) -> None:
        self._shape, self._objective, self._rows, self._recipe = shape, objective, rows, recipe
        self._weight = None if np.ptp(rows.weight) == 0 else rows.weight.astype(np.float32)[:, None]
        self._numbers = np.ascontiguousarray(rows.inputs[:, : shape.numbers].T)
        self._steps = max(1, len(rows.y) // recipe.batch)

    def run(self, adam: _Adam, epoch: int, rng: np.random.Generator) -> None:
        shape, recipe, steps = self._shape, self._recipe, self._steps
        order = rng.permutation(len(self._rows.y))[: steps * recipe.batch]
        batches = np.array_split(order, steps)
        cut, most = self._masks(epoch, rng), len(batches[0]) * shape.width
        for step, batch in enumerate(batches):
            t = (epoch + step / steps) / recipe.epochs
            size = len(batch) * shape.width
            masks = []
            if cut is not None:
                starts = rng.integers(0, len(cut) - most + 1, shape.depth).tolist()
                masks = [cut[at : at + size].reshape(len(batch), shape.width) for at in starts]
            raw, trace = forward(
                shape, adam.own, self._rows.inputs[batch], np.take(self._numbers, batch, axis=1), masks
            )
            slope = self._objective.gradient(raw, self._objective.targets(self._rows.y[batch]))
            slope /= len(batch)
            if self._weight is not None:
                slope *= self._weight[batch]
            backward(shape, adam.own, adam.gradient, trace, slope, masks)
            adam.step(recipe.learning_rate * coslog4(t), recipe.weight_decay * flat_cos(t))

    def _masks(self, epoch: int, rng: np.random.Generator) -> np.ndarray | None:
        # Masks are cut at random places from one vector a pass: fresh ones for every
        # batch would take as long as the matrix products.
        share = self._recipe.dropout * flat_cos(epoch / self._recipe.epochs)
        if share <= 0:
            return None
        length = max(_MASKS, 2 * self._recipe.batch * self._shape.width)
        kept = rng.random(length, dtype=np.float32) >= share
        return kept.astype(np.float32) * np.float32(1 / (1 - share))


class _Adam:
    """Adam (Kingma and Ba 2015) with decoupled weight decay, and the running mean of its weights."""

    def __init__(self, shape: Shape, flat: np.ndarray) -> None:
        self._flat, self.own = flat, shape.views(flat)
        self.average = flat.copy()
        self._slope = np.zeros_like(flat)
        self.gradient = shape.views(self._slope)
        self._first, self._second, self._spare = (np.zeros_like(flat) for _ in range(3))
        layout = shape.layout().values()
        sizes = [math.prod(part) for part, _, _ in layout]
        self._rate = np.repeat(np.array([rate for _, rate, _ in layout], np.float32), sizes)
        self._decay = self._rate * np.repeat(np.array([decay for _, _, decay in layout], np.float32), sizes)
        self._steps = 0

    def step(self, rate: float, decay: float) -> None:
        self._steps += 1
        spare, flat = self._spare, self._flat
        self._first *= _MOMENTUM
        np.multiply(self._slope, 1 - _MOMENTUM, out=spare)
        self._first += spare
        self._second *= _SECOND
        np.multiply(self._slope, self._slope, out=spare)
        spare *= 1 - _SECOND
        self._second += spare
        np.multiply(self._second, 1 / (1 - _SECOND**self._steps), out=spare)
        np.sqrt(spare, out=spare)
        spare += 1e-8
        np.divide(self._first, spare, out=spare)
        spare *= self._rate
        spare *= rate / (1 - _MOMENTUM**self._steps)
        flat -= spare
        np.multiply(self._decay, -rate * decay, out=spare)
        spare *= flat
        flat += spare
        # Early on the mean follows quickly, so that it forgets the starting weights.
        keep = min(_AVERAGE, (1 + self._steps) / (10 + self._steps))
        np.subtract(flat, self.average, out=spare)
        spare *= 1 - keep
        self.average += spare
