"""The drawing of a value, whatever it is."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.finding import Findings
from holdfast.core.leaderboard import Leaderboard
from holdfast.core.proof import Proof
from holdfast.core.release import History, Refused, Release, Stage
from holdfast.core.review import Reviewed
from holdfast.report.text.board import leaderboard
from holdfast.report.text.findings import findings
from holdfast.report.text.proofs import proof
from holdfast.report.text.releases import guards, history, refused, release, stage
from holdfast.report.text.reviews import reviewed


def anything(value: object) -> RenderableType:
    """A leaderboard, findings, a review, a proof, guards, a release or what became of it, a history."""
    match value:
        case Leaderboard():
            return leaderboard(value)
        case Findings():
            return findings(value)
        case Reviewed():
            return reviewed(value)
        case Proof():
            return proof(value)
        case Release():
            return release(value)
        case Refused():
            return refused(value)
        case Stage():
            return stage(value)
        case History():
            return history(value)
        case tuple():
            return guards(value, "")
        case _:
            return Text(repr(value))
