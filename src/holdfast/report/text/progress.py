"""One line for each thing that a long job says."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.events import DataRead, Event, FoldFitted, LearnerFitted, Planned, Said, Skipped
from holdfast.core.report_facts import DataFacts
from holdfast.report import words
from holdfast.report.text.data import data
from holdfast.report.text.frame import pairs


def event(said: Event) -> RenderableType:
    """What happened, as a line (the data read and the plan take several)."""
    match said:
        case DataRead():
            return data(DataFacts.of(said.dataset, said.split))
        case Planned():
            return plan(said)
        case FoldFitted():
            return Text(_fold(said))
        case LearnerFitted():
            return Text(_learner(said), style="green" if said.first else "")
        case Skipped():
            return Text(f"skipped {words.clean(said.learner)}: {words.clean(said.reason)}", style="dim")
        case Said():
            return Text(words.clean(said.text))


def plan(planned: Planned) -> RenderableType:
    """What will be fitted, in order, and what will not and why."""
    within = f" within {words.duration(planned.budget)}" if planned.budget is not None else ""
    rows: list[tuple[str, str | Text]] = [
        (
            "plan",
            f"{words.count(planned.folds, 'fold')} each{within}, judged by {words.metric(planned.metric)}",
        ),
        ("fits", " > ".join(words.clean(name) for name in planned.learners) or "nothing"),
    ]
    rows += [("skips", f"{words.clean(name)}: {words.clean(why)}") for name, why in planned.skipped]
    if planned.tuned:
        others = len(set(planned.learners) - set(planned.tuned))
        rest = "; the others have no search space" if others else ""
        rows.append(("tunes", ", ".join(words.clean(name) for name in planned.tuned) + rest))
    if planned.resumed:
        rows.append(("reuses", f"{words.count(planned.resumed, 'fold')} that an earlier training finished"))
    return pairs(rows)


def _fold(said: FoldFitted) -> str:
    line = f"{_clock(said.elapsed)}  {words.short(said.learner, 20):<20} fold {said.fold}/{said.folds}"
    line += f"  {words.score(said.score)}{'  (kept from before)' if said.reused else ''}"
    return line if said.eta is None else f"{line}  {words.duration(said.eta)} left"


def _learner(said: LearnerFitted) -> str:
    line = f"{_clock(said.elapsed)}  {words.short(said.learner, 20):<20} done     {words.score(said.score)}"
    line += f"  in {words.duration(said.seconds)}"
    return f"{line}  (a first usable model)" if said.first else line


def _clock(seconds: float) -> str:
    return f"{seconds:6.1f} s"
