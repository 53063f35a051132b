"""What every drawing for the terminal is made of."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from holdfast.report.words import clean

WIDTH = 100  # of a log file, which has none of its own
_UNBOUNDED = 10_000

_OUTCOME_STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "undecided": "dim"}


def show(drawing: RenderableType, *, file: TextIO | None = None) -> None:
    """Print a drawing: in colour on a terminal, else as plain lines (100 wide, or COLUMNS)."""
    out = sys.stdout if file is None else file
    if out.isatty():
        Console(file=out, highlight=False, markup=False, emoji=False).print(drawing)
        return
    given = os.environ.get("COLUMNS", "")
    out.write(plain(drawing, width=int(given) if given.isdecimal() and int(given) else WIDTH))


def plain(drawing: RenderableType, *, width: int = WIDTH) -> str:
    """A drawing as lines without colour, none longer than `width`."""
    buffer = StringIO()
    Console(
        file=buffer, width=width, color_system=None, force_terminal=False, highlight=False, emoji=False
    ).print(drawing, markup=False)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def left(header: str = "", *, least: int | None = None) -> Column:
    """A column of words, broken over lines where it must be."""
    return Column(header, min_width=least, overflow="fold")


def name(header: str = "") -> Column:
    """A column of names, the first to give way on a narrow terminal: over lines, for a name that
    is cut cannot be asked for."""
    return left(header, least=12)


def fixed(header: str = "", *, right: bool = False) -> Column:
    """A column that is never broken."""
    return Column(header, justify="right" if right else "left", no_wrap=True)


def table(columns: Sequence[Column], rows: Iterable[Sequence[str | Text]]) -> Table:
    """A table with a rule under its header; cells may hold anything, markup is not read."""
    drawn = Table(
        *columns,
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="dim",
        border_style="dim",
    )
    for row in rows:
        drawn.add_row(*(text(cell) for cell in row))
    return drawn


def narrowing(
    columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], *, spare: Sequence[str]
) -> RenderableType:
    """A table that loses `spare` columns, one after the other, before it breaks any cell over lines."""

    def without(gone: Sequence[str]) -> Table:
        kept = [i for i, column in enumerate(columns) if column.header not in gone]
        return table([columns[i].copy() for i in kept], [[row[i] for i in kept] for row in rows])

    return _Widest([without(spare[:n]) for n in range(len(spare) + 1)])


@dataclass(frozen=True, slots=True)
class _Widest:
    """The first of several drawings of one thing, widest first, that needs no line broken; else the last."""

    drawings: Sequence[RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        unbounded = options.update(max_width=_UNBOUNDED)
        fits = (
            one
            for one in self.drawings
            if Measurement.get(console, unbounded, one).maximum <= options.max_width
        )
        yield next(fits, self.drawings[-1])


def pairs(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Names with their facts, in two columns without a header."""
    drawn = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    drawn.add_column(no_wrap=True, style="dim")
    drawn.add_column(overflow="fold")
    for name, fact in rows:
        drawn.add_row(text(name), text(fact))
    return drawn


def stack(*parts: RenderableType | None) -> Group:
    """Drawings below each other with an empty line between; None is left out."""
    drawn: list[RenderableType] = []
    for part in parts:
        if part is not None:
            drawn += [Text(""), part] if drawn else [part]
    return Group(*drawn)


def heading(title: str, more: str = "") -> Text:
    """A title in bold with what it is about."""
    drawn = Text(clean(title), style="bold")
    return drawn.append(f"  {clean(more)}", style="not bold dim") if more else drawn


def text(cell: str | Text) -> Text:
    """A cell as text that cannot steer the terminal."""
    return cell if isinstance(cell, Text) else Text(clean(cell))


def of_outcome(words: str, outcome: str) -> Text:
    """Words in the colour of a verdict's outcome."""
    return Text(clean(words), style=_OUTCOME_STYLES[outcome])
