"""Which rows are sealed, which are open, and the fold of each open row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

SEARCH, CONFIRM, SEALED = "search", "confirm", "sealed"


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Every row's role, for ever, and its fold.

    `role` is text of shape (n,): "search" and "confirm" rows are open, "sealed" rows
    answer only at the gate. `fold` is int64 of shape (n,), -1 for sealed rows. `tied`
    marks the sealed rows (bool of shape (n,)) that have a twin among the open rows;
    they are left out of sealed scoring. `salt` and `cut` are what the roles were drawn
    with: hand them back in, and rows that are added move nobody.
    """

    role: np.ndarray
    fold: np.ndarray
    tied: np.ndarray
    folds: int
    salt: int
    share: float
    cut: str | None = None

    @property
    def open(self) -> np.ndarray:
        """Mask of the open rows, bool of shape (n,)."""
        mask: np.ndarray = self.role != SEALED
        return mask

    @property
    def sealed(self) -> np.ndarray:
        """Mask of the sealed rows that may be scored, bool of shape (n,)."""
        mask: np.ndarray = ~self.open & ~self.tied
        return mask

    def where(self, kept: np.ndarray) -> Split:
        """The roles and folds of the rows of a mask, bool of shape (n,)."""
        return replace(self, role=self.role[kept], fold=self.fold[kept], tied=self.tied[kept])
