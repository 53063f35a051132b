"""Every exception that Holdfast raises on purpose.

    HoldfastError                  anything below; the command line exits with status 2
    ├── InputError                 a file or an argument cannot be used as given
    │   ├── FileError              a file cannot be read, or is not what its name says
    │   ├── ColumnError            a column is absent, repeated or of the wrong kind
    │   ├── TargetError            the target cannot be learned from
    │   └── QueryError             a slice that cannot be read, or does not fit the columns
    ├── FindingError               what is wrong with a model cannot be looked for, or looked at
    ├── PlanError                  a training plan that cannot be carried out
    │   └── FixError               a fix that does not apply to a finding
    ├── PredictionsError           predictions that do not fit together
    ├── RoleError                  rows are sealed, or trained the model, where only others may be
    ├── ModelError                 a model folder is damaged, or does not fit the rows
    ├── EngineError                a worker process could not do its work
    └── StoreError                 a project's disk
        ├── DamagedError           an object does not match its hash
        ├── NewerError             written by a newer Holdfast
        ├── UnknownRunError        a name that no run has
        ├── UnknownFindingError    a name that no finding has
        └── DecisionError          a release or review that cannot be, or whose record was changed

A message says what was given, where, and the line that mends it. Where several
places raise the same error, a classmethod builds the message from the facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Self


class HoldfastError(Exception):
    """The root of the tree. `command` is the message where the command line has a mend of its own."""

    def __init__(self, message: str = "", *, command: str = "") -> None:
        super().__init__(message)
        self.command = command or message


class InputError(HoldfastError):
    """A file or an argument cannot be used as given."""


class FileError(InputError):
    """A file cannot be read, or is not what its name says."""

    @classmethod
    def absent(cls, name: str, last: str, beside: Sequence[str]) -> Self:
        """No file of that name: name the nearest ones in its folder."""
        return cls(f"There is no file {name}. {suggest(get_close_matches(last, beside, n=3))}".rstrip())

    @classmethod
    def folder(cls, name: str, inside: Sequence[str]) -> Self:
        """A folder where a file is wanted."""
        held = f"It holds {some(inside)}: give one of them" if inside else "It holds no files: give a file"
        return cls(f"{name} is a folder. {held}.")

    @classmethod
    def empty(cls, name: str, *, but: str = "") -> Self:
        """No rows, or nothing at all."""
        return cls(f"{name} is empty{but}. Give a file with a line of column names and at least one row.")

    @classmethod
    def unwritable(cls, path: object, reason: str) -> Self:
        """A file that was asked for cannot be written."""
        return cls(
            f"{path} cannot be written: {reason}. Make its folder writable or free some space, or choose "
            "another place (-o FILE on the command line)."
        )

    @classmethod
    def unreadable(cls, name: str, reason: str) -> Self:
        """A file that is there but gives nothing."""
        return cls(f"{name} cannot be read: {reason}. Check its permissions and its disk.")

    @classmethod
    def no_table(cls, name: str, what: str) -> Self:
        """Some other kind of file."""
        return cls(
            f"{name} is {what}, not a table. Holdfast reads CSV, TSV, JSON, JSON lines, Parquet, Arrow and "
            "Excel, each also packed with gzip or zstd."
        )

    @classmethod
    def nul(cls, name: str, line: int) -> Self:
        """A byte that no text has."""
        return cls(
            f"{name} holds a NUL byte in line {line:,}, so it is damaged or no text. Write the file again, "
            "or take the bytes out: tr -d '\\000' < FILE > NEW"
        )

    @classmethod
    def no_object(cls, name: str, line: int, text: str) -> Self:
        """A line of JSON lines that is no object."""
        return cls(
            f"{name}, line {line:,}, is no JSON object: {text.strip()[:60]!r}. Each line holds one whole "
            'object, such as {"age": 41, "sex": "f"}: mend that line, or take it out.'
        )

    @classmethod
    def truncated(cls, name: str, packing: str) -> Self:
        """A packed file that stops before its end."""
        return cls(f"{name} ends too early: the {packing} file was cut off. Fetch or write it again.")

    @classmethod
    def ragged(cls, name: str, line: int, fields: int, wanted: int) -> Self:
        """A row with another number of fields than the first."""
        found = f"{fields} field{'s' if fields > 1 else ''}"
        return cls(
            f"{name} has {found} in line {line:,}, where {wanted} are wanted. Mend that line: quote a text "
            "that holds the separator, or add what is lacking."
        )


class ColumnError(InputError):
    """A column is absent, repeated or of the wrong kind."""

    @classmethod
    def absent(cls, name: str, columns: Sequence[str], *, what: str = "column") -> Self:
        """No column of that name: name the nearest ones."""
        same = [column for column in columns if column.casefold() == name.strip().casefold()]
        near = same or get_close_matches(name, columns, n=3, cutoff=0.5)
        offered = suggest(near) if near else f"The columns are {some(columns, 40)}."
        return cls(f"There is no {what} {name!r}. {offered}")

    @classmethod
    def infinite(cls, table: str, name: str, cells: int, row: int, *, target: bool) -> Self:
        """Infinite numbers, which no model can learn from and no mean survives."""
        others = "" if target else f", or leave the column out: --ignore {name!r}"
        count = f"{cells:,} infinite cell{'s' if cells > 1 else ''}"
        return cls(
            f"Column {name!r} of {table} holds {count}, the first in row {row:,}. Leave the "
            f"cell empty where the number is not known{others}."
        )


class TargetError(InputError):
    """The target cannot be learned from."""


class QueryError(InputError):
    """A slice that cannot be read, or does not fit the columns."""

    @classmethod
    def at(cls, text: str, place: int, found: str, why: str) -> Self:
        """What stands at a place of the text where something else is wanted."""
        shown = repr(found) if found else "the end"
        return cls(
            f"The query {text[:200]!r} cannot be read at character {place + 1}, {shown}: {why}. "
            "Write for example: contract = 'monthly' and tenure < 6"
        )


class FindingError(HoldfastError):
    """What is wrong with a model cannot be looked for, or looked at."""

    @classmethod
    def folds_gone(cls, run: str) -> Self:
        """The models of a run's folds are not kept any more."""
        return cls(
            f"The models of the folds of {run} are not in this project any more, so it cannot be asked "
            "anything new. Train again with the same command: the same work writes them again."
        )


class PlanError(HoldfastError):
    """A training plan that cannot be carried out."""


class FixError(PlanError):
    """A fix that does not apply to a finding."""


class PredictionsError(HoldfastError):
    """Predictions that do not fit together."""


class RoleError(HoldfastError):
    """Rows are sealed, or trained the model, where only others may be."""


class ModelError(HoldfastError):
    """A model folder is damaged, or does not fit the rows that it was given."""


class EngineError(HoldfastError):
    """A worker process could not do its work."""


class StoreError(HoldfastError):
    """A project's disk cannot be read or written."""

    @classmethod
    def full(cls, path: object, reason: str) -> Self:
        """The disk takes no more bytes."""
        return cls(
            f"{path} cannot be written: {reason}. Free some space and run the same command again: "
            "what was finished is kept, and nothing is half-written."
        )

    @classmethod
    def refused(cls, path: object, reason: str) -> Self:
        """The disk, or its owner, does not let us write (or read)."""
        return cls(
            f"{path}: {reason}. Make the folder writable for you (chmod -R u+rwX FOLDER), "
            "or choose another: --project FOLDER (project='FOLDER' in Python)."
        )


class DamagedError(StoreError):
    """An object does not match its hash; it is named and never returned."""

    @classmethod
    def missing(cls, name: str, of: str, path: object) -> Self:
        """The object's file is not there."""
        return cls(f"{_object(name, of)} is missing: there is no {path}. {_RESTORE}")

    @classmethod
    def changed(cls, name: str, of: str, path: object) -> Self:
        """The object's bytes are not those that were written."""
        return cls(f"{_object(name, of)} is damaged: {path} is not what was written. {_RESTORE}")


class NewerError(StoreError):
    """Something was written by a newer Holdfast than this one."""

    @classmethod
    def format(cls, written: str, known: str, *, where: object = "This") -> Self:
        """A format name with a version that this library does not know."""
        return cls(
            f"{where} has format {written!r}, and this Holdfast reads {known!r}. "
            "It was written by a newer Holdfast: pip install -U holdfast"
        )


class UnknownRunError(StoreError):
    """A name that no run has, or that several have."""

    @classmethod
    def absent(cls, text: str, near: Sequence[str]) -> Self:
        """No run is called that: name the nearest ones."""
        hint = suggest(near) or "This project has no runs yet."
        return cls(f"No run is called {text!r}. {hint} All of them: holdfast runs")

    @classmethod
    def ambiguous(cls, text: str, names: Sequence[str]) -> Self:
        """Several runs could be meant."""
        return cls(f"{text!r} could be {some(names)}; write a name out.")


class UnknownFindingError(StoreError):
    """A name that no finding has, or that several have."""

    @classmethod
    def named(cls, text: str, names: Sequence[str], *, found: bool) -> Self:
        """No finding is called that, or several could be meant."""
        if found:
            return cls(f"{text!r} could be {some(names, 8)}; write a name out.")
        near = get_close_matches(text, names, n=3, cutoff=0.4)
        hint = suggest(near) or (f"There are {some(names, 8)}." if names else "There are none yet.")
        return cls(f"No finding is called {text!r}. {hint} Look for them: holdfast debug")


class DecisionError(StoreError):
    """A release or review that cannot be, or whose record was changed."""


_RESTORE = "Restore that file from a copy of the project, or train again: the same work writes it again."


def _object(name: str, of: str) -> str:
    return f"Object {name[:12]} ({of})" if of else f"Object {name[:12]}"


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
