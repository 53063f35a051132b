"""Weak slices: readable parts of the data where a model loses clearly more than elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdfast.core.assemble import log_loss
from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate, significant
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Where, in_order
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.debugging.bins import Predicates, predicates
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.contrast import Contrast, Measured
from holdfast.debugging.lattice import Aim, top_slices
from holdfast.debugging.slices_distinct import Losses, distinct
from holdfast.metrics.evaluate import evaluate
from holdfast.stats.multiplicity import holm

KIND = "weak slice"
_ALPHA = 0.05
_ALPHA_SCORE = 0.99
_LOOKED_AT = 1000  # of the best slices, most of which overlap
_REPORTED = 10
_SUPPORT = 0.01  # of the search rows
_FEWEST = 30  # search rows of a slice
_FEWEST_CONFIRM = 20
_DEEPEST = 3
# Of one set of columns, in seconds: about so much for itself, and for each row.
_PER_SET, _PER_ROW, _PATIENCE = 1e-4, 2e-9, 30.0


@dataclass(frozen=True, slots=True, eq=False)
class _Confirmed:
    """A slice, its rows among all judged ones, and what the confirm rows say of it."""

    query: str
    rows: np.ndarray
    gap: Contrast
    p: float


def slices(dataset: Dataset, predictions: Predictions, *, seed: int = 0) -> tuple[Finding, ...]:
    """Where the mean loss is higher than elsewhere: at most ten queries of up to three predicates.

    The slices with the highest SliceLine score on the search rows are found exactly
    (`lattice`; alpha 0.95, at least 1 % of the rows and 30), overlapping ones are told once
    (`slices_distinct`), and each that is left is tested on the confirm rows, which the
    search has not seen: Welch's one-sided t, clustered where rows have groups, Holm over
    all tested. Any loss will do; where one is negative, all are ranked by how far they lie
    above the least. Tables with very many columns are searched to two predicates or one.

    The ranking is by the plain loss, so a slice may be hard and not mistaken: for
    classification the fact "beyond expectation" is the mean loss less what it would be
    were the model's own probabilities true, and the title gives both. RoleError for
    sealed rows, PredictionsError for ids that the dataset lacks.
    """
    case = _judged(case_of(dataset, predictions))
    confirmed = [one for one in _tested(case, _found(case)) if one.p <= _ALPHA]
    return in_order([_finding(case, one, seed) for one in confirmed])


def _judged(case: Case) -> Case:
    known = np.isfinite(case.predictions.loss)
    if known.all():
        return case
    return Case(case.dataset.take(known), case.predictions.where(known), case.search[known])


def _found(case: Case) -> list[tuple[str, np.ndarray]]:
    """Queries with their rows among all judged ones; chosen by the search rows alone."""
    rows = int(case.search.sum())
    fewest = max(_FEWEST, math.ceil(_SUPPORT * rows))
    if rows < 2 * fewest:
        return []
    binned = predicates(case.dataset, fewest)
    aim = Aim(_LOOKED_AT, fewest, _ALPHA_SCORE, _deepest(rows, len(binned.bins)))
    seen = Predicates(binned.bins, binned.codes[case.search])
    loss, weight = case.predictions.loss[case.search], case.weight[case.search]
    loss, weight = loss - min(float(loss.min()), 0.0), weight / weight.mean()
    weighted = case.predictions.weight is not None
    best = top_slices(seen.codes, loss, aim, weight=weight if weighted else None)
    chosen = distinct(best, seen, Losses.of(loss, weight), most=_REPORTED)
    return [(str(binned.query(parts)), binned.mask(parts)) for parts in chosen]


def _deepest(rows: int, columns: int) -> int:
    """How many predicates a slice may have without the search taking minutes."""
    seconds = [math.comb(columns, depth) * (_PER_SET + _PER_ROW * rows) for depth in range(1, _DEEPEST + 1)]
    return max(1, sum(each <= _PATIENCE for each in seconds))


def _tested(case: Case, found: list[tuple[str, np.ndarray]]) -> list[_Confirmed]:
    p = case.predictions
    measured = Measured(p.loss, case.weight, p.group_codes).at(case.confirm)
    tested = []
    for query, rows in found:
        inside = rows[case.confirm]
        if min(inside.sum(), (~inside).sum()) >= _FEWEST_CONFIRM:
            gap = measured.against_rest(inside)
            tested.append(_Confirmed(query, rows, gap, gap.p()))
    adjusted = holm(np.array([one.p for one in tested]))
    return [
        _Confirmed(one.query, one.rows, one.gap, float(p)) for one, p in zip(tested, adjusted, strict=True)
    ]


def _finding(case: Case, one: _Confirmed, seed: int) -> Finding:
    unit, facts = _unit(case.predictions), _facts(case, one.rows, seed)
    means = [facts[f"loss {where}"] for where in ("in the slice", "elsewhere")]
    inside, outside = (significant(mean.value) for mean in means if isinstance(mean, Estimate))
    expected, beyond = facts.get("expected loss"), facts.get("beyond expectation")
    expects = f" (the model itself expects {significant(expected)})" if isinstance(expected, float) else ""
    return Finding(
        kind=KIND,
        title=f"Weak where {one.query}: {unit} {inside}, elsewhere {outside}{expects}",
        where=Where(query=one.query),
        size=int(one.rows.sum()),
        effect=one.gap.estimate("Welch's t, confirm rows"),
        effect_of=f"mean {unit} in the slice less that elsewhere, on confirm rows; above 0: worse in the slice",
        share_of_loss=case.share_of_loss(one.rows),
        p=one.p,
        examples=case.worst(one.rows),
        facts=facts,
        fixes=_fixes(case, one.rows, mistaken=not isinstance(beyond, Estimate) or beyond.low > 0),
    )


def _facts(case: Case, rows: np.ndarray, seed: int) -> dict[str, Fact]:
    """Of the confirm rows, since search rows flatter what was found on them."""
    p = case.predictions
    sides = {"in the slice": p.where(rows & case.confirm), "elsewhere": p.where(~rows & case.confirm)}
    facts: dict[str, Fact] = {
        f"{metric} {where}": evaluate(side, metric, seed=seed)
        for metric in _metrics(p)
        for where, side in sides.items()
    }
    facts["search rows"] = int((rows & case.search).sum())
    facts["confirm rows"] = int((rows & case.confirm).sum())
    expected = _expected(p)
    if expected is not None:
        inside = rows & case.confirm
        over = Measured(p.loss - expected, case.weight, p.group_codes)
        facts["expected loss"] = float(np.average(expected[inside], weights=case.weight[inside]))
        facts["beyond expectation"] = over.mean(inside).estimate("Student's t, confirm rows")
    return facts


def _metrics(p: Predictions) -> tuple[str, ...]:
    if p.header.task is Task.REGRESSION:
        return ("loss", "mae")
    if p.header.task is not Task.CLASSIFICATION:
        return ("loss",)
    ranked = p.header.positive is not None and p.probability is not None
    return ("loss", "accuracy", "auc") if ranked else ("loss", "accuracy")


def _expected(p: Predictions) -> np.ndarray | None:
    """Each row's log loss on average were its probabilities true, (n,); None if losses are something else."""
    if p.probability is None or not np.allclose(p.loss, log_loss(p.target_codes, p.probability)):
        return None
    probability = p.probability.astype(np.float64)
    return np.asarray(-(probability * np.log(np.where(probability > 0, probability, 1.0))).sum(axis=1))


def _unit(p: Predictions) -> str:
    """What the losses are, if they are what they are when nobody gives any."""
    if _expected(p) is not None:
        return "log loss (nats)"
    if p.header.task is Task.CLASSIFICATION and np.array_equal(p.loss, p.target_codes != p.prediction_codes):
        return "error rate"
    if p.header.task is Task.REGRESSION and np.allclose(p.loss, (p.target_values - p.prediction_values) ** 2):
        return "squared error"
    return "loss"


def _fixes(case: Case, rows: np.ndarray, *, mistaken: bool) -> tuple[Suggestion, ...]:
    size = int(rows.sum())
    collect = Suggestion(
        FixName.COLLECT,
        "more rows from here show the model what it has seen too little of",
        f"labels for about {size:,} rows, which would double what there is, and one training",
    )
    train = (
        Suggestion(
            FixName.CONTINUE,
            "training goes on with these rows, and the others are replayed so that nothing is forgotten",
            "one short training",
        ),
        Suggestion(FixName.AUGMENT, "synthetic rows from here make the slice count more", "one training"),
    )
    balance = (
        Suggestion(
            FixName.CLASS_WEIGHTS, "helps where the slice's rarer class is what is missed", "one training"
        ),
        Suggestion(FixName.OVERSAMPLE, "shows rows of the rarer class more often", "one training"),
    )
    # What the model expects to lose here, no training on the same rows wins back.
    first = (*train, collect) if mistaken else (collect, *train)
    return (*first, *balance) if case.predictions.header.task is Task.CLASSIFICATION else first
