"""What is drawn of one model: pure functions of Predictions, thinned for drawing."""

from __future__ import annotations

import numpy as np

from holdfast.core.curves import Confusion, Pictures, PrecisionRecall, Residuals, Roc
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.metrics.areas import class_auc, class_average_precision
from holdfast.metrics.calibration import reliability
from holdfast.metrics.metric import confusion_table
from holdfast.metrics.setting import Setting

MOST_POINTS = 300
_MOST_CURVES = 10
_MOST_CONFUSED = 50

# Nothing has so high a probability: the threshold at which no row is taken.
_BEYOND = float(np.nextafter(1.0, 2.0))


def pictures(p: Predictions, *, seed: int = 0) -> Pictures:
    """All pictures that apply to these predictions; `importance` needs the model and stays empty.

    With more than two classes there are curves for the ten most frequent ones.
    """
    p = p.known
    if not len(p):
        return Pictures()
    if p.header.task is Task.REGRESSION:
        return Pictures(residuals=residuals(p))
    if p.header.task is None:
        return Pictures()
    labels = _labels(p)
    return Pictures(
        confusion=confusion(p) if len(p.header.classes) <= _MOST_CONFUSED else None,
        roc=tuple(roc(p, label) for label in labels),
        precision_recall=tuple(precision_recall(p, label) for label in labels),
        reliability=tuple(reliability(p, label, seed=seed) for label in labels),
    )


def confusion(p: Predictions) -> Confusion:
    """The confusion matrix, weights respected."""
    return Confusion(p.header.classes, confusion_table(p))


def roc(p: Predictions, label: str) -> Roc:
    """The ROC curve of one class against the rest, from (0, 0) to (1, 1).

    `threshold` falls along the curve; a row is taken when its probability is at least that.
    """
    p = p.known
    threshold, true, false = _cumulated(p, label)
    across, up = _share(np.append(0.0, false)), _share(np.append(0.0, true))
    kept = thinned(across, up)
    threshold = np.append(_BEYOND, threshold)
    return Roc(label, across[kept], up[kept], threshold[kept], class_auc(p, label, Setting()))


def precision_recall(p: Predictions, label: str) -> PrecisionRecall:
    """The precision-recall curve of one class against the rest, recall rising, threshold falling."""
    p = p.known
    threshold, true, false = _cumulated(p, label)
    recall, precision = _share(true), true / (true + false)
    kept = thinned(recall, precision)
    area = class_average_precision(p, label, Setting())
    return PrecisionRecall(label, recall[kept], precision[kept], threshold[kept], area)


def residuals(p: Predictions) -> Residuals:
    """Target minus prediction for up to 300 rows, evenly spread over the ranks of the predictions."""
    p = p.known
    order = np.argsort(p.prediction_values, kind="stable")
    kept = order[np.unique(np.linspace(0, len(p) - 1, min(len(p), MOST_POINTS)).round().astype(np.int64))]
    prediction = p.prediction_values[kept]
    return Residuals(prediction, p.target_values[kept] - prediction, len(p))


def thinned(x: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> np.ndarray:
    """Positions of at most `most` points that are evenly spread along a curve, both ends among them.

    >>> thinned(np.arange(5.0), np.zeros(5), most=3).tolist()
    [0, 2, 4]
    """
    if len(x) <= most:
        return np.arange(len(x))
    length = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
    wanted = np.linspace(0, length[-1], most)
    return np.unique(np.minimum(np.searchsorted(length, wanted), len(x) - 1))


def _labels(p: Predictions) -> list[str]:
    """The classes whose curves can be drawn: the positive one, else the most frequent ones."""
    if p.probability is None:
        return []
    rows = np.bincount(p.target_codes, minlength=len(p.header.classes))
    codes = np.argsort(-rows, kind="stable")[:_MOST_CURVES]
    if p.header.positive is not None:
        codes = np.array([p.header.classes.index(p.header.positive)])
    return [p.header.classes[code] for code in np.sort(codes) if 0 < rows[code] < len(p)]


def _cumulated(p: Predictions, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct scores, falling, and the weight of true and false positives from each upward."""
    assert p.probability is not None
    code = p.header.classes.index(label)
    score = p.probability[:, code].astype(np.float64)
    order = np.argsort(-score)
    score, positive = score[order], p.target_codes[order] == code
    weight = p.weights[order]
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))
    true, every = np.cumsum(weight * positive)[last], np.cumsum(weight)[last]
    taken = every > 0
    return score[last][taken], true[taken], (every - true)[taken]


def _share(cumulated: np.ndarray) -> np.ndarray:
    return np.asarray(cumulated / cumulated[-1])
