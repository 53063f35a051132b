"""How much of the best score is owed to having been picked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.comparison.families.scored import Scored
from holdfast.core.estimate import Estimate
from holdfast.stats.bootstrap import draw_counts

_REPLICATES = 1_000

# More independent units than this are drawn in blocks: it changes nothing but the time.
_MOST_UNITS = 2_000


def winner_out_of_bag(scored: Scored, rng: np.random.Generator) -> float:
    """The mean score, on units left out, of the model that wins on units drawn with replacement.

    Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis,
    2018), on linearised scores; oriented so that higher is better. It lies below the best
    score by the optimism of having picked it.
    """
    influence = _in_blocks(scored.influence, rng)
    units = influence.shape[1]
    found = []
    for drawn in draw_counts(units, _REPLICATES, rng):
        in_bag = scored.values + drawn @ influence.T
        left = drawn == 0
        size = left.sum(axis=1, keepdims=True)
        out_of_bag = scored.values + (left @ influence.T) * units / np.maximum(size, 1)
        winner = in_bag.argmax(axis=1)
        found.append(out_of_bag[np.arange(len(drawn)), winner])
    return float(np.concatenate(found).mean())


def corrected(best: Estimate, scored: Scored, *, greater_is_better: bool, seed: int = 0) -> Estimate:
    """The best model's estimate, moved (bounds and all) by the optimism of having picked it.

    `scored` holds all the models among which it was picked.
    """
    if not best.known or len(scored.values) < 2 or scored.units < 2:
        return best
    fair = winner_out_of_bag(scored, np.random.default_rng(seed))
    optimism = max(0.0, float(scored.values.max()) - fair)
    shift = -optimism if greater_is_better else optimism
    return replace(
        best,
        value=best.value + shift,
        low=best.low + shift,
        high=best.high + shift,
        method=f"{best.method}, less the optimism of the best of {len(scored.values)}",
    )


def _in_blocks(influence: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    units = influence.shape[1]
    if units <= _MOST_UNITS:
        return influence
    block = rng.permutation(units) % _MOST_UNITS
    return np.stack([np.bincount(block, weights=row, minlength=_MOST_UNITS) for row in influence])
