"""Predictions: the waist. One row per example, from any kind of model.

Every judgement is a pure function of this table. The format "predictions.v1" is
Parquet with these columns, and the header as JSON in the file's metadata:

    example      text      the example's id, unique
    group        text      the unit to cluster by (customer, prompt), or null
    split        text      "search", "confirm" or "sealed" (rows of a project), "trained"
                           (rows that the predicting model was fitted on), or null
    fold         int       the fold whose model predicted the row, or null
    target       text (classification) or float (regression); null when unknown
    prediction   as target
    probability  float32[K] in the order of the header's classes; classification only
    loss         float     lower is better: log loss in nats, squared error, ...
    weight       float     1 unless given
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from holdfast.core.assemble import Given, assemble
from holdfast.core.header import Header
from holdfast.core.labels import codes_of
from holdfast.core.origin import TRAINED
from holdfast.core.split import SEALED
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.errors import FileError, NewerError, PredictionsError, RoleError

FORMAT = "predictions.v1"
_METADATA_KEY = "holdfast"
_MEND = "Write it again: Path(FILE).write_bytes(run.predictions.encode())"


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row per example, and a header. Make one from arrays with `Predictions.of`.

    The arrays that judging needs are made once and kept; they are read-only.
    Raises PredictionsError where columns do not fit the header.
    """

    table: pl.DataFrame
    header: Header

    def __post_init__(self) -> None:
        _check_kinds(self.table, self.header)

    @staticmethod
    def of(
        *,
        example: object,
        target: object = None,
        prediction: object = None,
        probability: object = None,
        classes: Sequence[object] | None = None,
        positive: object = None,
        group: object = None,
        weight: object = None,
        loss: object = None,
        split: object = None,
        fold: object = None,
        threshold: float | None = None,
        task: str | None = None,
        model: str = "",
    ) -> Predictions:
        """Predictions from arrays of any system, matched to others later by `example`.

        `target` and `prediction` have shape (n,): numbers mean regression unless `task` says
        "classification", or `probability` or `classes` is given. `probability` has shape (n, K) in the order
        of `classes` (default: the sorted labels), or (n,) for the positive class of
        two. With `example` and `loss` (lower is better) alone, only means can be judged.

        >>> p = Predictions.of(example=["a", "b"], target=["no", "yes"], probability=[0.2, 0.7])
        >>> p.header.positive, p.table["prediction"].to_list()
        ('yes', ['no', 'yes'])
        """
        given = Given(
            example, target, prediction, probability, classes, positive,
            group, weight, loss, split, fold, threshold, task,
        )  # fmt: skip
        table, header = assemble(given, model=model)
        return Predictions(table, header)

    def __len__(self) -> int:
        return self.table.height

    def __repr__(self) -> str:
        task = self.header.task or "losses only"
        return f"Predictions({count(len(self), 'example')}, {task}, model {self.header.model or 'unnamed'!r})"

    @property
    def example(self) -> pl.Series:
        """The ids, text of shape (n,)."""
        return self.table["example"]

    @cached_property
    def target_codes(self) -> np.ndarray:
        """Each target's index in the header's classes, int64 of shape (n,); -1 where unknown."""
        return _kept(codes_of(self.table["target"], self.header.classes))

    @cached_property
    def prediction_codes(self) -> np.ndarray:
        """Each prediction's index in the header's classes, int64 of shape (n,); -1 where unknown."""
        return _kept(codes_of(self.table["prediction"], self.header.classes))

    @cached_property
    def probability(self) -> np.ndarray | None:
        """float32 of shape (n, K) in the order of the header's classes; None without probabilities."""
        column = self.table["probability"]
        absent = column.dtype == pl.Null or column.null_count()
        return None if absent else _kept(column.to_numpy())

    @cached_property
    def positive_probability(self) -> np.ndarray | None:
        """float32 of shape (n,): the positive class's probability in a binary task, else None."""
        if self.probability is None or self.header.positive is None:
            return None
        of_positive = self.header.classes.index(self.header.positive)
        return _kept(np.ascontiguousarray(self.probability[:, of_positive]))

    @cached_property
    def target_values(self) -> np.ndarray:
        """Targets as float64 of shape (n,), for regression; nan where unknown."""
        return _floats(self.table["target"])

    @cached_property
    def prediction_values(self) -> np.ndarray:
        """Predictions as float64 of shape (n,), for regression; nan where unknown."""
        return _floats(self.table["prediction"])

    @cached_property
    def loss(self) -> np.ndarray:
        """float64 of shape (n,), lower is better; nan where the target is unknown."""
        return _floats(self.table["loss"])

    @cached_property
    def weight(self) -> np.ndarray | None:
        """float64 of shape (n,), or None when every row weighs the same (which is not nothing)."""
        column = self.table["weight"]
        if column.dtype == pl.Null or (column.n_unique() <= 1 and not (column == 0).any()):
            return None
        return _kept(column.fill_null(1.0).to_numpy())

    @cached_property
    def weights(self) -> np.ndarray:
        """float64 of shape (n,): `weight`, or ones where every row weighs the same."""
        return _kept(np.ones(len(self))) if self.weight is None else self.weight

    @cached_property
    def group_codes(self) -> np.ndarray | None:
        """Each row's cluster, int64 of shape (n,), itself without a group; None if all are alone."""
        return _clusters(self.table["group"])

    @property
    def known(self) -> Predictions:
        """The rows that can be judged: those with target and prediction; without a task, with a loss."""
        return self if self._some_known is None else self._some_known

    @cached_property
    def _some_known(self) -> Predictions | None:
        # None for all rows: a value that kept itself would hold its arrays until the next collection.
        mask = _judgeable(self)
        return None if mask.all() else self.where(mask)

    def where(self, mask: object) -> Predictions:
        """The rows where `mask` (bool of shape (n,)) is true."""
        rows = np.asarray(mask)
        if rows.dtype != bool or rows.shape != (len(self),):
            found = f"{rows.dtype} of shape {rows.shape}"
            raise PredictionsError(f"A mask is bool of shape ({len(self)},), not {found}.")
        return replace(self, table=self.table.filter(pl.Series(values=rows)))

    def with_targets_of(self, first: Predictions) -> Predictions:
        """Itself with the target codes of `first`, which must be equal: one array serves both."""
        same = replace(self)
        same.__dict__["target_codes"] = first.target_codes  # where cached_property keeps it
        return same

    def named(self, model: str) -> Predictions:
        """The same predictions under another model name."""
        return replace(self, header=replace(self.header, model=model))

    def require_open(self) -> Predictions:
        """Itself, or a RoleError when rows are sealed, or trained the model that predicts them here."""
        split = self.table["split"].cast(pl.String)
        sealed, trained = (int((split == role).sum() or 0) for role in (SEALED, TRAINED))
        if sealed:
            raise RoleError(
                f"{sealed:,} of these rows are sealed: they answer yes or no at the gate. "
                "To see a number on them, which the ledger records: holdfast evaluate RUN --sealed"
            )
        if trained:
            raise RoleError(
                f"{trained:,} of these rows trained the model, so a score on them flatters it. Judge its "
                "out-of-fold predictions, run.predictions, or new rows: p.where(p.table['split'].is_null())"
            )
        return self

    def encode(self) -> bytes:
        """The bytes of a predictions.v1 Parquet file."""
        header = {"format": FORMAT, **asdict(self.header)}
        buffer = io.BytesIO()
        self.table.write_parquet(buffer, metadata={_METADATA_KEY: json.dumps(header, sort_keys=True)})
        return buffer.getvalue()

    @staticmethod
    def decode(data: bytes) -> Predictions:
        """Predictions from what `encode` made; FileError, NewerError or PredictionsError otherwise."""
        return _decoded(data)


def _decoded(data: bytes) -> Predictions:
    try:
        text = pl.read_parquet_metadata(io.BytesIO(data)).get(_METADATA_KEY)
        table = pl.read_parquet(io.BytesIO(data))
    except pl.exceptions.PolarsError as error:
        raise FileError(f"This is not a Parquet file, or it is damaged: {error}. {_MEND}") from None
    if text is None:
        raise FileError(f"This Parquet file has no Holdfast header; it is not predictions.v1. {_MEND}")
    return _verified(Predictions(table, _header(text)))


def _header(text: str) -> Header:
    try:
        facts = json.loads(text)
        written = facts.pop("format")
        if written != FORMAT:
            raise NewerError.format(str(written), FORMAT, where="This predictions file")
        task = Task(facts["task"]) if facts["task"] else None
        return Header(**{**facts, "task": task, "classes": tuple(facts["classes"])})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileError(f"The Holdfast header of this Parquet file is damaged: {error!r}") from None


def _verified(p: Predictions) -> Predictions:
    """Itself, or a PredictionsError for what a file can get wrong and `assemble` never does."""
    if p.example.null_count() or p.example.n_unique() < len(p):
        raise PredictionsError("The example ids in this file are not unique.")
    labels = (p.target_codes, "target"), (p.prediction_codes, "prediction")
    for codes, name in labels if p.header.task is Task.CLASSIFICATION else ():
        if (codes < 0).sum() != p.table[name].null_count():
            raise PredictionsError(f"The {name} in this file holds labels that are not among its classes.")
    weight = p.table["weight"].cast(pl.Float64)
    if not (weight.is_finite() & (weight >= 0)).all():
        raise PredictionsError("The weights in this file are not all finite and at least 0.")
    probability = p.probability
    if probability is not None and not ((probability >= 0) & (probability <= 1)).all():
        raise PredictionsError("The probabilities in this file do not all lie in [0, 1].")
    return p


def _clusters(group: pl.Series) -> np.ndarray | None:
    alone = group.is_null().to_numpy()
    if alone.all():
        return None
    codes = group.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
    grouped = int(codes.max()) + 1
    if grouped + alone.sum() == len(codes):
        return None
    return _kept(np.where(alone, grouped + np.cumsum(alone) - 1, codes))


def _judgeable(p: Predictions) -> np.ndarray:
    if p.header.task is None:
        return np.asarray(~np.isnan(p.loss))
    if p.header.task is Task.CLASSIFICATION:
        # without prediction_codes, which a ranking metric never needs
        predicted = p.table["prediction"].cast(pl.String).is_in(list(p.header.classes)).fill_null(False)
        return np.asarray((p.target_codes >= 0) & predicted.to_numpy())
    return np.asarray(~np.isnan(p.target_values) & ~np.isnan(p.prediction_values))


def _check_kinds(table: pl.DataFrame, header: Header) -> None:
    kinds = header.kinds
    absent = [name for name in kinds if name not in table.columns]
    if absent:
        raise PredictionsError(f"A Predictions table lacks {absent}; make one with Predictions.of.")
    for name, kind in kinds.items():
        if table.schema[name] not in (kind, pl.Null):
            raise PredictionsError(
                f"The column {name!r} of a Predictions table is {kind}, not {table.schema[name]}."
            )


def _floats(column: pl.Series) -> np.ndarray:
    return _kept(column.cast(pl.Float64).fill_null(float("nan")).to_numpy())


def _kept(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False  # it is shared by all who ask
    return array
