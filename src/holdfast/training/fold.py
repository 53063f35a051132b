"""One learner on one fold: what a worker process does, and the durable result."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.fingerprint import fingerprint
from holdfast.core.labels import label_text
from holdfast.core.learner import Curve, Learner
from holdfast.core.plan import Plan
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Role
from holdfast.core.task import Task

FORMAT = "fold.v1"

# Rows to stop early on: enough to stop at about the right step, few enough to be missed little.
_WATCHED, _WATCHED_SHARE = 1_000, (0.2, 0.5)  # of one fold
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd, near 2**64 over the golden ratio: spreads counted codes


@dataclass(frozen=True, slots=True, eq=False)
class FoldFit:
    """A learner fitted without one fold, and what its exported model says of that fold.

    `files` are the model's folder, `output` its probabilities (n, K) or values (n, 1) for
    the fold's rows, in the dataset's order.
    """

    files: Mapping[str, bytes]
    output: np.ndarray
    curve: Curve
    seconds: float
    cpu_seconds: float

    def encode(self) -> dict[str, bytes]:
        """The result as files, to be stored."""
        buffer = io.BytesIO()
        np.save(buffer, self.output, allow_pickle=False)
        facts = {
            "format": FORMAT,
            "curve": [list(self.curve.steps), list(self.curve.loss), self.curve.best],
            "seconds": [self.seconds, self.cpu_seconds],
        }
        files = {f"model/{name}": data for name, data in self.files.items()}
        return {**files, "output.npy": buffer.getvalue(), "fold.json": json.dumps(facts).encode()}

    @staticmethod
    def decode(files: Mapping[str, bytes]) -> FoldFit:
        """The result back from its files (see `encode`)."""
        facts = json.loads(files["fold.json"])
        steps, loss, best = facts["curve"]
        model = {n.removeprefix("model/"): data for n, data in files.items() if n.startswith("model/")}
        output = np.load(io.BytesIO(files["output.npy"]), allow_pickle=False)
        return FoldFit(model, output, Curve(tuple(steps), tuple(loss), best), *facts["seconds"])


def fold_key(plan: Plan, dataset: str, roles: str, fold: int) -> str:
    """Names the fit of one fold by everything that determines it."""
    return fingerprint([FORMAT, plan.id, dataset, roles, fold])


def fold_seed(plan: Plan, fold: int) -> int:
    """The seed of one fold: 31 bits, other for every learner and fold."""
    return int(fingerprint([plan.seed, plan.learner, fold])[:8], 16) & 0x7FFFFFFF


def fit_fold(
    learner: Learner, dataset: Dataset, fold: np.ndarray, held: int, classes: tuple[str, ...], seed: int
) -> tuple[Mapping[str, bytes], np.ndarray, Curve]:
    """Fit on the rows of all folds but `held`, and predict that fold with the exported model.

    `fold` is int of shape (n,), -1 for rows that take no part. `classes` are all classes
    of the table, in the order of the output's columns. A learner that stops early does so
    on some of its training rows: the held fold is seen by nothing that is fitted.
    """
    train = dataset.take(np.flatnonzero((fold >= 0) & (fold != held)))
    judged = dataset.take(np.flatnonzero(fold == held))
    watched = dataset.take(np.flatnonzero(watch(dataset, fold, (held + 1) % (fold.max() + 1))))
    fitted = learner.fit(train, watched, budget=None, seed=seed, progress=_silent)
    predictions = fitted.model.predict(_unlabelled(judged))
    return fitted.model.files, output_of(predictions, classes), fitted.curve


def watch(dataset: Dataset, fold: np.ndarray, which: int) -> np.ndarray:
    """The rows of one fold to stop early on, bool of shape (n,): whole groups, or twins without one."""
    units = dataset.twin
    group = dataset.schema.with_role(Role.GROUP)
    if group is not None:
        codes = label_text(dataset.table[group.name]).rank("dense")
        units = np.where(codes.is_null().to_numpy(), units, codes.fill_null(0).to_numpy().astype(np.uint64))
    rows = fold == which
    share = np.clip(_WATCHED / max(rows.sum(), 1), *_WATCHED_SHARE)
    mask: np.ndarray = rows & (units * _SPREAD < np.uint64(int(share * 2**64)))
    if not mask.any() or mask[rows].all():  # too few units to part: every other row
        mask = np.zeros(len(fold), dtype=bool)
        mask[np.flatnonzero(rows)[1::2]] = True
    return mask


def output_of(predictions: Predictions, classes: tuple[str, ...]) -> np.ndarray:
    """Probabilities of shape (n, K) in the order of `classes`, or values of shape (n, 1).

    A class that the model never saw has probability 0.
    """
    if predictions.header.task is Task.REGRESSION:
        return predictions.prediction_values.reshape(-1, 1)
    probability = predictions.probability
    assert probability is not None  # a model of classes always gives probabilities
    output = np.zeros((len(probability), len(classes)), dtype=np.float32)
    output[:, [classes.index(name) for name in predictions.header.classes]] = probability
    return output


def _unlabelled(dataset: Dataset) -> Dataset:
    target = dataset.schema.target
    schema = replace(dataset.schema, columns=tuple(c for c in dataset.schema if c is not target))
    return replace(dataset, table=dataset.table.drop(target.name), schema=schema)


def _silent(share: float) -> None:
    del share
