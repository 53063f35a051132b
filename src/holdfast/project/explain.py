"""`explain`: why a run answers as it does on one row."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.explanation import Explanation
from holdfast.core.predictions import Predictions
from holdfast.core.run import Run
from holdfast.debugging.explain import explain as explain_row
from holdfast.errors import InputError, some
from holdfast.project.handle import Project, home_of
from holdfast.project.predict import served_model
from holdfast.project.probing import probe_of
from holdfast.project.runs import data_of, run_named


def explain(
    run: Run | str, example: str, *, project: str | Path | Project = ".", seed: int = 0
) -> Explanation:
    """What each column's cell adds to a run's answer on one row of its data, with its uncertainty.

    An open row is explained by the model whose training rows lack it, which gave its
    out-of-fold prediction; another row by the model as it is served.
    """
    home = home_of(project)
    found = run_named(home, run if isinstance(run, str) else run.id)
    dataset, split = data_of(home, found.record)
    place = np.flatnonzero((dataset.example == example).to_numpy())
    if not len(place):
        near = dataset.example.filter(dataset.example.str.starts_with(example[:3])).head(3)
        near = near if len(near) else dataset.example.head(3)
        raise InputError(
            f"The data of {found.id} has no row {example!r}; rows are called {some(near)}. "
            "holdfast show FINDING lists the ids of the rows that it is about."
        )
    fold = int(split.fold[place[0]])
    probe = probe_of(home, found, dataset, split)
    served = served_model(found)
    model = served if probe is None or fold < 0 else probe.fold_model(fold)
    columns = [column.name for column in served.manifest.columns]

    def predict(rows: Dataset) -> Predictions:
        return model.predict(rows)

    return explain_row(dataset, example, predict, columns=columns, seed=seed)
