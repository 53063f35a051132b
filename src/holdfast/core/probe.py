"""Asking a model a new question: the second of the two ways to learn something about it."""

from __future__ import annotations

from typing import Protocol

from holdfast.core.dataset import Dataset
from holdfast.core.predictions import Predictions


class Probe(Protocol):
    """A model that can be asked about open rows, changed or not; its answers are judged like any.

    All answers have the rows' order and ids. Handed to the kinds of finding that need one.
    """

    @property
    def name(self) -> str:
        """The run that answers."""

    @property
    def learner(self) -> str:
        """The learner that `refitted` fits: where the run is a mix, one of its members."""

    @property
    def affordable(self) -> int:
        """How many rows `refitted` should be asked to fit at most, so that it takes seconds."""

    def held_out(self, rows: Dataset) -> Predictions:
        """Each row predicted by a model whose training rows lack it, whatever its cells say now."""

    def trained(self, rows: Dataset) -> Predictions:
        """Each row predicted by a model that was fitted on it."""

    def refitted(self, rows: Dataset, *, share: float = 1.0, seed: int = 0) -> Predictions:
        """Out-of-fold predictions of `learner`, fitted afresh on these rows and columns.

        Only `share` of each fold's training rows is used, (0, 1]; it costs a training.
        """
