"""`fix`: answer a finding with a change, fit again, and prove it on sealed rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.events import OnEvent, Said, silent
from holdfast.core.finding import Finding, FixName
from holdfast.core.fingerprint import fingerprint
from holdfast.core.guard import Checked, GuardStatus
from holdfast.core.proof import Claim, ClaimKind, ClaimStatus, Proof, ProofOutcome
from holdfast.core.review import Reviewed
from holdfast.core.run import Run
from holdfast.debugging.fixes import Asked, Change, applicable, change_for
from holdfast.debugging.proof import prove
from holdfast.debugging.relabelled import UNJUDGED, prove_labels, to_review
from holdfast.errors import FixError, suggest
from holdfast.project.aim import guard_of
from holdfast.project.chain import GUARD, PROOF, body_of, guards, proofs, whoever
from holdfast.project.fixed import Fixed
from holdfast.project.guard import check_run
from holdfast.project.handle import Project, home_of
from holdfast.project.proving import judge, trial
from holdfast.project.refit import Refit, candidates_of, refitted
from holdfast.project.runs import data_of, run_named
from holdfast.project.said import reviewed
from holdfast.project.seal import charged, ledger_of
from holdfast.store.decisions import append_decision
from holdfast.store.findings import find_finding
from holdfast.store.ledger import LedgerEntry, append_entry, entries

_KIND = "fix"  # of a ledger's entry


@dataclass(frozen=True, slots=True)
class FixRequest:
    """A finding by its id, the fix to try (None: the first that it suggests), and reviewed labels.

    `run` is the run to fix, by default the one in which it was found.
    """

    finding: str
    fix: FixName | None = None
    labels: Mapping[str, str | float] | None = None
    run: str | None = None
    on_event: OnEvent = silent
    command: str = ""


def fix(
    finding: Finding | str,
    *,
    with_: FixName | str | None = None,
    labels: Mapping[str, str | float] | None = None,
    run: str | None = None,
    project: str | Project = ".",
    on_event: OnEvent = silent,
) -> Proof:
    """Answer a finding: change the data or the plan, fit again, and prove the change on sealed rows.

    `with_` names the fix, one of those that the finding suggests or another that applies;
    `labels` are reviewed labels by example id, for "relabel". `run` is the run to fix, by
    default the one in which it was found: fixes follow each other. The candidate is kept as a run
    of its own, whatever comes out. A proven fix becomes a guard. Every attempt is an entry in
    the ledger.

    Raises UnknownFindingError, FixError for a fix that does not apply, and RoleError when the
    sealed rows have given all their answers.
    """
    home = home_of(project)
    name = finding.id if isinstance(finding, Finding) else finding
    chosen = None if with_ is None else fix_named(str(with_))
    return fix_finding(home, FixRequest(name, chosen, labels, run, on_event))


def fix_named(name: str) -> FixName:
    """The fix of that name; FixError with all of them otherwise."""
    if name not in list(FixName):
        near = [str(one) for one in FixName if name.replace(" ", "-") in one or one in name]
        raise FixError(f"There is no fix {name!r}. {suggest(near or [str(one) for one in FixName])}")
    return FixName(name)


def fix_finding(project: Project, asked: FixRequest) -> Proof:
    """Carry a fix out, prove it, and keep the proof; see `fix`."""
    finding, found_in = find_finding(project.store, asked.finding)
    run = run_named(project, asked.run or found_in)
    dataset, split = data_of(project, run.record)
    labels = asked.labels
    if labels is None and (said := reviewed(project, finding.id)) is not None:
        labels = said.labels
    question = Asked(finding, dataset, split.open, labels)
    change = _first(project, run, question) if asked.fix is None else change_for(asked.fix, question)
    ids = dataset.take(split.sealed & dataset.target.is_not_null().to_numpy()).example.to_list()
    charged(project, ids, entries(project.store))
    guards(project)  # one that cannot be read is told of before the work
    asked.on_event(Said(f"{finding.id}: {change.said}. Fitting {run.id} again."))
    after = refitted(project, Refit(run, split, change, finding.id, asked.on_event, asked.command))
    fixed = Fixed(finding, run, after, dataset, split, change)
    judging = None
    if change.fix is FixName.RELABEL:
        seen = reviewed(project, after.id)
        if waiting := _waiting(project, fixed, seen):
            return _unseen(project, fixed, ids, waiting)
        judging = seen.labels if seen else {}
    if (earlier := _tried(project, fixed, judging)) is not None:
        asked.on_event(Said(f"This was asked before: the answer is that of {earlier.id}, and costs nothing."))
        return replace(earlier, remaining=ledger_of(project, entries(project.store)).remaining(ids))
    return _proven(project, fixed, ids, judging)


def _tried(project: Project, fixed: Fixed, labels: Mapping[str, str] | None) -> Proof | None:
    """The proof of the very same fix by the same labels, which need not be asked, and paid for, again."""
    kept = entries(project.store)
    for proof in proofs(project):
        same = (proof.finding, proof.fix, proof.before, proof.after)
        if same != (fixed.finding.id, fixed.change.fix, fixed.before.id, fixed.after.id):
            continue
        if labels is None or kept[proof.decision - 1].facts.get("labels") == fingerprint(labels):
            return proof
    return None


def _waiting(project: Project, fixed: Fixed, seen: Reviewed | None) -> Sequence[str]:
    """The sealed rows that wait for a blind look before they can judge a change of labels."""
    level = ledger_of(project, entries(project.store)).level
    sheet: list[str] = to_review(trial(project, fixed, level).main.sealed).to_list()
    return seen.waiting(sheet) if seen else sheet


def _unseen(project: Project, fixed: Fixed, ids: Sequence[str], waiting: Sequence[str]) -> Proof:
    """A change of labels that not all have looked at on sealed rows: nothing is asked of them yet."""
    ledger = ledger_of(project, kept := entries(project.store))
    sheet = f"holdfast review labels {fixed.after.id}"
    name = "mean loss on reviewed labels"
    return Proof(
        id="",
        finding=fixed.finding.id,
        fix=fixed.change.fix,
        before=fixed.before.id,
        after=fixed.after.id,
        outcome=ProofOutcome.NOT_PROVEN,
        claims=(Claim(ClaimKind.TARGET, name, ClaimStatus.UNDECIDED, UNJUDGED, None, 0.0, len(ids)),),
        level=ledger.level,
        why=f"sealed labels may be wrong too: {len(waiting):,} sealed rows wait for a blind look",
        attempt=_attempts(kept, fixed),
        remaining=ledger.remaining(ids),
        collect=f"{sheet} --export FILE, or in the terminal: {sheet}; then the same fix again",
        changed=fixed.change.said,
    )


def _first(project: Project, run: Run, question: Asked) -> Change:
    """What the first of the suggested fixes changes that trains or decides something, and can be done."""
    finding = question.finding
    suggested = [one.fix for one in finding.fixes if one.fix is not FixName.COLLECT]
    able = [one for one in applicable(question) if one in suggested]
    if not able:
        others = [str(one) for one in applicable(question)]
        raise FixError(
            f"{finding.id} suggests nothing to be tried by itself. Look at it: holdfast show {finding.id}. "
            f"What could be tried: --with {', '.join(others)}"
        )
    if question.labels is None and able[0] is FixName.RELABEL:
        raise FixError(
            f"{finding.id} is answered by a person's word on labels first: "
            f"holdfast review labels {finding.id}. Or choose another fix: --with {able[-1]}"
        )
    unable = []
    for one in able:
        try:
            change = change_for(one, question)
            candidates_of(project, run, change, question.classes)
        except FixError as error:
            unable.append(error)
        else:
            return change
    raise unable[0]


def _proven(
    project: Project, fixed: Fixed, ids: Sequence[str], labels: Mapping[str, str] | None = None
) -> Proof:
    """Ask the sealed rows, write the answer into the ledger and the record, and make the guard.

    `labels` are sealed labels that were looked at, which judge a change of labels.
    """
    kept = entries(project.store)
    ledger = ledger_of(project, kept)
    asked = trial(project, fixed, ledger.level)
    asked = replace(asked, guards=_guarded(project, fixed))
    outcome, claims, why = prove(asked, judge) if labels is None else prove_labels(asked, labels, judge)
    finding, change = fixed.finding, fixed.change
    facts: dict[str, float | str] = {"finding": finding.id, "fix": str(change.fix)}
    if labels is not None:
        facts["labels"] = fingerprint(labels)
    plan = fixed.before.record.plan
    entry = LedgerEntry(
        _KIND, fixed.after.id, fixed.dataset.id, plan.metric if plan else "", str(outcome), facts
    )
    examples = asked.main.sealed.before.example
    entry = append_entry(project.store, entry, examples, allow=partial(charged, project, ids))
    proof = Proof(
        id=f"proof-{fingerprint([finding.id, change.fix, fixed.after.id, entry.number])[:4]}",
        finding=finding.id,
        fix=change.fix,
        before=fixed.before.id,
        after=fixed.after.id,
        outcome=outcome,
        claims=claims,
        level=ledger.level,
        why=why,
        attempt=_attempts(kept, fixed),
        decision=entry.number,
        remaining=ledger_of(project, entries(project.store)).remaining(ids),
        collect=_which(finding, outcome, claims),
        changed=change.said,
        query=finding.where.query,
    )
    _keep(project, proof, fixed)
    return proof


def _which(finding: Finding, outcome: ProofOutcome, claims: Sequence[Claim]) -> str:
    """How to write down the rows that would tell, where more of them would."""
    if outcome is not ProofOutcome.NOT_PROVEN or not any(claim.needed for claim in claims):
        return ""
    return f"rows that would tell: holdfast fix {finding.id} --with {FixName.COLLECT} -o rows.csv"


def _guarded(project: Project, fixed: Fixed) -> tuple[Checked, ...]:
    """The guards, held against the run after; one that the run before fails too is not the fix's doing."""
    checked = check_run(project, fixed.after, guards(project))
    broken = tuple(one.guard for one in checked if one.status is GuardStatus.FAILED)
    before = check_run(project, fixed.before, broken) if broken else ()
    old = {one.guard.name for one in before if one.status is GuardStatus.FAILED}
    return tuple(one for one in checked if one.guard.name not in old)


def _attempts(kept: Sequence[LedgerEntry], fixed: Fixed) -> int:
    """Which attempt on the finding this is."""
    return 1 + sum(one.facts.get("finding") == fixed.finding.id for one in kept if one.kind == _KIND)


def _keep(project: Project, proof: Proof, fixed: Fixed) -> None:
    """The proof into the record; a proven fix makes a guard."""
    by = whoever()
    body = body_of(proof, PROOF)
    append_decision(project.store, Decision(DecisionKind.PROOF, proof.id, by, proof.why, body))
    if proof.outcome is ProofOutcome.PROVEN:
        guard = guard_of(proof, fixed)
        why = f"what {proof.id} proved, every later model must keep"
        append_decision(
            project.store, Decision(DecisionKind.GUARD, guard.name, by, why, body_of(guard, GUARD))
        )
