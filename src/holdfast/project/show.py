"""`show`: whatever has that name."""

from __future__ import annotations

from holdfast.core.finding import Looked
from holdfast.core.proof import Proof
from holdfast.core.report_facts import ReportFacts
from holdfast.errors import UnknownFindingError, UnknownRunError
from holdfast.project.chain import proofs
from holdfast.project.handle import Project
from holdfast.project.look import look
from holdfast.project.report import facts_of
from holdfast.project.runs import run_id


def shown(project: Project, name: str) -> ReportFacts | Looked | Proof:
    """The run, the finding or the proof of that name; UnknownRunError where there is none."""
    proof = next((one for one in proofs(project) if one.id == name), None)
    if proof is not None:
        return proof
    try:
        run_id(project, name)
    except UnknownRunError as no_run:
        try:
            return look(project, name)
        except UnknownFindingError as no_finding:
            raise UnknownRunError(f"{no_run} {no_finding}") from None
    return facts_of(project, name, pictures=False)
