"""A model of tables as it is judged and served: raw cells in, predictions out.

Needs numpy, polars and onnxruntime, and nothing of what trained it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from holdfast.core.cells import parse_cell, parse_series
from holdfast.core.dataset import Dataset
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.errors import ModelError, PredictionsError, some
from holdfast.models.tabular.encode import Encoder
from holdfast.models.tabular.folder import Manifest, model_id
from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.recipe import Recipe
from holdfast.stats.tempering import tempered

_CHUNK = 2048  # rows that pass through the graphs at a time: 1,000 oblivious trees take 130 MB of answers
_DTYPES: dict[Kind, Any] = {
    Kind.NUMBER: pl.Float64,
    Kind.BOOLEAN: pl.Boolean,
    Kind.CATEGORY: pl.String,
    Kind.DATE: pl.Datetime("us"),
    Kind.TEXT: pl.String,
}


@dataclass(frozen=True, eq=False)
class TabularModel:
    """A weighted mix of graphs, each fed by a column recipe. Make one with `load` or a learner."""

    manifest: Manifest
    files: Mapping[str, bytes]

    def __repr__(self) -> str:
        m = self.manifest
        size = f"{count(len(m.members), 'member')}, {count(len(m.columns), 'column')}"
        return f"TabularModel({m.task}, {size}, {self.id[:8]})"

    def __getstate__(self) -> dict[str, object]:
        return {"manifest": self.manifest, "files": self.files}  # sessions stay in their process

    @cached_property
    def id(self) -> str:
        """The hash of its files; the environment that it was made in is left out."""
        return model_id(self.manifest, self.files)

    @property
    def schema(self) -> Schema:
        """The columns of a table that the model can read whole: features, then its keys."""
        return Schema((*self.manifest.columns, *self.manifest.keys))

    @cached_property
    def levels(self) -> dict[str, frozenset[str]]:
        """The levels of each category that a member saw in training."""
        known: dict[str, set[str]] = {}
        for encoder in self._encoders.values():
            for name, levels, _ in encoder.codes:
                known.setdefault(name, set()).update(level for level in levels if level is not None)
        return {name: frozenset(levels) for name, levels in known.items()}

    def predict(self, dataset: Dataset) -> Predictions:
        """Predictions for every row, in order, with loss and group where the dataset has them.

        Columns are matched by name and read as the model's own; ModelError names those
        that are missing.
        """
        output = self.predict_table(dataset.table, {column.name: column for column in dataset.schema})
        manifest, schema = self.manifest, dataset.schema
        group = schema.with_role(Role.GROUP)
        classified = manifest.task is Task.CLASSIFICATION
        known = manifest.target in schema and schema[manifest.target].role is Role.TARGET
        try:
            predictions = Predictions.of(
                example=dataset.example,
                target=dataset.table[manifest.target] if known else None,
                prediction=None if classified else output[:, 0],
                probability=output if classified else None,
                classes=manifest.classes if classified else None,
                positive=manifest.positive,
                group=None if group is None else dataset.table[group.name],
                weight=dataset.weight,
                threshold=manifest.threshold,
                model=self.id,
            )
        except PredictionsError as error:
            raise ModelError(f"The model's predictions do not fit these rows: {error}") from error
        header = replace(predictions.header, dataset=dataset.id, created_by="holdfast")
        return replace(predictions, header=header)

    def predict_table(self, table: pl.DataFrame, read_as: Mapping[str, Column] | None = None) -> np.ndarray:
        """Raw or typed columns of n cells -> float64: probabilities (n, K), or values (n, 1).

        `read_as` says how columns that hold typed cells were read; one that was read just
        as the model reads it is taken as it is.
        """
        self._require(table.columns)
        columns = {}
        for column in self.manifest.columns:
            cells, before = table[column.name], (read_as or {}).get(column.name)
            same = before is not None and (before.kind, before.format) == (column.kind, column.format)
            columns[column.name] = cells if same else parse_series(cells, column)
        return self._predict_columns(columns, table.height)

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Rows of raw cells by column name -> float64: probabilities (n, K), or values (n, 1).

        Other keys of a row are ignored. One row is the fast path.
        """
        columns = self.manifest.columns
        try:
            cells = [[parse_cell(row[column.name], column) for column in columns] for row in rows]
        except KeyError:
            for row in rows:
                self._require(row)
            raise
        if len(cells) == 1:
            typed = dict(zip((column.name for column in columns), cells[0], strict=True))
            features = {recipe: encoder.row(typed) for recipe, encoder in self._encoders.items()}
            return self._mix(features, 1)
        by_column = zip(*cells, strict=True) if cells else [() for _ in columns]
        frame = {
            column.name: pl.Series(column.name, values, dtype=_DTYPES[column.kind])
            for column, values in zip(columns, by_column, strict=True)
        }
        return self._predict_columns(frame, len(cells))

    def _require(self, given: Iterable[str]) -> None:
        present = set(given)
        absent = [column.name for column in self.manifest.columns if column.name not in present]
        if absent:
            raise ModelError(
                f"The model reads {count(len(absent), 'column')} that these rows lack: {some(absent, 10)}. "
                "Rename yours to match, or add them empty if their values are not known."
            )

    def _predict_columns(self, columns: Mapping[str, pl.Series], n: int) -> np.ndarray:
        parts = []
        for start in range(0, n, _CHUNK):
            size = min(_CHUNK, n - start)
            chunk = {name: cells.slice(start, size) for name, cells in columns.items()}
            features = {recipe: encoder.rows(chunk, size) for recipe, encoder in self._encoders.items()}
            parts.append(self._mix(features, size))
        return np.concatenate(parts) if parts else np.zeros((0, self._outputs))

    def _mix(self, features: Mapping[str, np.ndarray], n: int) -> np.ndarray:
        mixed = np.zeros((n, self._outputs))
        for member, session in zip(self.manifest.members, self._sessions, strict=True):
            output = session.run(["Y"], {"X": features[member.recipe]})[0]
            if len(member.columns) == self._outputs:
                mixed += member.weight * output
            else:
                mixed[:, member.columns] += member.weight * output
        return mixed if self.manifest.temperature == 1 else tempered(mixed, self.manifest.temperature)

    @property
    def _outputs(self) -> int:
        return len(self.manifest.classes) or 1

    @cached_property
    def _encoders(self) -> dict[str, Encoder]:
        names = dict.fromkeys(member.recipe for member in self.manifest.members)
        recipes = {name: Recipe.parse(self.files[name]) for name in names}
        given = {column.name for column in self.manifest.columns}
        if absent := sorted({name for recipe in recipes.values() for name in recipe.columns} - given):
            raise ModelError(f"A recipe reads columns that the model does not declare: {some(absent)}.")
        return {name: Encoder.of(recipe) for name, recipe in recipes.items()}

    @cached_property
    def _sessions(self) -> tuple[Any, ...]:
        return tuple(
            open_graph(
                self.files[member.graph],
                len(self._encoders[member.recipe].recipe.names),
                len(member.columns),
            )
            for member in self.manifest.members
        )
