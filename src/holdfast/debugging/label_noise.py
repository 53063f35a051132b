"""How many labels are wrong: the share of other labels among the rows that a model is surest of.

A row whose label differs from the likeliest class may be labelled wrongly, or be one of those
that come out either way. The two cannot be told apart row by row, and counting confident
contradictions (confident learning) takes the second kind for the first: on Adult, where the best
models are right in 87 of 100 rows, it sees 5 % of wrong labels before any is planted. Where a model is surest
of a class (the anchor rows of Patrini et al., CVPR 2017) hardly a row comes out otherwise, so
that other labels there are wrong ones.
"""

from __future__ import annotations

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.debugging.confident import likeliest, lowest
from holdfast.stats.influence import units_of

_SHARE = 0.05  # of the rows predicted to be a class are its surest
_FEWEST = 50  # but no fewer rows than this
_REPLICATES = 2_000
_METHOD = "other labels among the surest 5 % of each class (at least 50 rows), Jeffreys draws"


def wrong_share(
    codes: np.ndarray,
    probability: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The share of wrong labels, in [0, 1], from codes (n,) and held-out probabilities (n, K).

    Right when wrong labels are spread evenly over the rows of a class; too high where even
    the surest rows of a class are uncertain, too low where mistakes gather in hard rows. A
    class that is likeliest nowhere may have any share, which the interval holds. Of rows
    in `groups` (codes of shape (n,)) a whole group counts as one. Absent without rows.
    """
    n, classes = probability.shape
    if not n:
        return Estimate.absent("no row has a known label", level=level)
    seen, units = _labels_of_surest(codes, probability, groups)
    rows = seen.sum(axis=1)
    noise = np.where(rows[:, np.newaxis] > 0, seen / np.maximum(rows, 1)[:, np.newaxis], np.eye(classes))
    prior = _true_shares(noise, np.bincount(codes, minlength=classes) / n)
    wrong = 1 - noise.diagonal()
    value = float(prior @ wrong)
    drawn = np.random.default_rng(seed).beta(
        wrong * units + 0.5, (1 - wrong) * units + 0.5, size=(_REPLICATES, classes)
    )
    method = _METHOD if groups is None else _METHOD + ", a group counts as one row"
    tail = (1 - level) / 2
    low, high = np.quantile(drawn @ prior, [tail, 1 - tail])
    return Estimate(value, min(float(low), value), max(float(high), value), level, n, method)


def _labels_of_surest(
    codes: np.ndarray, probability: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """How often each label stands among each class's surest rows, (K, K), and the rows' units (K,)."""
    classes = probability.shape[1]
    predicted = likeliest(probability)
    seen = np.zeros((classes, classes))
    units = np.zeros(classes)
    for k in range(classes):
        rows = np.flatnonzero(predicted == k)
        most = max(_FEWEST, int(np.ceil(_SHARE * len(rows))))
        surest = rows[lowest(-probability[rows, k], most)]
        seen[k] = np.bincount(codes[surest], minlength=classes)
        if len(surest):
            units[k] = units_of(len(surest), None if groups is None else groups[surest])
    return seen, units


def _true_shares(noise: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The classes' true shares (K,), from P(label | class) of shape (K, K) and the labels' shares."""
    solved = np.maximum(np.linalg.lstsq(noise.T, given, rcond=None)[0], 0)
    total = float(solved.sum())
    return np.asarray(solved / total if total > 0 else given)
