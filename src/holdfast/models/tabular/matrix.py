"""What a tabular learner sees, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from holdfast.core.learner import Curve, Progress
from holdfast.core.plan import Option
from holdfast.core.space import Space
from holdfast.core.task import Task
from holdfast.models.tabular.grafting import Condition


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Rows as numbers, made by the column recipe.

    `X` is float32 of shape (n, d), C-contiguous, with nan for missing. `y` is int64
    class codes or float64 targets of shape (n,). `weight` is float64 of shape (n,) or
    None. `names` are the d feature names. `focus` marks the rows of a slice in which
    training goes on, bool of shape (n,), or None.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    names: tuple[str, ...]
    focus: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Matrix:
        """The rows under this mask, bool of shape (n,)."""
        weight, focus = (None if one is None else one[rows] for one in (self.weight, self.focus))
        return Matrix(self.X[rows], self.y[rows], weight, self.names, focus)

    def normalised(self) -> Matrix:
        """The same rows with weights of mean 1, as learners expect them.

        Their settings are in rows: the least weight of a leaf, what it is shrunk by, a
        penalty. So that weights of another scale fit the same model, to the last bit, they
        are rounded as float32 holds them, which is how boosters take them.
        """
        if self.weight is None or not self.weight.any():
            return self
        scaled = (self.weight / self.weight.mean()).astype(np.float32)
        return replace(self, weight=scaled.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Setting:
    """What is asked of a learner besides its own options.

    `classes` is K for classification and 1 for regression. `loss` is one of "log_loss",
    "balanced", "focal", "squared", "absolute", "huber", "quantile:Q", "poisson".
    `budget` is in seconds, or None; a learner with steps stops before it is spent only
    when nothing else can be done, because a stopped fit is not reproducible. `gate` are
    the splits of the slice in which training goes on, () for none.
    """

    task: Task
    classes: int
    loss: str
    seed: int
    budget: float | None
    progress: Progress
    gate: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted learner.

    `graph` is an ONNX model: input "X" float32 (n, d) with nan for missing, one output
    "Y" float32 of shape (n, K): class probabilities, or (n, 1): predicted values. It
    holds the learner's own imputation and scaling. `native` are the files that continued
    training needs (a booster's own text, safetensors); never pickle.
    """

    graph: bytes
    native: Mapping[str, bytes] = field(default_factory=dict)
    curve: Curve = field(default_factory=Curve)


class Fit(Protocol):
    """One learner: a plain function in a file of its own."""

    def __call__(
        self, train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting, /
    ) -> Weights:
        """Fit on `train`, stop early on `validation`; one thread."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A learner of the portfolio: its function, its options' tuned defaults, and the losses it has.

    Every learner's file ends with one: `LINEAR = Algorithm(fit, defaults, losses)`.
    `losses` are names without arguments ("quantile", not "quantile:0.9"). `module` is
    the importable module of the library that fits it, "" for code of our own, and
    `extra` the optional extra of this package that brings it, "" for the core. `space` is what a search
    may try instead of the defaults. `stops` says that its fit stops early on the
    validation rows; one that does not is never shown any. `continues` says that its training can
    go on in a slice.
    """

    fit: Fit
    defaults: Mapping[Task, Mapping[str, Option]]
    losses: tuple[str, ...]
    module: str = ""
    extra: str = ""
    space: Space = field(default_factory=dict)
    stops: bool = False
    continues: bool = False
