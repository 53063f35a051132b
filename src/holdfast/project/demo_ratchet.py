"""The second half of the demo: find the planted faults, fix, prove, refuse, sign, release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdfast.core.events import OnEvent
from holdfast.core.finding import Finding, Findings, FixName
from holdfast.core.proof import Proof
from holdfast.core.query import parse_query
from holdfast.core.release import Refused, Release
from holdfast.core.review import Answer
from holdfast.data.read import read_as
from holdfast.data.roles import Overrides
from holdfast.data.simulated import Planted
from holdfast.errors import FindingError
from holdfast.project.card import write_history
from holdfast.project.debug import debug_run
from holdfast.project.fix import FixRequest, fix_finding
from holdfast.project.gate import propose
from holdfast.project.guard import guard
from holdfast.project.handle import Project
from holdfast.project.history import history
from holdfast.project.review import Sheet, record_review, sheet
from holdfast.project.runs import data_of, run_named
from holdfast.project.sign_off import approve

AUTHOR, REVIEWER, LABELLER = "demo author", "demo reviewer", "simulated labeller"
_OVERLAP = 0.5  # Jaccard: a slice found that is mostly the planted one


@dataclass(frozen=True, slots=True, eq=False)
class Audience:
    """Who listens: `say` is told a line, `show` a value to draw, `on_event` how training goes."""

    say: Callable[[str], None]
    show: Callable[[object], None]
    on_event: OnEvent


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the demo goes on with: the project, the table's file, the faults in it, and who listens."""

    project: Project
    file: Path
    columns: Overrides
    planted: Planted
    audience: Audience


@dataclass(frozen=True, slots=True)
class Ratcheted:
    """What came of it: found against planted, the proofs, the releases, and the staircase's file."""

    found: tuple[tuple[str, str], ...]
    proofs: tuple[Proof, ...]
    released: tuple[str, ...]
    refused: tuple[str, ...]
    picture: Path


def ratchet(scene: Scene, learner: str) -> Ratcheted:
    """Debug a run, release it, fix two faults, have a harmful fix refused, and release the fixed run."""
    project, say = scene.project, scene.audience.say
    base = run_named(project, learner).id
    say(f"holdfast debug {learner}")
    findings = debug_run(project, base)
    scene.audience.show(findings)
    wrong = _wrong(scene)
    labels, weak = _label_errors(findings), _planted_slice(scene, findings, base)
    first = _release(scene, base, "the first model, better than knowing nothing")
    proofs = [_relabel(scene, labels, wrong)]
    proofs.append(_fix(scene, weak, FixName.CONTINUE, proofs[0].after))
    harmful = _fix(scene, weak, FixName.CLASS_WEIGHTS, proofs[0].after)
    say(f"holdfast guard {proofs[1].after}")
    scene.audience.show(guard(proofs[1].after, project=project))
    refused = _ask(scene, harmful.after)
    second = _release(scene, proofs[1].after, "two proven fixes, and every guard holds")
    say("holdfast history -o history.svg")
    scene.audience.show(history(project))
    picture = write_history(project, project.path / "history.svg")
    return Ratcheted(
        _found(scene, labels, weak, wrong),
        (*proofs, harmful),
        tuple(name for name in (first, second) if name),
        (harmful.after,) if isinstance(refused, Refused) else (),
        picture,
    )


def _label_errors(findings: Findings) -> Finding:
    found = next((one for one in findings if one.kind == "label errors"), None)
    if found is None:
        raise FindingError("The demo's planted label errors were not found.")
    return found


def _planted_slice(scene: Scene, findings: Findings, run: str) -> Finding:
    """The weak slice that covers the planted one best."""
    dataset, split = data_of(scene.project, run_named(scene.project, run).record)
    terms = " and ".join(f"{column} = '{level}'" for column, level in scene.planted.inverted_slice)
    truth = parse_query(terms).mask(dataset.table) & split.open

    def overlap(one: Finding) -> float:
        rows = parse_query(one.where.query).mask(dataset.table) & split.open
        return float((rows & truth).sum() / max((rows | truth).sum(), 1))

    weak = [one for one in findings if one.kind == "weak slice"]
    best = max(weak, key=overlap, default=None)
    if best is None or overlap(best) < _OVERLAP:
        raise FindingError("The demo's planted slice was not found.")
    return best


def _wrong(scene: Scene) -> Mapping[str, bool]:
    """Which rows have a wrong label, by example id: what only a simulation knows."""
    data = read_as(str(scene.file), scene.columns)
    marks = np.zeros(len(data), dtype=bool)
    marks[scene.planted.wrong] = True
    return dict(zip(data.example.to_list(), marks.tolist(), strict=True))


def _relabel(scene: Scene, finding: Finding, wrong: Mapping[str, bool]) -> Proof:
    """Two reviews by somebody who knows: of suspect open rows, and blind of sealed ones."""
    project, say = scene.project, scene.audience.say
    say(f"holdfast review labels {finding.id} --as '{LABELLER}'")
    say("(the labeller is simulated: it knows the true labels, as a careful person would)")
    shown = sheet(project, finding.id)
    scene.audience.show(record_review(project, shown, _answers(shown, wrong), reviewer=LABELLER))
    say(f"holdfast fix {finding.id} --with relabel")
    waiting = fix_finding(project, FixRequest(finding.id, FixName.RELABEL, on_event=scene.audience.on_event))
    scene.audience.show(waiting)
    say(f"holdfast review labels {waiting.after} --as '{LABELLER}'   (blind, sealed rows)")
    blind = sheet(project, waiting.after)
    scene.audience.show(record_review(project, blind, _answers(blind, wrong), reviewer=LABELLER))
    return _fix(scene, finding, FixName.RELABEL, None)


def _answers(shown: Sheet, wrong: Mapping[str, bool]) -> list[Answer]:
    """The true label of every row on the sheet."""
    other = {shown.classes[0]: shown.classes[1], shown.classes[1]: shown.classes[0]}
    found = []
    for example in shown.rows["example"].to_list():
        given = shown.given[example]
        found.append(Answer(example, other[given] if wrong[example] else given, given))
    return found


def _fix(scene: Scene, finding: Finding, name: FixName, run: str | None) -> Proof:
    on = f" --run {run}" if run else ""
    scene.audience.say(f"holdfast fix {finding.id} --with {name}{on}")
    proof = fix_finding(
        scene.project, FixRequest(finding.id, name, run=run, on_event=scene.audience.on_event)
    )
    scene.audience.show(proof)
    return proof


def _ask(scene: Scene, run: str) -> Release | Refused:
    scene.audience.say(f"holdfast release {run} --as '{AUTHOR}'")
    answer = propose(scene.project, run, author=AUTHOR)
    scene.audience.show(answer)
    return answer


def _release(scene: Scene, run: str, why: str) -> str:
    answer = _ask(scene, run)
    if isinstance(answer, Refused):
        return ""
    scene.audience.say(f"holdfast approve {answer.id} --as '{REVIEWER}' --why '{why}'")
    scene.audience.show(approve(answer, reviewer=REVIEWER, why=why, project=scene.project))
    return answer.id


def _found(
    scene: Scene, labels: Finding, weak: Finding, wrong: Mapping[str, bool]
) -> tuple[tuple[str, str], ...]:
    """What was found of the two faults that only a model shows."""
    listed = [one.example for one in labels.where.examples]
    hits, sure = sum(wrong[name] for name in listed), list(labels.examples)
    place = " and ".join(f"{column} = {level}" for column, level in scene.planted.inverted_slice)
    told = (
        f"{labels.id}: {hits:,} of them are among the {len(listed):,} listed rows, and "
        f"{sum(wrong[name] for name in sure):,} among the {len(sure):,} confident contradictions"
    )
    return (
        (f"{len(scene.planted.wrong):,} wrong labels", told),
        (f"the inverted slice {place}", f"{weak.id}: {weak.where.query}"),
    )
