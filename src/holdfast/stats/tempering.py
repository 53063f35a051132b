"""Probabilities made bolder or more cautious: temperature scaling (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np

_SMALLEST = 1e-7  # a probability below it has no meaningful logarithm in float32


def tempered(probability: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities of shape (n, K) at another temperature: p^(1/T), renormalised.

    >>> tempered(np.array([[0.2, 0.8]]), 0.5).round(3).tolist()
    [[0.059, 0.941]]
    """
    logits = np.log(np.clip(probability, _SMALLEST, 1.0)) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
