"""Signing off: `approve`, `reject` and `rollback` are a named person's word, and why."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.release import Release, Rollback, Stage, Standing, champion_of
from holdfast.errors import DecisionError
from holdfast.project.handle import Project, home_of
from holdfast.project.history import held_before, rollback_of, stage_named, stages, stages_of
from holdfast.store.decisions import append_decision, decisions


def approve(release: Release | str, *, reviewer: str, why: str, project: str | Path | Project = ".") -> Stage:
    """A reviewer's word: the release becomes the champion.

    DecisionError when it does not wait for review, when the reviewer is its author (unless the
    project is set to solo, which is recorded), when no reason is given, or when another
    champion came in between.
    """
    return _decide(home_of(project), DecisionKind.APPROVAL, _id(release), reviewer, why)


def reject(release: Release | str, *, reviewer: str, why: str, project: str | Path | Project = ".") -> Stage:
    """A reviewer's no, with the reason; see `approve` for what is refused."""
    return _decide(home_of(project), DecisionKind.REJECTION, _id(release), reviewer, why)


def rollback(project: Project, *, reviewer: str, why: str, to: str | None = None) -> Rollback:
    """The release that was champion before, or that one, is champion again; recorded with who and why."""
    _check_said(reviewer, why)

    def allow(kept: tuple[Decision, ...]) -> None:
        if _target(kept, to) != target:
            raise DecisionError("Another decision came in between. Look again: holdfast history")

    kept = decisions(project.store)
    target, now = _target(kept, to), champion_of(stages_of(kept))
    assert now is not None  # `_target` has looked
    body = {"to": target}
    decision = Decision(DecisionKind.ROLLBACK, now.release.id, reviewer.strip(), why.strip(), body)
    return rollback_of(append_decision(project.store, decision, allow=allow))


def _id(release: Release | str) -> str:
    return release if isinstance(release, str) else release.id


def _target(kept: tuple[Decision, ...], to: str | None) -> str:
    """The release to go back to; DecisionError where there is none."""
    known = stages_of(kept)
    if champion_of(known) is None:
        raise DecisionError("Nothing is released, so there is nothing to roll back.")
    if to is None:
        before = held_before(kept)
        if before is None:
            raise DecisionError("There is no champion before this one to go back to.")
        return before.release.id
    stage = stage_named(known, to)
    if stage.standing not in (Standing.FORMER, Standing.ROLLED_BACK):
        raise DecisionError(f"{to} {_is(stage)}, so it cannot be gone back to.")
    return to


def _decide(project: Project, kind: DecisionKind, name: str, reviewer: str, why: str) -> Stage:
    _check_said(reviewer, why)
    solo = project.settings.solo

    def allow(kept: tuple[Decision, ...]) -> None:
        known = stages_of(kept)
        stage = stage_named(known, name)
        if stage.standing is not Standing.PROPOSED:
            raise DecisionError(f"{name} {_is(stage)}, so it cannot be decided again.")
        author = stage.release.author
        if _one_person(reviewer, author) and not solo:
            raise DecisionError(
                f"{author} put {name} to the gate, and another person must decide on it. Or let authors "
                "decide, which is recorded: in holdfast.toml under [review], solo = true"
            )
        held = champion_of(known)
        if kind is DecisionKind.APPROVAL and (held.release.run if held else "") != stage.release.champion:
            raise DecisionError(
                f"{name} was held against {stage.release.champion or 'no champion'}, and another run is the "
                f"champion now. Put it to the gate again: holdfast release {stage.release.run}"
            )

    stage = stage_named(stages(project), name)
    alone = _one_person(reviewer, stage.release.author)
    decision = Decision(kind, name, reviewer.strip(), why.strip(), {"solo": alone, "run": stage.release.run})
    append_decision(project.store, decision, allow=allow)
    return stage_named(stages(project), name)


def _one_person(first: str, second: str) -> bool:
    """Whether two names are one, but for case, blanks and signs that nobody sees."""

    def seen(name: str) -> str:
        plain = unicodedata.normalize("NFKC", name)
        return "".join(c for c in plain if c.isprintable() and not c.isspace()).casefold()

    return seen(first) == seen(second)


def _check_said(reviewer: str, why: str) -> None:
    if not reviewer.strip() or not why.strip():
        raise DecisionError("A decision has a name and a reason: --as NAME --why 'what you looked at'")


def _is(stage: Stage) -> str:
    by = f" (by {stage.by}, {stage.at[:10]}: {stage.why})" if stage.by else ""
    return f"is {stage.standing}{by}" if stage.standing is not Standing.PROPOSED else "waits for review"
