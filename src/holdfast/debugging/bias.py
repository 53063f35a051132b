"""Groups of people that a model treats differently, and columns that give a group away."""

from __future__ import annotations

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Where
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Column, Role
from holdfast.core.task import Task
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.corrected import ALPHA
from holdfast.debugging.losses import three
from holdfast.debugging.parts import Parts, parts_of
from holdfast.metrics.by_group import Gap, gap_between, rate_names, rates_by_group
from holdfast.metrics.group_rates import rates_of
from holdfast.stats.cells import cells_of, gradient, row_influence, tables
from holdfast.stats.influence import standard_error
from holdfast.stats.interval import normal
from holdfast.stats.multiplicity import holm

_LEAST = 0.01  # a gap between shares that is worth telling; of errors, twice this part of the RMSE
_QUARTERS = 4
_STRONG = 0.3  # Cramer's V from which a column gives a group away
_FEWEST_LEVEL = 10  # rows of a level, for Cramer's V

_MEANS = {
    "selection rate": "the share predicted positive",
    "tpr": "the share of positives that is found (true positive rate)",
    "fpr": "the share of negatives that is taken for positive (false positive rate)",
    "precision": "the share of those predicted positive that is positive",
    "calibration": "mean predicted probability minus outcome",
    "accuracy": "the share predicted right",
    "mean residual": "mean prediction minus target",
    "rmse": "the root of the mean squared error",
    "mae": "the mean absolute error",
    "loss": "the mean loss",
}
_SAID = {"tpr": "true positive rate", "fpr": "false positive rate"}
_FIXES = (
    Suggestion(FixName.FAIR, "trains under the constraint that groups have the same rate", "one training"),
    Suggestion(FixName.COLLECT, "more rows of the group that fares worst", "labels and one training"),
    Suggestion(
        FixName.DROP_COLUMN, "the model no longer sees the column, but may see its proxies", "one training"
    ),
)
_PROXY_FIXES = (
    Suggestion(FixName.DROP_COLUMN, "the model can then infer the group less well", "one training"),
    Suggestion(FixName.FAIR, "keeps the column and holds the groups' rates together", "one training"),
)


def bias(dataset: Dataset, predictions: Predictions, *, seed: int = 0) -> tuple[Finding, ...]:
    """Gaps between groups of each column marked sensitive, and the columns that stand in for it.

    Gaps: of every rate in `metrics.by_group.rate_names`, Holm-corrected over all rates and
    columns. Numbers and dates are cut into quarters. The facts hold every group's rate;
    groups too small to compare are named there as undecided. A "proxy" is a plain fact: a
    feature whose bias-corrected Cramer's V with the groups is surely at least 0.3.
    """
    case = case_of(dataset, predictions)
    marked = [column for column in case.dataset.schema if column.role is Role.SENSITIVE]
    groups = {
        column.name: parts_of(case.dataset.table[column.name], column, bands=_QUARTERS) for column in marked
    }
    looked = [
        (name, rate, gap_between(case.predictions, _texts(parts), rate))
        for name, parts in groups.items()
        for rate in rate_names(case.predictions)
    ]
    looked = [each for each in looked if each[2].estimate.known]
    p = holm(np.array([gap.p for *_, gap in looked]))
    least = _LEAST if case.predictions.header.task is Task.CLASSIFICATION else _tolerance(case)
    told = [
        (name, rate, gap, float(q))
        for (name, rate, gap), q in zip(looked, p, strict=True)
        if q <= ALPHA and gap.estimate.value >= least
    ]
    rates = {
        name: rates_by_group(case.predictions, _texts(groups[name]), seed=seed)
        for name in dict.fromkeys(name for name, *_ in told)
    }
    found = [_finding(case, groups[name], rates[name], rate, gap, q) for name, rate, gap, q in told]
    return (*found, *_proxies(case, groups))


def _texts(parts: Parts) -> pl.Series:
    """Each row's group by name, null for none."""
    names = np.array([*parts.names, None], dtype=object)
    return pl.Series(values=names[parts.code].tolist(), dtype=pl.String)


def _tolerance(case: Case) -> float:
    """Twice a hundredth of the typical error."""
    loss = float(np.average(case.predictions.loss, weights=case.weight))
    return 2 * _LEAST * (loss**0.5 if case.predictions.header.task is Task.REGRESSION else abs(loss))


def _finding(
    case: Case, parts: Parts, rates: dict[str, dict[str, Estimate]], rate: str, gap: Gap, p: float
) -> Finding:
    facts: dict[str, Fact] = {f"{rate} {group}": of_group[rate] for group, of_group in rates.items()}
    if gap.undecided:
        facts["undecided"] = ", ".join(f"{group} ({rates[group][rate].n:,} rows)" for group in gap.undecided)
    high, low = rates[gap.highest][rate].value, rates[gap.lowest][rate].value
    said = _SAID.get(rate, rate)
    title = f"{parts.column}: {said} is {three(high)} for {gap.highest}, {three(low)} for {gap.lowest}"
    return Finding(
        "bias", title, Where(column=parts.column), int((parts.code >= 0).sum()), gap.estimate,
        f"largest less smallest group's rate: {_MEANS[rate]}; 0 is best",
        None, p, rate, case.worst(_widening(case, parts, rate, gap)), facts, _able(case, _FIXES),
    )  # fmt: skip


def _widening(case: Case, parts: Parts, rate: str, gap: Gap) -> np.ndarray:
    """The rows that hold the gap open, bool of shape (n,).

    Those above the two groups' mean in the highest group, those below it in the lowest: of a
    false positive rate the false positives here and the true negatives there.
    """
    of = rates_of(case.predictions)[rate]
    base, value = of.base(case.predictions), of.metric.per_row(case.predictions)
    highest, lowest = (base & (parts.code == parts.names.index(name)) for name in (gap.highest, gap.lowest))
    both = highest | lowest
    mean = np.average(value[both], weights=case.weight[both])
    return np.asarray((highest & (value > mean)) | (lowest & (value < mean)))


def _able(case: Case, fixes: tuple[Suggestion, ...]) -> tuple[Suggestion, ...]:
    """Without the constraint where there are not two classes, which it needs."""
    two = len(case.predictions.header.classes) == 2
    return tuple(one for one in fixes if two or one.fix is not FixName.FAIR)


def _proxies(case: Case, groups: dict[str, Parts]) -> list[Finding]:
    others = [column for column in case.dataset.schema.features if column.role is not Role.SENSITIVE]
    cut = [parts_of(case.dataset.table[column.name], column, fewest=_FEWEST_LEVEL) for column in others]
    found = []
    for name, group in groups.items():
        for column, parts in zip(others, cut, strict=True):
            strength = _cramers_v(parts.code, group.code, case.predictions)
            if strength.known and strength.low >= _STRONG:
                found.append(_proxy(case, column, name, strength))
    return found


def _proxy(case: Case, column: Column, sensitive: str, strength: Estimate) -> Finding:
    title = f"{column.name} gives {sensitive} away: an association of {strength.value:.2f}, where 1 is total"
    known = int(case.dataset.table[column.name].is_not_null().sum())
    return Finding(
        "proxy", title, Where(column=column.name), known, strength,
        f"Cramer's V of the column's bands and the groups of {sensitive}, 0 none to 1 total",
        None, None, sensitive, fixes=_able(case, _PROXY_FIXES),
    )  # fmt: skip


def _cramers_v(first: np.ndarray, second: np.ndarray, p: Predictions) -> Estimate:
    """Cramer's V of two codings (n,), without the bias of many levels (Bergsma 2013).

    The delta method gives its interval, clustered where there are groups.
    """
    both = (first >= 0) & (second >= 0)
    levels = [len(np.unique(code[both])) for code in (first, second)]
    rows = int(both.sum())
    if rows < 2 * _FEWEST_LEVEL or min(levels) < 2:
        return Estimate.absent("fewer than two levels", n=rows)
    cells = cells_of(first[both], second[both])
    size = int(cells.codes.max()) + 1

    def statistic(counts: np.ndarray) -> np.ndarray:
        return _strength(tables(counts, cells.codes[:, 0], cells.codes[:, 1], size), levels)

    value = float(statistic(cells.total[np.newaxis])[0])
    influence = row_influence(cells, gradient(cells, statistic, width=size**2))
    clusters = p.group_codes
    clusters = None if clusters is None else np.unique(clusters[both], return_inverse=True)[1]
    interval = normal(value, standard_error(influence - influence.mean(), clusters))
    low, high = max(0.0, interval.low), min(1.0, interval.high)
    return Estimate(value, low, high, n=rows, method="delta method")


def _strength(counts: np.ndarray, levels: list[int]) -> np.ndarray:
    """Bias-corrected Cramer's V of tables (..., K, K) with this many levels that occur."""
    n = counts.sum(axis=(-2, -1))
    expected = counts.sum(axis=-1)[..., np.newaxis] * counts.sum(axis=-2)[..., np.newaxis, :]
    share = np.divide(counts**2, expected, out=np.zeros_like(counts), where=expected > 0)
    rows, columns = levels
    inflated = (rows - 1) * (columns - 1) / (n - 1)
    phi2 = np.maximum(share.sum(axis=(-2, -1)) - 1 - inflated, 0)
    least = np.minimum(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1))
    return np.asarray(np.sqrt(phi2 / (least - 1)))
