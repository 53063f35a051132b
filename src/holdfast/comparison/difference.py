"""What a paired test says of two models, before it is a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.verdict import Outcome, Verdict
from holdfast.stats.interval import UNKNOWN, Interval
from holdfast.stats.power import rows_for_difference, rows_for_mcnemar

# Where intervals by formula are trusted; below, the bootstrap and permutations.
MANY_ROWS = 1_000

# A standard error below this share of the margin is what rounding left of none at all.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Setting:
    """How pairs are compared: the confidence level, and the seed and size of every resampling."""

    level: float = 0.95
    seed: int = 0
    replicates: int = 10_000

    def rng(self) -> np.random.Generator:
        """A fresh generator: equal questions get equal answers."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True, slots=True)
class Difference:
    """Second minus first of one pair, positive = better, with its test.

    `error` is the standard error on the rows that there are, `discordant` the share of
    rows that just one of two classifiers gets right (accuracy only), `reason` why there
    is no difference.
    """

    value: float
    interval: Interval
    p: float
    error: float
    test: str
    method: str
    discordant: float | None = None
    reason: str = ""

    @staticmethod
    def absent(test: str) -> Difference:
        """The difference of scores of which one does not exist; the `reason` is given later."""
        return Difference(math.nan, UNKNOWN, 1.0, math.nan, test, "none")

    @property
    def known(self) -> bool:
        """Whether both scores exist."""
        return not math.isnan(self.value)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a pair: on which metric, with which margin, at which level, on n rows."""

    metric: str
    margin: float
    level: float
    n: int
    comparisons: int = 1


def verdict(question: Question, difference: Difference, p: float, names: tuple[str, str]) -> Verdict:
    """The outcome: better or worse if the (corrected) `p` says so, else equivalent if the interval lies
    inside the margin, else undecided with the rows that the margin would need."""
    level, n = question.level, question.n
    outcome, needed = Outcome.UNDECIDED, None
    if not difference.known:
        estimate = Estimate.absent(difference.reason, n=n, level=level)
    else:
        low, high = difference.interval.low, difference.interval.high
        estimate = Estimate(difference.value, low, high, level, n, difference.method)
        outcome = _outcome(question, difference, p)
        needed = _rows_needed(question, difference) if outcome is Outcome.UNDECIDED else None
        if outcome is Outcome.UNDECIDED and needed is None:
            estimate = replace(
                estimate, method=f"{estimate.method}; rows needed not known: no spread is seen"
            )
    return Verdict(
        outcome=outcome,
        difference=estimate,
        p=p,
        margin=question.margin,
        metric=question.metric,
        test=difference.test,
        n_needed=needed,
        first=names[0],
        second=names[1],
    )


def _outcome(question: Question, difference: Difference, p: float) -> Outcome:
    if p <= 1 - question.level and difference.value != 0:
        return Outcome.BETTER if difference.value > 0 else Outcome.WORSE
    return Outcome.EQUIVALENT if difference.interval.within(question.margin) else Outcome.UNDECIDED


def _rows_needed(question: Question, difference: Difference) -> int | None:
    """Always more than there are: these were not enough to tell. None where no spread says how many."""
    level = 1 - (1 - question.level) / question.comparisons
    if question.margin <= 0:
        return None
    if difference.discordant is not None:
        needed = rows_for_mcnemar(difference.discordant, question.margin, level=level)
    elif difference.error > _ROUNDING * question.margin:
        needed = rows_for_difference(difference.error, question.n, question.margin, level=level)
    else:
        return None
    return max(needed, question.n + 1)
