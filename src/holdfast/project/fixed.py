"""A fix that was carried out: what was there before it, and what after."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Finding
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.run import Run
from holdfast.core.split import Split
from holdfast.debugging.changes import Change


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """A finding, the run that it is about and its rows, what was changed, and the run after it."""

    finding: Finding
    before: Run
    after: Run
    dataset: Dataset
    split: Split
    change: Change

    def cells_of(self, predictions: Predictions) -> pl.DataFrame:
        """The cells of the predicted rows as they were before, in their order."""
        return self.dataset.table[places_in(self.dataset.example, predictions.example)]
