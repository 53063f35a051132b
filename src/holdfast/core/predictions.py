"""Predictions: the waist. One row per example, from any kind of model.

Every judgement is a pure function of this table. The format "predictions.v1" is
Parquet with these columns, and the header as JSON in the file's metadata:

    example      text      the example's id, unique
    group        text      the unit to cluster by (customer, prompt), or null
    split        text      "search", "confirm" or "sealed" (rows of a project), or null
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

import numpy as np
import polars as pl

from holdfast.core.assemble import Given, assemble
from holdfast.core.header import COLUMNS, Header
from holdfast.core.labels import codes_of
from holdfast.core.task import Task
from holdfast.errors import FileError, NewerError, PredictionsError, RoleError

FORMAT = "predictions.v1"
_METADATA_KEY = "holdfast"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """One row per example, and a header. Make one from arrays with `Predictions.of`.

    Raises PredictionsError where ids repeat or columns do not fit the header.
    """

    table: pl.DataFrame
    header: Header

    def __post_init__(self) -> None:
        absent = [name for name in COLUMNS if name not in self.table.columns]
        if absent:
            raise PredictionsError(f"A Predictions table lacks {absent}; make one with Predictions.of.")

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
        model: str = "",
    ) -> Predictions:
        """Predictions from arrays of any system, matched to others later by `example`.

        `target` and `prediction` have shape (n,): numbers mean regression unless
        `probability` or `classes` is given. `probability` has shape (n, K) in the order
        of `classes` (default: the sorted labels), or (n,) for the positive class of
        two. With `example` and `loss` (lower is better) alone, only means can be judged.

        >>> p = Predictions.of(example=["a", "b"], target=["no", "yes"], probability=[0.2, 0.7])
        >>> p.header.positive, p.table["prediction"].to_list()
        ('yes', ['no', 'yes'])
        """
        given = Given(
            example, target, prediction, probability, classes, positive,
            group, weight, loss, split, fold, threshold,
        )  # fmt: skip
        table, header = assemble(given, model=model)
        return Predictions(table, header)

    def __len__(self) -> int:
        return self.table.height

    def __repr__(self) -> str:
        task = self.header.task or "losses only"
        return f"Predictions({len(self):,} examples, {task}, model {self.header.model or 'unnamed'!r})"

    @property
    def example(self) -> pl.Series:
        """The ids, text of shape (n,)."""
        return self.table["example"]

    @property
    def target_codes(self) -> np.ndarray:
        """Each target's index in the header's classes, int64 of shape (n,); -1 where unknown."""
        return codes_of(self.table["target"], self.header.classes)

    @property
    def prediction_codes(self) -> np.ndarray:
        """Each prediction's index in the header's classes, int64 of shape (n,); -1 where unknown."""
        return codes_of(self.table["prediction"], self.header.classes)

    @property
    def probability(self) -> np.ndarray | None:
        """float32 of shape (n, K) in the order of the header's classes; None without probabilities."""
        column = self.table["probability"]
        if column.dtype == pl.Null or column.null_count():
            return None
        return column.to_numpy()

    @property
    def positive_probability(self) -> np.ndarray | None:
        """float32 of shape (n,): the positive class's probability in a binary task, else None."""
        probability, positive = self.probability, self.header.positive
        if probability is None or positive is None or len(self.header.classes) != 2:
            return None
        return probability[:, self.header.classes.index(positive)]

    @property
    def target_values(self) -> np.ndarray:
        """Targets as float64 of shape (n,), for regression."""
        return self.table["target"].cast(pl.Float64).to_numpy()

    @property
    def prediction_values(self) -> np.ndarray:
        """Predictions as float64 of shape (n,), for regression."""
        return self.table["prediction"].cast(pl.Float64).to_numpy()

    @property
    def loss(self) -> np.ndarray:
        """float64 of shape (n,), lower is better; nan where the target is unknown."""
        return self.table["loss"].cast(pl.Float64).fill_null(float("nan")).to_numpy()

    @property
    def weight(self) -> np.ndarray | None:
        """float64 of shape (n,), or None when every row weighs the same."""
        column = self.table["weight"]
        if column.dtype == pl.Null or column.n_unique() <= 1:
            return None
        return column.fill_null(1.0).to_numpy()

    @property
    def group_codes(self) -> np.ndarray | None:
        """The cluster of each row as int64 of shape (n,), or None when rows are independent."""
        column = self.table["group"]
        if column.dtype == pl.Null or column.null_count() == len(column):
            return None
        filled = pl.select(pl.coalesce(column, self.example)).to_series()
        return filled.rank("dense").cast(pl.Int64).to_numpy() - 1

    def where(self, mask: object) -> Predictions:
        """The rows where `mask` (bool of shape (n,)) is true."""
        return replace(self, table=self.table.filter(pl.Series(values=np.asarray(mask, dtype=bool))))

    def named(self, model: str) -> Predictions:
        """The same predictions under another model name."""
        return replace(self, header=replace(self.header, model=model))

    def require_open(self) -> Predictions:
        """Itself, or a RoleError when it holds sealed rows: those answer at the gate only."""
        sealed = int((self.table["split"] == "sealed").sum() or 0)
        if sealed:
            raise RoleError(
                f"{sealed:,} of these rows are sealed: they answer yes or no at the gate. "
                "To see a number on them, which the ledger records: holdfast evaluate RUN --sealed"
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
        """Predictions from the bytes of a predictions.v1 file (see `encode`)."""
        text = pl.read_parquet_metadata(io.BytesIO(data)).get(_METADATA_KEY)
        if text is None:
            raise FileError("This Parquet file has no Holdfast header; it is not predictions.v1.")
        facts = json.loads(text)
        written = facts.pop("format", "")
        if written != FORMAT:
            raise NewerError(f"These predictions have format {written!r}; this Holdfast reads {FORMAT!r}.")
        task = Task(facts["task"]) if facts["task"] else None
        header = Header(**{**facts, "task": task, "classes": tuple(facts["classes"])})
        return Predictions(pl.read_parquet(io.BytesIO(data)), header)
