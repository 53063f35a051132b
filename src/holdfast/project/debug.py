"""`debug`: look for everything that is known to go wrong with a model and its data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Finding, Findings, in_order
from holdfast.core.predictions import Predictions
from holdfast.core.probe import Probe
from holdfast.core.run import Run
from holdfast.debugging.bias import bias
from holdfast.debugging.calibration import calibration
from holdfast.debugging.data_faults import data_faults
from holdfast.debugging.fit import fit
from holdfast.debugging.imbalance import imbalance
from holdfast.debugging.label_errors import label_errors
from holdfast.debugging.leakage import leakage
from holdfast.debugging.robustness import robustness
from holdfast.debugging.shortcut import shortcut
from holdfast.debugging.slices import slices
from holdfast.debugging.unstable import unstable
from holdfast.errors import HoldfastError, InputError
from holdfast.project.handle import Project, home_of
from holdfast.project.judge import predictions_of
from holdfast.project.probing import asked, probe_of
from holdfast.project.runs import BEST, data_of, run_named
from holdfast.store.findings import save_findings

Found = tuple[Finding, ...]
OnKind = Callable[[str, Found | str, float], None]
"""Told of each kind as it is done: its name, what was found or why it was not run, and the seconds."""

# What needs nothing but predictions, by the name of the kind.
_JUDGED: Mapping[str, Callable[[Dataset, Predictions, int], Found]] = {
    "label errors": lambda dataset, predictions, _: label_errors(predictions, dataset),
    "weak slices": lambda dataset, predictions, seed: slices(dataset, predictions, seed=seed),
    "calibration": lambda dataset, predictions, seed: calibration(dataset, predictions, seed=seed),
    "imbalance and threshold": lambda dataset, predictions, seed: imbalance(dataset, predictions, seed=seed),
    "bias": lambda dataset, predictions, seed: bias(dataset, predictions, seed=seed),
    "data": lambda dataset, predictions, seed: data_faults(dataset, predictions, seed=seed),
}
# What asks the model something new; `leakage` tells what can be told without.
_PROBED: Mapping[str, Callable[[Dataset, Predictions, Probe, int], Found]] = {
    "leakage": lambda dataset, predictions, probe, seed: leakage(dataset, predictions, probe, seed=seed),
    "over- and underfitting": lambda dataset, predictions, probe, seed: fit(
        dataset, predictions, probe, seed=seed
    ),
    "robustness": lambda dataset, predictions, probe, seed: robustness(
        dataset, predictions, probe, seed=seed
    ),
    "unstable": lambda dataset, predictions, probe, seed: unstable(dataset, predictions, probe, seed=seed),
    "shortcut": lambda dataset, predictions, probe, seed: shortcut(dataset, predictions, probe, seed=seed),
}


def debug(
    dataset: Dataset | Run | str = BEST,
    predictions: Predictions | None = None,
    model: Run | None = None,
    *,
    project: str | Path | Project | None = None,
    seed: int = 0,
) -> Findings:
    """Everything wrong that can be found, what explains most of the model's loss first.

    `debug("best", project=".")`, or with a Run, looks at a run of a project, whose model can be
    asked new questions, and keeps what it finds there. `debug(dataset, predictions)` judges the
    predictions of any system on the rows that the dataset has by the same ids; kinds that need to
    ask the model are then listed in `not_run`, unless `model` is a run of `project`.
    Only open rows are looked at. Statistical findings are searched on one half of the rows and
    confirmed on the other, corrected for all that was tried.

    Raises InputError for a dataset without predictions, RoleError for sealed rows.
    """
    home = None if project is None else home_of(project)
    if not isinstance(dataset, Dataset):
        name = dataset.id if isinstance(dataset, Run) else dataset
        return debug_run(home or home_of("."), name, seed=seed)
    if predictions is None and model is None:
        raise InputError("Give hf.debug the predictions to look at: hf.debug(dataset, predictions)")
    judged = predictions_of(model) if predictions is None and model is not None else predictions
    assert judged is not None  # one of the two was given
    if home is None or model is None:
        return _look(dataset, judged, None, seed=seed)
    run = run_named(home, model.id)
    with asked(home, run) as probe:
        return _look(dataset, judged, probe, seed=seed)


def debug_run(project: Project, name: str, *, seed: int = 0, on_kind: OnKind | None = None) -> Findings:
    """Debug a run of a project by its name, and keep what was found."""
    run = run_named(project, name)
    dataset, split = data_of(project, run.record)
    predictions = predictions_of(run)
    with probe_of(project, run, dataset, split) or nullcontext() as probe:
        found = _look(dataset, predictions, probe, seed=seed, on_kind=on_kind)
    save_findings(project.store, found)
    return found


def _look(
    dataset: Dataset,
    predictions: Predictions,
    probe: Probe | None,
    *,
    seed: int,
    on_kind: OnKind | None = None,
) -> Findings:
    started = time.monotonic()
    found: list[Finding] = []
    not_run: list[tuple[str, str]] = []
    for kind, look in _looks(dataset, predictions, probe, seed).items():
        began = time.monotonic()
        try:
            of_kind: Found | str = look()
        except HoldfastError as error:
            of_kind = str(error)
        if isinstance(of_kind, str):
            not_run.append((kind, of_kind))
        else:
            found += of_kind
        if on_kind is not None:
            on_kind(kind, of_kind, time.monotonic() - began)
    return Findings(
        in_order(found),
        run=predictions.header.model,
        dataset=dataset.id,
        rows=len(predictions.known),
        not_run=tuple(not_run),
        seconds=time.monotonic() - started,
    )


def _looks(
    dataset: Dataset, predictions: Predictions, probe: Probe | None, seed: int
) -> dict[str, Callable[[], Found | str]]:
    looks: dict[str, Callable[[], Found | str]] = {}
    for kind, judged in _JUDGED.items():
        looks[kind] = lambda judged=judged: judged(dataset, predictions, seed)  # type: ignore[misc]
    for kind, probed in _PROBED.items():
        if probe is None and kind == "leakage":
            looks[kind] = lambda: leakage(dataset, predictions, seed=seed)
        elif probe is None:
            looks[kind] = lambda: "there are predictions only, and no model that could be asked"
        else:
            looks[kind] = lambda probed=probed: probed(dataset, predictions, probe, seed)  # type: ignore[misc]
    return looks
