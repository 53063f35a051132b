"""Guards, releases and their history, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.guard import WRITTEN, Checked
from holdfast.core.release import GuardSaid, History, Refused, Release, Rollback, Stage, Standing
from holdfast.report import words
from holdfast.report.text.frame import fixed, heading, left, name, pairs, stack, table

_STATUS = {"passed": "green", "failed": "bold red", "undecided": "yellow", "not run": "dim"}
_SOLO = " (its author: the project is set to solo)"
_NAME, _WHY = 60, 300  # characters of what people said
_REFUSED = 10  # candidates that are listed, the newest of them
_STANDING = {
    Standing.PROPOSED: "yellow",
    Standing.CHAMPION: "bold green",
    Standing.FORMER: "",
    Standing.REJECTED: "red",
    Standing.ROLLED_BACK: "red",
}


def guards(checked: Sequence[Checked], of: str) -> RenderableType:
    """Every guard as it came out; how one is written where there are none."""
    said = list(map(GuardSaid.of, checked))
    title = heading(f"Guards on {of}" if of else "Guards")
    if said:
        return stack(title, _guards(said), Text(_counted(said)))
    return stack(
        title,
        Text(
            "There are none yet. A proven fix makes one. By hand, write one into holdfast.toml in the "
            "project's folder (make the file if there is none), for example:"
        ),
        Text('[[guard]]\nname = "good enough"\nkind = "floor"\nmetric = "log_loss"\nat_most = 0.62'),
        Text("What the other kinds take beside a name, each field on a line of its own:"),
        pairs([(f'kind = "{kind}"', fields) for kind, fields in WRITTEN.items()]),
        Text("What the fields mean: docs/guards.md.", style="dim"),
    )


def release(shown: Release) -> RenderableType:
    """A release that waits for a reviewer: the evidence in one screen."""
    against = shown.champion or "a constant (nothing is released yet)"
    facts: list[tuple[str, str | Text]] = [
        ("run", Text(words.clean(shown.run), style="bold")),
        ("against", against),
        ("gate", Text(words.clean(shown.why), style="red" if shown.overrode else "green")),
        (words.metric(shown.metric), f"{shown.score} on {words.count(shown.rows, 'sealed row')}"),
        ("against it", "" if shown.champion_score is None else f"{shown.champion_score} on the same rows"),
        ("difference", f"{shown.difference}, positive = better; margin {words.two_digits(shown.margin)}"),
        ("tested", f"one-sided at {shown.level:.4g}"),
        ("fixes", ", ".join(shown.fixes) or "none"),
        ("author", shown.author),
        (
            "ledger",
            f"entry {shown.entry}; the sealed rows may give {words.count(shown.remaining, 'more answer')}",
        ),
    ]
    if shown.overrode:
        facts.append(("overridden by", Text(words.clean(shown.overrode), style="bold red")))
    return stack(
        heading(shown.id, "waits for review"),
        pairs(facts),
        _guards(shown.guards) if shown.guards else None,
    )


def refused(no: Refused) -> RenderableType:
    """A refusal: no, and no number of the sealed rows."""
    return stack(
        Text(f"No: {words.clean(no.run)} may not be released.", style="bold red"),
        _guards(no.guards) if no.guards else None,
    )


def stage(shown: Stage) -> RenderableType:
    """What a reviewer decided."""
    facts: list[tuple[str, str | Text]] = [
        ("run", shown.release.run),
        (
            "decided by",
            words.short(shown.by, _NAME)
            + (" (its author: the project is set to solo)" if shown.solo else ""),
        ),
        ("when", words.when(shown.at)),
        ("why", words.clean(shown.why)),
    ]
    standing = Text(f"{shown.release.id} is {shown.standing}", style=_STANDING[shown.standing])
    return stack(standing, pairs(facts))


def rollback(shown: Rollback) -> RenderableType:
    """Which release is champion again, and by whose word."""
    facts = [("decided by", words.short(shown.by, _NAME)), ("when", words.when(shown.at))]
    return stack(
        Text(f"{shown.to} is champion again, in the place of {shown.left}", style="bold green"),
        pairs([*facts, ("why", words.clean(shown.why))]),
    )


def history(shown: History) -> RenderableType:
    """The ratchet, one release a line, newest last; who decided and why; who was turned away."""
    columns = [fixed("release"), name("run"), fixed("score, sealed rows"), fixed("stands"), fixed("date")]
    about = f"{words.count(shown.decisions, 'decision')}, all as they were written"
    newest = f"Newest decision {shown.newest[:12]}: noted elsewhere, it shows a record that was made anew."
    proven = dict(shown.proven)
    return stack(
        heading("History", about),
        table(columns, [_stage(one) for one in shown.stages])
        if shown.stages
        else Text("Nothing has passed the gate yet: holdfast release RUN"),
        pairs([(one.release.id, _decided(one, proven)) for one in shown.stages]) if shown.stages else None,
        *(Text(_back(one), style="red") for one in shown.rollbacks),
        _turned_away(shown.refused) if shown.refused else None,
        Text(newest, style="dim") if shown.newest else None,
    )


def _turned_away(refused: Sequence[Refused]) -> RenderableType:
    """Who did not pass, the newest last."""
    rows = [(no.run, f"{no.at[:10]}, put forward by {words.short(no.by, _NAME)}") for no in refused]
    return stack(Text(f"{words.count(len(refused), 'candidate')} turned away."), pairs(rows[-_REFUSED:]))


def _stage(one: Stage) -> tuple[str | Text, ...]:
    release = one.release
    score = f"{words.metric(release.metric)} {release.score}"
    standing = Text(str(one.standing), style=_STANDING[one.standing])
    return release.id, release.run, score, standing, one.at[:10]


def _back(one: Rollback) -> str:
    by = f"{words.short(one.by, _NAME)}, {words.when(one.at)}"
    return f"Back from {one.left} to {one.to} ({by}): {words.short(one.why, _WHY)}"


def _decided(one: Stage, proven: dict[str, str]) -> Text:
    """Whose word, why, and what the release fixed."""
    said = Text(f"{words.short(one.by, _NAME)}: {words.short(one.why, _WHY)}")
    if one.solo:
        said.append(_SOLO, style="yellow")
    if fixes := "; ".join(proven.get(fix, fix) for fix in one.release.fixes):
        said.append(f"\nfixes {words.clean(fixes)}")
    if one.release.overrode:
        said.append(
            f"\nput forward by {words.clean(one.release.overrode)} against the gate", style="bold red"
        )
    return said


def _guards(said: Sequence[GuardSaid]) -> RenderableType:
    rows = [
        (Text(one.status, style=_STATUS[one.status]), words.short(one.name, 32), one.said) for one in said
    ]
    return table([fixed("guard"), fixed("name"), left("what was found", least=30)], rows)


def _counted(said: Sequence[GuardSaid]) -> str:
    found = [(status, sum(one.status == status for one in said)) for status in _STATUS]
    return ", ".join(f"{n} {status}" for status, n in found if n) + "."
