"""`train`: from a table to a proven best model."""

from __future__ import annotations

import time as clock
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from holdfast.core.duration import seconds
from holdfast.core.events import Event, OnEvent, Skipped, silent
from holdfast.core.run import Run
from holdfast.core.schema import Kind
from holdfast.core.space import Space
from holdfast.core.task import Task
from holdfast.data.roles import Overrides
from holdfast.metrics import AnyMetric
from holdfast.project.fitting import fit
from holdfast.project.request import Learned, TrainRequest


def train(
    source: object,
    *,
    target: str | None = None,
    project: str | Path | None = None,
    budget: float | str | None = None,
    learners: Sequence[Learned] | None = None,
    metric: AnyMetric | None = None,
    loss: str | None = None,
    folds: int | None = None,
    seed: int = 0,
    sealed: float | None = None,
    test: object = None,
    tune: bool = False,
    spaces: Mapping[str, Space] | None = None,
    replay: str | None = None,
    id: str | None = None,  # noqa: A002  the role's own name
    group: str | None = None,
    time: str | None = None,
    weight: str | None = None,
    sensitive: Sequence[str] = (),
    ignore: Sequence[str] = (),
    kinds: Mapping[str, Kind] | None = None,
    task: Task | str | None = None,
    on_event: OnEvent = silent,
) -> Run:
    """Train several models on a table, and give the best one's run.

    `source` is a path, several, a URL, a polars, pandas or Arrow table, or a Dataset.
    With a `project` (a folder) everything is kept there, and a command that was killed
    is resumed; without one all stays in memory. `budget` is in seconds, or as in "60s" and
    "5m"; None is as long as the whole portfolio takes. `learners` are names of the portfolio or scikit-learn
    estimators, in the order in which to fit them. `metric` is what models are mixed and
    ranked by; unless you or the project name one it follows from the `loss`: pinball:0.9
    from quantile:0.9, mae from absolute and huber, rmse from squared and poisson, else
    log_loss. `sealed` is the share of rows that
    only the gate may see (default 0.2); `test` brings sealed rows of your own.
    `replay` makes the model of an earlier run again, whatever the budget was.
    What is not said of the columns (`target`, `id`, `group`, `time`, `weight`,
    `sensitive`, `ignore`, `kinds`, `task`) is inferred, and the project's
    holdfast.toml is asked first.

    The run's `candidates` are all that was trained; `hf.leaderboard(run)` ranks them. A
    column that seems to give the target away is a Python warning, and one of the run's
    record; so is a learner that failed, which is among the record's notes.

    Raises FileError, ColumnError or TargetError for a table that cannot be used, and
    PlanError for a plan that cannot be carried out.
    """
    columns = Overrides(
        target, id, group, time, weight, tuple(sensitive), tuple(ignore), dict(kinds or {}),
        None if task is None else Task(task),
    )  # fmt: skip
    failed: list[Skipped] = []

    def hear(event: Event) -> None:
        if isinstance(event, Skipped) and event.failed:
            failed.append(event)
        on_event(event)

    request = TrainRequest(
        source=source,
        columns=columns,
        project=project,
        budget=None if budget is None else seconds(budget),
        learners=None if learners is None else tuple(learners),
        metric=metric,
        loss=loss,
        folds=folds,
        seed=seed,
        sealed=sealed,
        test=test,
        tune=tune,
        spaces=dict(spaces or {}),
        replay=replay,
        on_event=hear,
    )
    run = fit(request, started=clock.monotonic())
    for said in (*run.record.warnings, *map(str, failed)):
        warnings.warn(said, stacklevel=2)
    return run
