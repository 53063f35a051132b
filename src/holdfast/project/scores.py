"""All metrics of a run, its own among them."""

from __future__ import annotations

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.core.run import Run
from holdfast.metrics import evaluate


def every_score(
    run: Run, predictions: Predictions, *, level: float = 0.95, seed: int = 0
) -> dict[str, Estimate]:
    """All of the task's metrics of a run's predictions, first that of the quantile it is judged by."""
    scores = evaluate(predictions, level=level, seed=seed)
    own = "" if run.record.plan is None else run.record.plan.metric
    if own.startswith("pinball:"):
        return {own: evaluate(predictions, own, level=level, seed=seed), **scores}
    return scores
