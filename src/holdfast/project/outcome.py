"""From finished candidates to Runs: one model each, judged out of fold, and their ensemble."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.fingerprint import fingerprint
from holdfast.core.origin import Origin
from holdfast.core.plan import Plan
from holdfast.core.run import Cost, Run, RunRecord, Status
from holdfast.core.task import Task
from holdfast.metrics import evaluate, scorer
from holdfast.models.tabular.served import TabularModel, combine, load, with_decision
from holdfast.project.roles import Prepared
from holdfast.training.decision import calibrate, choose_threshold
from holdfast.training.ensemble import cross_fitted, greedy_weights
from holdfast.training.outcome import gather, out_of_fold
from holdfast.training.schedule import Finished

ENSEMBLE = "ensemble"
_TIMED_ROWS, _TIMED_SINGLES, _MOST_TIMING = 500, 30, 0.3  # seconds
_MOST_MIXED_ROWS = 30_000  # greedy selection looks at no more rows than this


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """How outputs of the open rows are scored, decided and turned into Predictions."""

    prepared: Prepared
    training: str
    seed: int

    def loss(self, rows: np.ndarray | slice = slice(None)) -> Callable[[np.ndarray], float]:
        """Outputs of those rows -> the metric as a loss (lower is better)."""
        held = self.prepared.rows
        target = held.codes if self.prepared.task is Task.CLASSIFICATION else held.values
        weight = None if held.weight is None else held.weight[rows]
        return scorer(
            self.prepared.metric, target[rows], classes=held.classes, positive=held.positive, weight=weight
        )

    def fold_score(self, output: np.ndarray, k: int) -> float:
        """The metric of one fold's output, in the metric's own direction."""
        loss = self.loss(self.prepared.rows.fold == k)(output)
        return -loss if self.prepared.metric.greater_is_better else loss


def learner_run(finished: Finished, judge: Judge) -> Run:
    """One learner's run: the mean of its fold models."""
    rows = judge.prepared.rows
    fits = finished.fits
    models = [load(fit.files) for fit in fits]
    model = combine(models, np.full(len(models), 1 / len(models)))
    cost = Cost(sum(fit.seconds for fit in fits), sum(fit.cpu_seconds for fit in fits))
    record = replace(
        _record(finished.candidate.plan, judge), cost=cost, curves=tuple(fit.curve for fit in fits)
    )
    return _decided(record, model, gather(rows, fits), judge)


def ensemble_run(members: Sequence[Run], finished: Sequence[Finished], judge: Judge) -> Run | None:
    """The greedy mix of the members, or None when it is one of them alone."""
    rows = judge.prepared.rows
    outputs = [gather(rows, one.fits) for one in finished]
    everything = _sample(len(rows.index), judge.seed)
    weights = _weights(outputs, everything, judge)
    if np.count_nonzero(weights) < 2:
        return None
    chosen = [member for member, weight in zip(members, weights, strict=True) if weight > 0]
    plan = _ensemble_plan(members, judge)
    models = [load(fit.files) for one, w in zip(finished, weights, strict=True) if w > 0 for fit in one.fits]
    shares = [w / len(one.fits) for one, w in zip(finished, weights, strict=True) if w > 0 for _ in one.fits]
    mixed = cross_fitted(outputs, rows.fold, lambda mask: _weights(outputs, everything & mask, judge))
    record = replace(
        _record(plan, judge),
        cost=Cost(
            sum(m.record.cost.fit_seconds for m in chosen), sum(m.record.cost.cpu_seconds for m in chosen)
        ),
        weights={m.id: float(w) for m, w in zip(members, weights, strict=True) if w > 0},
    )
    return _decided(record, combine(models, np.array(shares)), mixed, judge)


def _record(plan: Plan, judge: Judge) -> RunRecord:
    """What every run of this training has in common; its cost and parts are added by kind."""
    return RunRecord(
        id=run_id(plan, judge.prepared),
        training=judge.training,
        plan=plan,
        dataset=judge.prepared.dataset.id,
        status=Status.FINISHED,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        warnings=suspicions(judge.prepared.dataset),
        seed=judge.seed,
    )


def run_id(plan: Plan, prepared: Prepared) -> str:
    """Short and readable; equal for the same plan on the same rows."""
    return f"{plan.learner}-{fingerprint([plan.id, prepared.dataset.id, prepared.roles])[:6]}"


def suspicions(dataset: Dataset) -> tuple[str, ...]:
    """Why scores on this table may not hold in use: columns that seem to give the target away."""
    return tuple(
        f"These scores may be too good to be true. {check.message}"
        for check in dataset.checks
        if check.kind == "leak"
    )


def environment(model: TabularModel) -> dict[str, str]:
    """The machine that a run was made on, and the versions of what its own fits were made with."""
    facts = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    return facts | dict(model.manifest.environment)


def _ensemble_plan(pool: Sequence[Run], judge: Judge) -> Plan:
    # The whole pool, not the chosen: what was there to choose from decides the weights too.
    first = pool[0].record.plan
    assert first is not None  # runs of this training were planned
    members = tuple(run.id for run in pool)
    return replace(first, learner=ENSEMBLE, options={}, members=members, seed=judge.seed)


def _weights(outputs: Sequence[np.ndarray], rows: np.ndarray, judge: Judge) -> np.ndarray:
    return greedy_weights([output[rows] for output in outputs], judge.loss(rows))


def _sample(n: int, seed: int) -> np.ndarray:
    mask = np.ones(n, dtype=bool)
    if n > _MOST_MIXED_ROWS:
        mask[np.random.default_rng(seed).permutation(n)[_MOST_MIXED_ROWS:]] = False
    return mask


def _decided(record: RunRecord, model: TabularModel, output: np.ndarray, judge: Judge) -> Run:
    """Calibrate, choose the threshold, judge, and time the model as it is served."""
    prepared, notes = judge.prepared, []
    threshold, temperature, decided = None, 1.0, None
    if prepared.task is Task.CLASSIFICATION:
        rows = prepared.rows
        calibration, output = calibrate(output, rows.codes, rows.fold)
        temperature = calibration.temperature
        with_it = f"temperature {temperature:.3f} kept" if calibration.kept else "not kept"
        notes.append(
            f"calibration {with_it}: "
            f"log loss {calibration.before:.5f} before, {calibration.after:.5f} after (cross-fitted)"
        )
        if rows.positive is not None:
            threshold, decided, note = _threshold(output, judge)
            notes += note
    model = with_decision(model, temperature=temperature, threshold=threshold)
    predictions = out_of_fold(prepared.rows, output, threshold=threshold, model=record.id, decided=decided)
    scores = {prepared.metric.name: evaluate(predictions, prepared.metric)}
    return Run(
        replace(record, model=model.id, notes=tuple(notes), scores=scores, environment=environment(model)),
        predictions,
        model,
        origin=Origin.of(prepared.dataset, prepared.split),
        metric=prepared.metric,
    )


def _threshold(output: np.ndarray, judge: Judge) -> tuple[float, np.ndarray | None, list[str]]:
    """The threshold, the cross-fitted decisions where it was looked for, and what is said of it."""
    metric, rows = judge.prepared.metric, judge.prepared.rows
    if metric.family != "confusion" or rows.positive is None:
        return 0.5, None, []
    place = rows.classes.index(rows.positive)
    order = [1 - place, place]

    def of_counts(tables: np.ndarray) -> np.ndarray:
        classes = [rows.classes[i] for i in order]
        values = metric.of_counts(tables, classes, rows.positive)
        return values if metric.greater_is_better else -values

    chosen, decided = choose_threshold(
        output[:, place].astype(np.float64), rows.codes == place, rows.fold, of_counts
    )
    verb = "kept" if chosen.kept else "not kept"
    note = (
        f"threshold {chosen.threshold:.3f} {verb}: {metric.name} {chosen.before:.4f} at 0.5, "
        f"{chosen.after:.4f} with it (cross-fitted)"
    )
    return chosen.threshold, decided, [note]


def timed(run: Run, prepared: Prepared) -> Run:
    """The run with what its model costs to use: measured when nothing else works."""
    model = run.model
    assert isinstance(model, TabularModel)  # runs are made above, with their models
    index = prepared.rows.index[:_TIMED_ROWS]
    sample = prepared.dataset.take(index)
    model.predict(sample)  # the first call prepares; it is not counted
    started = time.perf_counter()
    model.predict(sample)
    per_row = (time.perf_counter() - started) / len(sample)
    singles = sample.table.head(_TIMED_SINGLES).to_dicts()
    seconds = []
    for row in singles:
        began = time.perf_counter()
        model.predict_rows([row])
        seconds.append(time.perf_counter() - began)
        if sum(seconds) > _MOST_TIMING:
            break
    size = sum(len(data) for data in model.files.values())
    cost = replace(run.record.cost, predict_seconds=per_row, row_seconds=float(np.median(seconds)), size=size)
    return replace(run, record=replace(run.record, cost=cost))
