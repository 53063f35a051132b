"""What was shown of a fix, for the terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.proof import Claim, ClaimKind, ClaimStatus, Proof, ProofOutcome
from holdfast.report import words
from holdfast.report.text.frame import fixed, heading, left, pairs, stack, table

_STYLES = {
    ClaimStatus.IMPROVED: "green",
    ClaimStatus.HELD: "cyan",
    ClaimStatus.UNDECIDED: "dim",
    ClaimStatus.HARMED: "red",
}
_OUTCOMES = {
    ProofOutcome.PROVEN: "bold green",
    ProofOutcome.NOT_PROVEN: "bold yellow",
    ProofOutcome.HARMFUL: "bold red",
}
_MOST_UNDECIDED = 5


def proof(shown: Proof) -> RenderableType:
    """The outcome, the claims behind it, and what may follow."""
    listed = [claim for claim in shown.claims if _worth_a_line(claim)]
    slices = [claim for claim in shown.claims if claim.kind is ClaimKind.SLICE]
    undecided = [c for c in slices if c.status is ClaimStatus.UNDECIDED]
    columns = [left("claim", least=30), fixed("open rows"), fixed("sealed rows"), fixed("n", right=True)]
    rows = [_row(claim) for claim in [*listed, *undecided[:_MOST_UNDECIDED]]]
    return stack(
        heading(shown.id, f"{shown.fix} for {shown.finding}: {shown.before} to {shown.after}"),
        Text(words.clean(shown.changed)),
        table(columns, rows),
        _parts(slices, undecided) if slices else None,
        Text(f"{shown.outcome}: {words.clean(shown.why)}", style=_OUTCOMES[shown.outcome]),
        pairs(_facts(shown)),
    )


def _worth_a_line(claim: Claim) -> bool:
    return claim.kind is not ClaimKind.SLICE or claim.status is ClaimStatus.HARMED


def _row(claim: Claim) -> tuple[str | Text, ...]:
    name = claim.name if claim.kind is ClaimKind.TARGET else f"{claim.kind}: {claim.name}"
    sealed = Text(str(claim.status), style=_STYLES[claim.status])
    if claim.sealed is not None and claim.kind is not ClaimKind.SLICE:
        sealed.append(f" {claim.sealed}")
    n = f"{claim.rows:,}" if claim.rows else ""
    return name, str(claim.open) if claim.open.known else "", sealed, n


def _parts(slices: list[Claim], undecided: list[Claim]) -> Text:
    held = sum(claim.status in (ClaimStatus.HELD, ClaimStatus.IMPROVED) for claim in slices)
    harmed = sum(claim.status is ClaimStatus.HARMED for claim in slices)
    more = len(undecided) - _MOST_UNDECIDED
    rest = f" ({more:,} of them not listed)" if more > 0 else ""
    return Text(
        f"Other parts of the rows: {held:,} no worse, {harmed:,} harmed, {len(undecided):,} undecided{rest}.",
        style="dim",
    )


def _facts(shown: Proof) -> list[tuple[str, str | Text]]:
    facts: list[tuple[str, str | Text]] = [
        ("tested", f"one-sided at {shown.level:.4g}; attempt {shown.attempt} on this finding"),
        ("ledger", f"entry {shown.decision}; the sealed rows may give {shown.remaining} more answers"),
    ]
    if shown.collect:
        facts.append(("to collect", shown.collect))
    if shown.outcome is not ProofOutcome.PROVEN:
        facts.append(("numbers", "what is not proven shows no number of the sealed rows"))
    return facts
