"""Every exception that Holdfast raises on purpose.

    HoldfastError                  anything below; the command line exits with status 2
    ├── InputError                 a file or an argument cannot be used as given
    │   ├── FileError              a file cannot be read, or is not what its name says
    │   ├── ColumnError            a column is absent, repeated or of the wrong kind
    │   └── TargetError            the target cannot be learned from
    ├── PlanError                  a training plan that cannot be carried out
    ├── PredictionsError           predictions that do not fit together
    ├── RoleError                  sealed rows were used where only open rows may be
    ├── ModelError                 a model folder is damaged, or does not fit the rows
    ├── EngineError                a worker process could not do its work
    └── StoreError                 a project's disk
        ├── DamagedError           an object does not match its hash
        ├── NewerError             written by a newer Holdfast
        └── UnknownRunError        a name that no run has

A message says what was given, where, and the line that mends it. Where several
places raise the same error, a classmethod builds the message from the facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Self


class HoldfastError(Exception):
    """The root of the tree."""


class InputError(HoldfastError):
    """A file or an argument cannot be used as given."""


class FileError(InputError):
    """A file cannot be read, or is not what its name says."""


class ColumnError(InputError):
    """A column is absent, repeated or of the wrong kind."""

    @classmethod
    def absent(cls, name: str, columns: Sequence[str], *, what: str = "column") -> Self:
        """No column of that name: name the nearest ones."""
        near = get_close_matches(name, columns, n=3, cutoff=0.5) or list(columns)[:8]
        return cls(f"There is no {what} {name!r}. {suggest(near)}")


class TargetError(InputError):
    """The target cannot be learned from."""


class PlanError(HoldfastError):
    """A training plan that cannot be carried out."""


class PredictionsError(HoldfastError):
    """Predictions that do not fit together."""


class RoleError(HoldfastError):
    """Sealed rows were used where only open rows may be."""


class ModelError(HoldfastError):
    """A model folder is damaged, or does not fit the rows that it was given."""


class EngineError(HoldfastError):
    """A worker process could not do its work."""


class StoreError(HoldfastError):
    """A project's disk cannot be read or written."""


class DamagedError(StoreError):
    """An object does not match its hash; it is named and never returned."""


class NewerError(StoreError):
    """Something was written by a newer Holdfast than this one."""


class UnknownRunError(StoreError):
    """A name that no run has."""


def suggest(names: Iterable[str]) -> str:
    """`Did you mean 'a', 'b' or 'c'?`, or an empty text when there is nothing to offer.

    >>> suggest(["tenure", "Tenure"])
    "Did you mean 'tenure' or 'Tenure'?"
    """
    quoted = [repr(name) for name in names]
    if not quoted:
        return ""
    head = ", ".join(quoted[:-1])
    return f"Did you mean {head + ' or ' if head else ''}{quoted[-1]}?"


def some(names: Iterable[object], most: int = 3) -> str:
    """A few of many names for a message.

    >>> some(["a", "b", "c", "d", "e"])
    "'a', 'b', 'c' and 2 more"
    """
    listed = list(names)
    shown = ", ".join(repr(name) for name in listed[:most])
    rest = len(listed) - most
    return f"{shown} and {rest} more" if rest > 0 else shown
