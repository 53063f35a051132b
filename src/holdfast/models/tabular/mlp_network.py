"""The network of RealMLP (Holzmüller et al. 2024, "Better by default"), forwards and backwards.

Inputs and periodic embeddings of the numbers, a learned scale for each, layers in the
neural tangent parametrisation with a parametric Mish, one linear output. Written out in
NumPy: on one core this takes two thirds of torch's time (its tanh alone is ten times as
slow), and a model can be trained without installing it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdfast.models.tabular.graphs import Builder

Parameters = dict[str, np.ndarray]
_SCALES = 4
_LEAST_SPREAD = 0.01  # of a unit over rows; below, there is nothing to tell rows apart


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a network.

    The first `numbers` of `inputs` columns are embedded: `waves` cosines each, mixed
    into `embedding` columns; `depth` layers of `width` units; `outputs` raw outputs.
    """

    inputs: int
    numbers: int
    waves: int
    embedding: int
    width: int
    depth: int
    outputs: int

    @property
    def features(self) -> int:
        """Columns that the first layer reads."""
        return self.inputs + self.numbers * self.embedding

    def gain(self, layer: int) -> float:
        """What the weights of a layer are multiplied by; `depth` is the output layer."""
        return 1 / math.sqrt(self.width if layer else self.features)

    def layout(self) -> dict[str, tuple[tuple[int, ...], float, float]]:
        """Every parameter: its shape, its share of the learning rate, and of the weight decay."""
        d, h, p, w = self.numbers, self.waves, self.embedding, self.width
        layout: dict[str, tuple[tuple[int, ...], float, float]] = {
            "frequency": ((d, 1, h), 0.1, 0.0),
            "phase": ((d, 1, h), 0.1, 0.0),
            "mix": ((d, h, p), 0.1, 1.0),
            "shift": ((d, 1, p), 0.1, 0.0),
            "scale": ((self.features,), 6.0, 0.0),
        }
        for i in range(self.depth):
            layout[f"weight{i}"] = ((w if i else self.features, w), 1.0, 1.0)
            layout[f"bias{i}"] = ((w,), 0.1, 0.0)
            layout[f"slope{i}"] = ((w,), 0.1, 0.0)
        layout["weight"] = ((w, self.outputs), 1.0, 1.0)
        layout["bias"] = ((self.outputs,), 0.1, 0.0)
        return layout

    def views(self, flat: np.ndarray) -> Parameters:
        """The parameters as parts of one flat vector."""
        parts, start = {}, 0
        for name, (shape, _, _) in self.layout().items():
            parts[name] = flat[start : start + math.prod(shape)].reshape(shape)
            start += math.prod(shape)
        return parts

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(math.prod(shape) for shape, _, _ in self.layout().values())


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a forward pass leaves for the backward pass; one entry a layer in each tuple."""

    numbers: np.ndarray
    angle: np.ndarray
    cosine: np.ndarray
    features: np.ndarray
    entered: tuple[np.ndarray, ...]
    bent: tuple[np.ndarray, ...]
    derivative: tuple[np.ndarray, ...]
    left: np.ndarray


def initial(
    shape: Shape, inputs: np.ndarray, start: np.ndarray, sigma: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Starting values for a sample of rows: every layer's output has deviation 1 on them.

    Frequencies are drawn at four scales from the first `sigma` to the second, in periods
    per scaled unit; biases put each unit's kink among the rows; raw outputs start at
    `start`, shape (O,).
    """
    flat = np.zeros(shape.size, dtype=np.float32)
    own = shape.views(flat)
    spread = np.geomspace(*sigma, _SCALES)
    own["frequency"][:] = (
        2 * np.pi * rng.standard_normal(own["frequency"].shape) * np.resize(spread, shape.waves)
    )
    own["phase"][:] = rng.uniform(-np.pi, np.pi, own["phase"].shape)
    for name in ("mix", "shift"):
        own[name][:] = rng.uniform(-1, 1, own[name].shape) / math.sqrt(max(shape.waves, 1))
    own["scale"][:] = 1
    numbers = np.ascontiguousarray(inputs[:, : shape.numbers].T)
    entered = embedded(own, inputs, numbers)[0]
    for i in range(shape.depth):
        weight = rng.standard_normal(own[f"weight{i}"].shape, dtype=np.float32)
        weight /= np.maximum((entered @ weight).std(axis=0) * shape.gain(i), _LEAST_SPREAD)
        own[f"weight{i}"][:] = weight
        reached = entered @ weight * shape.gain(i)
        simplex = rng.dirichlet(np.ones(5), shape.width)
        rows = rng.integers(0, len(inputs), (shape.width, 5))
        own[f"bias{i}"][:] = -(reached[rows, np.arange(shape.width)[:, None]] * simplex).sum(axis=1)
        own[f"slope{i}"][:] = 1
        entered = mish(reached + own[f"bias{i}"])[0]
    own["bias"][:] = start
    return flat


def mish(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mish (Misra 2019), x tanh(log(1 + e^x)), and its derivative.

    >>> [round(float(part[0]), 4) for part in mish(np.array([1.0]))]
    [0.8651, 1.049]
    """
    power = np.exp(np.minimum(x, 20.0))
    squared = power * (power + 2)
    tanh = squared / (squared + 2)
    slope = power / (power + 1)
    slope *= x
    slope *= 1 - tanh * tanh
    slope += tanh
    tanh *= x
    return tanh, slope


def embedded(
    own: Parameters, inputs: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs with the periodic embedding of the numbers beside them; also its angles and cosines.

    `numbers` are the first columns of `inputs`, turned to shape (d, n).
    """
    angle = numbers[:, :, None] * own["frequency"]
    angle += own["phase"]
    cosine = np.cos(angle)
    mixed = np.matmul(cosine, own["mix"])
    mixed += own["shift"]
    flat = mixed.transpose(1, 0, 2).reshape(len(inputs), -1)
    return np.concatenate([inputs, flat], axis=1), angle, cosine


def forward(
    shape: Shape, own: Parameters, inputs: np.ndarray, numbers: np.ndarray, masks: list[np.ndarray]
) -> tuple[np.ndarray, Trace]:
    """Raw outputs (n, O); `masks` (n, width) drop units of each layer, or are empty."""
    features, angle, cosine = embedded(own, inputs, numbers)
    entered, bent, derivative = [], [], []
    current = features * own["scale"]
    for i in range(shape.depth):
        entered.append(current)
        reached = current @ own[f"weight{i}"]
        reached *= shape.gain(i)
        reached += own[f"bias{i}"]
        curve, slope = mish(reached)
        curve -= reached
        bent.append(curve)
        derivative.append(slope)
        current = curve * own[f"slope{i}"]
        current += reached
        if masks:
            current *= masks[i]
    raw = current @ own["weight"]
    raw *= shape.gain(shape.depth)
    raw += own["bias"]
    return raw, Trace(
        numbers, angle, cosine, features, tuple(entered), tuple(bent), tuple(derivative), current
    )


def backward(
    shape: Shape,
    own: Parameters,
    gradient: Parameters,
    trace: Trace,
    by_raw: np.ndarray,
    masks: list[np.ndarray],
) -> None:
    """Write the gradient of a sum over rows, given its gradient by the raw outputs. Spends the trace."""
    by_raw.sum(axis=0, out=gradient["bias"])
    by_raw = by_raw * np.float32(shape.gain(shape.depth))
    np.matmul(trace.left.T, by_raw, out=gradient["weight"])
    flow = by_raw @ own["weight"].T
    for i in reversed(range(shape.depth)):
        if masks:
            flow *= masks[i]
        bent, slope = trace.bent[i], trace.derivative[i]
        bent *= flow
        bent.sum(axis=0, out=gradient[f"slope{i}"])
        slope -= 1
        slope *= own[f"slope{i}"]
        slope += 1
        flow *= slope
        flow.sum(axis=0, out=gradient[f"bias{i}"])
        flow *= shape.gain(i)
        np.matmul(trace.entered[i].T, flow, out=gradient[f"weight{i}"])
        flow = flow @ own[f"weight{i}"].T
    np.einsum("ij,ij->j", trace.features, flow, out=gradient["scale"])
    if shape.numbers and shape.embedding:
        _embedding_backward(shape, own, gradient, trace, flow)


def _embedding_backward(
    shape: Shape, own: Parameters, gradient: Parameters, trace: Trace, flow: np.ndarray
) -> None:
    by_mixed = flow[:, shape.inputs :] * own["scale"][shape.inputs :]
    by_number = np.ascontiguousarray(by_mixed.reshape(len(flow), shape.numbers, -1).transpose(1, 0, 2))
    np.matmul(trace.cosine.transpose(0, 2, 1), by_number, out=gradient["mix"])
    by_number.sum(axis=1, keepdims=True, out=gradient["shift"])
    by_angle = np.matmul(by_number, own["mix"].transpose(0, 2, 1))
    by_angle *= np.sin(trace.angle, out=trace.angle)
    np.negative(by_angle, out=by_angle)
    by_angle.sum(axis=1, keepdims=True, out=gradient["phase"])
    by_angle *= trace.numbers[:, :, None]
    by_angle.sum(axis=1, keepdims=True, out=gradient["frequency"])


def build(shape: Shape, own: Parameters, graph: Builder, inputs: str) -> str:
    """Nodes from the inputs to the raw outputs.

    What is linear between the cosines and the first layer is multiplied out beforehand.
    """
    exact = {name: value.astype(np.float64) for name, value in own.items()}
    first = exact["scale"][:, None] * exact["weight0"] * shape.gain(0)
    weight, bias, current = first[: shape.inputs], exact["bias0"], inputs
    if shape.numbers and shape.embedding:
        mixed = first[shape.inputs :].reshape(shape.numbers, shape.embedding, -1)
        weight = np.concatenate([weight, np.matmul(exact["mix"], mixed).reshape(-1, shape.width)])
        bias = bias + np.einsum("dp,dpw->w", exact["shift"][:, 0], mixed)
        cells = graph.columns(inputs, np.repeat(np.arange(shape.numbers), shape.waves))
        turned = graph.node("Mul", cells, graph.constant(exact["frequency"].ravel()))
        angle = graph.node("Add", turned, graph.constant(exact["phase"].ravel()))
        current = graph.beside([inputs, graph.node("Cos", angle)])
    for i in range(shape.depth):
        if i:
            weight, bias = exact[f"weight{i}"] * shape.gain(i), exact[f"bias{i}"]
        reached = graph.affine(current, weight, bias)
        # x (1 - a + a tanh(log(1 + e^x))) = x (1 - 2 a / ((1 + e^x)^2 + 1)): right also where
        # e^x is infinite, and onnxruntime's exp is 20 times as fast as its softplus.
        power = graph.node("Add", graph.node("Exp", reached), graph.constant(1.0))
        square = graph.node("Add", graph.node("Mul", power, power), graph.constant(1.0))
        rest = graph.node("Div", graph.constant(2 * exact[f"slope{i}"]), square)
        current = graph.node("Mul", reached, graph.node("Sub", graph.constant(1.0), rest))
    return graph.affine(current, exact["weight"] * shape.gain(shape.depth), exact["bias"])
