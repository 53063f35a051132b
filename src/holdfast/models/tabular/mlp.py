"""A multilayer perceptron after RealMLP (Holzmüller et al. 2024, "Better by default").

What differs from the paper, each measured on tables of 700 to 33,000 rows: narrower
layers and fewer epochs (seconds instead of minutes a fold, with no loss of accuracy on
noisy tables), a running mean of the weights, and one encoding of the numbers out of
two. Piece by piece is better for two classes (log loss 0.6 to 2.4 % lower on four of
five tables, level on the fifth); periodic waves over several octaves of frequency are
better on the tables with many classes (1 to 7 %) and with a number to predict (0.3 to
2 %) that were tried.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np

from holdfast.core.plan import Option
from holdfast.core.space import Choices, Range, Space
from holdfast.core.task import Task
from holdfast.errors import PlanError, suggest
from holdfast.models.tabular.graphs import Builder
from holdfast.models.tabular.losses import LOSSES
from holdfast.models.tabular.matrix import Algorithm, Matrix, Setting, Weights
from holdfast.models.tabular.mlp_inputs import Inputs, fit_inputs
from holdfast.models.tabular.mlp_network import Parameters, Shape, build, initial
from holdfast.models.tabular.mlp_training import Recipe, Rows, trained
from holdfast.models.tabular.objectives import objective_of

_SHARED: Mapping[str, Option] = {
    "encoding": "auto",
    "width": 128,
    "depth": 3,
    "pieces": 32,
    "waves": 16,
    "embedding": 3,
    "slowest": 0.1,
    "epochs": 0,
    "batch": 0,
    "learning_rate": 0.0,
    "weight_decay": 0.02,
    "dropout": 0.15,
}
DEFAULTS: Mapping[Task, Mapping[str, Option]] = {
    Task.CLASSIFICATION: {**_SHARED, "fastest": 2.0},
    Task.REGRESSION: {**_SHARED, "fastest": 8.0},
}
SPACE: Space = {
    "encoding": Choices(("pieces", "waves")),
    "learning_rate": Range(0.003, 0.3, log=True),
    "weight_decay": Range(0.002, 0.2, log=True),
    "dropout": Range(0.0, 0.4),
    "slowest": Range(0.01, 0.3, log=True),
    "fastest": Range(0.5, 20.0, log=True),
    "pieces": Range(8, 64, integer=True),
}
_SAMPLE = 1024  # rows that the starting weights are fitted to
_MOST_WAVES = 4096  # of all numbers together; beyond, numbers are not embedded


def fit(train: Matrix, validation: Matrix, options: Mapping[str, Option], setting: Setting) -> Weights:
    """Train on `train`, keep the epoch that is best on `validation`.

    `encoding` "auto" is "pieces" for two classes, else "waves"; `epochs`, `batch` and
    `learning_rate` of 0 follow from the rows and the encoding. PlanError where there is
    no such encoding, or the target cannot have the loss.
    """
    from threadpoolctl import threadpool_limits

    objective, encoding = objective_of(train, setting), _encoding(options, setting)
    inputs = fit_inputs(train.X, int(options["pieces"]) if encoding == "pieces" else 0)
    rows = Rows(inputs(train.X), train.y, objective.weights(train))
    held = Rows(inputs(validation.X), validation.y, objective.weights(validation))
    shape = _shape(options, encoding, inputs, objective.outputs)
    rng = np.random.default_rng([setting.seed, 0])
    sample = rows.inputs[rng.permutation(len(rows.y))[:_SAMPLE]]
    sigma = float(options["slowest"]), float(options["fastest"])
    with threadpool_limits(limits=1):
        flat = initial(shape, sample, objective.start(rows.y, rows.weight), sigma, rng)
        recipe = _recipe(options, encoding, setting, len(rows.y))
        flat, curve = trained(shape, flat, objective, (rows, held), recipe, setting)
    own = shape.views(flat)
    graph = Builder()
    raw = build(shape, own, graph, inputs.build(graph))
    data = objective.build(graph, raw, train.X.shape[1])
    return Weights(data, {"weights.safetensors": safetensors(own)}, curve)


def _encoding(options: Mapping[str, Option], setting: Setting) -> str:
    chosen = str(options["encoding"])
    if chosen not in ("auto", "pieces", "waves"):
        raise PlanError(f"The mlp has no encoding {chosen!r}. {suggest(['auto', 'pieces', 'waves'])}")
    if chosen == "auto":
        return "pieces" if setting.classes == 2 else "waves"
    return chosen


def _shape(options: Mapping[str, Option], encoding: str, inputs: Inputs, outputs: int) -> Shape:
    waves = int(options["waves"])
    embedded = inputs.numbers if encoding == "waves" and inputs.numbers * waves <= _MOST_WAVES else 0
    columns, embedding = inputs.scaling.columns + len(inputs.source), int(options["embedding"])
    return Shape(columns, embedded, waves, embedding, int(options["width"]), int(options["depth"]), outputs)


def _recipe(options: Mapping[str, Option], encoding: str, setting: Setting, rows: int) -> Recipe:
    epochs = int(options["epochs"]) or epochs_for(rows)
    careful = encoding == "pieces" and setting.task is Task.CLASSIFICATION
    return Recipe(
        epochs,
        min(int(options["batch"]) or batch_for(rows), rows),
        float(options["learning_rate"]) or (0.02 if careful else 0.1),
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
    """Rows a step: 24 steps an epoch on small tables, then 256 rows, more on large ones.

    >>> batch_for(700), batch_for(10_000), batch_for(60_000), batch_for(500_000)
    (29, 256, 512, 1024)
    """
    if rows < 50_000:
        return min(max(rows // 24, 16), 256)
    return 512 if rows < 200_000 else 1024


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


MLP = Algorithm(
    fit,
    DEFAULTS,
    (*LOSSES[Task.CLASSIFICATION], *LOSSES[Task.REGRESSION]),
    space=SPACE,
    stops=True,
)
