"""Model folders in and out, and the mixing of models; `TabularModel` is what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from holdfast.core.labels import in_order
from holdfast.core.schema import Column
from holdfast.core.task import Task
from holdfast.errors import ModelError
from holdfast.models.tabular.examples import read_examples, write_examples
from holdfast.models.tabular.folder import (
    EXAMPLES,
    MANIFEST,
    Manifest,
    Member,
    read_folder,
    write_folder,
)
from holdfast.models.tabular.model import TabularModel

__all__ = ["TabularModel", "assembled", "combine", "load", "with_decision"]

_MOST_NATIVE = 32 * 2**20  # bytes


def load(files: Mapping[str, bytes]) -> TabularModel:
    """A model from the files of its folder, verified and tried on its own examples.

    No code in the files is run. ModelError says what is damaged or does not fit
    together; NewerError where a newer Holdfast wrote it.
    """
    manifest, kept = read_folder(files)
    model = TabularModel(manifest, kept)
    rows, expected = read_examples(kept[EXAMPLES])
    found = model.predict_rows(rows)
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=1e-4, atol=1e-5):
        raise ModelError("The model does not give the predictions that its examples record: it is damaged.")
    return model


def assembled(
    manifest: Manifest, files: Mapping[str, bytes], rows: Sequence[Mapping[str, Any]]
) -> TabularModel:
    """A model of these graphs and recipes; `rows` of raw cells become its examples."""
    examples = write_examples(rows, TabularModel(manifest, files).predict_rows(rows))
    return TabularModel(manifest, write_folder(manifest, {**files, EXAMPLES: examples}))


def combine(models: Sequence[TabularModel], weights: np.ndarray) -> TabularModel:
    """One model that gives the weighted mean of others: of folds, of learners, or of both.

    `weights` have shape (m,) and sum to 1. Recipes and graphs that models share are kept
    once. Classes are united. ModelError where the models do not answer the same question,
    or one of them is calibrated: decide after mixing (see `with_decision`).
    """
    if not models or len(models) != len(weights) or not np.isclose(np.sum(weights), 1):
        raise ModelError(f"{len(models)} models need as many weights that sum to 1, not {list(weights)}.")
    first = models[0].manifest
    classes = in_order(name for model in models for name in model.manifest.classes)
    columns: dict[str, Column] = {}
    members: dict[tuple[str, str, tuple[int, ...]], Member] = {}
    for model, weight in zip(models, weights, strict=True):
        manifest = model.manifest
        if (manifest.task, manifest.target, manifest.temperature) != (first.task, first.target, 1.0):
            raise ModelError(
                f"{model!r} cannot be mixed with {models[0]!r}: other target, or calibrated already."
            )
        for column in manifest.columns:
            if replace(columns.setdefault(column.name, column), why="") != replace(column, why=""):
                raise ModelError(f"The models read column {column.name!r} in different ways.")
        for member in manifest.members:
            places = tuple(classes.index(manifest.classes[i]) for i in member.columns) if classes else (0,)
            key = (member.graph, member.recipe, places)
            before = members[key].weight if key in members else 0.0
            members[key] = replace(member, columns=places, weight=before + float(weight) * member.weight)
    native = _kept_native([model.files for model in models], members.values())
    mixed = replace(
        first,
        classes=classes,
        positive=first.positive if len(classes) == 2 else None,
        threshold=first.threshold if len(classes) == 2 else None,
        columns=tuple(columns.values()),
        members=tuple(
            replace(member, native=tuple(name for name in member.native if name in native))
            for member in members.values()
            if member.weight > 0
        ),
        environment={name: text for model in models for name, text in model.manifest.environment.items()},
    )
    needed = {name for member in mixed.members for name in (member.graph, member.recipe, *member.native)}
    files = {name: data for model in models for name, data in model.files.items() if name in needed}
    return assembled(mixed, files, _example_rows(models, columns))


def _kept_native(folders: Sequence[Mapping[str, bytes]], members: Iterable[Member]) -> set[str]:
    """The native files that a mix keeps: the smallest, while they fit in the space set aside for them."""
    sizes = {
        name: len(data) for files in folders for name, data in files.items() if name.startswith("native/")
    }
    ordered = sorted(
        {name for member in members for name in member.native}, key=lambda name: (sizes[name], name)
    )
    filled = np.cumsum([sizes[name] for name in ordered])
    return {name for name, total in zip(ordered, filled, strict=True) if total <= _MOST_NATIVE}


def with_decision(model: TabularModel, *, temperature: float, threshold: float | None) -> TabularModel:
    """The same model with its probabilities at another temperature and its own decision threshold.

    `threshold` is of the positive class of two; None means 0.5 there.
    """
    manifest = model.manifest
    if manifest.task is not Task.CLASSIFICATION:
        return model
    if manifest.positive is not None and threshold is None:
        threshold = 0.5
    decided = replace(manifest, temperature=float(temperature), threshold=threshold)
    rows, _ = read_examples(model.files[EXAMPLES])
    files = {name: data for name, data in model.files.items() if name not in (MANIFEST, EXAMPLES)}
    return assembled(decided, files, rows)


def _example_rows(models: Sequence[TabularModel], columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    rows, _ = read_examples(models[0].files[EXAMPLES])
    return [{name: row.get(name) for name in columns} for row in rows]
