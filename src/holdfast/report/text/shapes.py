"""What is drawn though its type belongs to another stage: known here by its attributes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from holdfast.core.estimate import Estimate
from holdfast.core.verdict import Verdict


class Compared(Protocol):
    """Models from best to worst with letters for ties, and a verdict on every pair."""

    @property
    def metric(self) -> str:
        """The name of what models are ranked by."""

    @property
    def greater_is_better(self) -> bool:
        """The metric's direction."""

    @property
    def names(self) -> Sequence[str]:
        """The models, best first."""

    @property
    def scores(self) -> Sequence[Estimate]:
        """Their scores, in the same order."""

    @property
    def letters(self) -> Sequence[str]:
        """Models that share a letter are not told apart."""

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """One per pair, corrected for their number."""

    @property
    def n(self) -> int:
        """How many rows they share."""


class Answered(Protocol):
    """What sealed rows said of a run, and how many more answers they may give."""

    @property
    def run(self) -> str:
        """Its name."""

    @property
    def scores(self) -> Mapping[str, Estimate]:
        """Its scores, by metric."""

    @property
    def rows(self) -> int:
        """How many sealed rows were scored."""

    @property
    def tied(self) -> int:
        """How many were left out for having an equal among the open rows."""

    @property
    def remaining(self) -> int:
        """How many more answers these rows may give."""

    @property
    def budget(self) -> int:
        """How many answers they were declared to last for."""
