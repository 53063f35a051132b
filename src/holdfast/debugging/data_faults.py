"""What is wrong with the data itself: twins, conflicts, gaps that matter, and the faults of columns."""

from __future__ import annotations

from math import sqrt

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Fact, Finding, FixName, Suggestion, Where
from holdfast.core.predictions import Predictions
from holdfast.core.query import Query, Term
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.debugging.case import Case, case_of
from holdfast.debugging.corrected import ALPHA, promising
from holdfast.debugging.drift import drifts
from holdfast.debugging.effect import Effect, counted
from holdfast.debugging.losses import against_rest, loss_of
from holdfast.debugging.odd_cells import impossible_dates, outliers
from holdfast.debugging.redundancy import constants, redundant
from holdfast.stats.multiplicity import holm

_FEWEST = 30  # missing cells that say something, in each half
_LEAST = 0.02  # of the mean loss: a difference that is worth telling

_UNAVOIDABLE = "least share of all rows on which any model of these columns is wrong; 0 is best"
_TWIN_FIXES = (Suggestion(FixName.DEDUPLICATE, "keeps one row of each set", "one training"),)
_CONFLICT_FIXES = (
    Suggestion(FixName.RELABEL, "a person says which label is right", "a review and one training"),
    Suggestion(
        FixName.DROP_ROWS, "leaves out the rows that are in the minority of their set", "one training"
    ),
    Suggestion(FixName.COLLECT, "a column that tells these rows apart", "new data and one training"),
)
_GAP_FIXES = (
    Suggestion(FixName.REPAIR, "fills the gaps where the value can be known", "one training"),
    Suggestion(
        FixName.COLLECT, "rows with this cell missing, or the cell itself", "new data and one training"
    ),
    Suggestion(FixName.DROP_COLUMN, "a model that does not rely on the column", "one training"),
)


def data_faults(dataset: Dataset, predictions: Predictions, *, seed: int = 0) -> tuple[Finding, ...]:
    """Faults of the judged rows' cells, each with what it costs where that can be said.

    Plain facts: "twins", "conflicting labels", "constant column", "redundant column",
    "outliers", "impossible dates". Statistical, Holm within each kind: "missingness" (the
    loss is higher where a cell is missing; found on search rows, confirmed on confirm
    rows) and "drift" (between the earlier and the later half of the time column).
    """
    case = case_of(dataset, predictions)
    if not len(case):
        return ()
    return (
        *_twins(case),
        *_missingness(case),
        *constants(case),
        *redundant(case),
        *drifts(case, seed=seed),
        *outliers(case),
        *impossible_dates(case),
    )


def _twins(case: Case) -> list[Finding]:
    _, set_of, size = np.unique(case.dataset.twin, return_inverse=True, return_counts=True)
    twin = size[set_of] > 1
    rows = int(twin.sum())
    if not rows:
        return []
    sets = int((size > 1).sum())
    share = f"{rows:,} rows ({rows / len(case):.1%})"
    title = f"{share} have the same features as another row, in {count(sets, 'set')}"
    found = Finding(
        "twins", title, Where(examples=case.suspects(twin, 1 / size[set_of])), rows,
        counted(rows / len(case), len(case)), "share of rows that have a twin; 0 is best",
        case.share_of_loss(twin), None, "", case.worst(twin), {"sets": sets}, _TWIN_FIXES,
    )  # fmt: skip
    conflicts = _conflicts(case, set_of, size)
    return [found, *conflicts]


def _conflicts(case: Case, set_of: np.ndarray, size: np.ndarray) -> list[Finding]:
    if case.predictions.header.task is Task.CLASSIFICATION:
        return _torn_labels(case, set_of, size)
    return _torn_numbers(case, set_of, size) if case.predictions.header.task is Task.REGRESSION else []


def _torn_labels(case: Case, set_of: np.ndarray, size: np.ndarray) -> list[Finding]:
    classes = len(case.predictions.header.classes)
    joint = set_of * classes + case.predictions.target_codes
    _, pair, alike = np.unique(joint, return_inverse=True, return_counts=True)
    most = np.zeros(len(size), dtype=np.int64)
    np.maximum.at(most, set_of, alike[pair])
    torn = (most < size)[set_of]
    if not torn.any():
        return []
    rows, wrong = int(torn.sum()), int((size - most).sum())
    title = (
        f"{rows:,} rows with the same features have different labels: any model of these columns is wrong "
        f"on at least {wrong:,} of them"
    )
    agreeing = alike[pair] / size[set_of]
    return [_conflict(case, torn, agreeing, title, counted(wrong / len(case), len(case)), _UNAVOIDABLE)]


def _torn_numbers(case: Case, set_of: np.ndarray, size: np.ndarray) -> list[Finding]:
    target = case.predictions.target_values
    off = target - (np.bincount(set_of, weights=target) / size)[set_of]
    squares = np.bincount(set_of, weights=off**2)
    scale = float(target.var())
    torn = (squares > 1e-18 * max(scale, 1e-300))[set_of]
    if not torn.any():
        return []
    rows = int(torn.sum())
    freedom = rows - len(np.unique(set_of[torn]))
    within = sqrt(float(squares.sum()) / freedom)
    title = (
        f"{rows:,} rows with the same features differ in the target: its standard deviation is {within:.4g}"
    )
    of = "standard deviation of the target among rows with the same features: the least RMSE on them"
    agreeing = np.exp(-0.5 * off**2 / max(within**2, 1e-300))
    return [_conflict(case, torn, agreeing, title, counted(within, rows), of)]


def _conflict(
    case: Case, torn: np.ndarray, agreeing: np.ndarray, title: str, effect: Estimate, effect_of: str
) -> Finding:
    where = Where(examples=case.suspects(torn, agreeing))
    return Finding(
        "conflicting labels", title, where, int(torn.sum()), effect, effect_of,
        case.share_of_loss(torn), None, "", case.worst(torn), {}, _CONFLICT_FIXES,
    )  # fmt: skip


def _missingness(case: Case) -> list[Finding]:
    loss = case.loss
    search, confirm = loss.at(case.search), loss.at(case.confirm)
    gaps = _gaps(case)
    raw = np.array([search.against_rest(gap[case.search]).p_above() for _, gap in gaps])
    asked = [gaps[k] for k in promising(raw)]
    seen = [confirm.against_rest(gap[case.confirm]) for _, gap in asked]
    corrected = holm(np.array([one.p_above() for one in seen]))
    least = _LEAST * abs(float(np.average(loss.values, weights=loss.weight)))
    return [
        _gap(case, names, gap, one, float(p))
        for (names, gap), one, p in zip(asked, seen, corrected, strict=True)
        if p <= ALPHA and one.value >= least
    ]


def _gaps(case: Case) -> list[tuple[list[str], np.ndarray]]:
    """The columns that have enough missing cells, those missing in the very same rows together."""
    same: dict[bytes, tuple[list[str], np.ndarray]] = {}
    for column in case.dataset.schema.features:
        cells = case.dataset.table[column.name]
        if _FEWEST * 2 <= cells.null_count() <= len(case) - _FEWEST * 2:
            gap = cells.is_null().to_numpy()
            same.setdefault(np.packbits(gap).tobytes(), ([], gap))[0].append(column.name)
    enough = (case.search, case.confirm)
    return [
        (names, gap)
        for names, gap in same.values()
        if all(_FEWEST <= gap[half].sum() <= half.sum() - _FEWEST for half in enough)
    ]


def _gap(case: Case, names: list[str], gap: np.ndarray, seen: Effect, p: float) -> Finding:
    name, *others = names
    effect = seen.estimate("confirm rows")
    confirm = case.confirm
    told = against_rest(case.predictions.where(confirm), gap[confirm])
    title = f"Weak where {name} is missing: {told}"
    facts: dict[str, Fact] = {"missing in the same rows": ", ".join(others)} if others else {}
    facts["share missing"] = float(gap.mean())
    where = Where(query=str(Query((Term(name, "is missing"),))), column=name)
    return Finding(
        "missingness", title, where, int(gap.sum()), effect,
        f"{loss_of(case.predictions).mean} where the cell is missing less that elsewhere; above 0 is worse",
        case.share_of_loss(gap), p, "", case.worst(gap), facts, _GAP_FIXES,
    )  # fmt: skip
