"""What is wrong with a model, for the terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Column
from rich.text import Text

from holdfast.core.estimate import Estimate, significant
from holdfast.core.explanation import Explanation
from holdfast.core.finding import Fact, Finding, Findings, Looked
from holdfast.report import words
from holdfast.report.text.frame import fixed, heading, left, pairs, stack, table

_COLUMNS, _WIDTH = 7, 96  # of the rows that are shown; characters of a line of them
# What a name of a fact alone does not tell.
_MEANS = {
    "confident contradictions": "of the listed rows, to look at first; not all of them are wrong",
    "wrong labels, roughly": "an estimate for all rows together, which does not say which they are",
    "twins with the suggested label": "listed rows with an equal one that has the suggested label",
    "expected loss": "what the model's own probabilities expect there",
    "beyond expectation": "above 0 the model is wrong there without knowing it",
    "tolerated rise": "a smaller one is not reported",
    "gain over a constant guess": "what the model saves of the loss of one guess for all rows",
    "mean stability": "1 where two trainings say the same, 0 where they contradict each other",
}


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
        ("where", Text(_where(one), style="bold")),
        ("rows", f"{one.size:,}"),
    ]
    if one.share_of_loss is not None:
        facts.append(("share of loss", f"{one.share_of_loss:.1%} of all loss lies in these rows"))
    facts.append(("effect", f"{one.effect}  {one.effect_of}"))
    facts.append(("p", "a plain fact, nothing was tested" if one.p is None else _corrected(one.p)))
    facts += [(_named(name), f"{fact(value)}  {_MEANS.get(name, '')}") for name, value in one.facts.items()]
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
        pairs(
            [
                ("usually", f"{found.base}{_probability(found.base_probability)}"),
                ("this row", f"{significant(found.value)}{_probability(found.probability)}"),
            ]
        ),
        table([left("column", least=16), fixed("cell"), fixed("adds", right=True)], rows),
        Text("What is usual and all that the cells add give this row's answer.", style="dim"),
    )


def _probability(value: Estimate | float | None) -> str:
    """What log-odds come to, beside them."""
    if value is None:
        return ""
    return f", a probability of {value if isinstance(value, Estimate) else significant(value)}"


def fact(value: Fact) -> str:
    """A fact's value: with its interval where it has one."""
    if isinstance(value, Estimate):
        return str(value)
    if isinstance(value, float):
        return significant(value)
    return f"{value:,}" if isinstance(value, int) else words.clean(value)


def _named(name: str) -> str:
    """A fact's name; one of a metric on a side as people write the metric."""
    for side in (" in the slice", " elsewhere"):
        if name.endswith(side):
            return f"{words.metric(name.removesuffix(side))}{side}"
    return name


def _where(one: Finding) -> str:
    if one.where.examples and not one.where.query:
        listed = len(one.where.examples)
        rest = "" if listed >= one.size else f"; {listed:,} of them are listed"
        return f"single rows, by their ids{rest}"
    return words.clean(str(one.where))


def _corrected(p: float) -> str:
    text = words.p_value(p)
    return f"p {text if text.startswith('<') else f'= {text}'}, corrected for all that was tried"


def _rows(looked: Looked) -> RenderableType:
    """As many columns as fit a line; an id is copied into the next command, so it is never cut."""
    widest = {"example": 10_000, "first, then": 40}
    names, cells, room = list[str](), list[list[str]](), _WIDTH
    for name in list(looked.rows[0])[:_COLUMNS]:
        column = [words.short(row.get(name, ""), widest.get(name, 24)) for row in looked.rows]
        head = words.short(name, 24)
        room -= max(map(len, (head, *column))) + 2
        if room < 0 and names:
            break
        names, cells = [*names, head], [*cells, column]
    columns = [Column(name, no_wrap=True, overflow="ignore") for name in names]
    return stack(heading("Rows to look at"), table(columns, zip(*cells, strict=True)))


def _fixes(one: Finding) -> RenderableType:
    rows = [(f"--with {each.fix}", each.why, each.cost) for each in one.fixes]
    return stack(
        heading("What could be done", f"holdfast fix {one.id}"),
        table([fixed("fix"), left("why"), left("cost", least=18)], rows),
    )
