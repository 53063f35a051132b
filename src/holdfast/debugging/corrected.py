"""What is left of findings after correcting for all that was tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from holdfast.core.finding import Finding
from holdfast.stats.multiplicity import benjamini_hochberg, holm

ALPHA = 0.05
# What search finds at this false discovery rate is worth a confirmation; it proves nothing yet.
_PROMISING = 0.2


def promising(p: np.ndarray) -> np.ndarray:
    """The positions, by rising p, of what search rows show well enough to ask the confirm rows.

    p-values of shape (m,); those with a false discovery rate up to 0.2 are worth it.
    """
    if not len(p):
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(p, kind="stable")
    return np.asarray(order[benjamini_hochberg(p)[order] <= _PROMISING])


def corrected(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that are significant at 0.05 after Holm's correction among all that are given.

    Findings without a p-value are plain facts, and stay.
    """
    tested = [one for one in found if one.p is not None]
    adjusted = holm(np.array([one.p for one in tested])) if tested else np.zeros(0)
    p_of = {id(one): float(p) for one, p in zip(tested, adjusted, strict=True)}
    kept = [replace(one, p=p_of.get(id(one))) for one in found]
    return tuple(one for one in kept if one.p is None or one.p <= ALPHA)
