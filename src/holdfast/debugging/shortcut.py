"""One column that carries the model: importance concentrated in it, far ahead of the rest."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, FixName, Suggestion, Where
from holdfast.core.predictions import Predictions
from holdfast.core.probe import Probe
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.corrected import corrected
from holdfast.debugging.effect import Effect, linear, mean_of
from holdfast.debugging.losses import loss_of
from holdfast.debugging.perturb import shuffled

_SEARCHED, _CONFIRMED = 500, 2_000  # rows at most: to rank the columns, and to judge the first
_FEWEST_ROWS = 50
_MOST_COLUMNS = 200
_FEWEST_COLUMNS = 3  # of two one is always ahead
_TINY = np.finfo(np.float64).tiny
_SHARE, _AHEAD = 0.5, 3.0  # of all importance; times the importance of the second


def shortcut(
    dataset: Dataset, predictions: Predictions, probe: Probe, *, seed: int = 0
) -> tuple[Finding, ...]:
    """A column that holds more than half of all importance, and over 3 times that of the second.

    Permutation importance (Breiman 2001), out of fold: the rise of the mean loss when one
    column's cells are dealt out anew. The columns are ranked on at most 500 search rows; the
    first and the second are judged on at most 2,000 confirm rows. Both conditions are linear in
    the rows' losses and tested one-sided; p is the larger of the two, since both must hold
    (Berger 1982). `effect` is the first column's share of all importance. Columns that tell the same
    share their importance, so a copy of a shortcut hides it: see the redundant columns first.
    """
    case = case_of(dataset, predictions)
    names = [column.name for column in dataset.schema.features][:_MOST_COLUMNS]
    sought = case.sample(_SEARCHED, seed=seed, inside=case.search)
    judged = case.sample(_CONFIRMED, seed=seed, inside=case.confirm)
    if len(names) < _FEWEST_COLUMNS or min(len(sought), len(judged)) < _FEWEST_ROWS:
        return ()
    rises, pairs = _rises(sought, probe, names, seed)
    order = np.argsort(-np.average(rises, axis=0, weights=pairs.weight), kind="stable")
    ranked = [names[j] for j in order]
    return corrected([_concentrated(*_rises(judged, probe, ranked, seed), ranked)])


def _rises(case: Case, probe: Probe, names: list[str], seed: int) -> tuple[np.ndarray, Predictions]:
    """How much the loss rises when a column is shuffled, float64 of shape (pairs, columns).

    Rows swap their cells in pairs, which are the units: a row's loss and that of the row which
    gets its cell vary together, and rows taken by themselves would understate the error. With
    them one row of each pair, with the weight of both.
    """
    order = np.random.default_rng(seed).permutation(len(case))[: len(case) // 2 * 2]
    one, other = order.reshape(2, -1)
    partner = np.arange(len(case))
    partner[one], partner[other] = other, one
    before = probe.held_out(case.dataset)
    after = [probe.held_out(shuffled(case.dataset, name, partner)) for name in names]
    rises = np.stack([answers.loss - before.loss for answers in after], axis=1)
    first = partner > np.arange(len(case))
    second, weight = partner[first], case.weight
    both = weight[first] + weight[second]
    means = (rises[first].T * weight[first] + rises[second].T * weight[second]) / np.maximum(both, _TINY)
    judged = case.predictions.where(first)
    return means.T, replace(judged, table=judged.table.with_columns(weight=both))


def _concentrated(rises: np.ndarray, judged: Predictions, ranked: list[str]) -> Finding:
    """The finding, if it is one, from the `rises` (pairs, columns) of the columns by rank."""
    (first, second), total = ranked[:2], rises.sum(axis=1)
    of_first, of_second = (mean_of(rises[:, j], judged) for j in (0, 1))
    share = _ratio(of_first, mean_of(total, judged))
    p = max(
        mean_of(rises[:, 0] - _SHARE * total, judged).p_above(),
        mean_of(rises[:, 0] - _AHEAD * rises[:, 1], judged).p_above(),
        mean_of(total, judged).p_above(),
    )
    return Finding(
        kind="shortcut",
        title=f"The model hangs on {first}: {share.value:.0%} of all importance, far ahead of {second}",
        where=Where(column=first),
        size=2 * len(judged),
        effect=share,
        effect_of=f"{first}'s share of all permutation importance, in {loss_of(judged).mean}; 1 is all",
        p=p,
        facts={
            f"importance of {first}": of_first.estimate(),
            f"importance of {second}": of_second.estimate(),
            "columns": rises.shape[1],
        },
        fixes=(
            Suggestion(
                FixName.DROP_COLUMN,
                f"see what the other columns know, if {first} may fail or mislead (--ignore {quote(first)})",
                "one training",
            ),
            Suggestion(
                FixName.COLLECT, f"rows in which {first} and the target disagree", "labels and one training"
            ),
        ),
    )


def _ratio(part: Effect, whole: Effect) -> Estimate:
    """The share of one mean in another by the delta method, within [0, 1]; absent without a whole."""
    if not whole.value > 0:
        return Estimate.absent("no column matters", n=whole.rows)
    assert part.influence is not None and whole.influence is not None  # neither has two sides
    value = part.value / whole.value
    influence = (part.influence - value * whole.influence) / whole.value
    share = linear(value, influence, whole.clusters).estimate("confirm rows")
    value, low, high = np.clip([share.value, share.low, share.high], 0.0, 1.0)
    return replace(share, value=float(value), low=float(low), high=float(high))
