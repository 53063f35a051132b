"""Several models on the same examples: all pairs, with Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.comparison.align import align, names_of
from holdfast.comparison.difference import Difference, Question, Setting, verdict
from holdfast.comparison.families import differences
from holdfast.comparison.paired import margin_of, metric_of
from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.core.verdict import Outcome, Verdict
from holdfast.core.wording import in_columns
from holdfast.errors import PredictionsError
from holdfast.metrics import AnyMetric, Metric, evaluate
from holdfast.stats.letters import letters
from holdfast.stats.multiplicity import holm

_MANY_PAIRS = 100


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """Models from best to worst, with a verdict on every pair.

    Each verdict is on the worse-ranked (second) against the better-ranked (first), its
    p-value corrected by Holm over all pairs. Models that share a letter are not told apart.
    """

    metric: str
    greater_is_better: bool
    names: tuple[str, ...]
    scores: tuple[Estimate, ...]
    letters: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    n: int
    given_first: str

    @property
    def against_given_first(self) -> dict[str, Outcome]:
        """What is said of every other model against the one that was given first, whoever ranks better."""
        first = self.given_first
        later = {v.second: v.outcome for v in self.verdicts if v.first == first}
        return later | {v.first: v.outcome.reversed for v in self.verdicts if v.second == first}

    def between(self, first: str, second: str) -> Verdict:
        """The verdict on a pair; `first` is the one that ranks better."""
        return next(v for v in self.verdicts if (v.first, v.second) == (first, second))

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        scores = map(str, self.scores)
        return "\n".join(in_columns(list(zip(self.letters, self.names, scores, strict=True))))


def compare_all(
    predictions: Sequence[Predictions],
    *,
    metric: AnyMetric | None = None,
    margin: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Every pair of models, each called by its header's model name; see `compare`.

    A default margin of 2 % is of the better-ranked model's value, pair by pair.
    """
    if len(predictions) < 2:
        raise PredictionsError(f"A comparison needs at least two models, not {len(predictions)}.")
    names = names_of(predictions)
    aligned = align(predictions, names)
    return compare_aligned(aligned, metric_of(aligned, metric), margin=margin, level=level, seed=seed)


def compare_aligned(
    aligned: Sequence[Predictions], chosen: Metric, *, margin: float | None, level: float, seed: int
) -> Comparison:
    """`compare_all` for named models that are aligned already, one of them or more."""
    names = names_of(aligned)
    scores = [evaluate(p, chosen, level=level, seed=seed) for p in aligned]
    order = _best_first([score.value for score in scores], chosen)
    ranked = [aligned[k] for k in order]
    margins = [margin_of(chosen, p, margin) for p in ranked]
    pairs = np.stack(np.triu_indices(len(ranked), 1), axis=1)
    setting = Setting(level, seed, replicates=10_000 if len(pairs) <= _MANY_PAIRS else 2_000)
    found = differences(chosen, ranked, pairs, setting) if len(pairs) else []
    called = [names[k] for k in order]
    verdicts = _verdicts(found, pairs, called, margins, Question(chosen.name, 0.0, level, len(ranked[0])))
    return Comparison(
        metric=chosen.name,
        greater_is_better=chosen.greater_is_better,
        names=tuple(called),
        scores=tuple(scores[k] for k in order),
        letters=tuple(letters(_apart(verdicts, pairs, len(ranked)))),
        verdicts=tuple(verdicts),
        n=len(ranked[0]),
        given_first=names[0],
    )


def _best_first(values: Sequence[float], metric: Metric) -> list[int]:
    """Positions from the best value to the worst, ties in the given order, unknown values last."""
    oriented = np.array(values) if metric.greater_is_better else -np.array(values)
    return [int(k) for k in np.argsort(np.where(np.isnan(oriented), np.inf, -oriented), kind="stable")]


def _verdicts(
    found: Sequence[Difference],
    pairs: np.ndarray,
    names: Sequence[str],
    margins: Sequence[float],
    question: Question,
) -> list[Verdict]:
    corrected = holm(np.array([difference.p for difference in found]))
    return [
        verdict(
            replace(question, margin=margins[i], comparisons=len(pairs)),
            difference,
            float(p),
            (names[i], names[j]),
        )
        for difference, p, (i, j) in zip(found, corrected, pairs, strict=True)
    ]


def _apart(verdicts: Sequence[Verdict], pairs: np.ndarray, m: int) -> np.ndarray:
    told = [v.outcome in (Outcome.BETTER, Outcome.WORSE) for v in verdicts]
    apart = np.zeros((m, m), dtype=bool)
    apart[pairs[:, 0], pairs[:, 1]] = told
    return apart | apart.T
