"""Calibration and decision threshold, cross-fitted, kept only where they help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from holdfast.core.assemble import log_loss
from holdfast.stats.tempering import tempered

_LOG_T = (-1.6, 1.6)  # temperatures from 0.2 to 5


@dataclass(frozen=True, slots=True)
class Calibration:
    """A temperature for the probabilities, and the cross-fitted log loss with and without it.

    `kept` says whether it helped by more than one standard error on rows it was not
    fitted on; `temperature` is 1 when it did not.
    """

    temperature: float
    before: float
    after: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Threshold:
    """A decision threshold for a metric (higher is better), cross-fitted before and after."""

    threshold: float
    before: float
    after: float
    kept: bool


def fit_temperature(probability: np.ndarray, codes: np.ndarray) -> float:
    """The temperature with the lowest log loss, by golden section over ln T (it is unimodal)."""
    low, high = _LOG_T
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)

    def loss(log_t: float) -> float:
        return float(log_loss(codes, tempered(probability, float(np.exp(log_t)))).mean())

    f_left, f_right = loss(left), loss(right)
    while high - low > 1e-3:
        if f_left < f_right:
            high, right, f_right = right, left, f_left
            left = high - ratio * (high - low)
            f_left = loss(left)
        else:
            low, left, f_left = left, right, f_right
            right = low + ratio * (high - low)
            f_right = loss(right)
    return float(np.exp((low + high) / 2))


def calibrate(probability: np.ndarray, codes: np.ndarray, fold: np.ndarray) -> tuple[Calibration, np.ndarray]:
    """Choose a temperature; the second value are cross-fitted probabilities of shape (n, K).

    `codes` are class codes of shape (n,), `fold` int of shape (n,).
    """
    adjusted = cross_tempered(probability, codes, fold)
    plain, scaled = log_loss(codes, probability), log_loss(codes, adjusted)
    gain = plain - scaled
    error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    kept = bool(gain.mean() > error)
    before, after = float(plain.mean()), float(scaled.mean())
    temperature = fit_temperature(probability, codes) if kept else 1.0
    return Calibration(temperature, before, after, kept), adjusted if kept else probability


def cross_tempered(probability: np.ndarray, codes: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Each fold's probabilities, (n, K), at the temperature that suits the other folds."""
    adjusted = np.empty_like(probability)
    for k in np.unique(fold):
        held = fold == k
        adjusted[held] = tempered(probability[held], fit_temperature(probability[~held], codes[~held]))
    return adjusted


OfCounts = Callable[[np.ndarray], np.ndarray]
"""Confusion tables (m, 2, 2), ordered negative then positive -> m values, higher is better."""


def best_threshold(score: np.ndarray, positive: np.ndarray, of_counts: OfCounts) -> float:
    """The threshold on `score` (shape (n,)) that maximises a metric of the confusion table.

    `positive` is bool of shape (n,); `of_counts` maps tables (m, 2, 2), ordered
    negative then positive, to m values. Every distinct score is tried at once.
    """
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(positive[order])
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    taken, true_positive = last + 1, hits[last]
    tables = np.empty((len(last), 2, 2))
    tables[:, 1, 1] = true_positive
    tables[:, 0, 1] = taken - true_positive
    tables[:, 1, 0] = positive.sum() - true_positive
    tables[:, 0, 0] = (~positive).sum() - tables[:, 0, 1]
    pick = int(np.nanargmax(of_counts(tables)))
    below = ranked[last[pick] + 1] if last[pick] + 1 < len(ranked) else 0.0
    return float((ranked[last[pick]] + below) / 2)


def choose_threshold(
    score: np.ndarray,
    positive: np.ndarray,
    fold: np.ndarray,
    of_counts: OfCounts,
) -> tuple[Threshold, np.ndarray]:
    """Choose a threshold; the second value are cross-fitted decisions, bool of shape (n,)."""
    decided = np.empty(len(score), dtype=bool)
    for k in np.unique(fold):
        held = fold == k
        decided[held] = score[held] >= best_threshold(score[~held], positive[~held], of_counts)
    plain = score >= 0.5
    before, after = (float(of_counts(_table(positive, choice))[0]) for choice in (plain, decided))
    kept = after > before
    chosen = best_threshold(score, positive, of_counts) if kept else 0.5
    return Threshold(chosen, before, after, kept), decided if kept else plain


def _table(positive: np.ndarray, decided: np.ndarray) -> np.ndarray:
    return np.bincount(2 * positive + decided, minlength=4).reshape(1, 2, 2).astype(np.float64)
