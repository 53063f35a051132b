"""A fix before the sealed rows: what is asked of them, and by which models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from holdfast.comparison.paired import compare
from holdfast.core.dataset import Dataset
from holdfast.core.finding import Finding, FixName
from holdfast.core.predictions import Predictions
from holdfast.core.query import parse_query
from holdfast.core.run import Run
from holdfast.core.split import Split
from holdfast.core.verdict import Verdict
from holdfast.debugging.fixes import Change
from holdfast.debugging.parts import parts_of
from holdfast.debugging.proof import Pair, Question, Trial
from holdfast.errors import RoleError
from holdfast.project.predict import served_model

_BANDS = 4  # of a number's values, as parts that may not be harmed
_LOSS = "loss"


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """A finding, the run that it is about and its rows, what was changed, and the run after it."""

    finding: Finding
    before: Run
    after: Run
    dataset: Dataset
    split: Split
    change: Change

    def sealed_rows(self) -> tuple[Dataset, Dataset]:
        """The sealed rows with a known target, as the model before and the one after see them."""
        chosen = self.split.sealed & self.dataset.target.is_not_null().to_numpy()
        if not chosen.any():
            raise RoleError(
                "There are no sealed rows that could prove a fix. Train with --sealed 0.2, or add new rows."
            )
        return self.dataset.take(chosen), self.change.dataset.take(chosen[self.change.kept])


def trial(fixed: Fixed, level: float) -> Trial:
    """What the sealed rows are asked. A leaking column is emptied for the model that uses it,
    since that is how the column comes when the answer is not known yet."""
    plan = fixed.before.record.plan
    assert plan is not None  # a run without one cannot be fitted again
    old, new = fixed.sealed_rows()
    leak = fixed.finding.where.column if fixed.change.fix is FixName.DROP_COLUMN else ""
    if leak:
        old = replace(old, table=old.table.with_columns(pl.lit(None, old.table[leak].dtype).alias(leak)))
    sealed = Pair(
        served_model(fixed.before).predict(old).named("before"),
        served_model(fixed.after).predict(new).named("after"),
    )
    seen = None if leak else _open_pair(fixed)
    main = Question(plan.metric, plan.metric, seen, sealed)
    return Trial(_target(fixed, main, old), main, _parts(old), (), level)


def judge(before: Predictions, after: Predictions, metric: str, level: float) -> Verdict:
    """The paired comparison that proofs are made of."""
    return compare(before, after, metric=metric, level=level)


def _open_pair(fixed: Fixed) -> Pair | None:
    """The open rows that both models predicted out of fold, with the labels of the model before."""
    before, after = fixed.before.predictions, fixed.after.predictions
    if before is None or after is None:
        return None
    both = before.example.is_in(after.example.implode()).to_numpy()
    kept = after.example.is_in(before.example.implode()).to_numpy()
    before, after = before.where(both), after.where(kept)
    place = pl.DataFrame({"example": after.example, "place": np.arange(len(after))})
    order = before.table.select("example").join(place, "example", "left", maintain_order="left")["place"]
    after = replace(after, table=after.table[order.to_numpy()])
    return Pair(before.named("before"), _judged_by(before, after).named("after"))


def _judged_by(before: Predictions, after: Predictions) -> Predictions:
    """The predictions after, judged by the targets before: a relabelling may not grade itself."""
    return Predictions.of(
        example=after.example,
        target=before.table["target"],
        prediction=after.table["prediction"],
        probability=after.probability,
        classes=after.header.classes or None,
        positive=after.header.positive,
        group=before.table["group"],
        weight=before.weight,
        split=before.table["split"],
        fold=before.table["fold"],
        threshold=after.header.threshold,
    )


def _target(fixed: Fixed, main: Question, rows: Dataset) -> Question:
    """The mean loss in the finding's slice, or the main metric where it is about everything."""
    query = fixed.finding.where.query
    if not query:
        return replace(main, name=f"{main.metric}, all rows")
    inside = parse_query(query)
    seen = main.open
    if seen is not None:
        place = pl.DataFrame({"example": fixed.dataset.example, "place": np.arange(len(fixed.dataset))})
        index = seen.before.table.select("example").join(place, "example", "left", maintain_order="left")
        seen = seen.where(inside.mask(fixed.dataset.table[index["place"].to_numpy()]))
    return Question(f"mean loss where {query}", _LOSS, seen, main.sealed.where(inside.mask(rows.table)))


def _parts(rows: Dataset) -> Mapping[str, np.ndarray]:
    """Every level and band of every feature, as masks over the sealed rows."""
    found: dict[str, np.ndarray] = {}
    for column in rows.schema.features:
        parts = parts_of(rows.table[column.name], column, bands=_BANDS)
        for code, query in enumerate(parts.queries):
            found[str(query)] = parts.code == code
    return found
