"""A fitted model whose decision alone is changed: its threshold, or its temperature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.core.finding import FixName
from holdfast.core.fingerprint import fingerprint
from holdfast.core.run import Run
from holdfast.debugging.fixes import Change
from holdfast.errors import FixError
from holdfast.metrics import evaluate, resolve
from holdfast.models.tabular.served import TabularModel, with_decision
from holdfast.project.outcome import Judge
from holdfast.stats.tempering import tempered
from holdfast.training.decision import choose_threshold, cross_tempered, fit_temperature
from holdfast.training.outcome import out_of_fold

_DECIDES = {FixName.THRESHOLD: "threshold", FixName.RECALIBRATE: "temperature"}
_FOR_THRESHOLD = "balanced_accuracy"  # where the run's own metric does not look at decisions


def decided_anew(run: Run, change: Change, judge: Judge) -> Run:
    """The run with another threshold or temperature, chosen on its out-of-fold rows, cross-fitted."""
    model, predictions, plan = run.model, run.predictions, run.record.plan
    assert isinstance(model, TabularModel) and predictions is not None and plan is not None
    decision, _, aim = change.decision.partition(":")
    output, positive = predictions.probability, predictions.header.positive
    if output is None or (positive is None and decision == FixName.THRESHOLD):
        raise FixError(f"{run.id} gives no probability of one class of two, so it has no threshold.")
    rows, manifest = judge.prepared.rows, model.manifest
    temperature, threshold, decided = manifest.temperature, manifest.threshold, None
    if decision == FixName.THRESHOLD:
        threshold, decided = _threshold(output, judge, aim)
    else:
        again = fit_temperature(output, rows.codes)
        temperature *= again
        output = cross_tempered(output, rows.codes, rows.fold)
        if threshold is not None and positive is not None:  # what is decided stays as it was
            pair = np.array([[1 - threshold, threshold]])
            threshold = float(tempered(pair, again)[0, 1])
            decided = predictions.prediction_codes == rows.classes.index(positive)
    name = f"{plan.learner}-{fingerprint([run.id, change.decision, temperature, threshold])[:6]}"
    out = out_of_fold(rows, output, threshold=threshold, model=name, decided=decided)
    fitted = with_decision(model, temperature=temperature, threshold=threshold)
    if fitted.id == model.id:
        what = _DECIDES[FixName(decision)]
        raise FixError(f"On the open rows no other {what} is better than the one of {run.id}.")
    record = replace(
        run.record,
        id=name,
        training=judge.training,
        plan=replace(plan, decision=_with(plan.decision, change.decision)),
        model=fitted.id,
        scores={judge.prepared.metric.name: evaluate(out, judge.prepared.metric)},
        notes=(*run.record.notes, change.said),
    )
    return replace(run, record=record, predictions=out, model=fitted)


def _with(before: str, decision: str) -> str:
    """The decisions so far and this one, which takes the place of one of its kind."""
    kind = decision.partition(":")[0]
    kept = [one for one in before.split("+") if one and one.partition(":")[0] != kind]
    return "+".join([*kept, decision])


def _threshold(output: np.ndarray, judge: Judge, aim: str) -> tuple[float, np.ndarray | None]:
    rows, metric = judge.prepared.rows, judge.prepared.metric
    assert rows.positive is not None  # `decided_anew` has looked
    if aim or metric.family != "confusion":
        metric = resolve(aim or _FOR_THRESHOLD, judge.prepared.task)
    place = rows.classes.index(rows.positive)
    names = [rows.classes[1 - place], rows.positive]

    def of_counts(tables: np.ndarray) -> np.ndarray:
        values = metric.of_counts(tables, names, rows.positive)
        return values if metric.greater_is_better else -values

    score = output[:, place].astype(np.float64)
    chosen, decided = choose_threshold(score, rows.codes == place, rows.fold, of_counts)
    return chosen.threshold, decided
