"""What a model knows that it will not know in use: leaking columns, and splits that let rows meet."""

from __future__ import annotations

from shlex import quote

import numpy as np

from holdfast.core.dataset import Check, Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Where
from holdfast.core.predictions import Predictions
from holdfast.core.probe import Probe
from holdfast.core.schema import Kind
from holdfast.core.task import Task
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.corrected import corrected
from holdfast.debugging.effect import loss_rise
from holdfast.debugging.losses import loss_of, three
from holdfast.debugging.perturb import shuffled, without
from holdfast.debugging.split_leaks import broken_groups, broken_time, near_twins
from holdfast.metrics.evaluate import evaluate

_ASKED = 2_000  # rows that show whether a model looks at a column
_MOST = 3  # suspects whose worth is measured: each costs a training
_NEAR_UNIQUE = 0.5  # levels per row
_NOTICED = 1e-6  # an answer that moves less has not moved


def leakage(
    dataset: Dataset, predictions: Predictions, probe: Probe | None = None, *, seed: int = 0
) -> tuple[Finding, ...]:
    """Columns that leak or name rows, and rows, groups or times that the split lets meet.

    Suspects are the columns that the dataset's checks doubt ("leak", "id-like"). Of the
    three strongest the score without the column is measured, by fitting the probe's
    learner again with and without it on as many rows as it can afford: `effect` is how much the
    mean loss rises without, positive where the column helps. Without a probe the effect is
    absent. An id-like column is reported only where the model looks at it, as far as can be
    asked. These are plain facts, with no p-value; only an order in time that nobody
    declared is tested.
    """
    case = case_of(dataset, predictions)
    if not len(case):
        return ()
    found = [*_leaks(case, probe, seed), *near_twins(dataset, case), *broken_groups(case), *broken_time(case)]
    return corrected(found)


def _leaks(case: Case, probe: Probe | None, seed: int) -> list[Finding]:
    suspects = _suspects(case.dataset)
    if probe is not None:
        rows = case.sample(_ASKED, seed=seed).dataset
        suspects = {
            name: check
            for name, check in suspects.items()
            if check.kind == "leak" or _looks_at(probe, rows, name, seed)
        }
    part = case if probe is None else case.sample(probe.affordable, seed=seed)
    measured = list(suspects)[:_MOST] if probe is not None and len(case.dataset.schema.features) > 1 else []
    base = probe.refitted(part.dataset, seed=seed) if probe is not None and measured else None
    found = []
    for name, check in suspects.items():
        if probe is None or base is None or name not in measured:
            found.append(_unmeasured(case, name, check, asked=probe is not None))
        else:
            lacking = probe.refitted(without(part.dataset, name), seed=seed)
            found.append(_measured(part, name, check, (base, lacking), seed))
    return found


def _suspects(dataset: Dataset) -> dict[str, Check]:
    """The features that checks doubt, leaks first, in the order of the checks."""
    features = {column.name: column for column in dataset.schema.features}
    found: dict[str, Check] = {}
    for kind in ("leak", "id-like"):
        for check in (check for check in dataset.checks if check.kind == kind):
            unnamed = [name for name, c in features.items() if c.kind is Kind.CATEGORY and not check.column]
            names = [check.column] if check.column else [n for n in unnamed if _near_unique(dataset, n)]
            found |= {name: check for name in names if name in features and name not in found}
    return found


def _near_unique(dataset: Dataset, name: str) -> bool:
    known = dataset.table[name].drop_nulls()
    return len(known) > 0 and known.n_unique() > _NEAR_UNIQUE * len(known)


def _looks_at(probe: Probe, rows: Dataset, column: str, seed: int) -> bool:
    """Whether any answer moves when a column's cells are dealt out anew."""
    order = np.random.default_rng(seed).permutation(len(rows))
    asked = probe.held_out(shuffled(rows, column, order))
    return bool((np.abs(_outputs(asked) - _outputs(probe.held_out(rows))) > _NOTICED).any())


def _outputs(answers: Predictions) -> np.ndarray:
    if answers.header.task is Task.REGRESSION:
        return answers.prediction_values
    return answers.prediction_codes if answers.probability is None else answers.probability


def _measured(
    part: Case, name: str, check: Check, fitted: tuple[Predictions, Predictions], seed: int
) -> Finding:
    """`fitted` are the out-of-fold answers with the column, and without it."""
    rise = loss_rise(*fitted, part.predictions).estimate(seed=seed)
    metric = _metric_of(part.predictions)
    scores = [evaluate(answers, metric) for answers in fitted]
    facts: dict[str, Fact] = {f"{metric} with": scores[0], f"{metric} without": scores[1]}
    values, called = [three(score.value) for score in scores], "AUC" if metric == "auc" else metric
    shown = f"{called} {values[0]}, {values[1]} without it"
    return _column_finding(part, name, check, rise, shown, facts)


def _unmeasured(case: Case, name: str, check: Check, *, asked: bool) -> Finding:
    why = "other suspects came first" if asked else "no model can be asked"
    return _column_finding(
        case, name, check, Estimate.absent(why, n=len(case)), "its worth is not measured", {}
    )


def _column_finding(
    case: Case, name: str, check: Check, effect: Estimate, shown: str, facts: dict[str, Fact]
) -> Finding:
    title = f"The model learns {name} by heart, which names rows: {shown}"
    why = "what names rows tells nothing about new ones"
    if check.kind == "leak":
        title = f"{name} may be known only after the outcome; no other number here can be trusted: {shown}"
        why = f"if {name} is known only after the outcome, no score with it will hold in use"
    return Finding(
        kind=check.kind,
        title=title,
        where=Where(column=name),
        size=len(case),
        effect=effect,
        effect_of=f"{loss_of(case.predictions).mean} without {name} less that with it; above 0 it helps",
        facts={**facts, "check": check.message},
        fixes=(Suggestion(FixName.DROP_COLUMN, f"{why} (--ignore {quote(name)})", "one training"),),
    )


def _metric_of(judged: Predictions) -> str:
    if judged.header.task is Task.REGRESSION:
        return "rmse"
    return "accuracy" if judged.probability is None else "auc"
