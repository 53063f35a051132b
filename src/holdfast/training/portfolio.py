"""What is taken when nobody says: how many folds, which loss."""

from __future__ import annotations

from holdfast.core.task import Task

# (rows, folds): the most folds for tables up to that many rows. More folds train each
# model on more rows, which small tables need and large ones do not feel.
_FOLDS = ((3_000, 8), (200_000, 5), (1_000_000, 4))
_FEWEST_FOLDS = 3
# A model is judged by what it minimises, where a metric says that. Huber's loss is taken so
# that a few far rows do not decide, as they would again in a judgement by RMSE; Poisson's
# predicts means, and so does whoever is judged by RMSE.
_METRICS = {
    "log_loss": "log_loss",
    "balanced": "log_loss",
    "focal": "log_loss",
    "squared": "rmse",
    "poisson": "rmse",
    "absolute": "mae",
    "huber": "mae",
}


def folds_for(rows: int, smallest_class: int | None = None) -> int:
    """The number of folds for a table with so many open rows.

    >>> folds_for(900), folds_for(30_000), folds_for(5_000_000), folds_for(60, smallest_class=4)
    (8, 5, 3, 4)
    """
    folds = next((folds for most, folds in _FOLDS if rows <= most), _FEWEST_FOLDS)
    if smallest_class is not None:
        folds = min(folds, max(smallest_class, 2))
    return max(2, min(folds, rows))


def default_loss(task: Task) -> str:
    """What is minimised when nobody says."""
    return "log_loss" if task is Task.CLASSIFICATION else "squared"


def default_metric(loss: str, quantile: float) -> str:
    """What models that minimise this loss are judged by when nobody says.

    >>> default_metric("huber", 0.5), default_metric("absolute", 0.5), default_metric("poisson", 0.5)
    ('mae', 'mae', 'rmse')
    >>> default_metric("quantile", 0.9), default_metric("quantile", 0.5), default_metric("focal", 0.5)
    ('pinball:0.9', 'pinball', 'log_loss')
    """
    if loss == "quantile":
        return "pinball" if quantile == 0.5 else f"pinball:{quantile:g}"
    return _METRICS[loss]
