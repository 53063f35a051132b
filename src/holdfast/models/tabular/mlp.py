"""A multilayer perceptron after RealMLP (Holzmüller et al. 2024, "Better by default").

What differs from the paper, each measured to be worth it on tables of 5,000 to 30,000
rows: narrower layers and fewer epochs (seconds instead of minutes a fold), a running
mean of the weights, periodic embeddings over several octaves of frequency, and for
classification a piecewise linear encoding beside them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np

from holdfast.core.plan import Option
from holdfast.core.space import Range
from holdfast.core.task import Task
from holdfast.models.tabular.graphs import Builder
from holdfast.models.tabular.losses import LOSSES
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.mlp_inputs import fit_inputs
from holdfast.models.tabular.mlp_network import Parameters, Shape, build, initial
from holdfast.models.tabular.mlp_training import Recipe, Rows, train
from holdfast.models.tabular.objectives import objective_of

_SHARED = {
    "width": 128,
    "depth": 3,
    "waves": 16,
    "embedding": 3,
    "epochs": 0,
    "batch": 0,
    "weight_decay": 0.02,
    "dropout": 0.15,
}
DEFAULTS: Mapping[Task, Mapping[str, Option]] = {
    Task.CLASSIFICATION: _SHARED | {"learning_rate": 0.02, "pieces": 32, "slowest": 0.1, "fastest": 8.0},
    Task.REGRESSION: _SHARED | {"learning_rate": 0.1, "pieces": 0, "slowest": 0.1, "fastest": 8.0},
}
SPACE = {
    "learning_rate": Range(0.003, 0.3, log=True),
    "weight_decay": Range(0.002, 0.2, log=True),
    "dropout": Range(0.0, 0.4),
    "slowest": Range(0.01, 0.3, log=True),
    "fastest": Range(0.5, 20.0, log=True),
    "pieces": Range(0, 48, integer=True),
}
_SAMPLE = 1024  # rows that the starting weights are fitted to
_MOST_COSINES = 4096  # of all numbers together; beyond, numbers are not embedded


def fit(train_rows: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting) -> Weights:
    """Train on the first rows, keep the epoch that is best on `validation`.

    `epochs` and `batch` of 0 follow the number of rows. PlanError where the target
    cannot have the loss.
    """
    from threadpoolctl import threadpool_limits

    objective = objective_of(train_rows, setting)
    inputs = fit_inputs(train_rows.X, int(options["pieces"]))
    rows = Rows(inputs(train_rows.X), train_rows.y, objective.weights(train_rows))
    held = Rows(inputs(validation.X), validation.y, objective.weights(validation))
    numbers = inputs.numbers if inputs.numbers * int(options["waves"]) <= _MOST_COSINES else 0
    shape = Shape(
        rows.inputs.shape[1],
        numbers,
        int(options["waves"]),
        int(options["embedding"]),
        int(options["width"]),
        int(options["depth"]),
        objective.outputs,
    )
    rng = np.random.default_rng([setting.seed, 0])
    sample = rows.inputs[rng.permutation(len(rows.y))[:_SAMPLE]]
    sigma = float(options["slowest"]), float(options["fastest"])
    with threadpool_limits(limits=1):
        flat = initial(shape, sample, objective.start(rows.y, rows.weight), sigma, rng)
        flat, curve = train(shape, flat, objective, (rows, held), _recipe(options, len(rows.y)), setting)
    own = shape.views(flat)
    graph = Builder()
    raw = build(shape, own, graph, inputs.build(graph))
    data = objective.build(graph, raw, train_rows.X.shape[1])
    return Weights(data, {"weights.safetensors": safetensors(own)}, curve)


def _recipe(options: Mapping[str, Option], rows: int) -> Recipe:
    epochs = int(options["epochs"]) or epochs_for(rows)
    return Recipe(
        epochs,
        min(int(options["batch"]) or batch_for(rows), max(rows // 8, 1)),
        float(options["learning_rate"]),
        float(options["weight_decay"]),
        float(options["dropout"]),
        max(6, epochs // 3),
    )


def epochs_for(rows: int) -> int:
    """How many passes pay: 24 up to 20,000 rows, fewer beyond, so that time grows like the root of rows.

    >>> epochs_for(5_000), epochs_for(80_000), epochs_for(10_000_000)
    (24, 12, 4)
    """
    return max(4, min(24, round(24 * math.sqrt(20_000 / max(rows, 1)))))


def batch_for(rows: int) -> int:
    """Rows a step: 256, more on larger tables.

    >>> batch_for(10_000), batch_for(60_000), batch_for(500_000)
    (256, 512, 1024)
    """
    return 256 if rows < 50_000 else 512 if rows < 200_000 else 1024


def safetensors(arrays: Parameters) -> bytes:
    """float32 arrays in the safetensors format: a JSON header, then the raw numbers."""
    header, start = {}, 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [start, start + array.nbytes],
        }
        start += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return (
        len(text).to_bytes(8, "little")
        + text
        + b"".join(array.astype("<f4").tobytes() for array in arrays.values())
    )


MLP = Algorithm(fit, DEFAULTS, (*LOSSES[Task.CLASSIFICATION], *LOSSES[Task.REGRESSION]), space=SPACE)
