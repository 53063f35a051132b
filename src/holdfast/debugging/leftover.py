"""What a model leaves on the table: how far its errors can be told from its inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.core.task import Task
from holdfast.debugging.case import Case
from holdfast.debugging.cells import feature_numbers
from holdfast.debugging.effect import Effect, mean_of

_MOST_CLASSES = 10
_FEWEST = 100  # rows to learn from, and rows to judge


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is `saved` of a squared error, on rows that were not learned from.

    `squared` is the model's own, `guess` that of the best constant answer.
    """

    saved: Effect
    squared: float
    guess: float


def leftover(case: Case, *, seed: int = 0) -> Leftover | None:
    """How much of a model's squared error boosted trees of its errors save.

    Trees learn the residuals (number less prediction; one or zero less probability) of the search rows
    from the features and correct the answers to the confirm rows, as an audit for multiaccuracy
    does (Kim, Ghorbani and Zou 2019). A model that misses nothing leaves nothing to save, and the
    trees' own noise makes the saving negative. None for bare labels, over 10 classes, under 100
    rows on a side, without any error, or without a cell to learn from.
    """
    pair = _truth_and_answers(case)
    if pair is None or min(case.search.sum(), case.confirm.sum()) < _FEWEST:
        return None
    truth, answers = pair
    residuals = truth - answers
    if not residuals[case.confirm].any():
        return None
    from sklearn.ensemble import HistGradientBoostingRegressor

    cells = feature_numbers(case.dataset)
    cells = cells[:, ~np.isnan(cells[case.search]).all(axis=0)]  # the trees cannot bin an empty column
    if not cells.shape[1]:
        return None
    weight = case.weight[case.search]
    saved = np.zeros(int(case.confirm.sum()))
    for residual in residuals.T:
        trees = HistGradientBoostingRegressor(
            learning_rate=0.05, max_iter=80, max_leaf_nodes=8, early_stopping=False, random_state=seed
        )
        trees.fit(cells[case.search], residual[case.search], sample_weight=weight)
        left = residual[case.confirm]
        saved += left**2 - (left - trees.predict(cells[case.confirm])) ** 2
    return Leftover(
        mean_of(saved, case.predictions.where(case.confirm)),
        _mean_square(residuals[case.confirm], case.weight[case.confirm]),
        _mean_square(truth - np.average(truth, axis=0, weights=case.weight), case.weight),
    )


def _mean_square(rows: np.ndarray, weight: np.ndarray) -> float:
    return float(np.average((rows**2).sum(axis=1), weights=weight))


def _truth_and_answers(case: Case) -> tuple[np.ndarray, np.ndarray] | None:
    """float64 of shape (n, 1) each for numbers and two classes, (n, K) for more."""
    judged = case.predictions
    if judged.header.task is Task.REGRESSION:
        return judged.target_values[:, np.newaxis], judged.prediction_values[:, np.newaxis]
    if judged.probability is None or len(judged.header.classes) > _MOST_CLASSES:
        return None
    classes = np.arange(len(judged.header.classes))
    kept = classes[:1] if len(classes) == 2 else classes
    hit = judged.target_codes[:, np.newaxis] == kept
    return hit.astype(np.float64), judged.probability[:, kept].astype(np.float64)
