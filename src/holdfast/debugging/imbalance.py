"""Classes that a model gives up on, and a threshold that another aim would put elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Where
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.corrected import ALPHA
from holdfast.debugging.effect import Effect, linear
from holdfast.debugging.losses import three
from holdfast.errors import InputError
from holdfast.metrics.areas import class_auc
from holdfast.metrics.evaluate import evaluate
from holdfast.metrics.setting import Setting
from holdfast.stats.bootstrap import smooth_influence
from holdfast.stats.multiplicity import holm
from holdfast.stats.tails import critical, standardised, two_sided

_FEWEST = 20  # rows of a class
_GIVEN_UP = 0.1  # the recall of a class that the model hardly ever names
_TELLS = 0.6  # the AUC of a class that the model could name
_LEAST_GAIN = 0.01  # of a score; of costs, twice this part
_MOST = 20  # classes that are told of
_BETWEEN = 10  # rows of every class, where rows are to be made between them

_THRESHOLD = Suggestion(FixName.THRESHOLD, "moves the border between the classes", "no training")
_FIXES = (
    Suggestion(FixName.CLASS_WEIGHTS, "an error on this class costs more in training", "one training"),
    Suggestion(FixName.OVERSAMPLE, "repeats the rows of this class", "one training"),
    Suggestion(FixName.UNDERSAMPLE, "trains on fewer rows of the other classes", "one training"),
    Suggestion(FixName.SMOTE, "adds rows between rows of this class", "one training"),
)
_COLLECT = Suggestion(
    FixName.COLLECT, "the columns do not tell this class apart", "new data and one training"
)

# Each maps sums (4, ...) over rows to values, higher is better: weight of the rows found,
# of those wrongly taken for positive, of all positive ones, of all negative ones.
Aim = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class _Goal:
    """What a threshold is chosen for; `margin` is the gain that is worth telling."""

    name: str
    aim: Aim
    unit: str
    margin: float


@dataclass(frozen=True, slots=True)
class _Moved:
    """A threshold found on search rows, and what it gains on the confirm rows."""

    goal: _Goal
    threshold: float
    gain: Effect
    before: float
    after: float


def imbalance(
    dataset: Dataset,
    predictions: Predictions,
    *,
    costs: tuple[float, float] | None = None,
    seed: int = 0,
) -> tuple[Finding, ...]:
    """Kinds "rare class" and "threshold"; nothing for regression.

    A rare class: one of 20 rows or more that is never predicted (a plain fact), or whose
    recall is below 0.1 although the probabilities tell it from the rest (AUC above 0.6;
    both tested, Holm over classes). A threshold: of two classes, one that does better for
    F1 or balanced accuracy, or for `costs` = (of a false positive, of a false negative);
    searched on search rows, its gain tested on confirm rows, Holm over the aims.
    InputError for costs that are negative, or both 0.
    """
    if costs is not None and not (min(costs) >= 0 and max(costs) > 0):
        raise InputError(f"costs={costs!r} should be two numbers, at least 0 and not both 0: costs=(1, 5)")
    case = case_of(dataset, predictions)
    if case.predictions.header.task is not Task.CLASSIFICATION or not len(case):
        return ()
    return (*_rare(case, seed), *_thresholds(case, costs))


def _rare(case: Case, seed: int) -> list[Finding]:
    p, setting = case.predictions, Setting(seed=seed)
    rows = np.bincount(p.target_codes, minlength=len(p.header.classes))
    named = np.bincount(p.target_codes[p.target_codes == p.prediction_codes], minlength=len(rows))
    ever = np.bincount(p.prediction_codes, minlength=len(rows)) > 0
    suspects = np.flatnonzero((rows >= _FEWEST) & (named < _GIVEN_UP * rows))
    suspects = suspects[np.argsort(-rows[suspects], kind="stable")][:_MOST]
    labels = [p.header.classes[code] for code in suspects]
    recall = [evaluate(p.where(p.target_codes == code), "accuracy", seed=seed) for code in suspects]
    auc = [class_auc(p, label, setting) for label in labels]
    raw = [max(_p_below(r, _GIVEN_UP), _p_above(a, _TELLS)) for r, a in zip(recall, auc, strict=True)]
    corrected = holm(np.array([*raw, *np.ones(int((rows >= _FEWEST).sum()) - len(raw))]))
    found = []
    for k, code in enumerate(suspects):
        tells = corrected[k] <= ALPHA
        if tells or not ever[code]:
            found.append(
                _given_up(case, int(code), recall[k], auc[k], float(corrected[k]) if tells else None)
            )
    return found


def _p_below(share: Estimate, bound: float) -> float:
    """One-sided: that a share is not below `bound`, with the rows that its interval speaks of."""
    if not share.known or share.value >= bound:
        return 1.0
    return float(two_sided(standardised(bound - share.value, _error(share.high - share.value, share)))) / 2


def _p_above(area: Estimate, bound: float) -> float:
    """One-sided: that an area is not above `bound`."""
    if not area.known or not area.value > bound or np.isnan(area.low):
        return 1.0
    return float(two_sided(standardised(area.value - bound, _error(area.value - area.low, area)))) / 2


def _error(half: float, estimate: Estimate) -> float:
    return half / critical(estimate.level)


def _given_up(case: Case, code: int, recall: Estimate, auc: Estimate, p: float | None) -> Finding:
    predictions = case.predictions
    label, rows = predictions.header.classes[code], predictions.target_codes == code
    size, never = int(rows.sum()), not (predictions.prediction_codes == code).any()
    how = "is never predicted" if never else f"is found in {recall.value:.1%} of its rows"
    told = f"; its probability ranks them well (AUC {auc.value:.2f})" if p is not None else ""
    facts: dict[str, Fact] = {"auc": auc, "share of rows": size / len(case)}
    fixes = (*([_THRESHOLD] if predictions.header.positive else []), *_FIXES)
    if np.bincount(predictions.target_codes, minlength=len(predictions.header.classes)).min() < _BETWEEN:
        fixes = tuple(one for one in fixes if one.fix is not FixName.SMOTE)
    fixes = fixes if p is not None else (*fixes, _COLLECT)
    return Finding(
        "rare class", f"{label!r} {how} ({count(size, 'row')}){told}", Where(), size, recall,
        "recall of the class; 1 is best. Accuracy and log loss may not ask for more",
        case.share_of_loss(rows), p, label, case.worst(rows), facts, fixes,
    )  # fmt: skip


def _f1(sums: np.ndarray) -> np.ndarray:
    found, wrong, positive, _ = sums
    return np.asarray(2 * found / np.maximum(found + wrong + positive, 1e-300))


def _balanced(sums: np.ndarray) -> np.ndarray:
    found, wrong, positive, negative = sums
    return np.asarray((found / positive + 1 - wrong / negative) / 2)


def _goals(case: Case, costs: tuple[float, float] | None, now: np.ndarray) -> tuple[_Goal, ...]:
    if costs is None:
        return (
            _Goal("F1", _f1, "of the positive class", _LEAST_GAIN),
            _Goal("balanced accuracy", _balanced, "mean of both classes' recall", _LEAST_GAIN),
        )

    def saved(sums: np.ndarray) -> np.ndarray:
        found, wrong, positive, negative = sums
        return np.asarray(-(costs[0] * wrong + costs[1] * (positive - found)) / (positive + negative))

    paid = -float(saved(_sums(case, now).sum(axis=1)))
    unit = f"per row, at {costs[0]:g} for a false positive and {costs[1]:g} for a false negative"
    return (_Goal("cost", saved, unit, 2 * _LEAST_GAIN * paid),)


def _thresholds(case: Case, costs: tuple[float, float] | None) -> list[Finding]:
    p = case.predictions
    score, positive = p.positive_probability, p.header.positive
    if score is None or positive is None:
        return []
    code = p.header.classes.index(positive)
    truth = p.target_codes == code
    if any(min(truth[half].sum(), (~truth[half]).sum()) < _FEWEST for half in (case.search, case.confirm)):
        return []
    now = p.prediction_codes == code
    moved = [_moved(case, goal, now) for goal in _goals(case, costs, now)]
    corrected = holm(np.array([one.gain.p_above() for one in moved]))
    return [
        _misplaced(case, one, float(q))
        for one, q in zip(moved, corrected, strict=True)
        if q <= ALPHA and one.gain.value >= one.goal.margin
    ]


def _moved(case: Case, goal: _Goal, now: np.ndarray) -> _Moved:
    p = case.predictions
    assert p.positive_probability is not None
    threshold = _best(case, goal.aim)
    then = p.positive_probability >= threshold
    both = np.concatenate([_sums(case, then), _sums(case, now)[:2]])[:, case.confirm]

    def gain(sums: np.ndarray) -> np.ndarray:
        return goal.aim(sums[:4]) - goal.aim(np.stack([*sums[4:], *sums[2:4]]))

    clusters = p.group_codes
    clusters = None if clusters is None else np.unique(clusters[case.confirm], return_inverse=True)[1]
    influence = smooth_influence(both, gain)
    sums = both.sum(axis=1)
    before, after = float(goal.aim(np.stack([*sums[4:], *sums[2:4]]))), float(goal.aim(sums[:4]))
    seen = linear(after - before, influence - influence.mean(), clusters)
    return _Moved(goal, threshold, seen, before, after)


def _sums(case: Case, selected: np.ndarray) -> np.ndarray:
    """The rows of an aim's sums, shape (4, n), when these rows (n,) are predicted positive."""
    p, weight = case.predictions, case.weight
    truth = p.target_codes == p.header.classes.index(str(p.header.positive))
    return np.stack(
        [weight * (selected & truth), weight * (selected & ~truth), weight * truth, weight * ~truth]
    )


def _best(case: Case, aim: Aim) -> float:
    """The threshold that does best on the search rows, halfway between two scores."""
    score = case.predictions.positive_probability
    assert score is not None
    ones = np.ones(len(case), dtype=bool)
    order = np.flatnonzero(case.search)[np.argsort(-score[case.search], kind="stable")]
    rows, sorted_score = _sums(case, ones)[:, order], score[order].astype(np.float64)
    total = rows.sum(axis=1)
    taken = np.cumsum(rows[:2], axis=1)
    last = np.flatnonzero(np.diff(sorted_score, append=-1.0) < 0)  # of the rows that share a score
    sums = np.stack([*taken[:, last], *np.broadcast_to(total[2:, np.newaxis], (2, len(last)))])
    k = int(aim(sums).argmax())
    below = sorted_score[last[k] + 1] if last[k] + 1 < len(sorted_score) else 0.0
    return float((sorted_score[last[k]] + below) / 2)


def _misplaced(case: Case, one: _Moved, p: float) -> Finding:
    predictions, goal = case.predictions, one.goal
    assert predictions.positive_probability is not None
    header = predictions.header
    now = 0.5 if header.threshold is None else header.threshold
    was = predictions.prediction_codes == header.classes.index(str(header.positive))
    changed = was != (predictions.positive_probability >= one.threshold)
    paid = goal.name == "cost"
    values = f"{three(abs(one.before))} to {three(abs(one.after))}"
    gains = f"lowers the cost per row from {values}" if paid else f"lifts {goal.name} from {values}"
    aside = "" if paid else "; accuracy and log loss do not ask for it"
    title = f"A threshold of {one.threshold:.2g}, not {now:.2g}, {gains}{aside}"
    effect = one.gain.estimate("confirm rows")
    way = "cost saved" if paid else f"{goal.name} gained"
    facts: dict[str, Fact] = {"threshold now": float(now), "threshold": one.threshold, "aim": goal.name}
    return Finding(
        "threshold", title, Where(), int(changed.sum()), effect,
        f"{way} by the other threshold, {goal.unit}, on confirm rows; above 0 is better",
        case.share_of_loss(changed), p, goal.name, case.worst(changed), facts, (_THRESHOLD, _FIXES[0]),
    )  # fmt: skip
