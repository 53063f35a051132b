"""What a training stands on: the dataset, every row's role, the task's facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.labels import in_order, label_text, positive_of
from holdfast.core.split import Split
from holdfast.core.task import Task
from holdfast.data.split import split
from holdfast.errors import PlanError, TargetError
from holdfast.metrics import Metric, resolve
from holdfast.project.handle import Project, with_settings
from holdfast.project.request import TrainRequest
from holdfast.project.table import load
from holdfast.store.splits import Rule, freeze_rule, load_rule
from holdfast.training.outcome import Rows
from holdfast.training.portfolio import default_loss, folds_for
from holdfast.training.schedule import roles_id

_SEALED = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The rows to train on, and what is asked of a model of them."""

    dataset: Dataset
    split: Split
    rows: Rows
    metric: Metric
    loss: str

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.dataset.schema.task

    @property
    def roles(self) -> str:
        """Names the split: the same rows in the same roles and folds have the same name."""
        return roles_id(self.split)

    @property
    def fold(self) -> np.ndarray:
        """The fold of every row of the dataset, int64 of shape (n,); -1 for rows that take no part."""
        fold = np.full(len(self.dataset), -1, dtype=np.int64)
        fold[self.rows.index] = self.rows.fold
        return fold


def prepare(request: TrainRequest, project: Project | None) -> Prepared:
    """Read, check and split the table; the project's frozen salt and cut are used, or frozen now."""
    columns = request.columns if project is None else with_settings(request.columns, project.settings)
    dataset, sealed = load(request.source, columns, request.test)
    divided = _divide(request, project, dataset, sealed)
    divided = replace(divided, fold=np.where(dataset.target.is_null().to_numpy(), -1, divided.fold))
    classes = _classes(dataset)
    rows = Rows.of(dataset, divided, classes, positive_of(classes))
    task = dataset.schema.task
    loss = request.loss or default_loss(task)
    return Prepared(dataset, divided, rows, _metric(request, project, task), loss)


def _divide(
    request: TrainRequest, project: Project | None, dataset: Dataset, sealed: np.ndarray | None
) -> Split:
    share = _SEALED if request.sealed is None else request.sealed
    salt = cut = None
    if project is not None:
        frozen = load_rule(project.store)
        if frozen is not None:
            if request.sealed is not None and request.sealed != frozen.share:
                raise PlanError(
                    f"This project has sealed {frozen.share:.0%} of its rows, once and for ever. "
                    f"Leave out --sealed, or start another project: --project DIR"
                )
            share, salt, cut = frozen.share, frozen.salt, frozen.cut
        elif request.sealed is None:
            share = project.settings.sealed
    folds = request.folds or folds_for(round(len(dataset) * (1 - share)), _smallest_class(dataset))
    divided = split(dataset, share=share, folds=folds, salt=salt, cut=cut, sealed=sealed)
    if project is not None and salt is None:
        ours = Rule(divided.salt, divided.share, divided.cut)
        if freeze_rule(project.store, ours) != ours:  # another command was first, and its rule holds
            return _divide(request, project, dataset, sealed)
    return divided


def _classes(dataset: Dataset) -> tuple[str, ...]:
    if dataset.schema.task is not Task.CLASSIFICATION:
        return ()
    classes = in_order(label_text(dataset.target).drop_nulls().unique().to_list())
    if len(classes) < 2:
        name = dataset.schema.target.name
        raise TargetError(f"The target {name!r} has one class only, {classes}: there is nothing to learn.")
    return classes


def _smallest_class(dataset: Dataset) -> int | None:
    if dataset.schema.task is not Task.CLASSIFICATION:
        return None
    counts = dataset.target.drop_nulls().value_counts()["count"]
    return int(counts.min()) if len(counts) else None  # type: ignore[arg-type]


def _metric(request: TrainRequest, project: Project | None, task: Task) -> Metric:
    asked = request.metric
    if asked is None and project is not None:
        asked = project.settings.metric or None
    if asked is None:
        return resolve("log_loss" if task is Task.CLASSIFICATION else "rmse", task)
    if isinstance(asked, Callable) and not isinstance(asked, Metric):  # type: ignore[arg-type]
        name = getattr(asked, "__name__", "custom")
        return Metric.custom(name, asked, greater_is_better=False)  # type: ignore[arg-type]
    return resolve(asked, task)  # type: ignore[arg-type]
