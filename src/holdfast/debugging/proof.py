"""Proving a fix on rows that neither it nor the finding has seen.

The weakness must get better on sealed rows, one-sided at the ledger's level (every attempt
is charged); the main metric must be shown no worse than its margin; no guard may fail, and
no other part of the rows may be shown to be harmed. To ask every part to be shown no worse
would leave no power at all, so a part blocks only on harm that survives Holm's correction,
and the undecided ones are listed.

A refusal tells one thing of sealed rows: no. Which claim failed, or by how little, would let
whoever asks often enough put a model together out of what held by chance (from the parts
alone: a model that is no better passes nearly always). What a refusal says besides,
"harmful" and the rows that it would take included, comes from open rows and guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.guard import Checked, GuardStatus
from holdfast.core.predictions import Predictions
from holdfast.core.proof import Claim, ClaimKind, ClaimStatus, ProofOutcome
from holdfast.core.verdict import Outcome, Verdict
from holdfast.debugging.losses import loss_of
from holdfast.stats.multiplicity import holm
from holdfast.stats.power import POWER, rows_for_difference
from holdfast.stats.tails import critical

Compare = Callable[[Predictions, Predictions, str, float], Verdict]
"""(before, after, metric, level) -> the paired verdict, with the metric's default margin."""

NO_REGRESSION = 0.05  # one-sided: main metric and parts
_FEWEST = 30  # rows for a part to be looked at

_UNKNOWN = Estimate.absent("no open rows of the fixed model")


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Predictions of the same rows by the model before a fix and after it."""

    before: Predictions
    after: Predictions

    def where(self, rows: np.ndarray) -> Pair:
        """Both, on the rows of a mask."""
        return Pair(self.before.where(rows), self.after.where(rows))

    def __len__(self) -> int:
        return len(self.before)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One thing to be judged: its name, the metric, and the rows, open and sealed.

    `compare` judges it where the metric alone does not say how.
    """

    name: str
    metric: str
    open: Pair | None
    sealed: Pair
    compare: Compare | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """All that a proof looks at.

    `target` is what the finding is about, `main` the whole model. `parts` are other slices,
    by their query, as masks over the rows of `main.sealed`, and `open_parts` the same over those of
    `main.open`. `level` is one-sided, for the target. `cost` is told of open rows and decides nothing.
    """

    target: Question
    main: Question
    parts: Mapping[str, np.ndarray]
    guards: tuple[Checked, ...]
    level: float
    open_parts: Mapping[str, np.ndarray] = field(default_factory=dict)
    cost: Question | None = None


def prove(trial: Trial, compare: Compare) -> tuple[ProofOutcome, tuple[Claim, ...], str]:
    """The outcome, every claim with what was said of it, and one sentence why.

    Where the fix is not proven, claims and sentence hold nothing of the sealed rows; see `_told`.
    """
    target = _claim(ClaimKind.TARGET, trial.target, trial.level, compare)
    main = _claim(ClaimKind.MAIN, trial.main, NO_REGRESSION, compare)
    return settled(trial, target, main, compare)


def settled(
    trial: Trial, target: Claim, main: Claim, compare: Compare
) -> tuple[ProofOutcome, tuple[Claim, ...], str]:
    """What the two claims come to together with the guards and the other parts; see `prove`."""
    claims = (target, main, *_guards(trial.guards), *_parts(trial, compare))
    outcome, why = _concluded(target, main, claims)
    claims += _cost(trial.cost, compare)
    unsure = _unsure(trial.guards)
    if outcome is ProofOutcome.PROVEN and unsure:
        outcome, why = ProofOutcome.NOT_PROVEN, f"not shown to hold: guard {unsure}"
    return outcome, _told(outcome, claims), why


def _told(outcome: ProofOutcome, claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims as they may be shown: whole where the fix is proven, else by open rows alone.

    Then a status says what open rows show; a margin that is a share of the loss on sealed rows
    is no less a sealed number. Parts of which open rows say nothing are left out.
    """
    if outcome is ProofOutcome.PROVEN:
        return tuple(claims)
    return tuple(
        claim
        if claim.kind in (ClaimKind.GUARD, ClaimKind.COST)
        else replace(claim, status=_in_the_open(claim.open), sealed=None, margin=0.0)
        for claim in claims
        if claim.kind is not ClaimKind.SLICE or claim.open.known
    )


def _in_the_open(seen: Estimate) -> ClaimStatus:
    """Improved or harmed where the whole interval lies on one side of no difference."""
    if not seen.known or seen.low <= 0 <= seen.high:
        return ClaimStatus.UNDECIDED
    return ClaimStatus.IMPROVED if seen.low > 0 else ClaimStatus.HARMED


def judged(verdict: Verdict) -> ClaimStatus:
    """Improved or harmed where the paired test says so; held where the interval lies above the margin."""
    if verdict.outcome is Outcome.BETTER:
        return ClaimStatus.IMPROVED
    if verdict.difference.known and verdict.difference.low > -verdict.margin:
        return ClaimStatus.HELD
    return ClaimStatus.HARMED if verdict.outcome is Outcome.WORSE else ClaimStatus.UNDECIDED


def _claim(kind: ClaimKind, question: Question, level: float, compare: Compare) -> Claim:
    """What sealed rows say at a one-sided level, and how many it takes if open rows are right."""
    sealed, confidence = question.sealed, 1 - 2 * level
    compare = question.compare or compare
    verdict = compare(sealed.before, sealed.after, question.metric, confidence)
    seen, needed = _UNKNOWN, None
    if question.open is not None and len(question.open):
        open_verdict = compare(question.open.before, question.open.after, question.metric, 0.95)
        seen = open_verdict.difference
        # what is to be told from zero; for the whole model, from a loss of the margin
        distance = seen.value if kind is ClaimKind.TARGET else min(seen.value, 0.0) + open_verdict.margin
        needed = _rows_needed(seen, distance, confidence)
    enough = needed is None or needed <= len(sealed)
    return Claim(
        kind, question.name, judged(verdict), seen, verdict.difference, verdict.margin, len(sealed),
        None if enough else needed, "" if question.compare else question.metric,
    )  # fmt: skip


def _rows_needed(seen: Estimate, distance: float, level: float) -> int | None:
    """Rows on which a difference of this size shows with 80 % power, by its spread on open rows.

    None where no number of rows would tell.
    """
    error = (seen.high - seen.low) / 2 / critical(seen.level)
    if not (np.isfinite(error) and distance > 0):
        return None
    return rows_for_difference(error, seen.n, distance, level=level)


def _cost(question: Question | None, compare: Compare) -> tuple[Claim, ...]:
    """What the fix gives away, by open rows."""
    if question is None or question.open is None or not len(question.open):
        return ()
    pair = question.open
    seen = compare(pair.before, pair.after, question.metric, 0.95).difference
    return (Claim(ClaimKind.COST, question.name, _in_the_open(seen), seen, None, 0.0, 0),)


def _guards(checked: Sequence[Checked]) -> list[Claim]:
    """What became of every guard, as claims; they are checked on open rows."""
    said = {
        GuardStatus.PASSED: ClaimStatus.HELD,
        GuardStatus.FAILED: ClaimStatus.HARMED,
        GuardStatus.UNDECIDED: ClaimStatus.UNDECIDED,
        GuardStatus.NOT_RUN: ClaimStatus.UNDECIDED,
    }
    return [
        Claim(ClaimKind.GUARD, one.guard.name, said[one.status], one.estimate or _UNKNOWN, None, 0.0, 0)
        for one in checked
    ]


def _unsure(checked: Sequence[Checked]) -> str:
    """Guards that had the power to show that nothing got worse, and do not, by name."""
    undecided = [one.guard for one in checked if one.status is GuardStatus.UNDECIDED]
    return ", ".join(guard.name for guard in undecided if (guard.power or 0.0) >= POWER)


def _parts(trial: Trial, compare: Compare) -> list[Claim]:
    """What sealed rows say of every other part that has enough of them, and open rows beside."""
    sealed = trial.main.sealed
    asked = [(query, rows) for query, rows in trial.parts.items() if rows.sum() >= _FEWEST]
    if not asked:
        return []
    metric = loss_of(sealed.before).metric
    verdicts = [
        compare(sealed.before.where(rows), sealed.after.where(rows), metric, 1 - 2 * NO_REGRESSION)
        for _, rows in asked
    ]
    harmed = holm(np.array([_one_sided(verdict) for verdict in verdicts])) <= NO_REGRESSION
    claims = []
    for (query, rows), verdict, bad in zip(asked, verdicts, harmed, strict=True):
        status = ClaimStatus.HARMED if bad else judged(verdict)
        status = ClaimStatus.UNDECIDED if status is ClaimStatus.HARMED and not bad else status
        seen = _part_in_the_open(trial, query, len(asked), compare)
        claims.append(
            Claim(ClaimKind.SLICE, query, status, seen, verdict.difference, verdict.margin, int(rows.sum()))
        )
    return claims


def _part_in_the_open(trial: Trial, query: str, parts: int, compare: Compare) -> Estimate:
    """The difference in a part on open rows, with an interval that holds for all parts at once."""
    pair, rows = trial.main.open, trial.open_parts.get(query)
    if pair is None or rows is None or rows.sum() < _FEWEST:
        return _UNKNOWN
    seen = pair.where(rows)
    level = 1 - 2 * NO_REGRESSION / parts
    return compare(seen.before, seen.after, loss_of(pair.before).metric, level).difference


def _one_sided(verdict: Verdict) -> float:
    """The p-value of "not worse" against "worse"."""
    if not verdict.difference.known:
        return 1.0
    return verdict.p / 2 if verdict.difference.value < 0 else 1 - verdict.p / 2


def _concluded(target: Claim, main: Claim, claims: Sequence[Claim]) -> tuple[ProofOutcome, str]:
    """The outcome that the claims have together, and why, which tells no more of sealed rows than `_told`."""
    failed = [c for c in claims if c.kind is ClaimKind.GUARD and c.status is ClaimStatus.HARMED]
    others = [c for c in claims if c.kind is not ClaimKind.GUARD]
    met = (
        target.status is ClaimStatus.IMPROVED
        and main.status in (ClaimStatus.IMPROVED, ClaimStatus.HELD)
        and not any(c.status is ClaimStatus.HARMED for c in others)
    )
    if met and not failed:
        return ProofOutcome.PROVEN, f"{target.name} is better on sealed rows, and {main.name} is no worse"
    harmed = [*failed, *(c for c in others if _in_the_open(c.open) is ClaimStatus.HARMED)]
    if harmed:
        named = "; ".join(f"{claim.kind} {claim.name}" for claim in harmed[:3])
        return ProofOutcome.HARMFUL, f"shown to be worse on open rows: {named}"
    more = max(c.needed - c.rows if c.needed else 0 for c in (target, main))
    return ProofOutcome.NOT_PROVEN, (
        f"{target.rows:,} sealed rows do not show all of it: {target.name} better, {main.name} no worse, "
        "no other part harmed" + (f"; about {more:,} more would tell, were open rows right" if more else "")
    )
