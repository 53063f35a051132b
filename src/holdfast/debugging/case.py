"""A dataset and predictions of it, row by row: what every kind of finding looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Suspect
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.split import CONFIRM, SEARCH
from holdfast.debugging.effect import Measured
from holdfast.debugging.losses import share_of_loss
from holdfast.errors import PredictionsError, some

_SHOWN = 1_000  # rows that a finding names
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd, near 2**64 over the golden ratio


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Open rows with known targets; `dataset` and `predictions` are in the same order.

    What is found on the rows of `search` (bool of shape (n,)) is confirmed on the others.
    """

    dataset: Dataset
    predictions: Predictions
    search: np.ndarray

    def __len__(self) -> int:
        return len(self.predictions)

    @property
    def confirm(self) -> np.ndarray:
        """The rows that search has not seen, bool of shape (n,)."""
        return np.asarray(~self.search)

    @property
    def weight(self) -> np.ndarray:
        """float64 of shape (n,), all 1 without weights."""
        given = self.predictions.weight
        return np.ones(len(self)) if given is None else given

    @property
    def loss(self) -> Measured:
        """The loss of each row, with the rows' weights and groups."""
        return Measured.of(self.predictions.loss, self.predictions)

    def where(self, rows: np.ndarray) -> Case:
        """The rows of a mask."""
        if rows.all():
            return self
        return Case(self.dataset.take(rows), self.predictions.where(rows), self.search[rows])

    def sample(self, most: int, *, seed: int = 0, inside: np.ndarray | None = None) -> Case:
        """At most so many of the rows (of those of a mask), drawn at random, in their order."""
        places = np.arange(len(self)) if inside is None else np.flatnonzero(inside)
        if len(places) > most:
            places = np.random.default_rng(seed).permutation(places)[:most]
        kept = np.zeros(len(self), dtype=bool)
        kept[places] = True
        return self.where(kept)

    def called(self, whole: Case) -> str:
        """What a title calls these rows of a case: "the rows", or how many were drawn of them."""
        return "the rows" if len(self) == len(whole) else f"{len(self):,} sampled rows"

    def share_of_loss(self, rows: np.ndarray) -> float | None:
        """The part of the total loss that lies in these rows (a mask); None where losses can be negative."""
        return share_of_loss(self.predictions, rows)

    def suspects(self, rows: np.ndarray, score: np.ndarray) -> tuple[Suspect, ...]:
        """Up to 1,000 rows of a mask, those with the lowest score (n,) first, then those that lose most."""
        inside = np.flatnonzero(rows)
        order = inside[np.lexsort((-self.predictions.loss[inside], score[inside]))][:_SHOWN]
        ids = self.predictions.example.gather(order).to_list()
        return tuple(map(Suspect, ids, score[order].tolist()))

    def worst(self, rows: np.ndarray, most: int = 10) -> tuple[str, ...]:
        """The ids of the rows of a mask that lose most, the worst first."""
        inside = np.flatnonzero(rows)
        order = inside[np.argsort(-self.predictions.loss[inside], kind="stable")][:most]
        return tuple(self.predictions.example.gather(order).to_list())


def case_of(dataset: Dataset, predictions: Predictions) -> Case:
    """The rows that predictions judge, matched to the dataset's by example id.

    RoleError for sealed or trained rows; PredictionsError for ids that the dataset lacks.
    Rows of a project have been halved already; rows of other systems are halved here, by
    a hash of their group, else of their features, so that what belongs together stays so.
    """
    known = predictions.require_open().known
    places = places_in(dataset.example, known.example)
    if (places < 0).any():
        absent = known.example.filter(pl.Series(values=places < 0)).to_list()
        raise PredictionsError(
            f"The dataset lacks {len(absent):,} of the {len(known):,} predicted examples: {some(absent)}. "
            "Read it with the id= column that names the predicted rows: hf.read(FILE, id='COLUMN')"
        )
    rows = dataset.take(places)
    return Case(rows, known, _search(rows, known))


def _search(rows: Dataset, predictions: Predictions) -> np.ndarray:
    split = predictions.table["split"].cast(pl.String)
    if split.null_count() == 0 and set(split.unique().to_list()) <= {SEARCH, CONFIRM}:
        return np.asarray((split == SEARCH).to_numpy())
    group = predictions.group_codes
    unit = rows.twin if group is None else group.astype(np.uint64) + np.uint64(1)
    mixed = unit * _SPREAD
    return np.asarray(((mixed ^ (mixed >> np.uint64(32))) * _SPREAD) >> np.uint64(63) == 0)
