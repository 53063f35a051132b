"""What happened to a project's releases, one step after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.estimate import Estimate
from holdfast.core.release import History, Refused, Rollback, Stage, Standing
from holdfast.report import words
from holdfast.report.charts.frame import Row

RELEASED, BY_HAND = "released", "by hand"  # by hand: against the gate's word, or back
WAITS, REJECTED, REFUSED = "waits", "rejected", "turned away"
_WAS_CHAMPION = (Standing.CHAMPION, Standing.FORMER, Standing.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: its kind, what it is called, its score, and whose word it was.

    `stands` says that from here on this score is the champion's; `again` is the one of the
    champion before, measured again on the same rows by the same labels.
    """

    kind: str
    name: str
    at: str
    score: Estimate | None
    stands: bool
    said: str
    row: Row
    again: float | None = None


def steps_of(history: History, metric: str) -> list[Step]:
    """All that happened, oldest first, as far as it can be drawn on the metric's axis."""
    drawn = [one for one in history.stages if one.release.metric == metric and one.release.score.known]
    by_id = {one.release.id: one for one in drawn}
    proven = dict(history.proven)
    steps = [
        *(_of_stage(one, proven) for one in drawn),
        *(_of_refusal(one) for one in history.refused),
        *(_of_rollback(one, by_id[one.to]) for one in history.rollbacks if one.to in by_id),
    ]
    return sorted(steps, key=lambda step: step.at)


def _of_stage(one: Stage, proven: Mapping[str, str]) -> Step:
    release, stands = one.release, one.standing in _WAS_CHAMPION
    by_hand = bool(release.overrode) or one.standing is Standing.ROLLED_BACK
    said = f"overridden\nby {words.short(release.overrode, 16)}" if release.overrode else ""
    kind = BY_HAND if by_hand else RELEASED
    if not stands:
        waits = one.standing is Standing.PROPOSED
        kind = WAITS if waits else REJECTED
        said = said or ("" if waits else f"rejected\nby {words.short(one.by, 16)}")
    fixes = "; ".join(words.clean(proven.get(name, name)) for name in release.fixes)
    about: Row = {
        "run": words.clean(release.run),
        "stands": str(one.standing)
        + (f", overridden by {words.clean(release.overrode)}" if by_hand and said else ""),
        "by": words.clean(one.by) + (" (solo)" if one.solo else ""),
        "why": words.short(one.why, 120),
        "fixes": fixes or "none",
    }
    again = release.champion_score if release.champion else None
    return Step(
        kind, release.id, one.at, release.score, stands, said, about, None if again is None else again.value
    )


def _of_refusal(one: Refused) -> Step:
    why = "guards failed" if one.guards else "the sealed rows said no"
    about: Row = {
        "run": words.clean(one.run), "stands": "turned away by the gate", "by": words.clean(one.by),
        "why": why, "fixes": "",
    }  # fmt: skip
    return Step(REFUSED, "turned away", one.at, None, False, "", about)


def _of_rollback(one: Rollback, back: Stage) -> Step:
    about: Row = {
        "run": words.clean(back.release.run),
        "stands": f"back to {words.clean(one.to)} from {words.clean(one.left)}",
        "by": words.clean(one.by), "why": words.short(one.why, 120), "fixes": "",
    }  # fmt: skip
    said = f"rolled back\nby {words.short(one.by, 16)}"
    return Step(BY_HAND, "rolled back", one.at, back.release.score, True, said, about)
