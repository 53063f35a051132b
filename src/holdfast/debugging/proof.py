"""Proving a fix on rows that neither it nor the finding has seen.

The weakness must get better on sealed rows, one-sided at the ledger's level (every attempt
is charged); the main metric must be shown no worse than its margin; no guard may fail, and
no other part of the rows may be shown to be harmed. To ask every part to be shown no worse
would leave no power at all, so a part blocks only on harm that survives Holm's correction,
and the undecided ones are listed. What open rows say of the fix stands beside, since a
refusal shows no sealed number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.core.estimate import Estimate
from holdfast.core.guard import Checked, GuardStatus
from holdfast.core.predictions import Predictions
from holdfast.core.proof import Claim, ClaimKind, ClaimStatus, ProofOutcome
from holdfast.core.verdict import Outcome, Verdict
from holdfast.stats.multiplicity import holm

Compare = Callable[[Predictions, Predictions, str, float], Verdict]
"""(before, after, metric, level) -> the paired verdict, with the metric's default margin."""

NO_REGRESSION = 0.05  # one-sided: main metric and parts
_FEWEST = 30  # sealed rows for a part to be looked at
_LISTED = 5  # undecided parts in the table

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
    """One thing to be judged: its name, the metric, and the rows, open and sealed."""

    name: str
    metric: str
    open: Pair | None
    sealed: Pair


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """All that a proof looks at.

    `target` is what the finding is about, `main` the whole model. `parts` are other slices,
    by their query, as masks over the rows of `main.sealed`. `level` is one-sided, for the target.
    """

    target: Question
    main: Question
    parts: Mapping[str, np.ndarray]
    guards: tuple[Checked, ...]
    level: float


def prove(trial: Trial, compare: Compare) -> tuple[ProofOutcome, tuple[Claim, ...], str]:
    """The outcome, every claim with what was said of it, and one sentence why.

    Sealed numbers are in the claims only where the fix is proven.
    """
    target = _target(trial, compare)
    main = _main(trial, compare)
    claims = (target, main, *_guards(trial.guards), *_parts(trial, compare))
    outcome, why = _outcome(target, main, claims)
    if outcome is not ProofOutcome.PROVEN:
        claims = tuple(replace(claim, sealed=None) for claim in claims)
    return outcome, claims, why


def judged(verdict: Verdict) -> ClaimStatus:
    """Improved or harmed where the paired test says so; held where the interval lies above the margin."""
    if verdict.outcome is Outcome.BETTER:
        return ClaimStatus.IMPROVED
    if verdict.difference.known and verdict.difference.low > -verdict.margin:
        return ClaimStatus.HELD
    return ClaimStatus.HARMED if verdict.outcome is Outcome.WORSE else ClaimStatus.UNDECIDED


def _target(trial: Trial, compare: Compare) -> Claim:
    question = trial.target
    verdict = compare(question.sealed.before, question.sealed.after, question.metric, 1 - 2 * trial.level)
    status = judged(verdict)
    if status is ClaimStatus.HARMED or _shown_worse(question, compare):
        status = ClaimStatus.HARMED
    return _claim(ClaimKind.TARGET, question, verdict, status, compare)


def _shown_worse(question: Question, compare: Compare) -> bool:
    """A fix that makes its own target worse is harmful at the ordinary level, not at the ledger's."""
    verdict = compare(question.sealed.before, question.sealed.after, question.metric, 1 - 2 * NO_REGRESSION)
    return judged(verdict) is ClaimStatus.HARMED


def _main(trial: Trial, compare: Compare) -> Claim:
    question = trial.main
    verdict = compare(question.sealed.before, question.sealed.after, question.metric, 1 - 2 * NO_REGRESSION)
    return _claim(ClaimKind.MAIN, question, verdict, judged(verdict), compare)


def _claim(
    kind: ClaimKind, question: Question, verdict: Verdict, status: ClaimStatus, compare: Compare
) -> Claim:
    seen = _UNKNOWN
    if question.open is not None and len(question.open):
        seen = compare(question.open.before, question.open.after, question.metric, 0.95).difference
    needed = verdict.n_needed if status is ClaimStatus.UNDECIDED else None
    return Claim(
        kind, question.name, status, seen, verdict.difference, verdict.margin, len(question.sealed), needed
    )


def _guards(checked: Sequence[Checked]) -> list[Claim]:
    said = {
        GuardStatus.PASSED: ClaimStatus.HELD,
        GuardStatus.FAILED: ClaimStatus.HARMED,
        GuardStatus.UNDECIDED: ClaimStatus.UNDECIDED,
        GuardStatus.NOT_RUN: ClaimStatus.UNDECIDED,
    }
    return [
        Claim(ClaimKind.GUARD, one.guard.name, said[one.status], _UNKNOWN, one.estimate, 0.0, 0)
        for one in checked
    ]


def _parts(trial: Trial, compare: Compare) -> list[Claim]:
    """The parts that are harmed, and those of which the least is known."""
    sealed = trial.main.sealed
    asked = [(query, rows) for query, rows in trial.parts.items() if rows.sum() >= _FEWEST]
    if not asked:
        return []
    metric = "loss"
    verdicts = [
        compare(sealed.before.where(rows), sealed.after.where(rows), metric, 1 - 2 * NO_REGRESSION)
        for _, rows in asked
    ]
    worse = np.array([_one_sided(verdict) for verdict in verdicts])
    harmed = holm(worse) <= NO_REGRESSION
    claims = []
    for (query, rows), verdict, bad in zip(asked, verdicts, harmed, strict=True):
        status = ClaimStatus.HARMED if bad else judged(verdict)
        status = ClaimStatus.UNDECIDED if status is ClaimStatus.HARMED and not bad else status
        needed = verdict.n_needed if status is ClaimStatus.UNDECIDED else None
        claims.append(
            Claim(
                ClaimKind.SLICE, query, status, _UNKNOWN, verdict.difference, verdict.margin,
                int(rows.sum()), needed,
            )  # fmt: skip
        )
    return claims


def _one_sided(verdict: Verdict) -> float:
    """The p-value of "not worse" against "worse"."""
    if not verdict.difference.known:
        return 1.0
    return verdict.p / 2 if verdict.difference.value < 0 else 1 - verdict.p / 2


def _outcome(target: Claim, main: Claim, claims: Sequence[Claim]) -> tuple[ProofOutcome, str]:
    harmed = [claim for claim in claims if claim.status is ClaimStatus.HARMED]
    if harmed:
        named = "; ".join(f"{claim.kind} {claim.name}" for claim in harmed[:3])
        return ProofOutcome.HARMFUL, f"shown to be worse: {named}"
    if target.status is not ClaimStatus.IMPROVED:
        return ProofOutcome.NOT_PROVEN, _not_shown(target)
    if main.status is ClaimStatus.UNDECIDED:
        more = f"; about {main.needed - main.rows:,} more sealed rows would tell" if main.needed else ""
        return (
            ProofOutcome.NOT_PROVEN,
            f"{main.name} on all rows is not shown to be within its margin of {main.margin:.3g}{more}",
        )
    return ProofOutcome.PROVEN, f"{target.name} is better on sealed rows, and {main.name} is no worse"


def _not_shown(target: Claim) -> str:
    if target.status is ClaimStatus.HELD:
        return f"{target.name} is not shown to be better, and is no worse than its margin of {target.margin:.3g}"
    more = f"; about {target.needed - target.rows:,} more sealed rows would tell" if target.needed else ""
    return f"{target.name} is not shown to be better on {target.rows:,} sealed rows{more}"
