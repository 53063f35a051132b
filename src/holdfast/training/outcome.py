"""From fitted folds to out-of-fold Predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.header import Header
from holdfast.core.labels import codes_of, label_text
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Role
from holdfast.core.split import Split
from holdfast.core.task import Task
from holdfast.training.fold import FoldFit


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The open rows of a dataset with a known target, and what Predictions say of them.

    `index` are their positions in the dataset, shape (n,); `fold` is int of shape (n,).
    """

    dataset: Dataset
    index: np.ndarray
    fold: np.ndarray
    role: np.ndarray
    classes: tuple[str, ...]
    positive: str | None

    @staticmethod
    def of(dataset: Dataset, split: Split, classes: Sequence[str], positive: str | None) -> Rows:
        """The rows that folds give a prediction: open, with a target."""
        index = np.flatnonzero(split.fold >= 0)
        return Rows(dataset, index, split.fold[index], split.role[index], tuple(classes), positive)

    @property
    def codes(self) -> np.ndarray:
        """Class codes, int64 of shape (n,)."""
        return codes_of(label_text(self.dataset.target[self.index]), self.classes)

    @property
    def values(self) -> np.ndarray:
        """Targets of a regression, float64 of shape (n,)."""
        return np.asarray(self.dataset.target[self.index].to_numpy(), dtype=np.float64)

    @property
    def weight(self) -> np.ndarray | None:
        """Row weights, float64 of shape (n,), or None."""
        weight = self.dataset.weight
        return None if weight is None else weight[self.index]


def gather(rows: Rows, fits: Sequence[FoldFit]) -> np.ndarray:
    """The folds' outputs in the rows' order: (n, K) probabilities or (n, 1) values."""
    gathered = np.empty((len(rows.index), fits[0].output.shape[1]), dtype=np.float32)
    for k, fit in enumerate(fits):
        gathered[rows.fold == k] = fit.output
    return gathered


def out_of_fold(
    rows: Rows,
    output: np.ndarray,
    *,
    threshold: float | None,
    model: str,
    decided: np.ndarray | None = None,
) -> Predictions:
    """Predictions of the open rows from their out-of-fold output.

    `threshold` is the positive class's, or None for the most probable class. `decided`,
    bool of shape (n,), are the rows taken for positive where the threshold was chosen on
    these very rows: decisions that were cross-fitted, so that their score is honest.
    """
    dataset, index = rows.dataset, rows.index
    group = dataset.schema.with_role(Role.GROUP)
    classified = dataset.schema.task is Task.CLASSIFICATION
    target = dataset.target[index]
    predictions = Predictions.of(
        example=dataset.example[index],
        target=label_text(target) if classified else target,
        prediction=_labels(rows, decided) if classified else output[:, 0],
        probability=output if classified else None,
        classes=rows.classes if classified else None,
        positive=rows.positive,
        group=None if group is None else dataset.table[group.name][index],
        weight=rows.weight,
        split=rows.role,
        fold=rows.fold,
        threshold=threshold,
        model=model,
    )
    header: Header = replace(predictions.header, dataset=dataset.id, created_by="holdfast")
    return replace(predictions, header=header)


def _labels(rows: Rows, decided: np.ndarray | None) -> np.ndarray | None:
    if decided is None or rows.positive is None:
        return None
    place = rows.classes.index(rows.positive)
    return np.array(rows.classes)[np.where(decided, place, 1 - place)]
