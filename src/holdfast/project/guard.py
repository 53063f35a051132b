"""`guard`: hold a run, or any system's predictions, against every guard of the project."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from holdfast.comparison.paired import compare
from holdfast.core.dataset import Dataset
from holdfast.core.guard import BY_HAND, Checked, Guard
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.core.run import Run
from holdfast.core.split import Split
from holdfast.core.verdict import Verdict
from holdfast.errors import InputError, RoleError, UnknownRunError, some
from holdfast.project.chain import guards
from holdfast.project.handle import Project, home_of
from holdfast.project.history import champion
from holdfast.project.judge import Judged, predictions_of
from holdfast.project.runs import data_of, newest_training, run_id, run_named
from holdfast.project.same_rows import on_same_rows
from holdfast.promotion.guards import check_all
from holdfast.promotion.subject import LEVEL, Subject
from holdfast.store.datasets import load_dataset
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
    _check_examples(home, listed, dataset, split, predictions.example)
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
    predictions = predictions_of(run)
    _check_examples(project, listed, dataset, split, predictions.example)
    subject = Subject(
        predictions=predictions,
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


def judged_name(judged: Judged, project: Project) -> str:
    """What guards are held against, as a person reads it: `best (lightgbm-4f2a91)`, `theirs.csv`."""
    if isinstance(judged, Run | Predictions):
        return judged.id if isinstance(judged, Run) else judged.header.model
    if Path(judged).is_file():
        return Path(judged).name
    name = run_id(project, str(judged))
    return name if name == str(judged) else f"{judged} ({name})"


def _check_examples(
    project: Project, listed: tuple[Guard, ...], dataset: Dataset, split: Split, predicted: pl.Series
) -> None:
    """InputError for an example that is the id of no row, or a sealed one: neither could ever be judged."""
    sealed = dataset.example.filter(pl.Series(values=split.sealed))
    for one in listed:
        if not one.examples:
            continue
        asked = pl.Series(values=one.examples, dtype=pl.String).unique(maintain_order=True)
        absent = asked.filter(~asked.is_in(dataset.example.implode()) & ~asked.is_in(predicted.implode()))
        if len(absent):  # a fix may have dropped rows that the data still has
            absent = absent.filter(~absent.is_in(_newest_rows(project).implode()))
        if len(absent):
            raise _without(one, absent, "no row of the data has the id")
        if len(hidden := asked.filter(asked.is_in(sealed.implode()))):
            raise _without(one, hidden, "guards look at open rows alone, and sealed is")


def _newest_rows(project: Project) -> pl.Series:
    try:
        return load_dataset(project.store, newest_training(project).dataset).example
    except UnknownRunError:  # whatever is here was logged, not trained
        return pl.Series(dtype=pl.String)


def _without(guard: Guard, wrong: pl.Series, why: str) -> InputError:
    """What is wrong with some of a guard's examples, and the line without them."""
    left = [name for name in guard.examples if name not in wrong]
    mend = f"Leave it out: examples = {json.dumps(left, ensure_ascii=False)}"
    return InputError(
        f"The guard {guard.name!r}: examples: {why} {some(wrong.to_list(), 5)}. "
        f"{mend if left else 'Name other rows, or take the guard out of holdfast.toml.'}"
    )


def _references(project: Project, listed: tuple[Guard, ...]) -> Mapping[str, Predictions]:
    found: dict[str, Predictions] = {}
    for one in listed:
        if not one.reference:
            continue
        try:
            kept = load_run(project.store, one.reference).predictions
        except UnknownRunError as error:
            if one.origin == BY_HAND:
                raise InputError(f"The guard {one.name!r}: reference = {one.reference!r}. {error}") from error
            continue  # the guard says that there is nothing to compare with
        if kept is not None:
            found[one.reference] = kept
    return found
