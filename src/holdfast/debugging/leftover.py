"""What a model leaves on the table: how far its errors can be told from its inputs."""

from __future__ import annotations

import numpy as np

from holdfast.core.task import Task
from holdfast.debugging.case import Case
from holdfast.debugging.cells import feature_numbers
from holdfast.debugging.change import Change, mean_change

_MOST_CLASSES = 10
_FEWEST = 100  # rows to learn from, and rows to judge


def leftover(case: Case, *, seed: int = 0) -> tuple[Change, float] | None:
    """How much of its squared error boosted trees of the model's errors save, and that squared error.

    Trees learn the residuals (number less prediction; one or zero less probability) of the search rows
    from the features and correct the answers to the confirm rows, as an audit for multiaccuracy
    does (Kim, Ghorbani and Zou 2019). A model that misses nothing leaves nothing to save, and the
    trees' own noise makes the saving negative. None for bare labels, over 10 classes, or under
    100 rows on a side.
    """
    residuals = _residuals(case)
    if residuals is None or min(case.search.sum(), case.confirm.sum()) < _FEWEST:
        return None
    from sklearn.ensemble import HistGradientBoostingRegressor

    cells = feature_numbers(case.dataset)
    weight = case.weight[case.search]
    saved = np.zeros(int(case.confirm.sum()))
    for residual in residuals.T:
        trees = HistGradientBoostingRegressor(
            learning_rate=0.05, max_iter=80, max_leaf_nodes=8, early_stopping=False, random_state=seed
        )
        trees.fit(cells[case.search], residual[case.search], sample_weight=weight)
        left = residual[case.confirm]
        saved += left**2 - (left - trees.predict(cells[case.confirm])) ** 2
    judged = case.predictions.where(case.confirm)
    squared = float(np.average((residuals[case.confirm] ** 2).sum(axis=1), weights=case.weight[case.confirm]))
    return mean_change(saved, judged, seed=seed), squared


def _residuals(case: Case) -> np.ndarray | None:
    """float64 of shape (n, 1) for numbers and two classes, (n, K) for more."""
    judged = case.predictions
    if judged.header.task is Task.REGRESSION:
        return np.asarray(judged.target_values - judged.prediction_values)[:, np.newaxis]
    if judged.probability is None or len(judged.header.classes) > _MOST_CLASSES:
        return None
    classes = np.arange(len(judged.header.classes))
    hit = judged.target_codes[:, np.newaxis] == classes
    missed: np.ndarray = hit - judged.probability.astype(np.float64)
    return missed[:, :1] if len(classes) == 2 else missed
