"""Probabilities that do not mean what they say: everywhere, and in parts of the data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betainc, chdtrc

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Where
from holdfast.core.predictions import Predictions
from holdfast.core.query import Query
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.corrected import ALPHA, promising
from holdfast.debugging.effect import Effect, Measured
from holdfast.debugging.parts import parts_of
from holdfast.metrics.calibration import reliability
from holdfast.stats.influence import cluster_totals, units_of
from holdfast.stats.multiplicity import holm

KIND = "miscalibrated"
_LEAST = 0.01  # an error that is worth telling; of rare classes, this much of their share times 10
_LEAST_SLICE = 0.02  # confidence minus accuracy in a slice
_BINS = 15
_EXPECTED = 15.0  # rows of either outcome that a bin needs for the chi-squared test
_FEWEST = 50  # rows of a slice, and of a class
_NEAR = 1.5  # standard errors from 0: no slice so near is worth a test
_SAME = 0.8  # of the rows: two slices that share so many are told once

_FIXES = (
    Suggestion(
        FixName.RECALIBRATE, "maps the probabilities to what was observed, in the same order", "no training"
    ),
    Suggestion(FixName.REGULARISE, "a model that fits less closely is less sure of itself", "one training"),
)
_SLICE_FIXES = (
    Suggestion(
        FixName.COLLECT, "rows from here show the model how unsure it should be", "labels and one training"
    ),
    Suggestion(
        FixName.CONTINUE, "training goes on with these rows, the others are replayed", "one short training"
    ),
    Suggestion(
        FixName.RECALIBRATE, "helps here only as far as the rest is off in the same way", "no training"
    ),
)


@dataclass(frozen=True, slots=True)
class _Slice:
    query: Query
    rows: np.ndarray
    seen: Effect  # confidence minus accuracy on the confirm rows
    p: float


def calibration(dataset: Dataset, predictions: Predictions, *, seed: int = 0) -> tuple[Finding, ...]:
    """Where predicted probabilities are off: one finding for the whole, one for each slice.

    The whole: the debiased expected calibration error (of the class that is off most; two
    classes: of the positive one) where a chi-squared test over 15 bins (Hosmer and
    Lemeshow 1980, made wider for clusters) says that it is no chance. Slices: one level
    of a category or one band of a number in which mean confidence minus accuracy is not 0
    and differs from elsewhere; found on search rows, confirmed on confirm rows. All
    p-values are Holm-corrected together. Nothing without probabilities.
    """
    case = case_of(dataset, predictions)
    if case.predictions.probability is None or len(case) < _FEWEST:
        return ()
    whole = _of_classes(case)
    slices = _slices(case)
    p = holm(np.array([*whole.values(), *(one.p for one in slices)]))
    off = dict(zip(whole, p, strict=False))
    found = _whole(case, off, seed)
    confirmed = [(one, q) for one, q in zip(slices, p[len(whole) :], strict=True) if q <= ALPHA]
    return (*found, *(_finding(case, one, float(q)) for one, q in _told_once(confirmed)))


def _of_classes(case: Case) -> dict[str, float]:
    """The p-value of perfect calibration for each class (two classes: the positive one)."""
    p, classes = case.predictions, case.predictions.header.classes
    assert p.probability is not None
    wanted = classes if p.header.positive is None else (p.header.positive,)
    found = {}
    for label in wanted:
        code = classes.index(label)
        outcome = p.target_codes == code
        if outcome.sum() >= _FEWEST or label == p.header.positive:
            found[label] = _p_calibrated(case, p.probability[:, code].astype(np.float64), outcome)
    return found


def _p_calibrated(case: Case, score: np.ndarray, outcome: np.ndarray) -> float:
    """That outcomes (bool, n) are drawn from their scores (n,), by a chi-squared test over bins."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, _BINS + 1)[1:-1]))
    bin_of = np.searchsorted(edges, score, side="right")
    weight, size = case.weight, len(edges) + 1
    residual = weight * (outcome - score)
    off, spread, rare = (
        np.bincount(bin_of, weights=rows, minlength=size)
        for rows in (residual, weight**2 * score * (1 - score), np.minimum(score, 1 - score))
    )
    off, spread = _pooled(np.stack([off, spread]), rare)
    statistic = float((off**2 / np.maximum(spread, 1e-300)).sum())
    return float(chdtrc(len(off), statistic / _widening(case, residual, bin_of)))


def _pooled(sums: np.ndarray, rare: np.ndarray) -> np.ndarray:
    """Neighbouring bins (columns) together until each expects enough rows of the rarer outcome."""
    full = np.floor(np.cumsum(rare) / _EXPECTED + 1e-9)
    # A bin opens where those before it have filled up; what is left at the end joins the last.
    begins = np.flatnonzero(np.diff(full, prepend=0.0) > 0) + 1
    starts = np.unique(np.r_[0, begins[begins < len(rare)]])
    if len(starts) > 1 and rare[starts[-1] :].sum() < _EXPECTED:
        starts = starts[:-1]
    return np.asarray(np.add.reduceat(sums, starts, axis=1))


def _widening(case: Case, residual: np.ndarray, bin_of: np.ndarray) -> float:
    """How many times clusters widen the variance of the residuals' sum, at least 1."""
    groups = case.predictions.group_codes
    if groups is None:
        return 1.0
    weight = case.weight
    shift = np.bincount(bin_of, weights=residual) / np.maximum(np.bincount(bin_of, weights=weight), 1e-300)
    centred = residual - weight * shift[bin_of]
    units = units_of(len(residual), groups)
    together = (cluster_totals(centred, groups) ** 2).sum() * units / max(units - 1, 1)
    return float(max(1.0, together / max((centred**2).sum(), 1e-300)))


def _whole(case: Case, p: dict[str, float], seed: int) -> list[Finding]:
    predictions = case.predictions
    found = []
    for label in [label for label, q in p.items() if q <= ALPHA]:
        curve = reliability(predictions, label, seed=seed)
        code = predictions.header.classes.index(label)
        share = float(np.average(predictions.target_codes == code, weights=case.weight))
        if curve.error.value >= _LEAST * min(1.0, 10 * share, 10 * (1 - share)):
            found.append((curve, p[label]))
    if not found:
        return []
    curve, q = max(found, key=lambda one: one[0].error.value)
    everywhere = np.ones(len(case), dtype=bool)
    surer = _sureness(case).off.mean().estimate()
    title = (
        f"Probabilities of {curve.label!r} are off by {curve.error.value:.3f} on average "
        f"({curve.reference:.3f} if they were calibrated): {_direction(surer.low, surer.high)}"
    )
    facts: dict[str, Fact] = {"reference": curve.reference, "confidence minus accuracy": surer}
    facts |= {"classes off": len(found)} if predictions.header.positive is None else {}
    one = Finding(
        KIND, title, Where(), len(case), curve.error,
        "debiased expected calibration error, in probability; 0 is best",
        None, q, curve.label, case.worst(everywhere), facts, _FIXES,
    )  # fmt: skip
    return [one]


def _direction(low: float, high: float) -> str:
    if low > 0:
        return "overconfident"
    return "underconfident" if high < 0 else "too high in places, too low in others"


def _sureness(case: Case) -> _Sureness:
    """Of the most probable class."""
    p = case.predictions
    assert p.probability is not None
    likeliest = p.probability.argmax(axis=1)
    sure = p.probability[np.arange(len(p)), likeliest].astype(np.float64)
    return _Sureness(Measured.of(sure - (likeliest == p.target_codes), p), 1 - sure)


def _slices(case: Case) -> list[_Slice]:
    """What search rows show, with the p-values of the confirm rows."""
    sureness = _sureness(case)
    search, confirm = sureness.at(case.search), sureness.at(case.confirm)
    looked: list[tuple[Query, np.ndarray, float, float]] = []
    slices = 0
    for column in case.dataset.schema.features:
        parts = parts_of(case.dataset.table[column.name], column, fewest=2 * _FEWEST)
        if len(parts.queries) < 2:
            continue
        slices += len(parts.queries)
        signs = search.signs(parts.code[case.search], len(parts.queries))
        for k in np.flatnonzero(signs):
            rows = parts.code == k
            looked.append((parts.queries[k], rows, signs[k], search.p(rows[case.search], signs[k])))
    p = np.ones(slices)
    p[: len(looked)] = [one[-1] for one in looked]
    return [
        _Slice(query, rows, confirm.off.mean(rows[case.confirm]), confirm.p(rows[case.confirm], sign))
        for query, rows, sign, _ in (looked[k] for k in promising(p))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Sureness:
    """Per row confidence minus whether it was right, and the doubt: 1 minus confidence."""

    off: Measured
    doubt: np.ndarray

    def at(self, rows: np.ndarray) -> _Sureness:
        return _Sureness(self.off.at(rows), self.doubt[rows])

    def signs(self, part: np.ndarray, parts: int) -> np.ndarray:
        """1 or -1 for parts that may be off that way; 0 for those too near 0 for any test, shape (parts,)."""
        inside, weight = part >= 0, self.off.weight
        rows = (weight * self.off.values, weight**2 * self.doubt * (1 - self.doubt))
        total, spread = (np.bincount(part[inside], row[inside], parts) for row in rows)
        return np.where(np.abs(total) < _NEAR * np.sqrt(spread), 0.0, np.sign(total))

    def p(self, rows: np.ndarray, sign: float) -> float:
        """That the mean in the rows is not off this way (sign 1: too sure), or no more than elsewhere."""
        if rows.sum() < _FEWEST or rows.all():
            return 1.0
        variance, usual = self._variances(rows)
        of_rest = self.off.against_rest(rows)
        of_rest = replace(of_rest, error=max(of_rest.error, variance**0.5))
        beyond_rest = of_rest.p_above() if sign > 0 else of_rest.p_below()
        return max(beyond_rest, self._p_calibrated(rows, sign, max(1.0, variance / usual)))

    def _variances(self, rows: np.ndarray) -> tuple[float, float]:
        """Of the mean with weights and clusters; and as if all rows counted alike, if calibrated."""
        weight, doubt = self.off.weight[rows], self.doubt[rows]
        chance = np.maximum(doubt * (1 - doubt), 1e-12)
        variance = float(weight**2 @ chance) / weight.sum() ** 2
        if self.off.clusters is not None:
            variance = max(variance, self.off.mean(rows).error ** 2)
        return variance, float(weight @ chance / weight.sum() / len(weight))

    def _p_calibrated(self, rows: np.ndarray, sign: float, widened: float) -> float:
        """The mid-p of so many wrong rows by a binomial that has the mean and variance of the doubts.

        Wrong rows are few where confidence is high, and a normal distribution has no skew.
        """
        weight, doubt = self.off.weight[rows], np.maximum(self.doubt[rows], 1e-9)
        n = len(weight) / widened
        mean, square = float(np.average(doubt, weights=weight)), float(np.average(doubt**2, weights=weight))
        chance, trials = square / mean, n * mean**2 / square
        wrong = n * float(np.average(self.off.values[rows] + doubt, weights=weight))
        at_least, more = (_tail(k, trials, chance) for k in (wrong, wrong + 1))
        middle = (at_least + more) / 2
        return middle if sign > 0 else 1 - middle


def _tail(k: float, trials: float, chance: float) -> float:
    """P(at least k of so many trials), both may be fractions."""
    if k <= 0:
        return 1.0
    return float(betainc(k, trials - k + 1, chance)) if k < trials + 1 else 0.0


def _told_once(confirmed: list[tuple[_Slice, float]]) -> list[tuple[_Slice, float]]:
    """Without slices that are nearly the rows of one that is off more clearly."""
    kept: list[tuple[_Slice, float]] = []
    for one, p in sorted(confirmed, key=lambda each: each[1]):
        if abs(one.seen.value) < _LEAST_SLICE:
            continue
        if not any((one.rows & k.rows).sum() >= _SAME * (one.rows | k.rows).sum() for k, _ in kept):
            kept.append((one, p))
    return kept


def _finding(case: Case, one: _Slice, p: float) -> Finding:
    effect = one.seen.estimate("confirm rows")
    how = "Overconfident" if effect.value > 0 else "Underconfident"
    elsewhere = _sureness(case).off.mean(~one.rows).estimate()
    title = f"{how} by {abs(effect.value):.3f} where {one.query} (elsewhere {elsewhere.value:+z.3f})"
    return Finding(
        KIND, title, Where(query=str(one.query)), int(one.rows.sum()), effect,
        "mean confidence less accuracy in the slice, in probability; 0 is best, above is overconfident",
        case.share_of_loss(one.rows), p, "", case.worst(one.rows), {"elsewhere": elsewhere}, _SLICE_FIXES,
    )  # fmt: skip
