"""The two protocols that make any family of models a citizen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from holdfast.core.dataset import Dataset
from holdfast.core.predictions import Predictions

Progress = Callable[[float], None]
"""Told the share of the work that is done, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A learning curve: the validation loss after each step, and the step that was kept."""

    steps: tuple[int, ...] = ()
    loss: tuple[float, ...] = ()
    best: int = 0


class Model(Protocol):
    """Fitted weights. A model is its files: what was judged is byte for byte what is served."""

    @property
    def id(self) -> str:
        """The hash of its files, times and machine facts left out."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """The model folder "model.v1": path -> bytes."""

    def predict(self, dataset: Dataset) -> Predictions:
        """Predictions for every row, in the dataset's order."""


class Fitted(Protocol):
    """What a learner gives for one fold: a model and how it came to be."""

    @property
    def model(self) -> Model:
        """The weights, as they are judged and served."""

    @property
    def curve(self) -> Curve:
        """The validation loss while it was fitted."""


class Learner(Protocol):
    """Hyperparameters only; `fit` gives the weights."""

    @property
    def name(self) -> str:
        """What it is called in a plan."""

    def fit(
        self,
        train: Dataset,
        validation: Dataset,
        *,
        budget: float | None,
        seed: int,
        progress: Progress,
    ) -> Fitted:
        """Fit on `train`; `validation` is for early stopping only. `budget` is in seconds.

        `validation` may be some of the rows of `train`: a learner that stops early does
        not fit on those, one that does not fits on all. It is never what a model is
        judged on, since the step that scores best on some rows scores too well on them.
        """
