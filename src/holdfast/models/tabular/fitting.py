"""How an algorithm is fitted on a Dataset: recipe, fit, export.

An algorithm sees numbers only: the column recipe is fitted on the training rows, and
shared by all learners that see the same rows in this process.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.fingerprint import fingerprint, fingerprint_bytes
from holdfast.core.labels import codes_of, label_text, positive_of
from holdfast.core.learner import Curve, Progress
from holdfast.core.plan import Option
from holdfast.core.query import parse_query
from holdfast.core.schema import Role
from holdfast.errors import PlanError, TargetError, some
from holdfast.models.tabular.encode import encode
from holdfast.models.tabular.examples import raw_rows
from holdfast.models.tabular.folder import Manifest, Member
from holdfast.models.tabular.grafting import conditions
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.recipe import Recipe
from holdfast.models.tabular.recipe_fitting import fit_recipe
from holdfast.models.tabular.served import TabularModel, assembled

_KEYS = (Role.TARGET, Role.ID, Role.GROUP, Role.WEIGHT)
_RECIPE_SEED = 0  # every learner of a fold shares the fold's recipe, whatever its own seed
_MOST_KEPT = 2**30  # bytes of encoded tables that a process keeps


@dataclass(frozen=True, slots=True, eq=False)
class FittedTabular:
    """What a learner gives for one fold."""

    model: TabularModel
    curve: Curve


@dataclass(frozen=True, slots=True)
class TabularLearner:
    """An algorithm with its options; `classes` are all of the target's, () for regression.

    `fallback` is fitted where there is nothing to learn: rows of one class, or no column
    that varies. `focus` is the slice (core.query) in which training goes on, "" for none.
    Picklable, so that it can be sent to a worker process.
    """

    name: str
    algorithm: Algorithm
    fallback: Algorithm
    options: Mapping[str, Option]
    loss: str
    classes: tuple[str, ...] = ()
    focus: str = ""

    def fit(
        self, train: Dataset, validation: Dataset, *, budget: float | None, seed: int, progress: Progress
    ) -> FittedTabular:
        """Fit on `train`; `validation` is for early stopping only. `budget` is in seconds.

        Rows of `train` that are among `validation` are not fitted on by a learner that
        stops early; the recipe is fitted on all of `train`, so that learners share it.
        """
        task = train.schema.task
        prepared = _prepared(train)
        rows = self._matrix(prepared.X, train, prepared.recipe)
        parted = self._parted(rows, train, validation, prepared.recipe)
        rows, held = (one.normalised() for one in parted)
        gate = conditions(parse_query(self.focus), prepared.recipe) if self.focus else ()
        setting = Setting(task, max(len(self.classes), 1), self.loss, seed, budget, progress, gate)
        learnable = rows.X.shape[1] > 0 and len(np.unique(rows.y)) > 1
        algorithm = self.algorithm if learnable else self.fallback
        options = self.options if learnable else algorithm.defaults[task]
        weights = algorithm.fit(rows, held, options, setting)
        return FittedTabular(self._model(weights, prepared.recipe, train), weights.curve)

    def _parted(
        self, rows: Matrix, train: Dataset, validation: Dataset, recipe: Recipe
    ) -> tuple[Matrix, Matrix]:
        """The rows to fit on, and those to stop early on."""
        if not self.algorithm.stops:
            return rows, rows.take(np.zeros(len(train), dtype=bool))
        among = train.example.is_in(validation.example.implode()).to_numpy()
        if among.any():  # their cells were encoded without their own targets, as the others' were
            return rows.take(~among), rows.take(among)
        return rows, self._matrix(encode(recipe, validation.table.to_dict()), validation, recipe)

    def _matrix(self, X: np.ndarray, rows: Dataset, recipe: Recipe) -> Matrix:
        focus = parse_query(self.focus).mask(rows.table) if self.focus else None
        if not self.classes:
            y = rows.target.to_numpy().astype(np.float64)
            if self.loss == "poisson" and (y < 0).any():
                raise PlanError(
                    f"The loss 'poisson' is of counts, but the target goes down to {y.min():g}. "
                    "Use 'squared', 'absolute' or 'huber'."
                )
            return Matrix(X, y, rows.weight, recipe.names, focus)
        labels = label_text(rows.target)
        codes = codes_of(labels, self.classes)
        if (codes < 0).any():
            strange = labels.filter(codes < 0).unique().to_list()
            raise TargetError(f"Targets {some(strange)} are not among the classes {list(self.classes)}.")
        return Matrix(X, codes, rows.weight, recipe.names, focus)

    def _model(self, weights: Weights, recipe: Recipe, train: Dataset) -> TabularModel:
        graph, recipe_file = fingerprint_bytes(weights.graph), f"recipes/{recipe.id}.json"
        native = {f"native/{graph}/{name}": data for name, data in weights.native.items()}
        member = Member(
            f"members/{graph}.onnx",
            recipe_file,
            1.0,
            self.name,
            tuple(range(max(len(self.classes), 1))),
            tuple(sorted(native)),
        )
        positive, used = positive_of(self.classes), set(recipe.columns)
        columns = tuple(column for column in train.schema.features if column.name in used)
        manifest = Manifest(
            train.schema.task,
            self.classes,
            positive,
            None if positive is None else 0.5,
            1.0,
            train.schema.target.name,
            columns,
            (member,),
            train.id,
            _environment(self.algorithm),
            tuple(column for column in train.schema if column.role in _KEYS),
        )
        files = {member.graph: weights.graph, recipe_file: recipe.data, **native}
        return assembled(manifest, files, raw_rows(train.table, columns))


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """Training rows through their recipe: `X` float32 of shape (n, d)."""

    recipe: Recipe
    X: np.ndarray


_KEPT: OrderedDict[str, _Prepared] = OrderedDict()


def _prepared(train: Dataset) -> _Prepared:
    """The recipe of these rows, fitted once per process while it is among the latest used."""
    key = fingerprint([train.id, train.schema])
    if key not in _KEPT:
        _KEPT[key] = _Prepared(*fit_recipe(train, seed=_RECIPE_SEED))
    _KEPT.move_to_end(key)
    while len(_KEPT) > 1 and sum(one.X.nbytes for one in _KEPT.values()) > _MOST_KEPT:
        _KEPT.popitem(last=False)
    return _KEPT[key]


def _environment(algorithm: Algorithm) -> dict[str, str]:
    facts = {name: version(name) for name in ("holdfast", "numpy", "onnxruntime", "polars")}
    module = sys.modules.get(algorithm.module)
    return facts | ({algorithm.module: str(module.__version__)} if module is not None else {})
