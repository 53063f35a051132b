"""`show` and `report`: the facts of a training as one value, and the page drawn from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from holdfast import __version__
from holdfast.core.curves import Pictures
from holdfast.core.predictions import Predictions
from holdfast.core.proof import Proof
from holdfast.core.report_facts import DataFacts, Price, ReportFacts
from holdfast.core.run import Run, Training
from holdfast.core.task import Task
from holdfast.errors import FileError
from holdfast.metrics import named_or_default, resolve
from holdfast.metrics.by_class import per_class
from holdfast.metrics.curves import pictures as pictures_of
from holdfast.project.chain import proofs
from holdfast.project.handle import Project, home_of
from holdfast.project.importance import importance
from holdfast.project.judge import leaderboard
from holdfast.project.output import write_output
from holdfast.project.runs import ANSWERS, BEFORE, data_of, newest_training, records, run_named
from holdfast.project.scores import every_score
from holdfast.project.twin_effect import twins_of
from holdfast.report.charts import encoded
from holdfast.report.page import charts_of, page
from holdfast.store.runs import load_run
from holdfast.store.settings import Settings
from holdfast.store.trainings import trainings

_PICTURES = (".png", ".svg")


def write_report(
    project: str | Path | Project = ".", output: str | Path = "report.html", *, run: str = "best"
) -> Path:
    """Write one self-contained HTML page on a project's newest training; the path that was written.

    An `output` that is a folder, or has no ending, gets the page as report.html and each of its
    charts as .png and .svg.
    """
    written_report(home_of(project), Path(output), run)
    return Path(output)


def written_report(project: Project, output: Path, run: str) -> tuple[Path, ...]:
    """The files of a report: the page, and where `output` is a folder its charts (see `write_report`)."""
    if output.suffix.lower() in _PICTURES:
        raise FileError(
            f"A report is a page with many charts, and {output.name} would be one of them. For the page and "
            f"all charts as PNG and SVG give a folder: holdfast report -o {quote(output.stem)}"
        )
    facts = facts_of(project, run)
    data = page(facts).encode()
    if output.suffix and not output.is_dir():
        return (write_output(output, data),)
    pictures = [
        write_output(output / f"{name}{kind}", encoded(chart, kind))
        for name, chart in charts_of(facts).items()
        for kind in _PICTURES
    ]
    return (write_output(output / "report.html", data), *pictures)


def facts_of(project: Project, name: str, *, pictures: bool = True) -> ReportFacts:
    """Everything that is known of a run and the training it belongs to."""
    run = _trained(run_named(project, name))
    training = next((one for one in trainings(project.store) if one.id == run.record.training), None)
    training = training or newest_training(project)
    listed = records(project, training.id)
    board = leaderboard([load_run(project.store, record.id, training.id) for record in listed])
    ranked = {entry.name: place for place, entry in enumerate(board.entries)}
    dataset, split = data_of(project, run.record)
    predictions = _open(run)
    drawn = Pictures()
    if pictures:
        drawn = replace(pictures_of(predictions), importance=importance(project, run))
    task, plan, scores = predictions.header.task, run.record.plan, every_score(run, predictions)
    assert plan is not None  # `_trained` has looked
    return ReportFacts(
        title=f"{dataset.schema.target.name} from {Path(dataset.source).name or 'a table'}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        data=DataFacts.of(dataset, split),
        leaderboard=board,
        runs=tuple(sorted(listed, key=lambda record: ranked.get(record.id, len(ranked)))),
        subject=run.id,
        scores=scores,
        lower_is_better=frozenset(name for name in scores if not resolve(name, task).greater_is_better),
        by_class=per_class(predictions) if task is Task.CLASSIFICATION else {},
        pictures=drawn,
        skipped=_skipped(training),
        environment=run.record.environment,
        commands=_commands(project, run),
        price=_price(project.settings),
        twins=twins_of(dataset, predictions, named_or_default(plan.metric, task)),
    )


def _trained(run: Run) -> Run:
    """The run, if it is of a training here; FileError for one that was logged."""
    if run.record.plan is None:
        raise FileError(
            f"{run.id} was logged by a training loop of your own, so there is no table to report on. "
            f"What is known of it: holdfast show {run.id}"
        )
    return run


def _open(run: Run) -> Predictions:
    if run.predictions is None:
        raise FileError(f"{run.id} kept no predictions, so there is nothing to report.")
    return run.predictions


def _skipped(training: Training) -> tuple[tuple[str, str], ...]:
    skipped = training.plan.get("skipped", ())
    return tuple((str(name), str(reason)) for name, reason in skipped)  # type: ignore[attr-defined]


def _commands(project: Project, run: Run) -> tuple[str, ...]:
    """The training of the run that all began with, then each fix that led from it to this run."""
    made, tried = {one.id: one for one in trainings(project.store)}, proofs(project)
    record, fixes = run.record, list[str]()
    while (training := made.get(record.training)) is not None and ANSWERS in training.plan:
        before = str(training.plan[BEFORE])
        shown = [one for one in tried if (one.before, one.after) == (before, record.id)]
        fixes += [_fix_command(shown[-1])] if shown else filter(None, [training.command])
        record = run_named(project, before).record
    if training is None or not training.command:
        return tuple(reversed(fixes))
    return (training.command, f"{training.command} --replay {quote(record.id)}", *reversed(fixes))


def _fix_command(proof: Proof) -> str:
    return f"holdfast fix {quote(proof.finding)} --with {proof.fix} --run {quote(proof.before)}"


def _price(settings: Settings) -> Price | None:
    price = Price(settings.watts, settings.per_kwh, settings.per_core_hour, settings.currency)
    return price if price != Price() else None
