"""What guards are held against: a model's predictions, and whatever else of it is at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.guard import Checked, Guard, GuardStatus
from holdfast.core.learner import Model
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.verdict import Verdict
from holdfast.errors import PredictionsError, some

LEVEL = 0.90
"""Of every interval here, two-sided: each of its bounds is then a one-sided 95 % one."""

Compare = Callable[[Predictions, Predictions, str, float | None], Verdict]
"""The model before, the model now, a metric and a margin -> is the second better? At LEVEL."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Subject:
    """A model that guards are held against; what is None is not at hand.

    `predictions` are of rows that the model was not fitted on; their role is the caller's
    affair. `dataset` has the cells of those rows, in any order. `model` is asked by probes,
    about all rows of `dataset`. `champion` are predictions of the model that is released
    now, `references` those of older runs, by name. `row_seconds` is the time that one row takes.
    """

    predictions: Predictions
    compare: Compare
    dataset: Dataset | None = None
    model: Model | None = None
    champion: Predictions | None = None
    references: Mapping[str, Predictions] = field(default_factory=dict)
    row_seconds: float | None = None


def not_run(guard: Guard, why: str) -> Checked:
    """A guard that cannot be checked here, which is never a pass."""
    return Checked(guard, GuardStatus.NOT_RUN, None, f"Not run: {why}.")


def rows_of(predictions: Predictions, dataset: Dataset) -> Dataset:
    """The rows of the dataset that are predicted, in the predictions' order.

    PredictionsError names some of the ids that the dataset lacks.
    """
    if predictions.example.equals(dataset.example):
        return dataset
    places = places_in(dataset.example, predictions.example)
    absent = predictions.example.filter(pl.Series(values=places < 0))
    if len(absent):
        raise PredictionsError(
            f"the dataset lacks {len(absent):,} of the {len(predictions):,} predicted examples: "
            f"{some(absent.to_list())}. Read it with the id= column that names the predicted rows."
        )
    return dataset.take(places)
