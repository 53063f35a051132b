"""A small real Probe: models that fit in milliseconds, in folds, on datasets made here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from holdfast.core.dataset import Check, Dataset
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.core.task import Task

FOLDS = 5
_KIND_OF = {
    pl.Float64: Kind.NUMBER,
    pl.Boolean: Kind.BOOLEAN,
    pl.String: Kind.CATEGORY,
    pl.Datetime: Kind.DATE,
}

MakeModel = Callable[[int], Any]
"""A seed -> an unfitted scikit-learn estimator."""


def dataset_of(
    columns: Mapping[str, object], *, checks: tuple[Check, ...] = (), roles: Mapping[str, Role] | None = None
) -> Dataset:
    """Columns as a Dataset; the one called "y" is the target."""
    table = pl.DataFrame(dict(columns))
    of = {"y": Role.TARGET, **(roles or {})}
    schema = Schema(
        tuple(Column(s.name, _KIND_OF[type(s.dtype)], of.get(s.name, Role.FEATURE)) for s in table)
    )
    twin = table.select(c.name for c in schema.features).hash_rows().to_numpy()
    ids = pl.Series([f"r{i}" for i in range(table.height)])
    return Dataset(table, schema, ids, twin, checks=checks, content="toy")


@dataclass(frozen=True)
class _Encoder:
    """Levels as one-hot columns, numbers with gaps filled by the mean: fitted on training rows."""

    columns: tuple[Column, ...]
    levels: Mapping[str, list[str]]
    means: Mapping[str, float]

    @staticmethod
    def of(rows: Dataset) -> _Encoder:
        columns = rows.schema.features
        words = [c.name for c in columns if c.kind is Kind.CATEGORY]
        levels = {name: sorted(rows.table[name].drop_nulls().unique().to_list()) for name in words}
        means = {
            c.name: float(rows.table[c.name].cast(pl.Float64).mean() or 0.0)
            for c in columns
            if c.name not in words
        }
        return _Encoder(columns, levels, means)

    def __call__(self, rows: Dataset) -> np.ndarray:
        made = []
        for column in self.columns:
            cells = rows.table[column.name]
            if column.name in self.levels:
                made += [(cells == level).fill_null(False).to_numpy() for level in self.levels[column.name]]
            else:
                made.append(cells.cast(pl.Float64).fill_null(self.means[column.name]).to_numpy())
        return np.column_stack(made).astype(np.float64)


@dataclass(frozen=True, eq=False)
class ToyProbe:
    """Fold models of `make` on a dataset; `fits` counts the trainings that were asked for."""

    dataset: Dataset
    make: MakeModel
    fits: list[float]
    name: str = "toy"
    learner: str = "toy"
    affordable: int = 20_000

    def held_out(self, rows: Dataset) -> Predictions:
        return self._asked(rows, self._folds(rows), self._models)

    def trained(self, rows: Dataset) -> Predictions:
        return self._asked(rows, (self._folds(rows) + 1) % FOLDS, self._models)

    def refitted(self, rows: Dataset, *, share: float = 1.0, seed: int = 0) -> Predictions:
        self.fits.append(share)
        fold, drawn = self._folds(rows), np.random.default_rng(seed).random(len(rows)) < share
        models = [self._fit(rows.take((fold != k) & drawn), seed) for k in range(FOLDS)]
        return self._asked(rows, fold, models)

    def predictions(self) -> Predictions:
        """Out of fold, on all rows of the dataset."""
        return self.held_out(self.dataset)

    @cached_property
    def _models(self) -> list[tuple[_Encoder, Any]]:
        fold = self._folds(self.dataset)
        return [self._fit(self.dataset.take(fold != k), 0) for k in range(FOLDS)]

    def _fit(self, rows: Dataset, seed: int) -> tuple[_Encoder, Any]:
        encoder = _Encoder.of(rows)
        return encoder, self.make(seed).fit(encoder(rows), rows.target.to_numpy())

    def _folds(self, rows: Dataset) -> np.ndarray:
        return rows.example.str.slice(1).cast(pl.Int64).to_numpy() % FOLDS

    def _asked(self, rows: Dataset, fold: np.ndarray, models: list[tuple[_Encoder, Any]]) -> Predictions:
        classified = rows.schema.task is Task.CLASSIFICATION
        classes = sorted(self.dataset.target.unique().to_list()) if classified else None
        output = np.zeros((len(rows), len(classes) if classes else 1))
        for k, (encoder, model) in enumerate(models):
            own = fold == k
            if own.any():
                cells = encoder(rows.take(own))
                output[own] = model.predict_proba(cells) if classes else model.predict(cells)[:, None]
        return Predictions.of(
            example=rows.example,
            target=rows.target,
            prediction=None if classes else output[:, 0],
            probability=output if classes else None,
            classes=classes,
            fold=self._folds(rows),
            model=self.name,
        )


def probe_of(dataset: Dataset, make: MakeModel) -> ToyProbe:
    """A probe whose folds are the rows' numbers modulo 5."""
    return ToyProbe(dataset, make, [])


def logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))


def ridge(seed: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(1e-3)


def tree(seed: int) -> Any:
    """Grown until every leaf is pure, on features tried in random order: it learns by heart."""
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(splitter="random", min_samples_leaf=1, random_state=seed)


def tree_regressor(seed: int) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(min_samples_leaf=1, random_state=seed)


def forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(30, min_samples_leaf=5, random_state=seed)


def boosted(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=40, min_samples_leaf=20, random_state=seed)


def clicks(n: int, seed: int, *, weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> dict[str, object]:
    """Four independent numbers, a plain category, and a target that follows the numbers' weighted sum."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4))
    p = 1 / (1 + np.exp(-(x @ np.array(weights))))
    return {
        **{f"x{j}": x[:, j] for j in range(4)},
        "colour": rng.choice(["red", "green", "blue"], n),
        "y": np.where(rng.random(n) < p, "yes", "no"),
    }


def boosted_numbers(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=60, random_state=seed)
