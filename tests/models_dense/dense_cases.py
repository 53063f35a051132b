"""Matrices that dense learners are tried on, made from a seed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdfast.core.plan import Option
from holdfast.core.task import Task
from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.linear import LINEAR
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.mlp import MLP

ALGORITHMS = {"linear": LINEAR, "mlp": MLP}


def matrix(X: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> Matrix:
    X = np.ascontiguousarray(X, dtype=np.float32)
    return Matrix(X, y, weight, tuple(f"x{j}" for j in range(X.shape[1])))


def setting(classes: int, loss: str = "", *, seed: int = 0, budget: float | None = None) -> Setting:
    task = Task.CLASSIFICATION if classes > 1 else Task.REGRESSION
    default = "log_loss" if classes > 1 else "squared"
    return Setting(task, classes, loss or default, seed, budget, lambda share: None)


def fitted(
    algorithm: Algorithm,
    train: Matrix,
    validation: Matrix,
    asked: Setting,
    options: Mapping[str, Option] | None = None,
) -> Weights:
    return algorithm.fit(train, validation, {**algorithm.defaults[asked.task], **(options or {})}, asked)


def outputs(weights: Weights, X: np.ndarray, classes: int) -> np.ndarray:
    session = open_graph(weights.graph, X.shape[1], classes)
    return session.run(["Y"], {"X": np.ascontiguousarray(X, dtype=np.float32)})[0].astype(np.float64)


def mixed(n: int, seed: int = 0) -> np.ndarray:
    """Six columns: normal, long-tailed, mostly zero, a flag, a constant, and one of gaps and a flag."""
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [
            rng.normal(size=n),
            rng.lognormal(5, 2, n),
            np.where(rng.random(n) < 0.9, 0, rng.integers(1, 5000, n)),
            rng.random(n) < 0.3,
            np.full(n, 7.0),
            rng.random(n) < 0.5,
        ]
    ).astype(np.float32)
    X[rng.random(n) < 0.2, 0] = np.nan
    X[rng.random(n) < 0.2, 5] = np.nan
    return X


def signal(X: np.ndarray) -> np.ndarray:
    """A curved score of `mixed` rows, with deviation of about 1."""
    return np.sin(3 * np.nan_to_num(X[:, 0])) + (X[:, 2] > 0) + 0.5 * X[:, 3] + 0.2 * np.log(X[:, 1])


def target(X: np.ndarray, classes: int, seed: int = 0) -> np.ndarray:
    """Codes of `classes` classes, or values; made of `signal` and noise."""
    score = signal(X) + np.random.default_rng(seed + 100).normal(0, 0.3, len(X))
    if classes == 1:
        return score * 100 + 1000
    return np.digitize(score, np.quantile(score, np.arange(1, classes) / classes)).astype(np.int64)


def halves(n: int, classes: int, seed: int = 0) -> tuple[Matrix, Matrix]:
    X = mixed(n, seed)
    y = target(X, classes, seed)
    return matrix(X[: n // 2], y[: n // 2]), matrix(X[n // 2 :], y[n // 2 :])


def log_loss(probability: np.ndarray, codes: np.ndarray) -> float:
    return float(-np.log(np.maximum(probability[np.arange(len(codes)), codes], 1e-7)).mean())
