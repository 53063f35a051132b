"""`show`: whatever has that name."""

from __future__ import annotations

from difflib import get_close_matches

from holdfast.core.finding import Looked
from holdfast.core.logged import Logged
from holdfast.core.proof import Proof
from holdfast.core.report_facts import ReportFacts
from holdfast.errors import UnknownFindingError, UnknownRunError, suggest
from holdfast.project.chain import proofs
from holdfast.project.handle import Project
from holdfast.project.logged import logged_of
from holdfast.project.look import look
from holdfast.project.report import facts_of
from holdfast.project.runs import BEST, CHAMPION, RECOMMENDED, records, run_id, run_named
from holdfast.store.findings import finding_ids


def shown(project: Project, name: str) -> ReportFacts | Logged | Looked | Proof:
    """The run (trained here, or logged), the finding or the proof of that name.

    UnknownRunError where there is none, or several.
    """
    proof = next((one for one in proofs(project) if one.id == name), None)
    if proof is not None:
        return proof
    try:
        run_id(project, name)
    except UnknownRunError as no_run:
        if name in (BEST, RECOMMENDED, CHAMPION):
            raise  # it says what is missing; no finding has such a name
        try:
            return look(project, name)
        except UnknownFindingError:
            raise _unknown(project, name) from no_run
    run = run_named(project, name)
    return logged_of(project, run) if run.record.plan is None else facts_of(project, name, pictures=False)


def _unknown(project: Project, name: str) -> UnknownRunError:
    """One message for a name that is none, or the beginning of several."""
    kept = records(project)
    learners = dict.fromkeys(one.plan.learner for one in reversed(kept) if one.plan is not None)
    names = [*(one.id for one in kept), *finding_ids(project.store), *(one.id for one in proofs(project))]
    if begun := [each for each in dict.fromkeys(names) if name and each.startswith(name)]:
        return UnknownRunError.ambiguous(name, begun)
    known = [*((BEST, RECOMMENDED, CHAMPION) if kept else ()), *learners, *dict.fromkeys(names)]
    hint = suggest(get_close_matches(name, known, n=3, cutoff=0.5))
    hint = hint or ("" if kept else "This project has no runs yet.")
    return UnknownRunError(
        f"No run is called {name!r}, and no finding or proof. {hint} "
        "Runs: holdfast runs. Findings: holdfast debug".replace("  ", " ")
    )
