"""Confident learning: where given labels and held-out probabilities contradict each other.

Northcutt, Jiang and Chuang (JAIR 70, 2021), as cleanlab counts it. Everywhere `codes` (int64
of shape (n,)) are the given labels, all in 0..K-1, and `probability` (float of shape (n, K)) is
what a model says of each row that was not fitted on it. Rows are worked through block by block,
so that no second array of shape (n, K) is ever held.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BLOCK = 1 << 20  # probabilities held at once
_TOLERANCE = 1e-6  # probabilities this close are the same
_LEAST = 2e-6  # a threshold is at least this
_NEVER = 2.0  # the threshold of a class that no label names
_FEWEST = 1  # labels of a class that pruning leaves


def given_probability(codes: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Self-confidence: the probability of the given label, in [0, 1], low = bad; shape (n,).

    >>> given_probability(np.array([1, 0]), np.array([[0.2, 0.8], [0.1, 0.9]])).tolist()
    [0.8, 0.1]
    """
    return np.asarray(probability[np.arange(len(codes)), codes])


def likeliest(probability: np.ndarray) -> np.ndarray:
    """The class of the largest probability of each row, int64 of shape (n,); of equal ones the first."""
    found = np.empty(len(probability), dtype=np.int64)
    for rows in _blocks(probability):
        found[rows] = probability[rows].argmax(axis=1)
    return found


def contradicted(codes: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Rows where some class is likelier than the given label, bool of shape (n,); a tie is none."""
    found = np.empty(len(codes), dtype=bool)
    for rows in _blocks(probability):
        given = given_probability(codes[rows], probability[rows])
        # numpy is fast along the long axis only
        largest = np.ascontiguousarray(probability[rows].T).max(axis=0)
        found[rows] = largest > given + given.dtype.type(_TOLERANCE)
    return found


def thresholds(codes: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The mean probability of each class over the rows with its label, float64 of shape (K,).

    2, which no row reaches, for a class without a label.
    """
    classes = probability.shape[1]
    count = np.bincount(codes, minlength=classes)
    total = np.bincount(codes, weights=given_probability(codes, probability), minlength=classes)
    return np.where(count > 0, np.maximum(total / np.maximum(count, 1), _LEAST), _NEVER)


def confident_joint(codes: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Estimated counts of (given label, true label), int64 of shape (K, K); row sums are the labels' counts.

    A row counts for the class whose threshold it reaches, for its likeliest class where it
    reaches several, and not at all where it reaches none. The counts are then scaled to the labels'.

    >>> codes = np.array([0, 0, 0, 1, 1, 1])
    >>> likely = np.array([0.9, 0.8, 0.2, 0.1, 0.3, 0.2])
    >>> confident_joint(codes, np.column_stack([likely, 1 - likely])).tolist()
    [[2, 1], [0, 3]]
    """
    classes = probability.shape[1]
    least = _rounded_up(thresholds(codes, probability) - _TOLERANCE, probability.dtype)
    counts = np.zeros(classes * classes, dtype=np.int64)
    weigh = np.stack([np.ones(classes), np.arange(classes)]).astype(np.float32)
    for rows in _blocks(probability):
        block = probability[rows]
        # how many thresholds each row reaches, and the sum of their classes: the class where it is one
        reaches = np.greater_equal(block.T, least[:, np.newaxis]).astype(np.float32)
        reached, guess = (weigh @ reaches).astype(np.int64)
        several, sure = reached > 1, reached > 0
        guess[several] = block[several].argmax(axis=1)
        counts += np.bincount(codes[rows][sure] * classes + guess[sure], minlength=classes * classes)
    joint = counts.reshape(classes, classes)
    np.fill_diagonal(joint, np.maximum(joint.diagonal(), 1))
    return _calibrated(joint, np.bincount(codes, minlength=classes))


def prune_by_class(codes: np.ndarray, probability: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Of each label as many rows as the joint says are wrong, those of lowest self-confidence.

    bool of shape (n,). Ties go to the earlier row; every label keeps a row.
    """
    kept = _kept(joint)
    flagged = np.zeros(len(codes), dtype=bool)
    for k, rows in _by_label(codes, len(joint)):
        flagged[rows[lowest(probability[rows, k], len(rows) - int(kept[k, k]))]] = True
    return flagged


def prune_by_noise_rate(codes: np.ndarray, probability: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Of each label and each other class as many rows as the joint says belong there.

    Those whose probability of the other class exceeds that of the label the most; bool of
    shape (n,). Ties go to the earlier row; every label keeps a row.
    """
    kept = _kept(joint)
    flagged = np.zeros(len(codes), dtype=bool)
    for k, rows in _by_label(codes, len(joint)):
        block = np.ascontiguousarray(probability[rows].T)
        for j in np.flatnonzero(kept[:, k]):
            if j != k:
                flagged[rows[lowest(block[k] - block[j], int(kept[j, k]))]] = True
    return flagged


def lowest(values: np.ndarray, most: int) -> np.ndarray:
    """Positions of the `most` lowest values, in order of position; of equal ones the first.

    >>> lowest(np.array([3.0, 1.0, 2.0, 1.0]), 1).tolist()
    [1]
    """
    if most <= 0 or most >= len(values):
        return np.arange(len(values) if most > 0 else 0)
    edge = np.partition(values, most - 1)[most - 1]
    below = np.flatnonzero(values < edge)
    return np.sort(np.concatenate([below, np.flatnonzero(values == edge)[: most - len(below)]]))


def _blocks(probability: np.ndarray) -> Iterator[slice]:
    n, classes = probability.shape
    size = max(1, _BLOCK // max(classes, 1))
    return (slice(start, start + size) for start in range(0, n, size))


def _by_label(codes: np.ndarray, classes: int) -> Iterator[tuple[int, np.ndarray]]:
    """Each label that pruning may touch, and its rows."""
    order = np.argsort(codes.astype(np.min_scalar_type(classes)), kind="stable")  # small ones sort faster
    ends = np.cumsum(np.bincount(codes, minlength=classes))
    for k, rows in enumerate(np.split(order, ends[:-1])):
        if len(rows) > _FEWEST:
            yield k, rows


def _rounded_up(bound: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The least numbers of this type that are not below the bound: comparing with them is exact and fast."""
    near = bound.astype(dtype)
    return np.where(near < bound, np.nextafter(near, dtype.type(np.inf)), near)


def _calibrated(joint: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Each row of the joint scaled to its label's count, and rounded to whole rows."""
    scaled = joint / joint.sum(axis=1, keepdims=True) * count[:, np.newaxis]
    return _whole(scaled / max(scaled.sum(), 1e-100) * count.sum())


def _whole(counts: np.ndarray) -> np.ndarray:
    """Rounded so that the sums of rows stay: the entries that lost or gained most give way."""
    near = counts.round()
    short = (counts.sum(axis=1).round() - near.sum(axis=1))[:, np.newaxis]
    place = np.argsort(np.argsort(counts - near, axis=1, kind="stable"), axis=1)
    raised, lowered = place >= counts.shape[1] - short, place < -short
    return np.asarray(near + raised - lowered).astype(np.int64)


def _kept(joint: np.ndarray) -> np.ndarray:
    """Counts of (true, given) that leave every label at least one row, int64 of shape (K, K)."""
    counts = joint.T.astype(np.float64)
    diagonal = np.maximum(counts.diagonal(), _FEWEST)
    short = diagonal - counts.diagonal()
    others = np.maximum(np.count_nonzero(counts, axis=0) - 1, 1)
    counts = np.maximum(counts - short / others, 0)
    np.fill_diagonal(counts, diagonal)
    return np.asarray(counts, dtype=np.int64)
