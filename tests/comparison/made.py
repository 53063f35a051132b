"""Predictions of made-up models on made-up rows."""

from __future__ import annotations

import numpy as np

from holdfast.core.predictions import Predictions


def classified(
    n: int, *, model: str = "", noise: float = 1.0, seed: int = 0, classes: int = 2, **columns
) -> Predictions:
    """A classifier of the same n rows, whatever its noise and seed."""
    target = np.random.default_rng(1).integers(0, classes, n)
    logits = 1.5 * np.eye(classes)[target] + noise * np.random.default_rng(seed + 100).normal(
        size=(n, classes)
    )
    probability = np.exp(logits)
    return Predictions.of(
        example=np.arange(n),
        target=target,
        probability=probability / probability.sum(axis=1, keepdims=True),
        classes=range(classes),
        model=model,
        **columns,
    )


def regressed(n: int, *, model: str = "", noise: float = 1.0, seed: int = 0, **columns) -> Predictions:
    """A regression of the same n rows, whatever its noise and seed."""
    target = np.random.default_rng(1).normal(5, 3, n)
    error = noise * np.random.default_rng(seed + 100).normal(size=n)
    return Predictions.of(
        example=np.arange(n), target=target, prediction=target + error, model=model, **columns
    )
