"""How an estimate is made: its level and seed, and what its method says of weights and groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.stats.influence import units_of
from holdfast.stats.interval import UNKNOWN, Interval

# Fewer groups than this say too little of how groups vary.
FEWEST_GROUPS = 10


@dataclass(frozen=True, slots=True)
class Setting:
    """Confidence level and seed of an estimate."""

    level: float = 0.95
    seed: int = 0

    def rng(self) -> np.random.Generator:
        """A fresh generator, so that no estimate depends on which came before."""
        return np.random.default_rng(self.seed)

    def estimate(self, value: float, interval: Interval, p: Predictions, method: str) -> Estimate:
        """The value with its interval; without one where there are too few groups."""
        groups = 0 if p.group_codes is None else units_of(len(p), p.group_codes)
        if groups and groups < FEWEST_GROUPS:
            interval, method = UNKNOWN, f"none: only {groups} groups, {FEWEST_GROUPS} are needed"
        elif groups:
            method += f", clustered by {groups:,} groups"
        elif p.weight is not None:
            method += ", weighted"
        return Estimate(value, interval.low, interval.high, self.level, len(p), method)
