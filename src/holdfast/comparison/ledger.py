"""The ledger: how often sealed rows have answered, and how often they still may.

Sealed rows that answer many questions stop being sealed. A project declares how many
decisions they must last for; each is tested one-sided at alpha divided by that number, so
that a worse model is ever released with probability at most alpha, however the search went
(union bound). Whatever shows a sealed number counts. The spend follows the example ids, so
that neither a new dataset name nor a few added rows buy new answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from holdfast.errors import InputError, RoleError


@dataclass(frozen=True, slots=True)
class Ledger:
    """All answers so far, within a declared `budget` of decisions at familywise error `alpha`.

    `asked` are the example ids of the rows that gave each answer.

    >>> ledger = Ledger(budget=2).charge(["a", "b"])
    >>> ledger.remaining(["b", "c"]), ledger.remaining(["c"]), ledger.level
    (1, 2, 0.025)
    """

    budget: int = 20
    alpha: float = 0.05
    asked: tuple[frozenset[str], ...] = ()

    def __post_init__(self) -> None:
        if self.budget < 1 or not 0 < self.alpha < 1:
            raise InputError(
                f"A ledger needs a budget of at least 1 and an alpha between 0 and 1, "
                f"not {self.budget!r} and {self.alpha!r}."
            )

    @property
    def level(self) -> float:
        """The one-sided significance level of each single decision, alpha / budget."""
        return self.alpha / self.budget

    def spent(self, examples: Iterable[str]) -> int:
        """How many earlier answers used any of these example ids."""
        ids = frozenset(examples)
        return sum(1 for earlier in self.asked if not ids.isdisjoint(earlier))

    def remaining(self, examples: Iterable[str]) -> int:
        """How many more answers these example ids may give."""
        return max(0, self.budget - self.spent(examples))

    def charge(self, examples: Iterable[str]) -> Ledger:
        """The ledger with one more answer of these ids; RoleError when they have none left.

        Charge before an answer is shown: what cannot be recorded must not be seen.
        """
        ids = frozenset(examples)
        if not ids:
            raise RoleError("There are no sealed rows to answer. Train with --sealed 0.2, or add new rows.")
        if not self.remaining(ids):
            raise RoleError(
                f"These {len(ids):,} sealed rows have given all {self.budget} answers that they were to last "
                "for; another one would prove nothing. Add new rows: their sealed share answers afresh."
            )
        return replace(self, asked=(*self.asked, ids))
