"""Logistic regression, and ridge regression for numbers, on scaled columns.

The penalty is chosen on the validation rows from a short path, strong to weak, each
solution starting from the one before.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import numpy as np

from holdfast.core.learner import Curve
from holdfast.core.plan import Option
from holdfast.core.task import Task
from holdfast.models.tabular.graphs import Builder
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.objectives import objective_of
from holdfast.models.tabular.scaling import fit_scaling

_PENALTIES = (100.0, 10.0, 1.0, 0.1)  # on the sum over rows of the loss, columns being on one scale
_ABSENT = -30.0  # the score of a class that the rows lack: a probability of 1e-13

Solution = tuple[np.ndarray, np.ndarray]
"""Coefficients of shape (d, O) and intercepts of shape (O,)."""


def fit(train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting) -> Weights:
    """The path's solution with the lowest loss on `validation`."""
    objective = objective_of(train, setting)
    scaling = fit_scaling(train.X)
    rows, held = scaling(train.X), scaling(validation.X)
    weight, held_weight = objective.weights(train), objective.weights(validation)
    if setting.task is Task.CLASSIFICATION:
        path = _logistic(rows, train.y, weight, setting.classes, int(options["iterations"]))
    else:
        path = _ridge(rows, objective.targets(train.y)[:, 0], weight)
    solutions, losses = [], []
    for coefficients, intercepts in path:
        solutions.append((coefficients, intercepts))
        losses.append(objective.value(held @ coefficients + intercepts, validation.y, held_weight))
        setting.progress(len(losses) / len(_PENALTIES))
    best = int(np.argmin(losses))
    graph = Builder()
    _, inputs = scaling.build(graph)
    data = objective.build(graph, graph.affine(inputs, *solutions[best]), train.X.shape[1])
    return Weights(data, curve=Curve(tuple(range(1, len(losses) + 1)), tuple(losses), best + 1))


def _logistic(
    rows: np.ndarray, codes: np.ndarray, weight: np.ndarray, classes: int, iterations: int
) -> Iterator[Solution]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(warm_start=True, max_iter=iterations, tol=1e-4)
    for penalty in _PENALTIES:
        model.set_params(C=1 / penalty)
        with warnings.catch_warnings():
            # A solution that is not yet exact is one of the path all the same: its loss decides.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(rows, codes, sample_weight=weight)
        yield _for_all_classes(model.coef_.T, model.intercept_, model.classes_, classes)


def _ridge(rows: np.ndarray, target: np.ndarray, weight: np.ndarray) -> Iterator[Solution]:
    from sklearn.linear_model import Ridge

    for penalty in _PENALTIES:
        model = Ridge(alpha=penalty).fit(rows, target, sample_weight=weight)
        yield model.coef_[:, None], np.array([model.intercept_])


def _for_all_classes(
    coefficients: np.ndarray, intercepts: np.ndarray, known: np.ndarray, classes: int
) -> Solution:
    """The solution for all K classes where the rows lack some; one output where K is 2."""
    if classes == 2 or len(known) == classes:
        return coefficients, intercepts
    if len(known) == 2:
        coefficients = np.concatenate([-coefficients, coefficients], axis=1) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    wide, base = np.zeros((len(coefficients), classes)), np.full(classes, _ABSENT)
    wide[:, known], base[known] = coefficients, intercepts
    return wide, base


LINEAR = Algorithm(
    fit,
    {Task.CLASSIFICATION: {"iterations": 60}, Task.REGRESSION: {"iterations": 60}},
    ("log_loss", "balanced", "squared"),
    module="sklearn",
    stops=True,  # the penalty is chosen on the validation rows
)
