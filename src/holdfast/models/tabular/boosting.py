"""What the boosting libraries share: the loop that stops early, and the losses they lack."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from time import monotonic

import numpy as np

from holdfast.core.learner import Curve
from holdfast.models.tabular.losses import FOCAL_GAMMA
from holdfast.models.tabular.matrix import Setting


def boost(step: Callable[[int], float], *, rounds: int, patience: int, setting: Setting) -> Curve:
    """Call `step(i)` (adds trees, gives the validation loss) until it stops helping.

    Ends after `rounds` steps, or `patience` steps after the best one, or when the
    setting's budget is spent. `best` counts from 1: keep that many steps.
    """
    started, losses, best, lowest = monotonic(), [], 0, np.inf
    for i in range(rounds):
        loss = step(i)
        losses.append(loss)
        if loss < lowest:
            best, lowest = i + 1, loss
        spent = setting.budget is not None and monotonic() - started > setting.budget
        if spent or i + 1 - best >= patience or not isfinite(loss):
            break
        if i % 10 == 9:
            setting.progress((i + 1) / rounds)
    setting.progress(1.0)
    return Curve(tuple(range(1, len(losses) + 1)), tuple(losses), max(best, 1))


def huber_delta(y: np.ndarray) -> float:
    """Where the Huber loss turns from squared to absolute: a robust deviation of the targets."""
    deviation = 1.4826 * float(np.median(np.abs(y - np.median(y))))  # of a normal distribution: its sigma
    return deviation or float(np.std(y)) or 1.0


def focal_gradient(margin: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and hessian of the focal loss (Lin et al. 2017) by margins of shape (n,) or (n, K).

    The focal loss of a row whose own class has probability p is -(1 - p)^2 log p. The
    hessian leaves out the change of the focal factor, which keeps it positive.
    """
    probability, own = _probabilities(margin, codes)
    rest = np.clip(1 - own, 1e-12, 1)
    log_own = np.log(np.clip(own, 1e-12, 1))
    factor = rest**FOCAL_GAMMA - FOCAL_GAMMA * rest ** (FOCAL_GAMMA - 1) * own * log_own
    if margin.ndim == 2:
        factor = factor[:, None]
    hessian = np.maximum(factor * probability * (1 - probability), 1e-12)
    return factor * (probability - _truth(margin, codes)), hessian


def focal_loss(margin: np.ndarray, codes: np.ndarray, weight: np.ndarray | None) -> float:
    """The weighted mean focal loss; margins of shape (n,) for two classes, else (n, K)."""
    _, own = _probabilities(margin, codes)
    return float(np.average(-((1 - own) ** FOCAL_GAMMA) * np.log(np.clip(own, 1e-12, 1)), weights=weight))


def prior_margin(codes: np.ndarray, weight: np.ndarray | None, classes: int) -> np.ndarray:
    """The margins that predict the classes' shares for every row: shape (1,) for two classes, else (K,)."""
    share = np.bincount(codes, weights=weight, minlength=classes) + 1e-6
    logs = np.log(share / share.sum())
    return np.asarray(logs[1:] - logs[:1] if classes == 2 else logs)


def _truth(margin: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return codes.astype(np.float64) if margin.ndim == 1 else np.eye(margin.shape[1])[codes]


def _probabilities(margin: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each class's probability in the margins' shape, and that of each row's own class (n,)."""
    if margin.ndim == 1:
        positive = 1 / (1 + np.exp(-np.clip(margin, -500, 500)))
        return positive, np.where(codes == 1, positive, 1 - positive)
    exps = np.exp(margin - margin.max(axis=1, keepdims=True))
    probability = exps / exps.sum(axis=1, keepdims=True)
    return probability, probability[np.arange(len(codes)), codes]
