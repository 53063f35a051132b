"""A compact letter display: ties are not transitive, letters show that."""

from __future__ import annotations

import string

import numpy as np

# One character per group of ties, so that several can be written side by side.
_ALPHABET = string.ascii_lowercase + string.ascii_uppercase + "".join(map(chr, range(0x3B1, 0x3CA)))


def letters(apart: np.ndarray) -> list[str]:
    """One text per item: two items share a letter exactly when they are not told apart.

    `apart` is bool of shape (m, m) and symmetric, with the items from best to worst. By
    insertion and absorption (Piepho 2004).

    >>> apart = np.zeros((3, 3), dtype=bool)
    >>> apart[0, 2] = apart[2, 0] = True
    >>> letters(apart)
    ['a', 'ab', 'b']
    """
    m = len(apart)
    groups = [frozenset(range(m))]
    for i, j in zip(*np.nonzero(np.triu(apart, 1)), strict=True):
        split = [part for group in groups for part in _without_both(group, int(i), int(j))]
        groups = _maximal(split)
    groups.sort(key=sorted)
    marks = [_mark(k) for k in range(len(groups))]
    return ["".join(marks[k] for k, group in enumerate(groups) if item in group) for item in range(m)]


def _without_both(group: frozenset[int], i: int, j: int) -> list[frozenset[int]]:
    return [group - {i}, group - {j}] if i in group and j in group else [group]


def _maximal(groups: list[frozenset[int]]) -> list[frozenset[int]]:
    distinct = sorted(set(groups), key=len, reverse=True)
    kept: list[frozenset[int]] = []
    for group in distinct:
        if not any(group <= larger for larger in kept):
            kept.append(group)
    return kept


def _mark(k: int) -> str:
    return _ALPHABET[k] if k < len(_ALPHABET) else chr(0x4E00 + k - len(_ALPHABET))
