"""Everything that a report says, as one value: text, page and notebook are drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from holdfast.core.curves import Pictures
from holdfast.core.dataset import Check, Dataset, Step
from holdfast.core.estimate import Estimate
from holdfast.core.labels import in_order, positive_of
from holdfast.core.leaderboard import Leaderboard
from holdfast.core.run import Cost, RunRecord
from holdfast.core.schema import Role
from holdfast.core.split import Split
from holdfast.core.task import Task
from holdfast.errors import InputError


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What a reader should know of a table.

    `classes` counts the rows of each class over all rows, empty for regression.
    `sealed` counts the sealed rows, `open` all others. `group` and `time` are the
    columns by which rows were split, of which a time comes first. `roles` names the columns
    that are no ordinary feature, by role; `positive` is the class that a decision is about.
    """

    source: str
    id: str
    rows: int
    open: int
    sealed: int
    features: int
    target: str
    task: Task | None
    folds: int = 0
    group: str | None = None
    classes: Mapping[str, int] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    lineage: tuple[Step, ...] = ()
    time: str | None = None
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    positive: str | None = None

    @staticmethod
    def of(dataset: Dataset, split: Split | None = None) -> DataFacts:
        """The facts of a dataset with a target, and of how its rows were split."""
        schema = dataset.schema
        group, time = schema.with_role(Role.GROUP), schema.with_role(Role.TIME)
        sealed = 0 if split is None else int((~split.open).sum())
        counts, positive = {}, None
        if schema.task is Task.CLASSIFICATION:
            found = dataset.label_counts.sort(["count", "label"], descending=[True, False])
            positive = positive_of(in_order(found["label"].to_list()))
            counts = dict(found.iter_rows())
        return DataFacts(
            source=dataset.source,
            id=dataset.id,
            rows=len(dataset),
            open=len(dataset) - sealed,
            sealed=sealed,
            features=len(schema.features),
            target=schema.target.name,
            task=schema.task,
            folds=0 if split is None else split.folds,
            group=None if group is None else group.name,
            time=None if time is None else time.name,
            classes=counts,
            checks=dataset.checks,
            lineage=dataset.lineage,
            roles={
                role.value: tuple(column.name for column in schema if column.role is role)
                for role in Role
                if role is not Role.FEATURE and schema.with_role(role) is not None
            },
            positive=positive,
        )


@dataclass(frozen=True, slots=True)
class Twins:
    """Rows that equal another in every feature, how many sets they are, and what they do to a score.

    `all_rows` is the metric where each of them counts, `each_once` where each set counts once.
    """

    rows: int
    sets: int
    metric: str
    all_rows: Estimate
    each_once: Estimate


@dataclass(frozen=True, slots=True)
class Price:
    """What computing costs here.

    `watts` is the power that one busy core draws, `per_kwh` the price of energy and
    `per_core_hour` the rent of one core, both in `currency`.

    >>> price = Price(watts=15.0, per_kwh=0.30, currency="EUR")
    >>> cost = Cost(cpu_seconds=3600.0)
    >>> price.energy(cost), round(price.money(cost), 6)
    (15.0, 0.0045)
    """

    watts: float = 0.0
    per_kwh: float = 0.0
    per_core_hour: float = 0.0
    currency: str = ""

    def __post_init__(self) -> None:
        if min(self.watts, self.per_kwh, self.per_core_hour) < 0:
            raise InputError(f"Watts and prices cannot be negative: {self}.")

    def energy(self, cost: Cost) -> float:
        """The energy that fitting took, in watt hours."""
        return cost.cpu_seconds / 3600 * self.watts

    def money(self, cost: Cost) -> float:
        """What fitting cost, in `currency`."""
        return self.energy(cost) / 1000 * self.per_kwh + cost.cpu_seconds / 3600 * self.per_core_hour


@dataclass(frozen=True, slots=True, eq=False)
class ReportFacts:
    """The facts of one training.

    `runs` are in the order of the leaderboard. `scores`, `by_class` (class -> metric ->
    Estimate) and `pictures` describe the run called `subject` on its out-of-fold rows;
    `lower_is_better` names the metrics among them of which less is better. `skipped`
    are (learner, reason). `commands` reproduce the training, line by line. `twins` is None
    where no two rows are equal.
    """

    title: str
    created: str
    version: str
    data: DataFacts
    leaderboard: Leaderboard
    runs: tuple[RunRecord, ...]
    subject: str
    scores: Mapping[str, Estimate]
    lower_is_better: frozenset[str] = frozenset()
    by_class: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    pictures: Pictures = field(default_factory=Pictures)
    skipped: tuple[tuple[str, str], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    price: Price | None = None
    twins: Twins | None = None

    def __post_init__(self) -> None:
        if self.subject not in {run.id for run in self.runs}:
            raise InputError(f"The report's subject {self.subject!r} is not one of its runs.")

    @property
    def record(self) -> RunRecord:
        """The run that the report describes in detail."""
        return next(run for run in self.runs if run.id == self.subject)

    @property
    def total(self) -> Cost:
        """What fitting all runs cost together; using and storing them is not added up.

        An ensemble's cost is its members': it counts only where they are not among the runs.
        Nor does a run count again that was only decided anew, by another threshold.
        """
        listed = {run.id for run in self.runs}
        fitted = {
            run.id if run.plan is None else replace(run.plan, decision="").id: run.cost
            for run in self.runs
            if not (run.weights and listed.issuperset(run.weights))
        }
        return Cost(
            fit_seconds=sum(cost.fit_seconds for cost in fitted.values()),
            cpu_seconds=sum(cost.cpu_seconds for cost in fitted.values()),
        )
