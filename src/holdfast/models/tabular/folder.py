"""The model folder "model.v1": what is in it, and reading it without trusting it.

    manifest.json        task, classes, decision, columns, members, the hash of every file
    recipes/ID.json      column recipes; models of one fold share theirs
    members/ID.onnx      graphs
    native/ID/NAME       what continued training needs; never read to predict
    examples.json        a few raw rows with their predictions, checked on load

Loading runs no code: JSON and ONNX are all that is read. Names of files are made of
hashes, so no name can lead out of the folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from holdfast.core.fingerprint import fingerprint, fingerprint_bytes, fingerprint_files
from holdfast.core.schema import CellFormat, Column, Kind, Role, Schema
from holdfast.core.task import Task
from holdfast.errors import ColumnError, ModelError, NewerError, some

FORMAT = "model.v1"
MANIFEST, EXAMPLES = "manifest.json", "examples.json"
_FAMILY = "tabular"
_NEEDS = ("numpy", "onnxruntime", "polars")
_NAME = re.compile(
    r"members/[0-9a-f]{32}\.onnx|recipes/[0-9a-f]{32}\.json|native/[0-9a-f]{32}/[a-z_]+\.[a-z]+|examples\.json"
)
_LARGEST_MANIFEST = 64 * 2**20  # bytes
_INDENTED = 1_000  # columns


@dataclass(frozen=True, slots=True)
class Member:
    """One graph of the mix: the recipe that feeds it, its weight, and where its outputs go.

    `columns` are the places of the graph's outputs among the model's classes. `native`
    are the names of the files that continued training needs.
    """

    graph: str
    recipe: str
    weight: float
    learner: str
    columns: tuple[int, ...]
    native: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model is, besides its graphs and recipes.

    `columns` are the columns that a row must have, with how their cells are read; `keys`
    are the others of the training table that say something of a row (target, id, group,
    weight): new rows may have them too.
    Probabilities are raised to 1 / `temperature`; the positive class is predicted from
    `threshold` on. `environment` are the versions it was made with, outside the id.
    """

    task: Task
    classes: tuple[str, ...]
    positive: str | None
    threshold: float | None
    temperature: float
    target: str
    columns: tuple[Column, ...]
    members: tuple[Member, ...]
    dataset: str
    environment: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[Column, ...] = ()


def write_folder(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """All files of the folder: those given, and the manifest that lists them."""
    facts = {
        "format": FORMAT,
        "family": _FAMILY,
        "needs": _NEEDS,
        **_fields(manifest),
        "files": {name: fingerprint_bytes(data) for name, data in sorted(files.items())},
    }
    # indented JSON is written by Python code: too slow for the columns of a very wide table
    indent = 1 if len(manifest.columns) <= _INDENTED else None
    text = json.dumps(
        facts, indent=indent, ensure_ascii=False, sort_keys=True, allow_nan=False, default=_fields
    )
    return {**files, MANIFEST: text.encode()}


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def read_folder(files: Mapping[str, bytes]) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest, and the files that it lists, each of them verified.

    ModelError names what is wrong; NewerError where a newer Holdfast wrote the folder.
    """
    data = files.get(MANIFEST)
    if data is None:
        raise ModelError(f"This is not a model folder: it has no {MANIFEST}.")
    if len(data) > _LARGEST_MANIFEST:
        raise ModelError(f"The {MANIFEST} has {len(data):,} bytes, more than any model needs.")
    try:
        facts = json.loads(data)
        _check_format(facts)
        manifest = _manifest(facts)
        listed = dict(facts["files"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, ColumnError) as error:
        raise ModelError(f"The {MANIFEST} is damaged: {error or type(error).__name__}.") from error
    strange = [name for name in listed if not isinstance(name, str) or not _NAME.fullmatch(name)]
    if strange:
        raise ModelError(f"The {MANIFEST} lists files that a model folder cannot have: {some(strange)}.")
    kept = {name: _verified(name, digest, files) for name, digest in listed.items()}
    needed = {name for member in manifest.members for name in (member.graph, member.recipe, *member.native)}
    if absent := sorted((needed | {EXAMPLES}) - set(kept)):
        raise ModelError(f"The {MANIFEST} does not list {some(absent)}, which its members need.")
    return manifest, {**kept, MANIFEST: data}


def model_id(manifest: Manifest, files: Mapping[str, bytes]) -> str:
    """The hash of what the model does: without the environment it was made in, and without
    the examples, whose last digits depend on the machine.
    """
    facts = {name: value for name, value in _fields(manifest).items() if name != "environment"}
    told = {name: data for name, data in files.items() if name not in (MANIFEST, EXAMPLES)}
    return fingerprint([FORMAT, facts, fingerprint_files(told)])


def _check_format(facts: Mapping[str, Any]) -> None:
    written = facts.get("format")
    if written == FORMAT:
        if facts.get("family") != _FAMILY:
            raise ModelError(f"This is a model of family {facts.get('family')!r}, not of tables.")
        return
    if isinstance(written, str) and written.startswith("model.v"):
        raise NewerError.format(written, FORMAT, where="This model")
    raise ModelError(f"This is not a model folder: its format is {written!r}.")


def _verified(name: str, digest: object, files: Mapping[str, bytes]) -> bytes:
    data = files.get(name)
    if data is None:
        raise ModelError(f"The model folder lacks {name}.")
    if fingerprint_bytes(data) != digest:
        raise ModelError(f"{name} is damaged: it does not match the hash in {MANIFEST}.")
    return data


def _manifest(facts: Mapping[str, Any]) -> Manifest:
    classes = tuple(_typed(name, str) for name in facts["classes"])
    manifest = Manifest(
        Task(facts["task"]),
        classes,
        None if facts["positive"] is None else _typed(facts["positive"], str),
        None if facts["threshold"] is None else _within(facts["threshold"], 0.0, 1.0),
        _within(facts["temperature"], 1e-3, 1e3),
        _typed(facts["target"], str),
        tuple(_column(entry) for entry in facts["columns"]),
        tuple(_member(entry) for entry in facts["members"]),
        _typed(facts["dataset"], str),
        {_typed(name, str): _typed(value, str) for name, value in facts["environment"].items()},
        tuple(_column(entry) for entry in facts["keys"]),
    )
    Schema((*manifest.columns, *manifest.keys))  # no name twice
    outputs = len(classes) if manifest.task is Task.CLASSIFICATION else 1
    positive_fits = manifest.positive is None or (manifest.positive in classes and len(classes) == 2)
    if outputs < 1 or len(set(classes)) < len(classes) or not positive_fits:
        raise ValueError("its classes do not fit together")
    if manifest.task is Task.REGRESSION and (classes or manifest.temperature != 1):
        raise ValueError("a regression has no classes and no temperature")
    if not manifest.members or abs(sum(member.weight for member in manifest.members) - 1) > 1e-6:
        raise ValueError("its members' weights do not sum to 1")
    for member in manifest.members:
        if len(set(member.columns)) < len(member.columns) or not set(member.columns) <= set(range(outputs)):
            raise ValueError(f"member {member.graph} has outputs {member.columns} for {outputs} columns")
    return manifest


def _member(entry: Mapping[str, Any]) -> Member:
    return Member(
        _typed(entry["graph"], str),
        _typed(entry["recipe"], str),
        _within(entry["weight"], 0.0, 1.0),
        _typed(entry["learner"], str),
        tuple(_typed(place, int) for place in entry["columns"]),
        tuple(_typed(name, str) for name in entry["native"]),
    )


def _column(entry: Mapping[str, Any]) -> Column:
    form = dict(entry["format"])
    for name in ("missing", "dates", "true", "false"):
        form[name] = _words(tuple(form[name]))
    form["spelling"] = {_typed(key, str): _typed(value, str) for key, value in form["spelling"].items()}
    for name in ("decimal", "thousands", "strip"):
        _typed(form[name], str)
    name, why = _typed(entry["name"], str), _typed(entry["why"], str)
    return Column(name, Kind(entry["kind"]), Role(entry["role"]), CellFormat(**form), why)


@lru_cache(maxsize=1000)  # thousands of columns have the same words for a missing cell
def _words(words: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(_typed(word, str) for word in words)


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{str(value)[:40]!r} is not {kind.__name__}")
    return value


def _within(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise TypeError(f"{str(value)[:40]!r} is not a number from {low} to {high}")
    return float(value)
