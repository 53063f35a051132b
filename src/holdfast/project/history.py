"""`history`: the ratchet. Every release, what it stands on, and who signed it."""

from __future__ import annotations

from dataclasses import replace

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.proof import Proof, ProofOutcome
from holdfast.core.release import History, Refused, Release, Rollback, Stage, Standing, champion_of
from holdfast.errors import DecisionError, suggest
from holdfast.project.chain import PROOF, REFUSED, RELEASE, value_of
from holdfast.project.handle import Project
from holdfast.store.decisions import decisions
from holdfast.store.ledger import entries


def history(project: Project) -> History:
    """What was released, by whom, on what evidence; DecisionError when record or ledger were changed."""
    kept = decisions(project.store)
    entries(project.store)  # what releases stand on is looked at too
    return History(
        stages_of(kept),
        tuple(
            replace(value_of(Refused, one, REFUSED), at=one.at, by=one.by)
            for one in kept
            if one.kind is DecisionKind.REFUSAL
        ),
        tuple(
            (proof.id, f"{proof.fix} for {proof.finding}")
            for one in kept
            if one.kind is DecisionKind.PROOF
            and (proof := value_of(Proof, one, PROOF)).outcome is ProofOutcome.PROVEN
        ),
        len(kept),
        kept[-1].hash if kept else "",
        tuple(rollback_of(one) for one in kept if one.kind is DecisionKind.ROLLBACK),
    )


def rollback_of(decision: Decision) -> Rollback:
    """A decision to roll back, as history tells it."""
    return Rollback(
        decision.subject, str(decision.body.get("to", "")), decision.by, decision.at, decision.why
    )


def champion(project: Project) -> Stage | None:
    """The release that holds now, None before the first."""
    return champion_of(stages(project))


def stages(project: Project) -> tuple[Stage, ...]:
    """Where every release stands, oldest first."""
    return stages_of(decisions(project.store))


def stage_named(stages: tuple[Stage, ...], name: str) -> Stage:
    """The stage of that release; DecisionError with the nearest otherwise."""
    found = [one for one in stages if one.release.id == name]
    if not found:
        known = [one.release.id for one in stages]
        hint = suggest(known[-3:]) or "Nothing has passed the gate yet."
        raise DecisionError(f"There is no release {name!r}. {hint} Propose one: holdfast release RUN")
    return found[0]


def held_before(kept: tuple[Decision, ...]) -> Stage | None:
    """Of the releases that were champion and may be again, the one that was so last."""
    stages = {one.release.id: one for one in stages_of(kept)}
    for one in reversed(kept):
        name = one.subject if one.kind is DecisionKind.APPROVAL else str(one.body.get("to", ""))
        became = one.kind in (DecisionKind.APPROVAL, DecisionKind.ROLLBACK)
        if became and name in stages and stages[name].standing is Standing.FORMER:
            return stages[name]
    return None


def stages_of(kept: tuple[Decision, ...]) -> tuple[Stage, ...]:
    """Where every release stands after these decisions."""
    stages: dict[str, Stage] = {}
    for one in kept:
        match one.kind:
            case DecisionKind.PROPOSAL:
                release = value_of(Release, one, RELEASE)
                stages[release.id] = Stage(release, Standing.PROPOSED, one.by, one.at, one.why)
            case DecisionKind.APPROVAL:
                _move(stages, Standing.CHAMPION, Standing.FORMER)
                stages[one.subject] = _decided(stages[one.subject], Standing.CHAMPION, one)
            case DecisionKind.REJECTION:
                stages[one.subject] = _decided(stages[one.subject], Standing.REJECTED, one)
            case DecisionKind.ROLLBACK:
                _move(stages, Standing.CHAMPION, Standing.ROLLED_BACK)
                back = str(one.body.get("to", ""))
                if back in stages:
                    stages[back] = replace(stages[back], standing=Standing.CHAMPION)
            case _:
                pass
    return tuple(stages.values())


def _move(stages: dict[str, Stage], before: Standing, after: Standing) -> None:
    for name, stage in stages.items():
        if stage.standing is before:
            stages[name] = replace(stage, standing=after)


def _decided(stage: Stage, standing: Standing, decision: Decision) -> Stage:
    return replace(
        stage,
        standing=standing,
        by=decision.by,
        at=decision.at,
        why=decision.why,
        solo=bool(decision.body.get("solo")),
    )
