"""What `hf.log` recorded of a run, as one value."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.logged import Logged, Series
from holdfast.core.run import Run
from holdfast.metrics import metrics_of
from holdfast.project.handle import Project
from holdfast.project.judge import evaluate
from holdfast.store.logs import LogRecord, logged
from holdfast.store.runs import run_files


def logged_of(project: Project, run: Run) -> Logged:
    """The metrics of a logged run, its files, and the scores of its predictions if it has any."""
    files = run_files(project.store, run.id)
    predictions = run.predictions
    known = () if predictions is None else metrics_of(predictions.header.task)
    return Logged(
        run.record,
        _series(logged(project.store, run.id)),
        {name: len(data) for name, data in files.items()},
        {} if predictions is None else evaluate(predictions),
        frozenset(metric.name for metric in known if not metric.greater_is_better),
    )


def _series(records: Iterable[LogRecord]) -> dict[str, Series]:
    series: dict[str, Series] = {}
    for record in records:
        for name, value in record.metrics.items():
            before = series[name].count if name in series else 0
            series[name] = Series(value, record.step, before + 1)
    return series
