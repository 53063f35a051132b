"""Judging a change of labels by labels that it did not choose.

A model that was trained on corrected labels looks worse on rows whose labels are still wrong,
and better on rows that its own predecessor picked for correction. So sealed rows are looked
at blind: of the quarter that the models trust least and of the others a random part each, which
together say what the mean loss would be were every label looked at (`stats.rectified`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from holdfast.core.estimate import Estimate
from holdfast.core.judged import corrected, judged_by
from holdfast.core.predictions import Predictions
from holdfast.core.proof import Claim, ClaimKind, ProofOutcome
from holdfast.core.task import Task
from holdfast.core.verdict import Outcome, Verdict
from holdfast.debugging.proof import (
    NO_REGRESSION,
    Compare,
    Pair,
    Trial,
    judged,
    settled,
)
from holdfast.errors import FixError
from holdfast.stats.influence import units_of
from holdfast.stats.interval import normal
from holdfast.stats.rectified import rectified_mean
from holdfast.stats.tails import standardised, two_sided

UNJUDGED = Estimate.absent("open labels are what was changed, so they cannot judge the change")
_FEWEST = 20  # looked-at rows of each kind
_SUSPECT = 0.25  # of the sealed rows: those whose labels the models trust least
_SUSPECTS, _OTHERS = 800, 400  # of those and of the other rows, on a sheet: a day's work at most
_MARGIN = 0.02  # of the loss before, as comparisons of losses have it


def suspect(pair: Pair) -> np.ndarray:
    """The quarter of the rows whose given labels the models trust least, bool of shape (n,).

    A fixed share, so that the length of a sheet tells nothing of the sealed labels.
    """
    doubt = np.maximum(_doubt(pair.before), _doubt(pair.after))
    found = np.zeros(len(pair), dtype=bool)
    found[np.argsort(-doubt, kind="stable")[: max(1, round(_SUSPECT * len(pair)))]] = True
    return found


def _doubt(p: Predictions) -> np.ndarray:
    """How little a model trusts each given label, float64 of shape (n,)."""
    if p.header.task is Task.REGRESSION:
        return np.asarray(np.abs(p.target_values - p.prediction_values))
    assert p.probability is not None  # a model of ours gives them
    return np.asarray(-p.probability[np.arange(len(p)), p.target_codes].astype(np.float64))


def to_review(pair: Pair) -> pl.Series:
    """The ids to be looked at, in a random order: a fair sample of either kind."""
    rng = np.random.default_rng(0)
    inside = suspect(pair)
    chosen = [rng.permutation(np.flatnonzero(inside))[:_SUSPECTS]]
    chosen.append(rng.permutation(np.flatnonzero(~inside))[:_OTHERS])
    return pair.before.example.gather(rng.permutation(np.concatenate(chosen)))


def relabelled(pair: Pair, labels: Mapping[str, str]) -> Pair:
    """Both models judged by the labels that were looked at; the other rows keep theirs."""
    target = corrected(pair.before.example, pair.before.table["target"], labels)
    return Pair(judged_by(pair.before, target), judged_by(pair.after, target))


def judge_labels(pair: Pair, labels: Mapping[str, str], level: float) -> Verdict:
    """Is the model after better, by (weighted) mean loss, on labels as reviewers see them?

    `labels` are by example id, of a sheet that `to_review` made. FixError where too few were
    looked at. Positive = better; the test is Student's on the rectified mean difference.
    """
    seen_so = relabelled(pair, labels)
    given = pair.before.loss - pair.after.loss
    seen = pair.before.example.is_in(list(labels)).to_numpy()
    exact = np.where(seen, seen_so.before.loss - seen_so.after.loss, np.nan)
    stratum = suspect(pair).astype(np.int64)
    for code, kind in enumerate(("that the models trust", "that they trust least")):
        rows = int((stratum == code).sum())
        looked = int((seen & (stratum == code)).sum())
        if looked < min(_FEWEST, rows):
            raise FixError(
                f"Of the sealed rows {kind}, {looked:,} were looked at, and at least {_FEWEST} are needed "
                "to judge the change of labels. Go on with the review."
            )
    groups = pair.before.group_codes
    weight = pair.before.weight
    value, error = rectified_mean(given, exact, stratum, groups, weight)
    df = units_of(int(seen.sum()), groups[seen] if groups is not None else None) - 1
    interval = normal(value, error, level, df=df)
    p = float(two_sided(standardised(value, error), df))
    margin = _MARGIN * float(np.average(seen_so.before.loss, weights=weight))
    method = f"rectified mean, {int(seen.sum()):,} rows looked at"
    estimate = Estimate(value, interval.low, interval.high, level, len(pair), method)
    outcome = Outcome.of(estimate, margin)
    return Verdict(outcome, estimate, p, margin, "loss", method, None, "before", "after")


def prove_labels(
    trial: Trial, labels: Mapping[str, str], compare: Compare
) -> tuple[ProofOutcome, tuple[Claim, ...], str]:
    """`proof.prove` for a change of labels: the mean loss on labels as reviewers see them.

    The other parts are judged by the labels that were looked at, and where nobody looked by
    the given ones.
    """
    seen = trial.main.sealed
    strict = judge_labels(seen, labels, 1 - 2 * trial.level)
    loose = judge_labels(seen, labels, 1 - 2 * NO_REGRESSION)
    target = Claim(
        ClaimKind.TARGET, "mean loss on reviewed labels", judged(strict), UNJUDGED, strict.difference,
        strict.margin, len(seen),
    )  # fmt: skip
    main = replace(target, kind=ClaimKind.MAIN, status=judged(loose), sealed=loose.difference)
    known = replace(trial, main=replace(trial.main, open=None, sealed=relabelled(seen, labels)))
    return settled(known, target, main, compare)
