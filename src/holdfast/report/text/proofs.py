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
_MOST_PARTS = 5


def proof(shown: Proof) -> RenderableType:
    """The outcome, the claims behind it, and what may follow."""
    listed = [claim for claim in shown.claims if claim.kind is not ClaimKind.SLICE]
    slices = [claim for claim in shown.claims if claim.kind is ClaimKind.SLICE]
    harmed, undecided = (
        [claim for claim in slices if claim.status is status]
        for status in (ClaimStatus.HARMED, ClaimStatus.UNDECIDED)
    )
    # What is not proven is told by open rows alone.
    says = "sealed rows" if shown.outcome is ProofOutcome.PROVEN else "by open rows"
    columns = [left("claim", least=30), fixed("open rows"), fixed(says), fixed("sealed n", right=True)]
    parts = [*harmed, *undecided] if shown.outcome is ProofOutcome.PROVEN else harmed
    rows = [_row(claim) for claim in [*listed, *parts[:_MOST_PARTS]]]
    return stack(
        heading(shown.id or "Not judged yet", _about(shown)),
        Text(words.clean(shown.changed)),
        table(columns, rows),
        _parts(slices, len(parts)) if slices else None,
        Text(f"{shown.outcome}: {words.clean(shown.why)}{_unnamed(shown)}", style=_OUTCOMES[shown.outcome]),
        pairs(_facts(shown)),
    )


def _about(shown: Proof) -> str:
    return f"{shown.fix} for {shown.finding}: {shown.before} to {shown.after}"


def _unnamed(shown: Proof) -> str:
    """How many more were harmed than the sentence names."""
    if shown.outcome is not ProofOutcome.HARMFUL:
        return ""
    told = [claim for claim in shown.claims if claim.kind is not ClaimKind.COST]
    harmed = [claim for claim in told if claim.status is ClaimStatus.HARMED]
    more = sum(f"{claim.kind} {claim.name}" not in shown.why for claim in harmed)
    return f"; and {more:,} more" if more else ""


def _row(claim: Claim) -> tuple[str | Text, ...]:
    name = words.metric(claim.name) if claim.kind is ClaimKind.MAIN else claim.name
    name = name if claim.kind is ClaimKind.TARGET else f"{claim.kind}: {name}"
    said = "decides nothing" if claim.kind is ClaimKind.COST else str(claim.status)
    sealed = Text(said, style=_STYLES[claim.status])
    if claim.sealed is not None and claim.kind is not ClaimKind.SLICE:
        sealed.append(f" {claim.sealed}")
    n = f"{claim.rows:,}" if claim.rows else ""
    return name, str(claim.open) if claim.open.known else "", sealed, n


def _parts(slices: list[Claim], listed: int) -> Text:
    counts = {status: sum(claim.status is status for claim in slices) for status in ClaimStatus}
    no_worse = counts[ClaimStatus.HELD] + counts[ClaimStatus.IMPROVED]
    said = [
        f"{n:,} {what}"
        for n, what in (
            (no_worse, "no worse"),
            (counts[ClaimStatus.HARMED], "harmed"),
            (counts[ClaimStatus.UNDECIDED], "undecided"),
        )
        if n
    ]
    more = f" ({listed - _MOST_PARTS:,} of them not listed)" if listed > _MOST_PARTS else ""
    return Text(f"Other parts of the rows: {', '.join(said)}{more}.", style="dim")


def _facts(shown: Proof) -> list[tuple[str, str | Text]]:
    entry = f"entry {shown.decision}" if shown.decision else "nothing was asked yet"
    facts: list[tuple[str, str | Text]] = [
        ("tested", f"one-sided at {shown.level:.4g}; attempt {shown.attempt} on this finding"),
        ("ledger", f"{entry}; the sealed rows may give {words.count(shown.remaining, 'more answer')}"),
    ]
    if shown.collect:
        facts.append(("next", shown.collect))
    if shown.decision and shown.outcome is not ProofOutcome.PROVEN:
        facts.append(("numbers", "what is not proven shows no number of the sealed rows"))
    return facts
