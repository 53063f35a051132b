"""Several models on the same rows, ranked with what is known of their differences."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.core.estimate import Estimate
from holdfast.core.run import Cost
from holdfast.core.verdict import Verdict
from holdfast.core.wording import as_written, count, in_columns


@dataclass(frozen=True, slots=True)
class Entry:
    """One model's place.

    Models that share a letter are not told apart; `against_best` is the verdict on this
    model (second) against the best one (first), None for the best itself.
    """

    name: str
    score: Estimate
    letters: str
    against_best: Verdict | None
    cost: Cost


@dataclass(frozen=True, slots=True, repr=False)
class Leaderboard:
    """Entries from best to worst on `metric`, out of fold.

    `best` has the best score; `recommended` is the cheapest to run that is shown
    equivalent to it, with the `reason`. `corrected` is the best score with the optimism
    of having been picked removed (bootstrap bias-corrected cross-validation). `warnings`
    say why the scores may not hold in use: they are to be read before the scores are;
    `notes` say what else is to be known of the ranking, such as which runs are not in it.
    """

    metric: str
    greater_is_better: bool
    entries: tuple[Entry, ...]
    best: str
    recommended: str
    reason: str
    corrected: Estimate
    verdicts: tuple[Verdict, ...] = ()
    n: int = 0
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Entry:
        return next(entry for entry in self.entries if entry.name == name)

    def __repr__(self) -> str:
        direction = "higher" if self.greater_is_better else "lower"
        rows = [
            (
                ("*" if entry.name == self.best else "") + (">" if entry.name == self.recommended else ""),
                entry.name,
                str(entry.score),
                entry.letters,
                "best" if entry.against_best is None else entry.against_best.outcome.value,
            )
            for entry in self.entries
        ]
        return "\n".join(
            [
                f"{as_written(self.metric)}, {direction} is better; {count(self.n, 'row')}, out of fold",
                *in_columns(rows),
                f"> recommended: {self.reason or self.recommended}",
                *self.notes,
                *(f"! {said}" for said in self.warnings),
            ]
        )
