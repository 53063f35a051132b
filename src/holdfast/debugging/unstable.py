"""Predictions that hang on chance: on the seed of the training, or on the fold that they come from."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import chdtrc

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, FixName, Suggestion, Where
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.probe import Probe
from holdfast.core.task import Task
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.corrected import corrected
from holdfast.debugging.effect import mean_of
from holdfast.debugging.losses import loss_of, mean_guess_loss, moved, root_mean_square, share_of, two_answers
from holdfast.metrics.setting import Setting
from holdfast.stats.tails import critical

_TOLERATED = 0.05  # of the rows may get another answer from another seed
_NEGLIGIBLE = 0.001  # of a constant guess's loss: folds of a nearly perfect model may differ by that
_SHOWN = 10  # rows of those that change
_FEWEST = 30  # rows of a fold, and in all

_FIXES = (
    Suggestion(
        FixName.REGULARISE, "a simpler model, or a mix of several, hangs less on chance", "one training"
    ),
    Suggestion(FixName.COLLECT, "more rows like these", "labels and one training"),
)


def unstable(
    dataset: Dataset, predictions: Predictions, probe: Probe, *, seed: int = 0
) -> tuple[Finding, ...]:
    """Rows whose answer changes with the seed, and folds whose losses differ by more than chance.

    The probe's learner is fitted twice, with two other seeds, on as many rows as it can afford. An
    answer has changed when the class differs, or the number by more than half the root
    mean squared error. Reported when more than 5 % of the rows change, tested one-sided; both
    questions are corrected with Holm. `effect` is that share, in [0, 1]; each listed row's
    score is its stability: 1 less the total variation distance of the two probabilities, or
    rmse / (rmse + distance) for numbers. Folds: a chi-squared test that they share one mean loss;
    `effect` is how much the worst fold's mean loss lies above the others', its interval widened
    for having picked the worst (Bonferroni).
    """
    case = case_of(dataset, predictions)
    if len(case) < _FEWEST:
        return ()
    return corrected([*_seeds(case, probe, seed), *_folds(case)])


def _seeds(case: Case, probe: Probe, seed: int) -> list[Finding]:
    part = case.sample(probe.affordable, seed=seed)
    judged = part.predictions
    first, second = (probe.refitted(part.dataset, seed=seed + k) for k in (1, 2))
    rows = moved(first, second, judged)
    if not rows.any():
        return []
    stability = _stability(first, second, judged)
    suspects = part.suspects(rows, stability)
    shown = [one.example for one in suspects[:_SHOWN]]
    share = share_of(rows, judged)
    what = "another class" if judged.header.task is Task.CLASSIFICATION else "a clearly different number"
    return [
        Finding(
            kind="unstable",
            title=f"With another seed {probe.learner} gives {share.value:.1%} of {part.called(case)} {what}",
            where=Where(examples=suspects),
            size=int(rows.sum()),
            effect=share,
            effect_of=f"share of {part.called(case)} that two trainings of {probe.learner} answer "
            "differently; 0 is best",
            share_of_loss=part.share_of_loss(rows),
            p=mean_of(rows.astype(np.float64), judged).p_above(_TOLERATED),
            about="seeds",
            examples=tuple(shown),
            facts={
                "rows fitted again": len(part),
                "mean stability": float(np.average(stability, weights=part.weight)),
                "loss that averaging seeds would save": _saved(first, second, judged),
            },
            fixes=_FIXES,
            remarks=two_answers(first, second, places_in(judged.example, pl.Series(shown)).tolist()),
        )
    ]


def _stability(first: Predictions, second: Predictions, judged: Predictions) -> np.ndarray:
    """How alike two answers to each row are, float64 of shape (n,) in [0, 1]."""
    if first.header.task is Task.REGRESSION:
        distance = np.abs(first.prediction_values - second.prediction_values)
        rmse = root_mean_square(first.prediction_values - first.target_values, judged)
        return np.asarray(rmse / (rmse + distance)) if rmse > 0 else (distance == 0).astype(np.float64)
    if first.probability is None or second.probability is None:
        return (~moved(first, second, judged)).astype(np.float64)
    gap = np.abs(first.probability.astype(np.float64) - second.probability).sum(axis=1)
    return np.asarray(np.clip(1 - gap / 2, 0, 1))


def _saved(first: Predictions, second: Predictions, judged: Predictions) -> Estimate:
    """How much lower the mean loss of the averaged answers is than the mean of the two."""
    if first.header.task is Task.REGRESSION:
        middle = (first.prediction_values + second.prediction_values) / 2
        loss = (middle - first.target_values) ** 2
    elif first.probability is not None and second.probability is not None:
        mixed = (first.probability.astype(np.float64) + second.probability) / 2
        own = mixed[np.arange(len(first)), first.target_codes]
        loss = -np.log(np.clip(own, np.finfo(np.float32).eps, 1))
    else:
        return Estimate.absent("there are no probabilities to average", n=len(judged))
    return mean_of((first.loss + second.loss) / 2 - loss, judged).estimate()


def _folds(case: Case) -> list[Finding]:
    """Whether the folds' mean losses differ by more than their rows explain."""
    column, judged = case.predictions.table["fold"], case.predictions
    if column.null_count():
        return []
    fold = column.to_numpy()
    names, rows = np.unique(fold, return_counts=True)
    names = names[rows >= _FEWEST]
    if len(names) < 2:
        return []
    of_fold = [mean_of(judged.loss[fold == k], judged.where(fold == k)) for k in names]
    means, overall = np.array([change.value for change in of_fold]), mean_of(judged.loss, judged)
    held = np.array([case.weight[fold == k].sum() for k in names])
    if overall.error <= 0 or held.min() <= 0:
        return []
    # Folds that differ by chance only have one variance; with skewed losses their own would mislead.
    spread = float((held / case.weight.sum() * ((means - overall.value) / overall.error) ** 2).sum())
    worst = int(means.argmax())
    inside, loss = fold == names[worst], loss_of(judged)
    rest = float(np.average(judged.loss[~inside], weights=case.weight[~inside]))
    effect = _widened(case, inside, len(names))
    worth = effect.value >= _NEGLIGIBLE * mean_guess_loss(judged)
    return [
        Finding(
            kind="unstable",
            title=f"Fold {names[worst]} is worse than the others: its {loss.short} is "
            f"{loss.told(float(means[worst]))}, theirs {loss.told(rest)}",
            where=Where(),
            size=int(inside.sum()),
            effect=effect,
            effect_of=f"{loss.mean} of the worst of {len(names)} folds less that of the others; 0 is best",
            share_of_loss=case.share_of_loss(inside),
            p=float(chdtrc(len(names) - 1, spread)) if worth else 1.0,
            about="folds",
            examples=case.worst(inside),
            facts={f"fold {name}": of.estimate() for name, of in zip(names, of_fold, strict=True)},
            fixes=_FIXES,
        )
    ]


def _widened(case: Case, inside: np.ndarray, folds: int) -> Estimate:
    """The contrast of the worst fold, with an interval that holds for all folds at once."""
    change = case.loss.against_rest(inside)
    half = critical(1 - (1 - Setting().level) / folds, df=change.units - 1) * change.error
    low, high = change.value - half, change.value + half
    method = f"Welch, Bonferroni over {folds} folds"
    return Estimate(change.value, low, high, n=len(inside), method=method)
