"""`demo`: the real job on a made-up table whose faults are planted, so that what is found can be checked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.dataset import Check
from holdfast.core.run import Run
from holdfast.data.read import read_as
from holdfast.data.roles import Overrides
from holdfast.data.simulated import Planted, churn
from holdfast.errors import FileError
from holdfast.project.demo_ratchet import Audience, Ratcheted, Scene, ratchet
from holdfast.project.fitting import fit
from holdfast.project.handle import open_project
from holdfast.project.judge import leaderboard
from holdfast.project.report import write_report
from holdfast.project.request import TrainRequest

_BUDGET = 60.0  # seconds
_LEARNER = "lightgbm_small"


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo made: a run, its page, what was found of each planted fault (nothing: it was
    not seen), and what the ratchet did with it."""

    run: Run
    report: Path
    found: tuple[tuple[str, str], ...]
    ratcheted: Ratcheted
    seconds: float


def run_demo(folder: Path, *, rows: int, audience: Audience) -> Demo:
    """Write the table into `folder`, check it, train on it, report, and ratchet: debug to release."""
    started, say = time.monotonic(), audience.say
    file, planted = _written(folder, rows)
    say(f"The {rows:,} customers in {file} are simulated: no real person is in it.")
    say("These faults were planted in it. A check of the data can see the last three, a model the others:")
    for fault in described(planted):
        say(f"  - {fault}")
    checks = read_as(str(file), Overrides(target=planted.target)).checks
    leaks = tuple(check.column for check in checks if check.kind == "leak")
    if leaks:
        say(f"The checks suspect {', '.join(leaks)} of giving the answer away. Left out, as they advise:")
    columns = Overrides(target=planted.target, ignore=leaks)
    run = _trained(folder, file, columns, audience)
    page = write_report(folder, folder / "report.html")
    say(f"To be short, the demo goes on with one learner that is quick to fit again: {_LEARNER}.")
    done = ratchet(Scene(open_project(folder), file, columns, planted, audience), _LEARNER)
    seen = (*done.found, *found(checks, planted))
    return Demo(run, page, seen, done, time.monotonic() - started)


def _written(folder: Path, rows: int) -> tuple[Path, Planted]:
    table, planted = churn(rows=rows)
    file = folder / "customers.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        table.write_csv(file)
    except OSError as error:
        raise FileError(
            f"Cannot write {file}: {error.strerror or error}. Choose another: --folder DIR"
        ) from error
    return file, planted


def _trained(folder: Path, file: Path, columns: Overrides, audience: Audience) -> Run:
    ignore = "".join(f" --ignore {name}" for name in columns.ignore)
    command = (
        f"holdfast train {file} --target {columns.target} --budget {_BUDGET:.0f}s{ignore} --project {folder}"
    )
    audience.say(command)
    request = TrainRequest(
        str(file), columns, project=folder, budget=_BUDGET, on_event=audience.on_event, command=command
    )
    run = fit(request, started=time.monotonic())
    audience.show(leaderboard(run))
    return run


def described(planted: Planted) -> tuple[str, ...]:
    """Every planted fault in words, with its size."""
    place = " and ".join(f"{column} = {value}" for column, value in planted.inverted_slice)
    spelt = ", ".join(f"{column} ({len(rows):,} cells)" for column, rows in planted.misspelt)
    return (
        f"{len(planted.wrong):,} wrong labels",
        f"one slice whose signal is inverted: {place} ({len(planted.inverted):,} rows)",
        f"a column that gives the answer away: {planted.leak}",
        f"{len(planted.copies):,} rows that are copies of others",
        f"categories in several spellings: {spelt}",
    )


def found(checks: Sequence[Check], planted: Planted) -> tuple[tuple[str, str], ...]:
    """What the checks said of the planted faults that they can see: the leak, the twins, the spellings."""

    def said(kind: str, columns: Sequence[str] = ()) -> str:
        about = [check for check in checks if check.kind == kind and (not columns or check.column in columns)]
        return " ".join(check.message for check in about)

    _, _, leak, copies, spelt = described(planted)
    misspelt = [column for column, _ in planted.misspelt]
    return (
        (leak, said("leak", [planted.leak])),
        (copies, said("twins")),
        (spelt, said("spelling", misspelt)),
    )
