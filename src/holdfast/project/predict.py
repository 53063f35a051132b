"""`predict` and `load_model`: a model by name or folder, on any table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import polars as pl

from holdfast.core.conformity import Conformity
from holdfast.core.origin import Origin
from holdfast.core.predictions import Predictions
from holdfast.core.run import Run
from holdfast.core.task import Task
from holdfast.data.conform import conform
from holdfast.errors import FileError, ModelError
from holdfast.models.tabular.folder import MANIFEST
from holdfast.models.tabular.served import TabularModel, load
from holdfast.project.handle import open_project
from holdfast.project.output import write_output
from holdfast.project.runs import data_of, run_named
from holdfast.store.splits import load_rule


@dataclass(frozen=True, slots=True)
class Predicted:
    """What `predict_file` wrote: so many rows, by which model, and how the columns fitted."""

    output: str
    rows: int
    model: str
    conformity: Conformity


def load_model(path: str | Path) -> TabularModel:
    """A model from its folder ("model.v1"). Loading verifies it and runs no code.

    ModelError names what is damaged.
    """
    folder = Path(path)
    if not (folder / MANIFEST).is_file():
        raise FileError(
            f"{folder} is no model folder: it has no {MANIFEST}. Make one: hf.save_model(run.model, FOLDER)"
        )
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }
    return load(files)


def save_model(model: TabularModel, path: str | Path) -> Path:
    """Write a model's folder, the manifest last."""
    folder = Path(path)
    for name in sorted(model.files, key=lambda name: name == MANIFEST):
        write_output(folder / name, model.files[name])
    return folder


def predict(
    model: Run | TabularModel | str | Path, source: object, *, project: str | Path = "."
) -> Predictions:
    """Predictions for the rows of any table, in their order.

    `model` is a run, a loaded model, a model folder, or the name of a run in `project`.
    Columns are matched by name; unseen categories and missing columns are handled as the
    model's recipe says. Where the table has the target, the predictions carry it.

    Rows that a run was made of are known again: their `split` says "sealed" or "trained",
    and `evaluate` and `compare` refuse them. A model folder does not know its rows.
    """
    found = _found(model, project)
    served, origin = served_model(found), _origin(found, project)
    if origin is None:
        return predicted(served, source)[0]
    dataset, _ = conform(source, origin.schema, levels=served.levels, key=origin.keyed_by)
    predictions = served.predict(dataset)
    return replace(predictions, table=predictions.table.with_columns(origin.split(dataset)))


def predicted(model: TabularModel, source: object) -> tuple[Predictions, Conformity]:
    """Predictions, and how the table's columns fitted the model's."""
    dataset, conformity = conform(source, model.schema, levels=model.levels)
    return model.predict(dataset), conformity


def predict_file(name: str, file: str, output: Path, *, project: str | Path = ".") -> Predicted:
    """Predict a file's rows and write `example`, `prediction` and `probability_<class>` to `output`."""
    writer = _writer(output)
    predictions, conformity = predicted(served_model(_found(name, project)), file)
    buffer = BytesIO()  # polars has errors of its own for a disk that is full
    writer(columns_of(predictions), buffer)
    write_output(output, buffer.getvalue())
    return Predicted(str(output), len(predictions), name, conformity)


def columns_of(predictions: Predictions) -> pl.DataFrame:
    """`example`, `prediction`, and for classes one `probability_<class>` each."""
    table = predictions.table.select("example", "prediction")
    probability = predictions.probability
    if predictions.header.task is Task.REGRESSION or probability is None:
        return table
    names = [f"probability_{label}" for label in predictions.header.classes]
    return table.with_columns(pl.Series(name, probability[:, k]) for k, name in enumerate(names))


def _found(model: Run | TabularModel | str | Path, project: str | Path) -> Run | TabularModel:
    """The model of a folder, or a run that has its model."""
    if isinstance(model, TabularModel) or (isinstance(model, Run) and model.model is not None):
        return model
    if not isinstance(model, Run) and (Path(model) / MANIFEST).is_file():
        return load_model(model)
    return run_named(open_project(project), model.id if isinstance(model, Run) else str(model))


def served_model(found: Run | TabularModel) -> TabularModel:
    """A run's model; ModelError where it kept none of our own."""
    model = found.model if isinstance(found, Run) else found
    if not isinstance(model, TabularModel):
        raise ModelError(
            f"{found.id} kept no model that can predict. Name a run that has one: holdfast leaderboard"
        )
    return model


def _origin(found: Run | TabularModel, project: str | Path) -> Origin | None:
    if isinstance(found, TabularModel):
        return None
    if found.origin is not None or found.record.plan is None:  # rows of a logged run were never seen here
        return found.origin
    home = open_project(project)
    rule = load_rule(home.store)
    return Origin.of(*data_of(home, found.record), () if rule is None else rule.key)


def _writer(output: Path) -> Callable[[pl.DataFrame, BytesIO], None]:
    writers: Mapping[str, Callable[[pl.DataFrame, BytesIO], None]] = {
        ".parquet": lambda table, file: table.write_parquet(file),
        ".csv": lambda table, file: table.write_csv(file),
        ".jsonl": lambda table, file: table.write_ndjson(file),
    }
    writer = writers.get(output.suffix.lower())
    if writer is None:
        raise FileError(
            f"Write predictions to a name that ends in {', '.join(writers)}, not {output.name!r}."
        )
    return writer
