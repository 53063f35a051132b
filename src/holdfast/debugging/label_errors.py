"""Labels that are likely wrong: those that a model which has not seen them contradicts.

Rows are ranked by self-confidence, and those where another class is likelier than the given
label are listed: on labels that people got wrong that ranking and that list do best (compared in
cleanlab's label-error-detection-benchmarks). The ones that confident learning prunes too, by
class and by noise rate, are marked as confident. Nothing is changed here: a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Suspect, Where
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.debugging.case import case_of
from holdfast.debugging.confident import (
    confident_joint,
    contradicted,
    given_probability,
    likeliest,
    prune_by_class,
    prune_by_noise_rate,
)
from holdfast.debugging.label_noise import wrong_share
from holdfast.debugging.losses import share_of_loss
from holdfast.errors import PredictionsError, some
from holdfast.stats.influence import units_of
from holdfast.stats.interval import wilson

KIND = "label errors"
_FAR = 6.0  # times the usual residual: 4 standard deviations of normal errors, 1 row in 16,000
_BAND_ROWS, _BANDS = 100, 20  # at least so many rows of similar predictions, in at most so many bands
_OF_LABELS = (
    "share of wrong labels among all judged rows, lower is better; too high where even the surest "
    "predictions are uncertain, too low where mistakes gather in rows that are hard to predict"
)
_OF_TARGETS = (
    f"share of rows whose target lies more than {_FAR:g} times the usual distance from its prediction, "
    "lower is better; normal errors leave 1 row in 16,000 there, heavy tails more"
)


def label_quality(predictions: Predictions) -> np.ndarray:
    """How much each given label can be trusted: float64 of shape (n,) in [0, 1], low = bad, in order.

    Classification: self-confidence, the predicted probability of the given label. Regression:
    exp(-|residual| / median |residual| of rows with similar predictions), so 0.37 is
    usual. nan where the target is unknown. PredictionsError without probabilities or
    without a task; RoleError for sealed rows and for those that trained the model.

    >>> p = Predictions.of(example=["a", "b"], target=["no", "yes"], probability=[0.875, 0.75])
    >>> label_quality(p).tolist()
    [0.125, 0.75]
    """
    p = predictions.require_open()
    quality = np.full(len(p), np.nan)
    if _task(p) is Task.REGRESSION:
        known = ~np.isnan(p.target_values) & ~np.isnan(p.prediction_values)
        quality[known] = np.exp(-_distance(p.prediction_values[known], p.target_values[known]))
    else:
        known = p.target_codes >= 0
        quality[known] = given_probability(p.target_codes, _probability(p))[known]
    return quality


def label_errors(predictions: Predictions, dataset: Dataset | None = None) -> tuple[Finding, ...]:
    """One finding with all rows whose label the model contradicts, or none where there are no such rows.

    `where.examples` are listed worst first with their `label_quality`; `examples` are the
    confident ones among them, counted in its facts. `effect` estimates the share of
    wrong labels among all judged rows: most listed rows of a good table are the model's
    errors and not the labels'. With a `dataset` a fact says how many have a twin, a row with
    equal features, that carries the suggested label. Weights are not used. Raises as
    `label_quality` does, and PredictionsError for ids that the dataset lacks.
    """
    judged = _judge(predictions)
    p, listed = judged.rows, judged.listed
    if not len(listed):
        return ()
    ids = p.example.gather(listed).to_list()
    sure = [name for name, marked in zip(ids, judged.sure[listed].tolist(), strict=True) if marked]
    effect = _effect(judged)
    facts: dict[str, Fact] = {"judged rows": len(p)}
    if p.header.task is Task.REGRESSION:
        facts["at twice that distance"] = len(sure)
    else:
        facts |= {"confident contradictions": len(sure), "wrong labels, roughly": _times(effect, len(p))}
        if dataset is not None:
            facts["twins with the suggested label"] = _twins(judged, dataset)
    suspects = map(Suspect, ids, judged.quality[listed].tolist())
    return (
        Finding(
            kind=KIND,
            title=_title(judged, effect),
            where=Where(examples=tuple(suspects)),
            size=len(listed),
            effect=effect,
            effect_of=_OF_LABELS if p.header.task is Task.CLASSIFICATION else _OF_TARGETS,
            share_of_loss=share_of_loss(p, listed),
            examples=tuple(sure),
            facts=facts,
            fixes=_fixes(len(listed)),
        ),
    )


def suggested_labels(predictions: Predictions, examples: Sequence[str]) -> pl.DataFrame:
    """What a review shows of these examples, in their order: one row each.

    Columns: example, given and suggested (text; Float64 in regression), quality (as
    `label_quality`) and confident (whether it is one of the finding's `examples`). Suggested is the
    likeliest class, or the prediction. PredictionsError names ids without a judged row.
    """
    judged = _judge(predictions)
    p = judged.rows
    wanted = pl.Series(values=list(examples), dtype=pl.String)
    rows = places_in(p.example, wanted)
    if (rows < 0).any():
        absent = wanted.filter(pl.Series(values=rows < 0)).to_list()
        raise PredictionsError(
            f"{len(absent):,} of {len(examples):,} examples have no prediction with a known target: "
            f"{some(absent)}. Take ids from the finding's where.examples."
        )
    return pl.DataFrame(
        {
            "example": wanted,
            "given": p.table["target"].gather(rows),
            "suggested": _suggested(p, rows),
            "quality": judged.quality[rows],
            "confident": judged.sure[rows],
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Rows with known labels: their quality, those listed (positions, worst first), those confident (n,)."""

    rows: Predictions
    quality: np.ndarray
    listed: np.ndarray
    sure: np.ndarray


def _judge(predictions: Predictions) -> _Judged:
    p = predictions.require_open().known
    quality = label_quality(p)
    if p.header.task is Task.REGRESSION:
        suspect, sure = quality < np.exp(-_FAR), quality < np.exp(-2 * _FAR)
    else:
        codes, probability = p.target_codes, _probability(p)
        suspect, sure = contradicted(codes, probability), np.zeros(len(p), dtype=bool)
        if suspect.any():
            joint = confident_joint(codes, probability)
            sure = suspect & prune_by_noise_rate(codes, probability, joint)
            sure &= prune_by_class(codes, probability, joint)
    rows = np.flatnonzero(suspect)
    return _Judged(p, quality, rows[np.argsort(quality[rows], kind="stable")], sure)


def _task(p: Predictions) -> Task:
    if p.header.task is None:
        raise PredictionsError(
            "Label errors are looked for in targets, and these predictions hold losses alone. "
            "Give target= and probability= (or prediction=) to Predictions.of."
        )
    return p.header.task


def _probability(p: Predictions) -> np.ndarray:
    if p.probability is None:
        raise PredictionsError(
            "Label errors in classes are found by predicted probabilities, and these predictions have "
            "none. Give probability= to Predictions.of, or columns probability_<class> in the file."
        )
    return p.probability


def _distance(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """|residual| over the median one of rows with similar predictions, shape (n,).

    After cleanlab's regression score, whose scale needs refitted models: up to 20 bands of at
    least 100 rows stand for that here. No band's scale is below a tenth of the overall one.
    """
    size = np.abs(target - prediction)
    if not len(size):
        return np.zeros(0)
    order = np.argsort(prediction, kind="stable")
    bands = np.array_split(order, int(np.clip(len(size) // _BAND_ROWS, 1, _BANDS)))
    scale = np.empty(len(size))
    for band in bands:
        scale[band] = np.median(size[band])
    scale = np.maximum(scale, np.median(size) / 10)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(size > 0, size / scale, 0.0))


def _suggested(p: Predictions, rows: np.ndarray) -> pl.Series:
    if p.header.task is Task.REGRESSION:
        return p.table["prediction"].gather(rows)
    return pl.Series(values=list(p.header.classes), dtype=pl.String).gather(likeliest(_probability(p)[rows]))


def _effect(judged: _Judged) -> Estimate:
    p, groups = judged.rows, judged.rows.group_codes
    if p.header.task is Task.CLASSIFICATION:
        return wrong_share(p.target_codes, _probability(p), groups)
    share = len(judged.listed) / len(p)
    interval = wilson(share * units_of(len(p), groups), units_of(len(p), groups))
    return Estimate(share, interval.low, interval.high, n=len(p), method="Wilson")


def _times(share: Estimate, n: int) -> Estimate:
    return Estimate(share.value * n, share.low * n, share.high * n, share.level, share.n, share.method)


def _title(judged: _Judged, effect: Estimate) -> str:
    n, size = len(judged.rows), len(judged.listed)
    if judged.rows.header.task is Task.REGRESSION:
        return f"The model predicts something far from {size:,} of {n:,} targets"
    wrong = round(effect.value * n)
    return (
        f"The model contradicts {size:,} of {n:,} labels: its own errors, or wrong labels "
        f"(a rough guess: {wrong:,} wrong)"
    )


def _twins(judged: _Judged, dataset: Dataset) -> int:
    """How many listed rows have equal features with a row that carries the suggested label."""
    case = case_of(dataset, judged.rows)
    suggested = likeliest(_probability(judged.rows)[judged.listed])
    labelled = pl.DataFrame({"twin": case.dataset.twin, "code": judged.rows.target_codes})
    listed = pl.DataFrame({"twin": case.dataset.twin[judged.listed], "code": suggested})
    return listed.join(labelled, on=["twin", "code"], how="semi").height


def _fixes(rows: int) -> tuple[Suggestion, ...]:
    return (
        Suggestion(
            FixName.RELABEL,
            "a person who sees the row decides whether the label or the model is wrong",
            f"a person's look at {count(rows, 'row')} and one training",
        ),
        Suggestion(
            FixName.DROP_ROWS,
            "where labels cannot be mended; rows that are merely hard are lost with them",
            "one training",
        ),
        Suggestion(
            FixName.COLLECT,
            "a second label for each shows which of the two was a slip",
            f"{count(rows, 'label')} by somebody else, and one training",
        ),
    )
