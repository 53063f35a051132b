"""What stands behind the scikit-learn estimators: from a table in memory to a model, and its output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from time import monotonic

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.duration import seconds
from holdfast.core.labels import in_order
from holdfast.core.plan import Option
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.core.task import Task
from holdfast.data.clean import clean
from holdfast.data.hashing import hash_cells, hash_rows, mix
from holdfast.data.identity import identify
from holdfast.data.infer import infer
from holdfast.data.load import load
from holdfast.errors import InputError, ModelError
from holdfast.metrics import AnyMetric
from holdfast.models.tabular.fitting import FittedTabular
from holdfast.models.tabular.learner import tabular_learner
from holdfast.models.tabular.model import TabularModel as TabularModel
from holdfast.project.fitting import fit
from holdfast.project.request import TrainRequest
from holdfast.training.portfolio import default_loss

# One booster on all rows. It draws neither rows nor columns, so that no seed matters. Measured by
# five-fold log loss and RMSE on twelve tables: a tenth lower than LightGBM's own defaults.
_BOOSTER: Mapping[str, Option] = {
    "learning_rate": 0.08,
    "num_leaves": 15,
    "bagging_fraction": 1.0,
    "min_sum_hessian_in_leaf": 1e-3,
    "lambda_l2": 0.3,
    "rounds": 500,
    "patience": 30,
}
_ROWS_PER_LEAF = 20
# Fewer rows than these say too little of when to stop: they get so many slow rounds.
_FEW, _FEW_ROUNDS, _FEW_RATE = 500, 100, 0.05
_HELD = 5  # one row in five says when to stop
_TYPED = {pl.Float64: Kind.NUMBER, pl.Boolean: Kind.BOOLEAN, pl.Datetime: Kind.DATE}
DEFAULT, TARGET, WEIGHT = "lightgbm", "target", "weight"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an estimator's parameters ask for; `budget` is as in `hf.train`, None for the one learner."""

    learner: str
    budget: float | str | None
    metric: AnyMetric | None
    loss: str | None
    seed: int


def raw_table(X: object, names: Sequence[str]) -> pl.DataFrame:
    """A pandas, polars or Arrow table, or float64 of shape (n, d), as raw columns with these d names."""
    if isinstance(X, np.ndarray):
        return pl.from_numpy(X, schema=list(names)).fill_nan(None)
    # the index of a pandas table is no feature, though it may have a name
    table = load(X.reset_index(drop=True) if hasattr(X, "reset_index") else X).table
    if table.width != len(names):
        raise InputError("Nested columns cannot be learned from: spread them over columns of their own.")
    return table.rename(dict(zip(table.columns, names, strict=True)))


def fit_model(
    raw: pl.DataFrame, target: pl.Series, weight: np.ndarray | None, wanted: Wanted
) -> TabularModel:
    """The learner that is wanted, fitted on all rows; or under a budget, the best of the portfolio.

    `target` is text (classes) or Float64 of shape (n,), `weight` float64 of shape (n,)
    and above 0.
    """
    if wanted.budget is None and wanted.learner == DEFAULT:
        return _boosted(raw, target, weight, wanted)
    request = TrainRequest(
        _dataset(raw, target, weight),
        budget=None if wanted.budget is None else seconds(wanted.budget),
        learners=None if wanted.budget is not None else (wanted.learner,),
        metric=wanted.metric,
        loss=wanted.loss,
        seed=wanted.seed,
        sealed=0.0,
    )
    model = fit(request, started=monotonic()).model
    if not isinstance(model, TabularModel):
        raise ModelError("The training gave no model that can predict.")
    return model


def output_of(model: TabularModel, raw: pl.DataFrame) -> np.ndarray:
    """The model's output for raw rows, float64: probabilities of its classes (n, K), or values (n, 1)."""
    numbers = {c.name: c for c in model.manifest.columns if raw[c.name].dtype == pl.Float64}
    return model.predict_table(raw, {name: c for name, c in numbers.items() if c.kind is Kind.NUMBER})


def _boosted(raw: pl.DataFrame, target: pl.Series, weight: np.ndarray | None, wanted: Wanted) -> TabularModel:
    """One booster on all rows; where they are many, after another has found out for how many rounds."""
    raw, target, weight = _merged(raw, target, weight)
    rows = _dataset(raw, target, weight)
    task = rows.schema.task
    classes = in_order(target.unique().to_list()) if task is Task.CLASSIFICATION else ()
    copies = 1.0 if weight is None else float(weight.mean())
    # a learner sees weights of mean 1, so what these say of rows is said in those
    in_rows = {name: float(_BOOSTER[name]) / copies for name in ("min_sum_hessian_in_leaf", "lambda_l2")}
    options = {**_BOOSTER, **in_rows, "min_data_in_leaf": max(1, round(_ROWS_PER_LEAF / copies))}

    def boosted(some: Dataset, held: Dataset, changed: Mapping[str, Option]) -> FittedTabular:
        loss = wanted.loss or default_loss(task)
        learner = tabular_learner(DEFAULT, loss=loss, classes=classes, options={**options, **changed})
        return learner.fit(some, held, budget=None, seed=wanted.seed, progress=_silent)

    rounds: dict[str, Option] = {"rounds": _FEW_ROUNDS, "learning_rate": _FEW_RATE}
    if len(rows) >= _FEW:
        held = rows.twin % _HELD == 0
        rounds = {"rounds": boosted(rows.take(~held), rows.take(held), {}).curve.best or _FEW_ROUNDS}
    return boosted(rows, rows.take(np.zeros(0, dtype=np.int64)), rounds).model


def _merged(
    raw: pl.DataFrame, target: pl.Series, weight: np.ndarray | None
) -> tuple[pl.DataFrame, pl.Series, np.ndarray | None]:
    """Rows that are equal in everything as one row with their weights' sum, in an order of their own.

    So a row of weight 3 and three equal rows are the same table, to the last bit, whatever
    is made of it. Weights that are no whole numbers cannot be copies, and are scaled to a
    mean of 1.
    """
    if weight is not None and (weight % 1).any():
        weight = weight / weight.mean()
    key = mix(hash_rows(raw)[:, 0] ^ hash_cells(target))
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    total = np.bincount(place, weights=weight).astype(np.float64)
    return raw[first], target.gather(first), None if (total == 1.0).all() else total


def _dataset(raw: pl.DataFrame, target: pl.Series, weight: np.ndarray | None) -> Dataset:
    """The table as a Dataset whose every column is a feature; the target keeps its labels as they are."""
    features = tuple(_features(raw))
    table, steps = clean(raw, features)
    kind = Kind.NUMBER if target.dtype == pl.Float64 else Kind.CATEGORY
    keys = [Column(_free(TARGET, raw), kind, Role.TARGET)]
    rest = [target.alias(keys[0].name)]
    if weight is not None:
        keys.append(Column(_free(WEIGHT, raw), Kind.NUMBER, Role.WEIGHT))
        rest.append(pl.Series(keys[1].name, weight))
    table = table.with_columns(rest)
    identity = identify(raw, rest=pl.DataFrame(rest))
    schema = Schema((*features, *keys))
    return Dataset(table, schema, identity.example, identity.twin, steps, content=identity.content)


def _features(raw: pl.DataFrame) -> Iterator[Column]:
    guesses = infer(raw.select(pl.col(pl.String)))
    for name, dtype in raw.schema.items():
        if dtype == pl.String:
            yield Column(name, guesses[name].kind, format=guesses[name].format, why=guesses[name].why)
        else:
            yield Column(name, _TYPED[dtype.base_type()])


def _free(name: str, raw: pl.DataFrame) -> str:
    """The name, with as many marks behind it as no column of the table has."""
    return next(free for n in count() if (free := name + "_" * n) not in raw.columns)


def _silent(share: float) -> None:
    del share
