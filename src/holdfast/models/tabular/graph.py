"""Open an ONNX graph for one thread, trusting nothing about it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from holdfast.errors import ModelError

# Fold models are loaded one by one, then mixed, then mixed again: each graph is opened once.
_OPEN_GRAPHS = 64


@lru_cache(maxsize=_OPEN_GRAPHS)
def open_graph(graph: bytes, features: int, outputs: int) -> Any:
    """An onnxruntime session: "X" float32 (n, features) -> "Y" float32 (n, outputs).

    ModelError where the bytes are no graph, or one of another shape. A graph has no way
    to run code: it is a list of built-in operators, and data outside the file is refused.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # its complaints come as exceptions
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common base class of its own
        reason = str(error).partition("\n")[0][:200]
        raise ModelError(f"A graph of the model cannot be opened: {reason}") from error
    found = [
        (node.name, node.type, node.shape[-1] if len(node.shape) == 2 else None)
        for node in (*session.get_inputs(), *session.get_outputs())
    ]
    wanted = [("X", "tensor(float)", features), ("Y", "tensor(float)", outputs)]
    if found != wanted:
        raise ModelError(f"A graph of the model has inputs and outputs {found}, not {wanted}.")
    return session
