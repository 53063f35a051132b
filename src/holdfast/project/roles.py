"""What a training stands on: the dataset, every row's role, the task's facts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.labels import in_order, label_text, positive_of
from holdfast.core.schema import Role
from holdfast.core.split import Split
from holdfast.core.task import Task
from holdfast.data.roles import Overrides
from holdfast.data.split import split
from holdfast.errors import PlanError, TargetError
from holdfast.metrics import Metric, resolve
from holdfast.models.tabular.losses import parse_loss
from holdfast.project.handle import Project, with_settings
from holdfast.project.request import TrainRequest
from holdfast.project.table import load
from holdfast.store.settings import Settings
from holdfast.store.splits import Rule, freeze_rule, load_rule
from holdfast.training.outcome import Rows
from holdfast.training.portfolio import default_loss, default_metric, folds_for
from holdfast.training.schedule import roles_id


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
    """Read, check and split the table, as the project's frozen rule says where it has one."""
    columns, frozen = request.columns, None
    if project is not None:
        frozen = load_rule(project.store)
        columns = with_settings(columns, project.settings)
    if frozen is not None:
        _check_share(request, frozen)
        columns = as_frozen(columns, frozen)
    dataset, sealed = load(request.source, columns, request.test)
    # The order of a file's rows decides nothing: neither a model nor where a finished fold's rows are.
    order = dataset.example.arg_sort().to_numpy()
    dataset, sealed = dataset.reordered(order), None if sealed is None else sealed[order]
    if frozen is not None:
        _check_names(dataset, frozen)
    share = _share(request, project) if frozen is None else frozen.share
    divided = _divide(request, dataset, sealed, share, frozen)
    divided = replace(divided, fold=np.where(dataset.target.is_null().to_numpy(), -1, divided.fold))
    classes = _classes(dataset)
    rows = Rows.of(dataset, divided, classes, positive_of(classes))
    task = dataset.schema.task
    loss = request.loss or default_loss(task)
    return Prepared(dataset, divided, rows, _metric(request, project, task, loss), loss)


def settled(prepared: Prepared, project: Project) -> bool:
    """Freeze the rule by which these rows were named and split; False when the project has another.

    That is so when another command was first since `prepare` looked: prepare again.
    """
    ours = _rule(prepared.dataset, prepared.split)
    kept = freeze_rule(project.store, ours)
    same_key = prepared.dataset.key is not None or set(kept.key) == set(ours.key)
    return same_key and replace(kept, key=()) == replace(ours, key=())


def as_frozen(columns: Overrides, rule: Rule) -> Overrides:
    """What is said of the columns, with those by which the project drew its rows' roles.

    PlanError when it names others: every role would be drawn anew, and sealed rows opened.
    """
    for role in ("id", "group", "time"):
        said, kept = getattr(columns, role), getattr(rule, role)
        if said is not None and said != kept:
            began = f"by {kept!r}" if kept is not None else f"without --{role}"
            raise PlanError(
                f"This project named its rows and drew their roles {began}, once and for ever; with --{role} "
                f"{said} sealed rows would open. Leave it out, or start another project: --project DIR"
            )
    return replace(columns, id=rule.id, group=rule.group, time=rule.time, key=rule.key)


def _check_share(request: TrainRequest, rule: Rule) -> None:
    if request.sealed is not None and request.sealed != rule.share:
        raise PlanError(
            f"This project has sealed {rule.share:.0%} of its rows, once and for ever. "
            f"Leave out --sealed, or start another project: --project DIR"
        )
    if request.test is not None and rule.share > 0:
        raise PlanError(
            f"This project has sealed {rule.share:.0%} of its rows, once and for ever; with --test they "
            "would open. Leave out --test, or start another project: --project DIR"
        )


def _divide(
    request: TrainRequest, dataset: Dataset, sealed: np.ndarray | None, share: float, rule: Rule | None
) -> Split:
    unseen = share if sealed is None else float(sealed.mean())
    folds = request.folds or folds_for(round(len(dataset) * (1 - unseen)), _smallest_class(dataset))
    salt, cut = (None, None) if rule is None else (rule.salt, rule.cut)
    return split(dataset, share=share, folds=folds, salt=salt, cut=cut, sealed=sealed)


def _share(request: TrainRequest, project: Project | None) -> float:
    if request.test is not None:
        return 0.0  # the owner's own rows are the sealed ones, now and later
    if request.sealed is not None:
        return request.sealed
    return (Settings() if project is None else project.settings).sealed


def _rule(dataset: Dataset, divided: Split) -> Rule:
    key = tuple(column.name for column in dataset.schema.features)
    return Rule(divided.salt, divided.share, divided.cut, *_named(dataset), key)


def _named(dataset: Dataset) -> tuple[str | None, str | None, str | None]:
    columns = [dataset.schema.with_role(role) for role in (Role.ID, Role.GROUP, Role.TIME)]
    id_, group, time = (None if column is None else column.name for column in columns)
    return id_, group, time


def _check_names(dataset: Dataset, rule: Rule) -> None:
    """A Dataset that was read without the project may name its rows by other columns."""
    features = {column.name for column in dataset.schema.features}
    told_apart = dataset.key is not None or features == set(rule.key)
    if _named(dataset) != (rule.id, rule.group, rule.time) or not told_apart:
        raise PlanError(
            "This Dataset names its rows by other columns than this project does. Give hf.train the file or "
            "table itself, or start another project: project='DIR'"
        )


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


def _metric(request: TrainRequest, project: Project | None, task: Task, loss: str) -> Metric:
    asked = request.metric
    if asked is None and project is not None:
        asked = project.settings.metric or None
    if asked is None:
        own = parse_loss(loss, task)
        return resolve(default_metric(own.name, own.quantile), task)
    return resolve(asked, task)
