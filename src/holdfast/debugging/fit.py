"""Whether a model learned too much by heart, too little, or would learn more from more rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Where
from holdfast.core.predictions import Predictions
from holdfast.core.probe import Probe
from holdfast.core.task import Task
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.corrected import corrected
from holdfast.debugging.effect import loss_rise, mean_of
from holdfast.debugging.learning_curve import LearningCurve, learning_curve
from holdfast.debugging.leftover import leftover
from holdfast.debugging.losses import guess_loss, loss_of, mean_guess_loss

_ROWS, _FEWEST = 20_000, 50  # rows that are looked at: at most, and at least
_LARGE, _SMALL = 0.5, 0.3  # gap between training and held-out loss, as shares of the held-out loss
_LEAST = 0.01  # of the loss: a smaller gain is not worth a finding
_NEGLIGIBLE = 0.001  # of a constant guess's loss: nor is this, to a model that is nearly perfect

_REGULARISE = Suggestion(FixName.REGULARISE, "a simpler model learns less by heart", "one training")
_COLLECT = Suggestion(FixName.COLLECT, "more rows of the same kind", "labels and one training")


def fit(dataset: Dataset, predictions: Predictions, probe: Probe, *, seed: int = 0) -> tuple[Finding, ...]:
    """Overfitting, underfitting, and what more data would gain, on at most 20,000 rows; none below 50.

    "overfitting": rows that a model was fitted on lose less than half of what held-out rows
    lose, AND the last doubling of the data helped or a constant guess would do better. (A gap alone
    harms nobody: forests have one and are none the worse for it.) `effect` is the gap.
    "underfitting": the gap is below 30 % AND trees of the model's errors save more than 1 %
    of its squared error on other rows; `effect` is what they save (see `leftover`).
    "more data": a power law through the learning curve says that twice the rows would lower
    the mean loss, by at least 1 %; `effect` is by how much (see `learning_curve`). All tests
    are one-sided, a finding with two conditions has the larger p (Berger 1982), and Holm
    corrects over the three.
    """
    case = case_of(dataset, predictions)
    part = case.sample(_ROWS, seed=seed)
    if len(part) < _FEWEST:
        return ()
    held_out, trained = probe.held_out(part.dataset), probe.trained(part.dataset)
    curve = learning_curve(case, probe, seed=seed)
    found = [_overfitting(part, held_out, trained, curve), *_underfitting(part, held_out, trained, seed)]
    if len(part) < len(case):
        found = [replace(one, title=f"{one.title} (of {part.called(case)})") for one in found]
    return corrected(found if curve is None else [*found, _more_data(case, curve)])


def _overfitting(
    part: Case, held_out: Predictions, trained: Predictions, curve: LearningCurve | None
) -> Finding:
    judged, loss = part.predictions, loss_of(part.predictions)
    gap = loss_rise(trained, held_out, judged)
    large = mean_of((1 - _LARGE) * held_out.loss - trained.loss, judged)
    beaten = mean_of(held_out.loss - guess_loss(judged), judged)
    falls = 1.0 if curve is None else curve.last_doubling().p_above()
    means = {
        name: mean_of(answers.loss, judged).estimate()
        for name, answers in (("held-out", held_out), ("training", trained))
    }
    return Finding(
        kind="overfitting",
        title=f"The model learned rows by heart: {loss.short} {loss.told(means['training'].value)} on rows "
        f"that it was fitted on, {loss.told(means['held-out'].value)} on others",
        where=Where(),
        size=len(judged),
        effect=gap.estimate(),
        effect_of=f"{loss.mean} of held-out rows less that of the same rows when fitted on; 0 is no gap",
        p=max(large.p_above(), min(1.0, 2 * min(falls, beaten.p_above()))),
        examples=part.worst(np.ones(len(part), dtype=bool)),
        facts={f"{name} loss": mean for name, mean in means.items()} | _curve_facts(curve),
        fixes=(_REGULARISE, _COLLECT),
    )


def _underfitting(part: Case, held_out: Predictions, trained: Predictions, seed: int) -> list[Finding]:
    rest = leftover(part, seed=seed)
    if rest is None:
        return []
    saved, squared = rest.saved, rest.squared
    least = max(_LEAST * squared, _NEGLIGIBLE * rest.guess)
    judged = part.predictions
    close = mean_of(trained.loss - (1 - _SMALL) * held_out.loss, judged)
    error = "squared error" if judged.header.task is Task.REGRESSION else "Brier score"
    return [
        Finding(
            kind="underfitting",
            title=f"The inputs can tell another {saved.value / squared:.1%} of the {error}: "
            "try a more flexible learner, or let this one fit more closely",
            where=Where(),
            size=saved.rows,
            effect=saved.estimate("confirm rows", seed=seed),
            effect_of=f"mean {error} that trees of the errors save on confirm rows; 0 is nothing missed",
            p=max(saved.p_above(least), close.p_above()),
            facts={error: squared, "gap": loss_rise(trained, held_out, judged).estimate()},
        )
    ]


def _more_data(case: Case, curve: LearningCurve) -> Finding:
    judged, loss = case.predictions, loss_of(case.predictions)
    gain, now = curve.next_doubling(), curve.loss_of_all()
    least = max(_LEAST * now, _NEGLIGIBLE * mean_guess_loss(judged))
    worth = now > 0 and gain.value >= least and gain.low > 0
    told = "" if len(curve.judged) == len(case) else f" (told by {len(curve.judged):,} sampled rows)"
    return Finding(
        kind="more data",
        title=f"Twice the data would lower the {loss.name} by about {gain.value / (now or 1):.1%}{told}",
        where=Where(),
        size=len(judged),
        effect=gain,
        effect_of=f"{loss.mean} that twice the rows would save, extrapolated; above 0 is a gain",
        p=curve.last_doubling().p_above() if worth else 1.0,  # it was asked, so Holm counts it
        facts=_curve_facts(curve) | _points(curve),
        fixes=(_COLLECT,),
    )


def _curve_facts(curve: LearningCurve | None) -> dict[str, Fact]:
    if curve is None:
        return {}
    named = zip(curve.shares, curve.losses(), strict=True)
    facts: dict[str, Fact] = {f"loss from {share:.3g} of the rows": loss for share, loss in named}
    half, largest = curve.shares[-2:]
    name = "saved by the last doubling"
    if largest < 1:  # of a sample: to double all rows saves less
        name = f"saved by doubling {half:.3g} of the rows"
    return facts | {name: curve.last_doubling().estimate()}


def _points(curve: LearningCurve) -> dict[str, Fact]:
    """What twice the rows would add to the accuracy, in points of a hundred; classes only."""
    if curve.judged.header.task is not Task.CLASSIFICATION:
        return {}
    wrong = [100.0 * (answers.prediction_codes != answers.target_codes) for answers in curve.answers]
    return {"points of accuracy from twice the data": curve.next_doubling(wrong)}
