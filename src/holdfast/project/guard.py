"""`guard`: hold a run, or any system's predictions, against every guard of the project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from holdfast.comparison.paired import compare
from holdfast.core.guard import Checked, Guard
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.run import Run
from holdfast.core.verdict import Verdict
from holdfast.errors import HoldfastError, RoleError
from holdfast.project.chain import guards
from holdfast.project.handle import Project, home_of
from holdfast.project.history import champion
from holdfast.project.judge import Judged, predictions_of
from holdfast.project.runs import data_of, newest_training, run_named
from holdfast.project.same_rows import on_same_rows
from holdfast.promotion.guards import check_all
from holdfast.promotion.subject import LEVEL, Subject
from holdfast.store.runs import load_run


def guard(judged: Judged = "best", *, project: str | Path | Project = ".") -> tuple[Checked, ...]:
    """Every guard of the project held against a run, or against a predictions file.

    On open rows, out of fold, so it may be asked as often as one likes. A file has no model that
    could be asked: guards that need one are "not run", which is never a pass.
    """
    home = home_of(project)
    listed = guards(home)
    if isinstance(judged, Run | str) and not (isinstance(judged, str) and Path(judged).is_file()):
        run = run_named(home, judged if isinstance(judged, str) else judged.id)
        return check_run(home, run, listed)
    predictions = predictions_of(judged, home).require_open()
    dataset, split = data_of(home, load_run(home.store, newest_training(home).best).record)
    places = places_in(dataset.example, predictions.example)
    known = bool((places >= 0).all())
    if sealed := int(split.sealed[places[places >= 0]].sum()):
        raise RoleError(
            f"{sealed:,} of the {len(predictions):,} predicted rows are sealed, and guards may be asked as "
            "often as one likes. Leave them out of the file; the gate asks them: holdfast release RUN"
        )
    subject = Subject(
        predictions=predictions,
        compare=judge,
        dataset=dataset if known else None,
        champion=champion_predictions(home),
        references=_references(home, listed),
    )
    return check_all(listed, subject)


def check_run(project: Project, run: Run, listed: tuple[Guard, ...]) -> tuple[Checked, ...]:
    """The guards held against a run's out-of-fold predictions and its model."""
    dataset, split = data_of(project, run.record)
    subject = Subject(
        predictions=predictions_of(run),
        compare=judge,
        dataset=dataset.take(split.open),
        model=run.model,
        champion=champion_predictions(project),
        references=_references(project, listed),
        row_seconds=run.record.cost.row_seconds or None,
    )
    return check_all(listed, subject)


def judge(before: Predictions, after: Predictions, metric: str, margin: float | None) -> Verdict:
    """The paired comparison that guards are made of, by the labels that the later model knows."""
    after, before = on_same_rows(after, before)
    return compare(before, after, metric=metric, margin=margin, level=LEVEL)


def champion_predictions(project: Project) -> Predictions | None:
    """The out-of-fold predictions of the run that is released now, None where none is."""
    stage = champion(project)
    return None if stage is None else load_run(project.store, stage.release.run).predictions


def _references(project: Project, listed: tuple[Guard, ...]) -> Mapping[str, Predictions]:
    found: dict[str, Predictions] = {}
    for name in {one.reference for one in listed if one.reference}:
        try:
            kept = load_run(project.store, name).predictions
        except HoldfastError:
            continue  # the guard says that there is nothing to compare with
        if kept is not None:
            found[name] = kept
    return found
