"""What a fix does to the rows that a fold trains on, and to no row that is judged.

Copies and synthetic rows are made inside each fold, of its training rows only: made
before the folds were drawn they would leak into the rows that judge (the commonest
mistake with SMOTE). Rows that a learner watches to stop early are left as they are, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.finding import FixName
from holdfast.core.fingerprint import fingerprint
from holdfast.core.labels import label_text
from holdfast.core.learner import Fitted, Learner, Progress
from holdfast.core.plan import Treatment
from holdfast.core.query import parse_query
from holdfast.core.task import Task
from holdfast.errors import FixError, PlanError
from holdfast.training.constraint import fair_rows
from holdfast.training.synthetic import between, mates_in_slice, smote_pairs

_MOST_COPIES = 20.0
_LIBRARIES = {
    FixName.OVERSAMPLE: ("imblearn", "imbalanced-learn"),
    FixName.UNDERSAMPLE: ("imblearn", "imbalanced-learn"),
    FixName.FAIR: ("fairlearn", "fairlearn"),
}


@dataclass(frozen=True, slots=True)
class TreatedLearner:
    """A learner whose training rows are treated first; picklable as the learner is.

    PlanError where the treatment needs a library that is not installed.
    """

    learner: Learner
    treatment: Treatment

    def __post_init__(self) -> None:
        for name, (module, package) in _LIBRARIES.items():
            if name == self.treatment.name and find_spec(module) is None:
                raise PlanError(f"The fix {name} needs {package}: pip install 'holdfast[fix]'")

    @property
    def name(self) -> str:
        """The learner's name."""
        return self.learner.name

    def fit(
        self, train: Dataset, validation: Dataset, *, budget: float | None, seed: int, progress: Progress
    ) -> Fitted:
        """Fit on the treated rows of `train`; see `core.learner.Learner`."""
        rows = treated(train, validation, self.treatment, seed=seed)
        return self.learner.fit(rows, validation, budget=budget, seed=seed, progress=progress)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Positions among the training rows, int of shape (m,), one or several times each.

    `cells` replace the cells of the last rows: synthetic ones. `target` replaces all targets.
    """

    index: np.ndarray
    cells: pl.DataFrame | None = None
    target: pl.Series | None = None


def treated(train: Dataset, watched: Dataset, treatment: Treatment, *, seed: int) -> Dataset:
    """The training rows after the treatment; those among `watched` stay as they are.

    FixError where the treatment does not fit the task or the rows.
    """
    among = train.example.is_in(watched.example.implode()).to_numpy()
    free, kept = np.flatnonzero(~among), np.flatnonzero(among)
    if treatment.name != FixName.AUGMENT and train.schema.task is not Task.CLASSIFICATION:
        raise FixError(f"{treatment.name} is for classes, and this target is a number.")
    match treatment.name:
        case FixName.AUGMENT:
            rows = _augmented(train, free, treatment, np.random.default_rng(seed))
        case FixName.SMOTE:
            source, mate = smote_pairs(train, free, np.random.default_rng(seed))
            rows = _with_made(train, source, mate, np.random.default_rng(seed + 1), most=1.0)
        case FixName.OVERSAMPLE | FixName.UNDERSAMPLE:
            rows = _Rows(np.concatenate([_resampled(train, free, treatment.name, seed), kept]))
        case FixName.FAIR:
            chosen, target = fair_rows(train, free, treatment.column, seed=seed)
            whole = pl.concat([target, train.target[kept]])
            rows = _Rows(np.concatenate([chosen, kept]), target=whole)
        case _:
            raise FixError(f"{treatment.name} is no treatment of training rows.")
    return _built(train, rows, fingerprint([treatment, seed]))


def _resampled(train: Dataset, free: np.ndarray, name: str, seed: int) -> np.ndarray:
    """Positions of rows whose classes are even: some several times, or some not at all."""
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.under_sampling import RandomUnderSampler

    make = RandomOverSampler if name == FixName.OVERSAMPLE else RandomUnderSampler
    sampler = make(random_state=seed)
    labels = label_text(train.target).to_numpy()[free]
    sampler.fit_resample(free.reshape(-1, 1), labels)
    return np.asarray(free[np.sort(sampler.sample_indices_)])


def _augmented(train: Dataset, free: np.ndarray, treatment: Treatment, rng: np.random.Generator) -> _Rows:
    """Rows between two of the slice with the same label: `amount` for each row that is there."""
    inside = free[parse_query(treatment.where).mask(train.table[free])]
    if len(inside) < 2:
        raise FixError(
            f"Rows are made between two of a slice, and {treatment.where} has {len(inside)} of the rows "
            "that a fold trains on."
        )
    source = np.repeat(inside, int(min(treatment.amount, _MOST_COPIES)))
    return _with_made(train, source, mates_in_slice(train, inside, source, rng), rng, most=0.5)


def _with_made(
    train: Dataset, source: np.ndarray, mate: np.ndarray, rng: np.random.Generator, *, most: float
) -> _Rows:
    """All rows, and one more for each source, at most that share of the way to its mate."""
    share = rng.uniform(0, most, len(source))
    return _Rows(np.concatenate([np.arange(len(train)), source]), between(train, source, mate, share, rng))


def _built(train: Dataset, rows: _Rows, how: str) -> Dataset:
    """The rows, each with the twin hash of its source; `how` tells this version from others.

    A copy's id is its source's with a mark, which no id has, and a number.
    """
    index = rows.index
    table = train.table[index]
    if rows.cells is not None:
        table = pl.concat([table.head(len(index) - len(rows.cells)), rows.cells])
    if rows.target is not None:
        table = table.with_columns(rows.target.alias(train.schema.target.name))
    copy = pl.DataFrame({"source": index}).select(pl.int_range(pl.len()).over("source")).to_series()
    mark = "+"
    while train.example.str.contains(mark, literal=True).any():
        mark += "+"
    name = train.example.gather(index)
    return replace(
        train,
        table=table,
        example=name.zip_with(copy == 0, name + mark + copy.cast(pl.String)).alias("example"),
        twin=train.twin[index],
        content=f"{train.content}+{how}",
        key=None if train.key is None else train.key[index],
    )
