"""What a long job says, as it says it: one line per learner, rewritten in place on a terminal."""

from __future__ import annotations

import sys

from holdfast.core.events import Event, FoldFitted
from holdfast.report import text

_CLEAR = "\r\x1b[2K"


def draw(event: Event) -> None:
    """Show an event on standard output; a fold only where its line can be replaced by the next."""
    terminal = sys.stdout.isatty()
    if isinstance(event, FoldFitted):
        if terminal:
            sys.stdout.write(_CLEAR + text.plain(text.event(event)).rstrip("\n"))
            sys.stdout.flush()
        return
    if terminal:
        sys.stdout.write(_CLEAR)
    text.show(text.event(event))
    sys.stdout.flush()
