"""How much a change moves the mean loss, paired row by row; and how rows differ from the others.

Weights and groups are those of the judged predictions. As everywhere, what is said holds
for the models as they were fitted: a change of rows would move the interval, another
training is not in it unless it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.debugging.case import Case
from holdfast.metrics.evaluate import evaluate
from holdfast.metrics.setting import FEWEST_GROUPS, Setting
from holdfast.stats.influence import cluster_totals, mean_influence, standard_error, units_of
from holdfast.stats.mean import linear_interval
from holdfast.stats.multiplicity import holm
from holdfast.stats.tails import standardised, two_sided

ALPHA = 0.05
_FEWEST = 20  # rows on each side of a contrast
_MOVED = 0.5  # of the root mean squared error: a number that moves this far is another answer


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """A linear estimate of per-row numbers: its Estimate, standard error and degrees of freedom.

    `influence`, float64 of shape (n,), is what each row moves it by.
    """

    effect: Estimate
    error: float
    df: float
    influence: np.ndarray = field(repr=False)

    @property
    def value(self) -> float:
        """The estimate itself."""
        return self.effect.value

    def p_above(self, bound: float = 0.0) -> float:
        """One-sided p-value of the hypothesis that the truth is at most `bound` (Student's t)."""
        if not self.effect.known or self.df < 1:
            return 1.0
        t = float(standardised(self.value - bound, self.error))
        half = float(two_sided(t, df=self.df)) / 2
        return half if t > 0 else 1 - half


def mean_change(values: np.ndarray, judged: Predictions, *, seed: int = 0) -> Effect:
    """The weighted mean of one number per row, float64 of shape (n,), such as a difference of losses."""
    value = float(np.average(values, weights=judged.weight))
    units = units_of(len(values), judged.group_codes)
    return of_influence(value, mean_influence(values, judged.weight), judged, units - 1, seed=seed)


def contrast(values: np.ndarray, inside: np.ndarray, judged: Predictions, *, seed: int = 0) -> Effect:
    """The mean over the rows of a mask less the mean over all others, each at least 20 rows.

    Welch's standard error; the smaller side gives the degrees of freedom, which is cautious.
    """
    sides = (inside, ~inside)
    fewest = min(int(side.sum()) for side in sides)
    if fewest < _FEWEST:
        absent = Estimate.absent(f"only {fewest} rows on one side, {_FEWEST} are needed", n=len(values))
        return Effect(absent, np.nan, 0.0, np.zeros(len(values)))
    weight, groups = judged.weight, judged.group_codes
    influence, means = np.zeros(len(values)), []
    for side, sign in zip(sides, (1.0, -1.0), strict=True):
        own = None if weight is None else weight[side]
        means.append(float(np.average(values[side], weights=own)))
        influence[side] = sign * mean_influence(values[side], own)
    units = min(
        len(np.unique(np.arange(len(values))[side] if groups is None else groups[side])) for side in sides
    )
    return of_influence(means[0] - means[1], influence, judged, units - 1, seed=seed)


def of_influence(
    value: float, influence: np.ndarray, judged: Predictions, df: float, *, seed: int = 0
) -> Effect:
    """Any linearised estimate from the influences of rows, shape (n,), on it."""
    setting, groups = Setting(seed=seed), judged.group_codes
    totals = influence if groups is None else cluster_totals(influence, groups)
    fewest = _FEWEST if groups is None else FEWEST_GROUPS
    interval, method = linear_interval(value, totals, setting.level, setting.rng(), fewest=fewest)
    effect = setting.estimate(value, interval, judged, f"paired, {method}")
    return Effect(effect, standard_error(influence, groups), df, influence)


def loss_change(before: Predictions, after: Predictions, judged: Predictions, *, seed: int = 0) -> Effect:
    """How much the mean loss rises from `before` to `after`, on the same rows in the same order."""
    return mean_change(after.loss - before.loss, judged, seed=seed)


def moved(before: Predictions, after: Predictions) -> np.ndarray:
    """Which rows get another answer, bool of shape (n,).

    Another class; for numbers, one further away than half the root mean squared error of `before`.
    """
    if before.header.task is Task.CLASSIFICATION:
        return np.asarray((before.table["prediction"] != after.table["prediction"]).to_numpy())
    typical = float(np.sqrt(np.mean((before.prediction_values - before.target_values) ** 2)))
    return np.asarray(np.abs(after.prediction_values - before.prediction_values) > _MOVED * typical)


def share_of(rows: np.ndarray, judged: Predictions) -> Estimate:
    """The share of the rows that a mask marks, with Wilson's interval (weights and groups respected)."""
    as_labels = Predictions.of(
        example=judged.example,
        target=np.full(len(rows), "yes"),
        prediction=np.where(rows, "yes", "no"),
        group=judged.group_codes,
        weight=judged.weight,
    )
    return evaluate(as_labels, "accuracy")


def guess_loss(judged: Predictions) -> np.ndarray:
    """Each row's loss, shape (n,), under the best answer that is the same for all rows.

    The shares of the classes; the most common class without probabilities; the mean. The
    answer knows these rows' targets, so that beating it counts.
    """
    weight = np.ones(len(judged)) if judged.weight is None else judged.weight
    if judged.header.task is not Task.CLASSIFICATION:
        off = judged.target_values - np.average(judged.target_values, weights=weight)
        return np.asarray(off**2)
    counts = np.bincount(judged.target_codes, weights=weight, minlength=len(judged.header.classes))
    if judged.probability is None:
        return np.asarray(judged.target_codes != counts.argmax(), dtype=np.float64)
    return np.asarray(-np.log(counts[judged.target_codes] / counts.sum()))


def loss_name(judged: Predictions) -> str:
    """What the mean loss of these predictions is called in a sentence."""
    if judged.header.task is Task.REGRESSION:
        return "mean squared error"
    if judged.header.task is None:
        return "mean loss"
    return "mean log loss" if judged.probability is not None else "error rate"


def part_of(case: Case, most: int, *, seed: int = 0, inside: np.ndarray | None = None) -> Case:
    """At most so many of a case's rows (of those of a mask), drawn at random, in their order."""
    places = np.arange(len(case)) if inside is None else np.flatnonzero(inside)
    if len(places) > most:
        places = np.sort(np.random.default_rng(seed).permutation(places)[:most])
    if len(places) == len(case):
        return case
    kept = np.zeros(len(case), dtype=bool)
    kept[places] = True
    return Case(case.dataset.take(places), case.predictions.where(kept), case.search[places])


def corrected(found: list[Finding]) -> tuple[Finding, ...]:
    """Those that are significant at 0.05 after Holm's correction among all that are given.

    Findings without a p-value are plain facts, and stay.
    """
    tested = [one for one in found if one.p is not None]
    adjusted = holm(np.array([one.p for one in tested])) if tested else np.zeros(0)
    p_of = {id(one): float(p) for one, p in zip(tested, adjusted, strict=True)}
    kept = [replace(one, p=p_of.get(id(one))) for one in found]
    return tuple(one for one in kept if one.p is None or one.p <= ALPHA)
