"""Runs ranked by their out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from holdfast.comparison.align import align, names_of
from holdfast.comparison.families import scored
from holdfast.comparison.many import Comparison, compare_aligned
from holdfast.comparison.optimism import corrected
from holdfast.comparison.paired import compare, metric_of
from holdfast.core.leaderboard import Entry, Leaderboard
from holdfast.core.predictions import Predictions
from holdfast.core.run import Cost, Run
from holdfast.core.verdict import Outcome, Verdict
from holdfast.errors import PredictionsError, some
from holdfast.metrics import AnyMetric

MUCH_FASTER = 1.5
"""From this ratio on a model is cheaper to run than another: one timing of the same model may differ
from the next by a third, so that a smaller ratio is the machine's mood and no reason to give up score."""


def leaderboard(
    runs: Sequence[Run],
    *,
    metric: AnyMetric | None = None,
    margin: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Leaderboard:
    """The runs from best to worst on their (open, out-of-fold) predictions.

    `recommended` is the best, unless a run that predicts `MUCH_FASTER` is shown equivalent
    to it, and not worse when just these two are compared; not being told apart is not
    enough. Of several such runs it is the fastest, or a better one that is about as fast.
    Runs without predictions are left out, and a note says so. PredictionsError when no
    run has any, or their examples differ; see `compare`.
    """
    runs, silent = _speaking(runs)
    aligned = align(_predictions(runs), [run.id for run in runs])
    chosen = metric_of(aligned, metric)
    found = compare_aligned(aligned, chosen, margin=margin, level=level, seed=seed)
    costs = {run.id: run.record.cost for run in runs}
    best, of_name = found.names[0], {p.header.model: p for p in aligned}

    def against_best(name: str) -> Verdict:
        return compare(of_name[best], of_name[name], metric=chosen, margin=margin, level=level, seed=seed)

    recommended, reason = _recommend(found, costs, against_best)
    return Leaderboard(
        metric=chosen.name,
        greater_is_better=chosen.greater_is_better,
        entries=_entries(found, costs),
        best=best,
        recommended=recommended,
        reason=reason,
        corrected=corrected(
            found.scores[0], scored(chosen, aligned), greater_is_better=chosen.greater_is_better, seed=seed
        ),
        verdicts=found.verdicts,
        n=found.n,
        warnings=tuple(dict.fromkeys(warning for run in runs for warning in run.record.warnings)),
        notes=(f"Not ranked, for want of predictions: {some(silent, most=5)}.",) if silent else (),
    )


def _speaking(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """The runs that have predictions, and the names of the others."""
    if not runs:
        raise PredictionsError("A leaderboard needs at least one run.")
    silent = [run.id for run in runs if run.predictions is None]
    if len(silent) == len(runs):
        raise PredictionsError(f"These runs have no predictions to rank them by: {some(silent)}.")
    return [run for run in runs if run.predictions is not None], silent


def _predictions(runs: Sequence[Run]) -> list[Predictions]:
    named = [run.predictions.named(run.id) for run in runs if run.predictions is not None]
    names_of(named)
    return named


def _entries(found: Comparison, costs: Mapping[str, Cost]) -> tuple[Entry, ...]:
    best = found.names[0]
    return tuple(
        Entry(name, score, mark, None if name == best else found.between(best, name), costs[name])
        for name, score, mark in zip(found.names, found.scores, found.letters, strict=True)
    )


def _recommend(
    found: Comparison, costs: Mapping[str, Cost], against_best: Callable[[str], Verdict]
) -> tuple[str, str]:
    best, rest = found.names[0], found.names[1:]
    if not rest:
        return best, f"{best} is the only model."
    seconds = {name: costs[name].predict_seconds for name in found.names}
    equivalent = [name for name in rest if found.between(best, name).outcome is Outcome.EQUIVALENT]
    # 0 seconds means that nobody measured.
    faster = [name for name in equivalent if 0 < seconds[name] * MUCH_FASTER <= seconds[best]]
    # Holm over all pairs may forgive what `compare best NAME` does not.
    faster = [name for name in faster if against_best(name).outcome is not Outcome.WORSE]
    if faster:
        least = min(seconds[name] for name in faster)
        # They come in the order of their scores: the first that is about as fast as the fastest.
        name = next(name for name in faster if seconds[name] < least * MUCH_FASTER)
        verdict = found.between(best, name)
        return name, (
            f"{name} is shown equivalent to the best, {best} (difference {verdict.difference}, "
            f"margin {verdict.margin:.4g}), and predicts {seconds[best] / seconds[name]:,.1f} times as fast."
        )
    if equivalent:
        return best, (
            f"{best} has the best score, and no model that is as good predicts at least "
            f"{MUCH_FASTER:g} times as fast."
        )
    return best, f"{best} has the best score, and no other model is shown equivalent to it."
