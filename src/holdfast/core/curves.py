"""What is drawn of one model: computed by `metrics`, drawn by `report`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.core.estimate import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Counts of shape (K, K): `counts[i, j]` rows of class i were predicted as class j."""

    classes: tuple[str, ...]
    counts: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """The ROC curve of one class against the rest; points of shape (m,), thinned for drawing."""

    label: str
    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    threshold: np.ndarray
    area: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """The precision-recall curve of one class against the rest; points of shape (m,)."""

    label: str
    recall: np.ndarray
    precision: np.ndarray
    threshold: np.ndarray
    average_precision: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Predicted against observed frequency in equal-mass bins, each of shape (b,).

    `observed_low` and `observed_high` are 95 % Wilson bounds. `error` is the debiased
    expected calibration error (lower is better); `reference` is what a perfectly
    calibrated model with these scores would show on so many rows.
    """

    label: str
    predicted: np.ndarray
    observed: np.ndarray
    observed_low: np.ndarray
    observed_high: np.ndarray
    count: np.ndarray
    error: Estimate
    reference: float


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Residuals (target minus prediction) of a regression, thinned for drawing, shape (m,)."""

    prediction: np.ndarray
    residual: np.ndarray
    n: int


@dataclass(frozen=True, slots=True)
class Importance:
    """How much the metric gets worse when one column's cells are permuted (positive = matters)."""

    column: str
    drop: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Everything that a report draws of one model; what does not apply is empty."""

    confusion: Confusion | None = None
    roc: tuple[Roc, ...] = ()
    precision_recall: tuple[PrecisionRecall, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    residuals: Residuals | None = None
    importance: tuple[Importance, ...] = ()
