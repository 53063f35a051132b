"""What a model does to each group of rows, and how far the groups lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import polars as pl

from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.errors import PlanError, PredictionsError
from holdfast.metrics.evaluate import evaluate
from holdfast.metrics.group_rates import OFF, chance_of, rates_of
from holdfast.metrics.metric import Metric
from holdfast.stats.influence import covariance, mean_influence, units_of
from holdfast.stats.interval import effective_size
from holdfast.stats.tails import critical, standardised, two_sided

# A rate of fewer rows than this is shown, but never compared.
FEWEST_ROWS = 30
_FEWEST_CLUSTERS = 20


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest less the smallest rate among groups with enough rows.

    `p` is that all groups have one rate, corrected for the pairs that were compared.
    `undecided` are the groups with too few rows to be compared.
    """

    estimate: Estimate
    p: float
    highest: str = ""
    lowest: str = ""
    undecided: tuple[str, ...] = ()


def rate_names(p: Predictions) -> tuple[str, ...]:
    """The rates that groups are compared by.

    Two classes: selection rate, tpr, fpr, precision, and with probabilities calibration
    (mean probability minus outcome, 0 is best). More classes: accuracy. Regression: mean
    residual (prediction minus target), rmse, mae. Losses only: loss.
    """
    return tuple(rates_of(p))


def rates_by_group(
    p: Predictions, group: pl.Series, *, level: float = 0.95, seed: int = 0
) -> dict[str, dict[str, Estimate]]:
    """Every rate of every group, by the group's name and the rate's (see `rate_names`).

    `group` has shape (n,), a text per row of `p`; rows without one are left out. Groups
    are sorted; a rate that has no rows is an absent Estimate. PredictionsError where
    `group` has another length.

    >>> p = Predictions.of(example=range(4), target=["y", "n", "y", "n"], prediction=["y", "n", "n", "n"])
    >>> rates_by_group(p, pl.Series(["a", "a", "b", "b"]))["b"]["tpr"].value
    0.0
    """
    p, group = _known(p, group)
    rates = {name: (rate.metric, rate.base(p)) for name, rate in rates_of(p).items()}
    return {
        name: {
            rate: evaluate(p.where(base & member), metric, level=level, seed=seed)
            for rate, (metric, base) in rates.items()
        }
        for name, member in _members(group)
    }


def gap(p: Predictions, group: pl.Series, rate: str, *, level: float = 0.95) -> Estimate:
    """`gap_between` as a number alone: at least 0, lower is better."""
    return gap_between(p, group, rate, level=level).estimate


def gap_between(p: Predictions, group: pl.Series, rate: str, *, level: float = 0.95) -> Gap:
    """The largest minus the smallest of the groups' rates; groups below 30 rows are undecided.

    Which two are largest and smallest is not known beforehand, so all pairs of groups get
    intervals that hold together (Bonferroni): the gap is at least what any pair shows and
    at most what some pair allows. Weights and clusters are respected. For errors and losses
    the groups' mean ranks must differ too. Absent with fewer than two groups that have
    enough rows. PlanError for a rate that there is not.
    """
    p, group = _known(p, group)
    rates = rates_of(p)
    if rate not in rates:
        raise PlanError(f"There is no rate {rate!r} here. There are: {', '.join(rates)}.")
    base, metric = rates[rate].base(p), rates[rate].metric
    members = {name: base & member for name, member in _members(group)}
    decided = {name: rows for name, rows in members.items() if _enough(rows, p)}
    undecided = tuple(name for name in members if name not in decided)
    if len(decided) < 2:
        reason = f"fewer than two groups have {FEWEST_ROWS} rows"
        return Gap(Estimate.absent(reason, n=int(base.sum()), level=level), 1.0, undecided=undecided)
    values, spread = _values(metric, p, list(decided.values()))
    names = list(decided)
    units = [_units(decided[name], p.group_codes) for name in names]
    estimate, corrected = _widest(values, spread, units, level)
    estimate = replace(estimate, n=int(sum(rows.sum() for rows in decided.values())))
    stricter = _if_alike(metric, p, list(decided.values()), spread)
    corrected = max(corrected, _widest(*(stricter or (values, spread)), units, level)[1])
    highest, lowest = names[int(values.argmax())], names[int(values.argmin())]
    return Gap(estimate, corrected, highest, lowest, undecided)


def _widest(
    values: np.ndarray, spread: np.ndarray, units: Sequence[int], level: float
) -> tuple[Estimate, float]:
    """The gap of values (G,) of so many units with covariance (G, G), and its p, over all pairs."""
    pairs = list(combinations(range(len(values)), 2))
    first, second = np.array(pairs).T
    difference = np.abs(values[first] - values[second])
    variance = spread[first, first] + spread[second, second] - 2 * spread[first, second]
    error = np.sqrt(np.maximum(variance, 0.0))
    size = np.asarray(units)
    freedom = np.minimum(size[first], size[second]) - 1
    raised = 1 - (1 - level) / len(pairs)
    half = np.array([critical(raised, float(df)) for df in freedom]) * error
    low, high = max(0.0, float((difference - half).max())), float((difference + half).max())
    p = [
        float(two_sided(standardised(d, e), float(f)))
        for d, e, f in zip(difference, error, freedom, strict=True)
    ]
    method = "all pairs of groups, Bonferroni" if len(pairs) > 1 else "Welch's t"
    value = float(np.ptp(values))
    return Estimate(value, low, high, level, int(size.sum()), method), min(1.0, len(pairs) * min(p))


def _if_alike(
    metric: Metric, p: Predictions, groups: Sequence[np.ndarray], spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Values and covariance that keep the test's level where groups are alike but rows few or errors heavy.

    Shares: a group varies no less than one with the rate of all. Errors: their ranks, where
    no few rows hold most of the sum.
    """
    if metric is OFF:
        return None
    if metric.family != "accuracy":
        ranks = replace(metric, family="mean", per_row=lambda rows: _ranks(metric.per_row(rows)))
        return _values(ranks, p, groups)
    weight = p.weights
    everyone = np.logical_or.reduce(groups)
    (share,), of_all = _values(metric, p, [everyone])
    # How many times clusters widen the variance.
    wide = max(1.0, float(of_all[0, 0]) * effective_size(weight[everyone]) / max(share * (1 - share), 1e-12))
    alike = [wide * share * (1 - share) / effective_size(weight[member]) for member in groups]
    wider = spread.copy()
    np.fill_diagonal(wider, np.maximum(np.diag(spread), alike))
    return _values(metric, p, groups)[0], wider


def _values(metric: Metric, p: Predictions, groups: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The metric in each group (G,), and their covariance (G, G)."""
    rows = metric.per_row(p).astype(np.float64)
    chance = chance_of(p) if metric is OFF else None
    weight = p.weights
    means, least = np.zeros(len(groups)), np.zeros(len(groups))
    influences = []
    for k, member in enumerate(groups):
        own = weight[member]
        means[k] = np.average(rows[member], weights=own)
        influences.append(mean_influence(rows[member], own))
        if metric.family == "accuracy":
            # A share of 0 or 1 shows no spread, but has one (Agresti and Caffo 2000).
            n = effective_size(own)
            share = (means[k] * n + 1) / (n + 2)
            least[k] = share * (1 - share) / (n + 2)
        elif chance is not None:
            # Few positives may show no spread either; the probabilities say what there is.
            least[k] = float((own**2) @ chance[member]) / own.sum() ** 2
    spread = _covariance(influences, groups, p.group_codes)
    np.fill_diagonal(spread, np.maximum(np.diag(spread), least))
    if metric.family == "rmse":
        means = np.sqrt(means)
        slope = 1 / (2 * np.maximum(means, np.finfo(np.float64).tiny))
        spread = spread * slope * slope[:, np.newaxis]
    return means, spread


def _covariance(
    influences: Sequence[np.ndarray], groups: Sequence[np.ndarray], clusters: np.ndarray | None
) -> np.ndarray:
    """Of the groups' estimates, (G, G); only clusters that reach into several groups tie them."""
    if clusters is None:
        return np.diag([float(own @ own) * len(own) / max(len(own) - 1, 1) for own in influences])
    size = int(clusters.max()) + 1
    totals = [
        np.bincount(clusters[member], weights=own, minlength=size)
        for own, member in zip(influences, groups, strict=True)
    ]
    return covariance(np.stack(totals))


def _enough(rows: np.ndarray, p: Predictions) -> bool:
    weighed = p.weight is None or p.weight[rows].sum() > 0
    enough = bool(rows.sum() >= FEWEST_ROWS) and _units(rows, p.group_codes) >= _FEWEST_CLUSTERS
    return bool(weighed and enough)


def _units(rows: np.ndarray, clusters: np.ndarray | None) -> int:
    count = int(rows.sum())
    return count if clusters is None or not count else units_of(count, clusters[rows])


def _members(group: pl.Series) -> list[tuple[str, np.ndarray]]:
    names = sorted(group.drop_nulls().unique().to_list())
    return [(name, (group == name).fill_null(False).to_numpy()) for name in names]


def _known(p: Predictions, group: pl.Series) -> tuple[Predictions, pl.Series]:
    if len(group) != len(p):
        raise PredictionsError(
            f"There are {len(p):,} predicted rows but {len(group):,} groups: give one group for each row, "
            "in the order of p.example."
        )
    known = p.known
    if len(known) < len(p):
        group = group.filter(p.example.is_in(known.example.implode()))
    return known, group.cast(pl.String)


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.asarray(pl.Series(values=values).rank("average").to_numpy())
