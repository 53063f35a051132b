"""What metrics see of predictions, and plain arrays that show the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from holdfast.core.header import Header
from holdfast.core.predictions import Predictions


class Rows(Protocol):
    """The part of Predictions that metrics are functions of; see there for shapes."""

    def __len__(self) -> int: ...
    @property
    def header(self) -> Header:
        """What the rows have in common."""

    @property
    def target_codes(self) -> np.ndarray:
        """Targets as class indices."""

    @property
    def prediction_codes(self) -> np.ndarray:
        """Predictions as class indices."""

    @property
    def probability(self) -> np.ndarray | None:
        """Class probabilities, (n, K)."""

    @property
    def target_values(self) -> np.ndarray:
        """Targets as numbers."""

    @property
    def prediction_values(self) -> np.ndarray:
        """Predictions as numbers."""

    @property
    def loss(self) -> np.ndarray:
        """The rows' losses."""

    @property
    def weight(self) -> np.ndarray | None:
        """The rows' weights."""

    @property
    def known(self) -> Rows:
        """The rows that can be judged."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """Known targets and a model's outputs, without a table.

    `target` are class codes or values of shape (n,). `output` are class probabilities
    (n, K), or (n,) for the positive class of two; or predicted values, (n,) or (n, 1).
    """

    header: Header
    target: np.ndarray
    output: np.ndarray
    weight: np.ndarray | None

    def __len__(self) -> int:
        return len(self.target)

    @property
    def known(self) -> Arrays:
        """Itself: all targets are known."""
        return self

    @property
    def target_codes(self) -> np.ndarray:
        """Class indices, int (n,)."""
        return self.target

    @property
    def target_values(self) -> np.ndarray:
        """Targets, float64 (n,)."""
        return self.target

    @property
    def prediction_values(self) -> np.ndarray:
        """Predicted values, (n,)."""
        return self.output.reshape(len(self))

    @cached_property
    def probability(self) -> np.ndarray | None:
        """Class probabilities, (n, K)."""
        if self.output.ndim == 2 or self.header.positive is None:
            return self.output
        of_positive = self.header.classes.index(self.header.positive)
        return np.stack([self.output, 1 - self.output][:: 1 - 2 * of_positive], axis=1)

    @cached_property
    def prediction_codes(self) -> np.ndarray:
        """The most probable class; of two the positive one from one half on."""
        probability, positive = self.probability, self.header.positive
        assert probability is not None
        if positive is None:
            return np.asarray(probability.argmax(axis=1))
        code = self.header.classes.index(positive)
        return np.where(probability[:, code] >= 0.5, code, 1 - code)

    @property
    def loss(self) -> np.ndarray:
        """Not known of bare outputs: nan."""
        return np.full(len(self), np.nan)


def predictions_of(rows: Rows) -> Predictions:
    """The same rows as Predictions, numbered, for functions that want the table."""
    header, example = rows.header, np.arange(len(rows))
    if not header.classes:
        return Predictions.of(
            example=example,
            target=rows.target_values,
            prediction=rows.prediction_values,
            weight=rows.weight,
        )
    return Predictions.of(
        example=example,
        target=np.array(header.classes)[rows.target_codes],
        probability=rows.probability,
        classes=header.classes,
        positive=header.positive,
        weight=rows.weight,
    )
