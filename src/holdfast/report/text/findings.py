"""What is wrong with a model, for the terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.estimate import Estimate, significant
from holdfast.core.explanation import Explanation
from holdfast.core.finding import Fact, Finding, Findings, Looked
from holdfast.report import words
from holdfast.report.text.frame import fixed, heading, left, pairs, stack, table

_COLUMNS = 7  # of the rows that are shown


def findings(found: Findings) -> RenderableType:
    """All findings, those that explain most of the loss first; then what was not looked for."""
    about = (
        f"{words.clean(found.run)}; {words.count(found.rows, 'open row')}, {words.duration(found.seconds)}"
    )
    columns = [
        fixed("finding"),
        left("what is wrong", least=36),
        fixed("rows", right=True),
        fixed("of loss", right=True),
        fixed("p", right=True),
    ]
    rows = [
        (
            Text(one.id, style="bold"),
            one.title,
            f"{one.size:,}",
            "" if one.share_of_loss is None else f"{one.share_of_loss:.1%}",
            "fact" if one.p is None else words.p_value(one.p),
        )
        for one in found
    ]
    return stack(
        heading(f"{words.count(len(found), 'finding')}", about),
        table(columns, rows) if rows else Text("Nothing was found."),
        stack(heading("Not run"), pairs([(words.clean(kind), why) for kind, why in found.not_run]))
        if found.not_run
        else None,
    )


def finding(looked: Looked) -> RenderableType:
    """One finding: where, how much, the evidence, rows to look at, and what could be done."""
    one = looked.finding
    facts: list[tuple[str, str | Text]] = [
        ("where", Text(words.clean(str(one.where)), style="bold")),
        ("rows", f"{one.size:,}"),
    ]
    if one.share_of_loss is not None:
        facts.append(("share of loss", f"{one.share_of_loss:.1%} of all loss lies in these rows"))
    facts.append(("effect", f"{one.effect}  {one.effect_of}"))
    facts.append(("p", "a plain fact, nothing was tested" if one.p is None else _corrected(one.p)))
    facts += [(name, fact(value)) for name, value in one.facts.items()]
    return stack(
        heading(one.id, f"{one.kind} in {looked.run}"),
        Text(words.clean(one.title)),
        pairs(facts),
        _rows(looked) if looked.rows else None,
        _fixes(one) if one.fixes else None,
    )


def explanation(found: Explanation, most: int = 15) -> RenderableType:
    """One answer as a sum: from what is usual, column by column, to what was said of this row."""
    listed = found.contributions[:most]
    rest = found.contributions[most:]
    rows = [(one.column, words.short(one.cell, 28), str(one.effect)) for one in listed]
    if rest:
        rows.append((f"{len(rest):,} more", "", significant(sum(one.effect.value for one in rest))))
    return stack(
        heading(found.example, found.of),
        pairs([("usually", str(found.base)), ("this row", significant(found.value))]),
        table([left("column", least=16), fixed("cell"), fixed("adds", right=True)], rows),
    )


def fact(value: Fact) -> str:
    """A fact's value: with its interval where it has one."""
    if isinstance(value, Estimate):
        return str(value)
    if isinstance(value, float):
        return significant(value)
    return f"{value:,}" if isinstance(value, int) else words.clean(value)


def _corrected(p: float) -> str:
    text = words.p_value(p)
    return f"p {text if text.startswith('<') else f'= {text}'}, corrected for all that was tried"


def _rows(looked: Looked) -> RenderableType:
    names = list(looked.rows[0])[:_COLUMNS]
    # An id is copied into the next command, so it is never cut.
    widest = {"example": 64, "first, then": 40}
    shown = [[words.short(row.get(name, ""), widest.get(name, 24)) for name in names] for row in looked.rows]
    return stack(heading("Rows to look at"), table([fixed(words.short(name, 24)) for name in names], shown))


def _fixes(one: Finding) -> RenderableType:
    rows = [(f"--with {each.fix}", each.why, each.cost) for each in one.fixes]
    return stack(
        heading("What could be done", f"holdfast fix {one.id}"),
        table([fixed("fix"), left("why"), left("cost", least=18)], rows),
    )
