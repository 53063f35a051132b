"""Ranking metrics of a binary task, and their mean over the classes of a larger one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from holdfast.metrics.rows import Rows

Area = Callable[[np.ndarray, np.ndarray, np.ndarray | None], tuple[float, np.ndarray]]
"""Positive (bool), score and weight (or None), each of shape (n,) -> value and influences of shape (n,)."""


def ranking(p: Rows, area: Area) -> tuple[float, np.ndarray]:
    """An area of the positive class's probability, and its influences of shape (n,).

    With more than two classes: the mean over the classes that occur in the target, each
    against the rest. nan without probabilities, or when only one class occurs.
    """
    if p.probability is None:
        return float("nan"), np.full(len(p), np.nan)
    if p.header.positive is not None:
        return one_against_rest(p, p.header.positive, area)
    occurring = np.flatnonzero(np.bincount(p.target_codes, minlength=len(p.header.classes)))
    value, influence = 0.0, np.zeros(len(p))
    for code in occurring:
        of_class, part = one_against_rest(p, p.header.classes[code], area)
        value += of_class / len(occurring)
        influence += part / len(occurring)
    return value, influence


def one_against_rest(p: Rows, label: str, area: Area) -> tuple[float, np.ndarray]:
    """An area of one class's probability against all other classes, and its influences."""
    code = p.header.classes.index(label)
    positive = p.target_codes == code
    if p.probability is None or positive.all() or not positive.any():
        return float("nan"), np.full(len(p), np.nan)
    return area(positive, np.ascontiguousarray(p.probability[:, code]), p.weight)
