"""Tests of two or more models on the same examples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import bdtr, gammaln, ndtr

# A p-value that this few random sign patterns reach is read from the normal tail instead.
_RARE = 10
# P(|sum of random signs| >= x sd) <= _TAIL x the normal tail, for any sizes
# (Bentkus and Dzindzalieta, Bernoulli 21, 2015).
_TAIL = 3.178
_CHUNK = 4_000_000


def mcnemar(only_first: int, only_second: int) -> tuple[float, float]:
    """Exact and mid-p two-sided p-values of McNemar's test; both 1 without discordant pairs.

    `only_first` and `only_second` count the pairs that just that one got right.

    >>> exact, mid = mcnemar(2, 8)
    >>> round(exact, 4), round(mid, 4)
    (0.1094, 0.0654)
    """
    n, least = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0, 1.0
    doubled = 2 * float(bdtr(least, n, 0.5))
    mass = gammaln(n + 1) - gammaln(least + 1) - gammaln(n - least + 1) - n * np.log(2)
    return min(1.0, doubled), min(1.0, doubled - float(np.exp(mass)))


def sign_flip(
    totals: np.ndarray,
    pairs: np.ndarray,
    *,
    rng: np.random.Generator,
    replicates: int = 9_999,
) -> np.ndarray:
    """Two-sided p-values of shape (P,) that the mean difference of each pair is 0.

    `totals` of shape (m, u) has a number per model and unit (row, or cluster total);
    `pairs` of shape (P, 2) names two models each. Within a unit the two models are
    swapped at random: all 2^u patterns while those are fewer than `replicates`, else
    p = (r + 1) / (R + 1). All pairs share the patterns, so many cost little more than one.
    Where hardly a pattern reaches the difference, p is the smaller of that and a rigorous
    multiple of the normal tail, so that it is not floored by R.

    >>> x = np.array([[0.0] * 5, [1.0, 2.0, 1.0, 3.0, 2.0]])
    >>> sign_flip(x, np.array([[0, 1]]), rng=np.random.default_rng(0)).tolist()
    [0.0625]
    """
    first, second = pairs[:, 0], pairs[:, 1]
    units = totals.shape[1]
    seen = np.abs(totals[second].sum(axis=1) - totals[first].sum(axis=1))
    # Patterns that give the very sum that was seen must count despite rounding.
    least = seen - 1e-9 * np.abs(totals).sum(axis=1).max(initial=0.0) / max(units, 1)
    reached = np.zeros(len(pairs), dtype=np.int64)
    exact = units < 63 and 2**units <= replicates
    for signs in _all_signs(units) if exact else _random_signs(units, replicates, rng):
        flipped = signs @ totals.T
        reached += _count_reached(flipped, pairs, least)
    if exact:
        return np.asarray(reached / 2**units)
    p = (reached + 1) / (replicates + 1)
    spread = np.sqrt([((totals[j] - totals[i]) ** 2).sum() for i, j in pairs])
    with np.errstate(invalid="ignore", divide="ignore"):
        tail = 2 * _TAIL * ndtr(-seen / spread)
    return np.where(reached < _RARE, np.fmin(p, tail), p)


def permutation_p(permuted: np.ndarray, seen: float) -> float:
    """Two-sided p-value of `seen` among permuted differences of shape (R,): (r + 1) / (R + 1).

    A permutation without a value counts as one that reaches `seen`. As in `sign_flip`, a
    p-value at the resolution of R is read from the normal tail instead.
    """
    reached = int(np.count_nonzero(~(np.abs(permuted) < abs(seen) - 1e-12)))
    p = (reached + 1) / (len(permuted) + 1)
    if reached >= _RARE:
        return p
    spread = float(np.sqrt(np.nanmean(permuted**2)))
    return min(p, 2 * _TAIL * float(ndtr(-abs(seen) / spread))) if spread > 0 else p


def _count_reached(flipped: np.ndarray, pairs: np.ndarray, least: np.ndarray) -> np.ndarray:
    chunk = max(1, _CHUNK // len(flipped))
    parts = []
    for start in range(0, len(pairs), chunk):
        part = slice(start, start + chunk)
        difference = flipped[:, pairs[part, 1]] - flipped[:, pairs[part, 0]]
        parts.append((np.abs(difference) >= least[part]).sum(axis=0))
    return np.concatenate(parts)


def _all_signs(units: int) -> Iterator[np.ndarray]:
    patterns = np.arange(2**units)[:, np.newaxis] >> np.arange(units) & 1
    yield 1.0 - 2.0 * patterns


def _random_signs(units: int, replicates: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    chunk = max(1, _CHUNK // units)
    for start in range(0, replicates, chunk):
        b = min(chunk, replicates - start)
        yield 1.0 - 2.0 * rng.integers(0, 2, size=(b, units), dtype=np.int8).astype(np.float64)
