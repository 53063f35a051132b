"""Everything that a model card and a reviewer's page say, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, Findings
from holdfast.core.proof import Proof
from holdfast.core.release import GuardSaid, History, Stage, Standing
from holdfast.core.report_facts import DataFacts, Price
from holdfast.core.run import Cost, RunRecord


@dataclass(frozen=True, slots=True)
class Declared:
    """What a model's owner says of it in holdfast.toml; "" where nothing is said.

    `license` and `data_license` are short names ("apache-2.0"), `language` a code ("en").
    """

    license: str = ""
    data_license: str = ""
    intended_use: str = ""
    limits: str = ""
    contact: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class GroupRates:
    """One rate of a model in every group of a sensitive column, and how far the groups lie apart.

    `gap` is the largest less the smallest, 0 is best; `undecided` are groups too small to compare.
    """

    column: str
    rate: str
    groups: Mapping[str, Estimate]
    gap: Estimate
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CardFacts:
    """The facts of one model for those who decide on it, or use it.

    `scores` and `by_class` are on open rows, out of fold; `lower_is_better` names the metrics
    of which less is better. `stage` is the release of this run, None where it was never
    put to the gate. `fixes` are the proven fixes that the model carries, oldest first.
    `findings` were found in this run, or in the one before its fixes (`findings.run` says which);
    None where nobody looked. `training` is what fitting all runs of its training cost.
    `solo` says that an author may approve their own release. `commands` make the model again.
    """

    title: str
    created: str
    version: str
    data: DataFacts
    record: RunRecord
    history: History = field(default_factory=lambda: History(()))
    stage: Stage | None = None
    scores: Mapping[str, Estimate] = field(default_factory=dict)
    lower_is_better: frozenset[str] = frozenset()
    by_class: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    fairness: tuple[GroupRates, ...] = ()
    guards: tuple[GuardSaid, ...] = ()
    fixes: tuple[Proof, ...] = ()
    findings: Findings | None = None
    declared: Declared = field(default_factory=Declared)
    training: Cost = field(default_factory=Cost)
    price: Price | None = None
    solo: bool = False
    commands: tuple[str, ...] = ()

    @property
    def left_open(self) -> tuple[Finding, ...]:
        """The findings that no fix in this model answers."""
        answered = {proof.finding for proof in self.fixes}
        return tuple(one for one in self.findings or () if one.id not in answered)

    @property
    def held(self) -> Stage | None:
        """The champion that this run's release was held against, None for a constant."""
        if self.stage is None or not self.stage.release.champion:
            return None
        run, own = self.stage.release.champion, self.stage.release.id
        found = [one for one in self.history.stages if one.release.run == run and one.release.id != own]
        approved = (Standing.CHAMPION, Standing.FORMER, Standing.ROLLED_BACK)
        return next((one for one in reversed(found) if one.standing in approved), None)
