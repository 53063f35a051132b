"""The network: its gradient against differences, its graph against itself."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.models.tabular.graph import open_graph
from holdfast.models.tabular.graphs import Builder
from holdfast.models.tabular.mlp_network import Shape, backward, build, forward, initial, mish
from holdfast.models.tabular.mlp_training import predict

SHAPES = [
    Shape(inputs=5, numbers=3, waves=4, embedding=2, width=7, depth=2, outputs=3),
    Shape(inputs=4, numbers=0, waves=4, embedding=2, width=6, depth=3, outputs=1),
    Shape(inputs=1, numbers=1, waves=8, embedding=3, width=5, depth=1, outputs=1),
]


def case(shape: Shape, n: int = 20):
    rng = np.random.default_rng(shape.width)
    inputs = rng.normal(size=(n, shape.inputs)).astype(np.float32)
    flat = initial(shape, inputs, rng.normal(size=shape.outputs), (0.1, 2.0), rng)
    # Starting slopes and scales of exactly 1 and an output of 0 would hide mistakes.
    flat += rng.normal(0, 0.1, flat.shape).astype(np.float32)
    return inputs, flat, rng


@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_against_differences(shape):
    inputs, flat, rng = case(shape)
    inputs, flat = inputs.astype(np.float64), flat.astype(np.float64)
    numbers = np.ascontiguousarray(inputs[:, : shape.numbers].T)
    masks = [rng.integers(0, 2, (len(inputs), shape.width)) * 1.25 for _ in range(shape.depth)]
    direction = rng.normal(size=(len(inputs), shape.outputs))

    def value(at: np.ndarray) -> float:
        return float((forward(shape, shape.views(at), inputs, numbers, masks)[0] * direction).sum())

    slope = np.zeros_like(flat)
    trace = forward(shape, shape.views(flat), inputs, numbers, masks)[1]
    backward(shape, shape.views(flat), shape.views(slope), trace, direction, masks)
    numeric = np.zeros_like(flat)
    for k in range(len(flat)):
        step = np.zeros_like(flat)
        step[k] = 1e-5
        numeric[k] = (value(flat + step) - value(flat - step)) / 2e-5
    assert slope == pytest.approx(numeric, rel=1e-4, abs=1e-5)
    assert np.abs(slope).max() > 0.1


def test_derivative_of_mish():
    x = np.linspace(-30, 30, 601)
    numeric = (mish(x + 1e-6)[0] - mish(x - 1e-6)[0]) / 2e-6
    assert mish(x)[1] == pytest.approx(numeric, abs=1e-7)
    assert mish(np.array([1e4]))[0] == pytest.approx(1e4)


@pytest.mark.parametrize("shape", SHAPES)
def test_graph_gives_the_same(shape):
    inputs, flat, _ = case(shape, 300)
    graph = Builder()
    raw = build(shape, shape.views(flat), graph, "X")
    data = graph.finish(raw, np.zeros(shape.outputs), "identity", shape.inputs)
    served = open_graph(data, shape.inputs, shape.outputs).run(["Y"], {"X": inputs})[0]
    assert served == pytest.approx(predict(shape, flat, inputs), abs=2e-5)


def test_layers_start_with_deviation_one():
    shape = Shape(inputs=10, numbers=10, waves=16, embedding=3, width=64, depth=3, outputs=2)
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(1000, 10)).astype(np.float32)
    flat = initial(shape, inputs, np.array([0.5, -0.5]), (0.1, 8.0), rng)
    numbers = np.ascontiguousarray(inputs.T)
    raw, trace = forward(shape, shape.views(flat), inputs, numbers, [])
    assert raw == pytest.approx(np.tile([0.5, -0.5], (1000, 1)))
    for i, entered in enumerate(trace.entered):
        reached = entered @ shape.views(flat)[f"weight{i}"] * shape.gain(i)
        assert reached.std(axis=0) == pytest.approx(1, abs=1e-3)
