"""How many folds, which learners and in what order: facts by table size, not settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.core.task import Task

# (rows, folds): the most folds for tables up to that many rows. More folds train each
# model on more rows, which small tables need and large ones do not feel.
_FOLDS = ((3_000, 8), (200_000, 5), (1_000_000, 4))
_FEWEST_FOLDS = 3


def folds_for(rows: int, smallest_class: int | None = None) -> int:
    """The number of folds for a table with so many open rows.

    >>> folds_for(900), folds_for(30_000), folds_for(5_000_000), folds_for(60, smallest_class=4)
    (8, 5, 3, 4)
    """
    folds = next((folds for most, folds in _FOLDS if rows <= most), _FEWEST_FOLDS)
    if smallest_class is not None:
        folds = min(folds, max(smallest_class, 2))
    return max(2, min(folds, rows))


@dataclass(frozen=True, slots=True)
class Choice:
    """The learners to fit, in order, and why each of the others is left out."""

    learners: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()


def default_loss(task: Task) -> str:
    """What is minimised when nobody says."""
    return "log_loss" if task is Task.CLASSIFICATION else "squared"


def choose(order: Sequence[str], refusals: dict[str, str]) -> Choice:
    """`order` without the learners that `refusals` names with a reason."""
    return Choice(
        tuple(name for name in order if name not in refusals),
        tuple((name, refusals[name]) for name in order if name in refusals),
    )
