"""Guards that ask the model itself: how large, how fast, and what other cells would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate, significant
from holdfast.core.guard import Checked, Guard, GuardStatus, out_of_range, plain_number
from holdfast.core.learner import Model
from holdfast.core.predictions import Predictions
from holdfast.core.query import parse_query
from holdfast.core.schema import Kind, Role
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.errors import ColumnError, InputError, PredictionsError
from holdfast.promotion.subject import LEVEL, Subject, not_run

_LEVELS = 20  # of a column, up to which each is tried for every row
_DRAWS = 5  # for every row, of a column with more
_PLACES = 21  # of a column that is moved from its least to its greatest cell
_ROUNDING = 1e-6  # of probabilities held as float32, and of sums over hundreds of trees
_ORDERED = (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE)
_NO_MODEL = "it asks the model itself, and there are only predictions"


def latency(guard: Guard, subject: Subject) -> Checked:
    """Milliseconds that one row asked alone takes, as timed; at most what the guard says."""
    if subject.row_seconds is None:
        return not_run(guard, "the model was not timed")
    return _fact(guard, 1_000 * subject.row_seconds, "a row asked alone takes", "ms")


def size(guard: Guard, subject: Subject) -> Checked:
    """Megabytes (10^6 bytes) of the model's files; at most what the guard says."""
    if subject.model is None:
        return not_run(guard, _NO_MODEL)
    megabytes = sum(map(len, subject.model.files.values())) / 1e6
    return _fact(guard, megabytes, "the model's files take", "MB")


def invariance(guard: Guard, subject: Subject) -> Checked:
    """How far another cell in a column moves a prediction: no row's by more than the guard says.

    Every row gets each value of the column in turn; where there are more than 20, five
    draws from them. The movement is the largest of any class's probability, of a predicted
    number its own unit, and 1 for another label where there are no probabilities.
    """
    asked = _asked(guard, subject)
    if isinstance(asked, Checked):
        return asked
    model, rows, cells = asked
    now = model.predict(rows)
    assert guard.at_most is not None  # a guard of this kind has it
    if now.header.task is Task.CLASSIFICATION and guard.at_most > 1:
        what = "the movement of a probability"
        raise InputError(out_of_range("at_most", guard.at_most, what, (0.0, 1.0)))
    before, moved, tried = _outputs(now), np.zeros(len(rows)), 0
    for other in _other_cells(cells, len(rows)):
        after = _outputs(model.predict(_with(rows, guard.column, other)))
        # A prediction that is no number has moved further than any limit.
        step = np.nan_to_num(np.abs(after - before).max(axis=1), nan=np.inf)
        moved, tried = np.maximum(moved, step), tried + 1
    what = _output_name(now, rows, "probabilities")
    value = "value" if cells.n_unique() <= _LEVELS else "drawn value"
    said = f"another {guard.column} ({count(tried, value)} tried) moves", f"row's {what}"
    return _of_rows(guard, rows, moved, moved > guard.at_most, said)


def direction(guard: Guard, subject: Subject) -> Checked:
    """How far a prediction goes the wrong way while a column goes up: for no row at all.

    Every row gets each value of the column from the least to the greatest, 21 of them where
    there are more. What is predicted is the probability of the class of interest, or a number.
    """
    asked = _asked(guard, subject)
    if isinstance(asked, Checked):
        return asked
    model, rows, cells = asked
    if rows.schema[guard.column].kind not in _ORDERED:
        ordered = [column.name for column in rows.schema.features if column.kind in _ORDERED]
        mend = f' Name another, for example: column = "{ordered[0]}"' if ordered else ""
        raise ColumnError(f"column {guard.column!r} holds no numbers or dates, so it cannot go up.{mend}")
    sign = -1.0 if guard.direction == "never raises" else 1.0
    grid = _grid(cells)
    highest, fallen = np.full(len(rows), -np.inf), np.zeros(len(rows))
    for value in grid:
        moved = pl.repeat(value, len(rows), dtype=cells.dtype, eager=True)
        p = model.predict(_with(rows, guard.column, moved))
        now = sign * _single_output(p)
        highest = np.fmax(highest, now)
        fallen = np.maximum(fallen, np.nan_to_num(highest - now, nan=np.inf))
    scale = np.where(np.isfinite(highest), np.abs(highest), 1.0)
    beyond = fallen > _ROUNDING * np.maximum(1.0, scale)
    more = f"more {guard.column} ({count(len(grid), 'value')} tried)"
    if rows.schema[guard.column].kind is Kind.BOOLEAN:
        more = f"a yes in place of a no in {guard.column}"
    what = _output_name(p, rows, f"probability of {p.header.positive!r}")
    said = f"{more} {guard.direction.removeprefix('never ')}", f"row's {what}"
    return _of_rows(guard, rows, np.where(beyond, fallen, 0.0), beyond, said)


def _asked(guard: Guard, subject: Subject) -> tuple[Model, Dataset, pl.Series] | Checked:
    """The model, the rows of the guard's slice, and all known cells of its column; or why not."""
    model, dataset = subject.model, subject.dataset
    if model is None or dataset is None:
        return not_run(guard, _NO_MODEL if model is None else "there is no table to ask the model about")
    if guard.column not in dataset.schema:
        raise ColumnError.absent(guard.column, dataset.schema.names)
    if dataset.schema[guard.column].role is Role.TARGET:
        raise ColumnError(f"column {guard.column!r} is the target, which no model looks at.")
    rows = dataset.take(parse_query(guard.where).mask(dataset.table)) if guard.where else dataset
    if not len(rows):
        return Checked(guard, GuardStatus.UNDECIDED, None, f"There are no rows where {guard.where}.")
    cells = dataset.table[guard.column].drop_nulls()
    if cells.n_unique() < 2:
        return not_run(guard, f"column {guard.column!r} holds no two values, so there is no other to try")
    return model, rows, cells


def _other_cells(cells: pl.Series, n: int) -> Iterator[pl.Series]:
    """Columns of n cells: each value throughout, or draws where there are too many."""
    levels = cells.unique().sort()
    if len(levels) <= _LEVELS:
        yield from (pl.repeat(level, n, dtype=cells.dtype, eager=True) for level in levels)
        return
    rng = np.random.default_rng(0)
    yield from (cells.gather(rng.integers(0, len(cells), n)) for _ in range(_DRAWS))


def _grid(cells: pl.Series) -> list[Any]:
    """The column's values from the least to the greatest, thinned to its quantiles."""
    levels = cells.unique().sort()
    if len(levels) > _PLACES:
        at = np.linspace(0, len(cells) - 1, _PLACES).round().astype(np.int64)
        levels = cells.sort().gather(at).unique().sort()
    return levels.to_list()


def _with(rows: Dataset, column: str, cells: pl.Series) -> Dataset:
    return replace(rows, table=rows.table.with_columns(cells.alias(column)))


def _outputs(p: Predictions) -> np.ndarray:
    """What a model says of n rows, (n, m): probabilities, a number, or 1 for the predicted class."""
    if p.header.task is not Task.CLASSIFICATION:
        return p.prediction_values[:, np.newaxis]
    return np.eye(len(p.header.classes))[p.prediction_codes] if p.probability is None else p.probability


def _single_output(p: Predictions) -> np.ndarray:
    """float64 of shape (n,): the probability of the class of interest (1 or 0 without), or a number."""
    if p.header.task is not Task.CLASSIFICATION:
        return p.prediction_values
    if p.header.positive is None:
        raise PredictionsError(
            f"a direction speaks of one class of interest, and there are {len(p.header.classes)} classes."
        )
    return _outputs(p)[:, p.header.classes.index(p.header.positive)].astype(np.float64)


def _output_name(p: Predictions, rows: Dataset, of_classes: str) -> str:
    """What a model says of a row, in words: a probability, a class, or the number of its target."""
    if p.header.task is Task.CLASSIFICATION:
        return "predicted class" if p.probability is None else of_classes
    target = rows.schema.with_role(Role.TARGET)
    return "prediction" if target is None else f"predicted {target.name}"


def _of_rows(
    guard: Guard, rows: Dataset, moved: np.ndarray, beyond: np.ndarray, said: tuple[str, str]
) -> Checked:
    """A fact about each of the rows: none may be beyond what the guard allows.

    `said` is a sentence in two halves, between which stands how many rows it is true of.
    """
    worst = int(moved.argmax())
    largest = float(moved[worst])
    estimate = Estimate(largest, np.nan, np.nan, LEVEL, len(rows), "the largest of all rows")
    head, tail = said
    place = f"{count(len(rows), 'row')}{f' where {guard.where}' if guard.where else ''}"
    if largest == 0:
        return Checked(guard, GuardStatus.PASSED, estimate, f"{head} no {tail}, of {place}.")
    allowed = "none" if guard.at_most is None else plain_number(guard.at_most)
    text = f"{head} a {tail} by up to {significant(largest)}, where {allowed} is allowed"
    if not beyond.any():
        return Checked(guard, GuardStatus.PASSED, estimate, f"{text}; {place}.")
    found = f"{int(beyond.sum()):,} of {place} beyond that, furthest {rows.example[worst]!r}"
    return Checked(guard, GuardStatus.FAILED, estimate, f"{text}: {found}.")


def _fact(guard: Guard, value: float, what: str, unit: str) -> Checked:
    """One measured number that may be `at_most` so much, both in a unit."""
    assert guard.at_most is not None  # a guard of these kinds has it
    estimate = Estimate(value, np.nan, np.nan, LEVEL, 1, "measured")
    status = GuardStatus.PASSED if value <= guard.at_most else GuardStatus.FAILED
    said = f"{what} {estimate} {unit}, to be at most {plain_number(guard.at_most)} {unit}"
    return Checked(guard, status, estimate, f"{said}{'' if status is GuardStatus.PASSED else ': too much'}.")
