"""The gate: may this model take the champion's place?

One decision at the ledger's level. A candidate passes when it is better than the champion,
or when it carries a proven fix, is shown no worse than the margin, and scores no lower on
the same sealed rows: the ratchet may rise a slice at a time, and never turns back. Guards
come first, on open rows, and cost no decision.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.core.guard import Checked, GuardStatus
from holdfast.core.verdict import Outcome, Verdict
from holdfast.core.wording import as_written


def failed(checked: Sequence[Checked]) -> tuple[Checked, ...]:
    """The guards that stop a model."""
    return tuple(one for one in checked if one.status is GuardStatus.FAILED)


def passes(verdict: Verdict, *, carries_proof: bool) -> str:
    """Why the candidate passes, "" where it does not.

    `verdict` is the candidate against the champion on sealed rows, at level 1 - 2 alpha / M.
    """
    if verdict.outcome is Outcome.BETTER:
        return f"better than {verdict.first} on {as_written(verdict.metric)}"
    difference = verdict.difference
    no_worse = difference.known and difference.value >= 0 and difference.low > -verdict.margin
    if carries_proof and no_worse:
        return f"carries a proven fix, and is no worse than {verdict.first} on {as_written(verdict.metric)}"
    return ""
