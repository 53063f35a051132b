"""Tables, their checks and their cleaning for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.dataset import Check, Step
from holdfast.core.report_facts import DataFacts
from holdfast.core.schema import Schema
from holdfast.report import words
from holdfast.report.text.frame import fixed, heading, left, pairs, stack, table


def data(facts: DataFacts) -> RenderableType:
    """A table: its size, target and split, then its checks and what was cleaned."""
    rows: list[tuple[str, str | Text]] = [
        ("rows", f"{facts.rows:,}" + (f", of which {facts.sealed:,} sealed" if facts.sealed else "")),
        ("features", f"{facts.features:,}"),
        ("target", f"{facts.target}{f' ({facts.task})' if facts.task else ''}"),
    ]
    if roles := words.roles(facts.roles, facts.positive):
        rows.append(("roles", roles))
    if facts.classes:
        rows.append(("classes", class_shares(facts)))
    if facts.time is not None:
        rows.append(("split by", f"{facts.time}: the latest rows are sealed, and folds are blocks of time"))
    elif facts.group is not None:
        rows.append(("grouped by", f"{facts.group}: its rows stay together"))
    return stack(
        heading(facts.source or "Table", facts.id[:12]),
        pairs(rows),
        checks(facts.checks) if facts.checks else Text("Checks found nothing to report.", style="dim"),
        steps(facts.lineage) if facts.lineage else None,
    )


def class_shares(facts: DataFacts, most: int = 6) -> str:
    """Each class with its share of the rows, the largest first."""
    total = sum(facts.classes.values()) or 1
    listed = sorted(facts.classes.items(), key=lambda item: -item[1])
    shown = [f"{words.short(name, 24) or '(empty)'} {n / total:.1%}" for name, n in listed[:most]]
    rest = len(listed) - most
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")


def checks(found: Sequence[Check]) -> RenderableType:
    """What the owner of a table should know, warnings first."""
    ranked = sorted(found, key=lambda check: check.severity != "warning")
    rows = [
        (
            Text("!" if check.severity == "warning" else "-", style=_style(check)),
            Text(words.clean(check.kind), style=_style(check)),
            words.short(check.column, 28),
            check.message,
        )
        for check in ranked
    ]
    warnings = sum(check.severity == "warning" for check in found)
    about = f"{words.count(warnings, 'warning')}, {words.count(len(found) - warnings, 'note')}"
    columns = [fixed(), left("check"), left("column"), left("what was found", least=30)]
    return stack(heading("Data checks", about), table(columns, rows))


def _style(check: Check) -> str:
    return "bold yellow" if check.severity == "warning" else ""


def steps(lineage: Sequence[Step]) -> RenderableType:
    """What was done to the cells between the file and the table."""
    rows = [
        (step.name, words.short(step.column, 28), f"{step.touched:,}", words.short(step.detail, 120))
        for step in lineage
    ]
    columns = [left("step"), left("column"), fixed("touched", right=True), left("detail", least=20)]
    return stack(heading("Cleaning", "no row is ever dropped"), table(columns, rows))


def found(faults: Sequence[tuple[str, str]]) -> RenderableType:
    """Faults that were planted, each with what was said of it (nothing: it was not seen)."""
    rows = [
        (fault, Text(words.clean(said), style="green") if said else Text("not seen", style="red"))
        for fault, said in faults
    ]
    return stack(
        heading("Planted faults", "the table is simulated, so they are known"),
        table([left("planted", least=20), left("what was said of it", least=30)], rows),
    )


def schema(columns: Schema) -> RenderableType:
    """Every column with its kind and role, and why we think so."""
    rows = [(words.short(c.name, 32), c.kind, c.role, c.why) for c in columns]
    return table([left("column"), left("kind"), left("role"), left("why", least=20)], rows)
