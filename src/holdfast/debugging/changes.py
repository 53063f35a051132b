"""What a fix may change: the rows, what training does with them, or what a model decides.

Here are the changes that leave every row as it is; `debugging.row_changes` has the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset, Step
from holdfast.core.finding import Finding, FixName
from holdfast.core.fingerprint import fingerprint
from holdfast.core.labels import codes_of, in_order, label_text
from holdfast.core.plan import Treatment
from holdfast.core.query import parse_query
from holdfast.core.task import Task
from holdfast.errors import FixError

# What a finding on the threshold is about -> the metric's name.
AIMS = {"F1": "f1", "balanced accuracy": "balanced_accuracy"}
COPIES = 3.0  # synthetic rows for each row of a weak slice


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What a fix changes. `said` is one sentence for the reader.

    `dataset` is the new version of the rows, in the order of `kept` (bool of shape (n,)
    over the old rows). `calmer` asks every learner for stronger regularisation, `loss` for another loss;
    `decision` ("threshold:f1", "recalibrate") changes what a fitted model decides, and nothing
    is trained; behind a colon stands the metric that it aims at. `monotone` names a column and
    the direction of its effect, +1 or -1.
    """

    fix: FixName
    said: str
    dataset: Dataset
    kept: np.ndarray
    treatment: Treatment | None = None
    loss: str | None = None
    calmer: bool = False
    decision: str = ""
    monotone: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A finding to be answered on these rows; `open` marks those that may change, bool of shape (n,).

    `labels` are reviewed labels by example id, for a relabelling.
    """

    finding: Finding
    dataset: Dataset
    open: np.ndarray
    labels: Mapping[str, str | float] | None = None

    @property
    def column(self) -> str:
        """The column that the finding is about, "" without one."""
        return self.finding.where.column

    @property
    def sensitive(self) -> str:
        """The column whose groups a finding of bias compares; a proxy's finding names another's."""
        return self.finding.about if self.finding.kind == "proxy" else self.column

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the target, () for numbers."""
        if self.dataset.schema.task is not Task.CLASSIFICATION:
            return ()
        return in_order(label_text(self.dataset.target).drop_nulls().unique().to_list())

    def rows(self) -> np.ndarray:
        """The open rows that the finding points at, bool of shape (n,)."""
        where = self.finding.where
        if where.query:
            return np.asarray(parse_query(where.query).mask(self.dataset.table) & self.open)
        listed = [one.example for one in where.examples]
        return np.asarray(self.dataset.example.is_in(listed).to_numpy() & self.open)


Making = Callable[[Asked], Change]


def class_weights(asked: Asked) -> Change:
    """Another loss, under which rare classes count."""
    said = "every class weighs the same in training"
    return replace(unchanged(asked, FixName.CLASS_WEIGHTS, said), loss="balanced")


def resample(fix: FixName, said: str) -> Making:
    """Rows of the classes repeated, left out or made, in every fold's training rows."""
    return lambda asked: replace(unchanged(asked, fix, said), treatment=Treatment(fix))


def in_slice(fix: FixName, said: str) -> Making:
    """Training that knows of the finding's slice."""

    def change(asked: Asked) -> Change:
        query = asked.finding.where.query
        treatment = Treatment(fix, where=query, amount=COPIES if fix is FixName.AUGMENT else 0.0)
        return replace(unchanged(asked, fix, f"{said} where {query}"), treatment=treatment)

    return change


def regularise(asked: Asked) -> Change:
    """The same learners, held back more."""
    said = "every learner regularised more strongly"
    return replace(unchanged(asked, FixName.REGULARISE, said), calmer=True)


def decide(fix: FixName, said: str) -> Making:
    """The same fitted model, deciding otherwise; a threshold aims at what the finding is about."""

    def change(asked: Asked) -> Change:
        aim = AIMS.get(asked.finding.about, "") if fix is FixName.THRESHOLD else ""
        return replace(unchanged(asked, fix, said), decision=f"{fix}:{aim}" if aim else str(fix))

    return change


def fair(asked: Asked) -> Change:
    """Training towards equal error rates of a column's groups."""
    said = f"trained towards equal rates over {asked.sensitive}"
    treatment = Treatment(FixName.FAIR, column=asked.sensitive)
    return replace(unchanged(asked, FixName.FAIR, said), treatment=treatment)


def monotone(asked: Asked) -> Change:
    """One direction for a column's effect: the one that the open rows show, by Spearman's correlation."""
    name, data, classes = asked.column, asked.dataset, asked.classes
    target = pl.Series(values=codes_of(label_text(data.target), classes)) if classes else data.target
    pair = pl.DataFrame({"x": data.table[name], "y": target}).filter(pl.Series(values=asked.open))
    pair = pair.drop_nulls().filter(pl.col("y") >= 0 if classes else pl.lit(True))
    slope = pair.select(pl.corr("x", "y", method="spearman")).item()
    if slope is None or not np.isfinite(slope) or slope == 0:
        raise FixError(f"{name} and {data.schema.target.name} do not rise or fall together in the open rows.")
    direction = 1 if slope > 0 else -1
    what = f"the probability of {classes[-1]}" if classes else "the prediction"
    said = f"{what} only ever {'rises' if direction > 0 else 'falls'} with {name}"
    return replace(unchanged(asked, FixName.MONOTONE, said), monotone=(name, direction))


def collect(asked: Asked) -> Change:
    """Never a change: what to label next is written elsewhere."""
    raise FixError(
        f"Collecting rows trains nothing. Write what to label next: "
        f"holdfast fix {asked.finding.id} --with collect -o rows.csv"
    )


def unchanged(asked: Asked, fix: FixName, said: str) -> Change:
    """A change that leaves every row as it is."""
    return Change(fix, said, asked.dataset, np.ones(len(asked.dataset), dtype=bool))


def versioned(
    asked: Asked,
    fix: FixName,
    said: str,
    touched: int,
    *,
    table: pl.DataFrame | None = None,
    details: object = None,
) -> Change:
    """The new version of the rows; its lineage names the finding that it answers."""
    data = asked.dataset
    step = Step(f"fix: {fix}", asked.column, touched, f"answers {asked.finding.id}: {said}")
    where = asked.finding.where
    changed = replace(
        data,
        table=data.table if table is None else table,
        lineage=(*data.lineage, step),
        content=fingerprint([data.content, fix, where.query, where.column, details]),
    )
    return Change(fix, said, changed, np.ones(len(data), dtype=bool))
