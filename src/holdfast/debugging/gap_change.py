"""Did the gap between groups become smaller? Two models on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.core.verdict import Outcome, Verdict
from holdfast.errors import FixError
from holdfast.metrics.group_rates import rates_of
from holdfast.stats.bootstrap import blocks_of, bootstrap_sums
from holdfast.stats.tails import critical

_FEWEST = 30  # rows of a group
_REPLICATES, _BLOCKS = 4_000, 1_000
_MARGIN = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The group of each example, "" for none, and the rate by which groups are compared."""

    of: dict[str, str]
    rate: str


def judge_gap(before: Predictions, after: Predictions, groups: Groups, level: float) -> Verdict:
    """Is the largest difference of a rate between groups smaller after than before?

    Rows (or their groups, where predictions have some) are drawn with replacement, the same for both models,
    and the interval of the difference of gaps is that of its bootstrap standard error.
    Positive = the gap became smaller. Groups of fewer than 30 rows take no part. FixError
    for a rate that is no mean over rows.
    """
    shares = [_shares(p, groups) for p in (before, after)]
    block = blocks_of(len(before), np.random.default_rng(0), blocks=_BLOCKS, groups=before.group_codes)
    blocks = int(block.max()) + 1
    columns = np.concatenate(shares)  # (2 models * 2 * G, n)
    by_block = np.stack([np.bincount(block, weights=column, minlength=blocks) for column in columns])
    drawn = bootstrap_sums(by_block, replicates=_REPLICATES, rng=np.random.default_rng(1))
    value = float(_smaller(columns.sum(axis=1, keepdims=True))[0])
    error = float(np.nanstd(_smaller(drawn), ddof=1))
    half = critical(level) * error
    estimate = Estimate(value, value - half, value + half, level, len(before), "paired bootstrap of the gap")
    outcome = Outcome.of(estimate, _MARGIN)
    name = f"gap in {groups.rate}"
    p = float(2 * min(np.nanmean(_smaller(drawn) <= 0), np.nanmean(_smaller(drawn) >= 0)))
    return Verdict(outcome, estimate, min(p, 1.0), _MARGIN, name, estimate.method, None, "before", "after")


def _smaller(sums: np.ndarray) -> np.ndarray:
    """The gap before less the gap after, from sums (4 G, B): totals and counts of each group, by model."""
    totals_before, counts_before, totals_after, counts_after = np.split(sums, 4)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = totals_before / counts_before, totals_after / counts_after
    return np.asarray(np.ptp(rates[0], axis=0) - np.ptp(rates[1], axis=0))


def _shares(p: Predictions, groups: Groups) -> np.ndarray:
    """Per group: what each row adds to the rate's total, then to its count; (2 G, n)."""
    rates = rates_of(p)
    found = rates.get(groups.rate)
    if found is None or found.metric.per_row is None:
        raise FixError(
            f"Whether the gap in {groups.rate!r} became smaller cannot be tested; try another fix."
        )
    weight = p.weights
    inside, value = found.base(p), np.asarray(found.metric.per_row(p), dtype=np.float64)
    names = np.array([groups.of.get(example, "") for example in p.example.to_list()])
    large = [name for name in np.unique(names) if name and (names == name).sum() >= _FEWEST]
    if len(large) < 2:
        raise FixError(f"Fewer than two groups have {_FEWEST} sealed rows, so their gap cannot be tested.")
    members = np.stack([(names == name) & inside for name in large]) * weight
    return np.concatenate([members * np.nan_to_num(value), members])
