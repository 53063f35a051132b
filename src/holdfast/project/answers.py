"""What reviewers answer, in a filled-in sheet or one by one: taken where it can be meant in one way only."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from holdfast.core.review import Answer
from holdfast.core.wording import count
from holdfast.data.load import load
from holdfast.errors import InputError, some
from holdfast.project.output import whole_numbers
from holdfast.project.review import Sheet

KEEP, CHANGE, SKIP = "keep", "change", "skip"
_SHOWN = ("given", "suggested")  # what a sheet tells, and nobody fills in


def read_answers(shown: Sheet, file: str | Path) -> tuple[Answer, ...]:
    """The answers in a filled-in sheet.

    Each row has `example` and a `decision` (keep, change or skip), or a `label`, or both;
    change without a label takes the suggested one. Rows with neither still wait, and are left
    out. InputError, with the line, for rows that the finding does not have, unknown labels, words that are
    no decision, answers that say two things, and labels of the sheet that were written over.
    """
    table = whole_numbers(load(str(file)).table)  # a label or an id that is 1 is not 1.0
    _check_columns(shown, table.columns, str(file))
    known = {row["example"]: row for row in shown.rows.iter_rows(named=True)}
    said = table.with_columns(pl.all().cast(pl.String).str.strip_chars().fill_null(""))
    if absent := [name for name in said["example"].to_list() if name not in known]:
        raise InputError(
            f"{file} names {count(len(absent), 'row')} that {shown.subject} does not have: {some(absent)}. "
            "Keep the ids of the exported sheet as they are."
        )
    if (twice := said["example"].is_duplicated()).any():
        raise InputError(f"{file} answers some rows twice: {some(said['example'].filter(twice).unique())}.")
    answers = []
    for row, place in zip(said.iter_rows(named=True), _places(Path(file), said.height), strict=True):
        where, asked = f"{file}, {place}", known[row["example"]]
        _check_unchanged(asked, row, where)
        words = (row.get("decision", ""), row.get("label", ""))
        if not any(words):
            continue  # not come to yet
        answers.append(answer_for(shown, asked, *words, where=where))
    return tuple(answers)


def answer_for(
    shown: Sheet, row: Mapping[str, object], decision: str, label: str, *, where: str = "the review"
) -> Answer:
    """One answer from what was said of a row; InputError where it cannot be meant so."""
    name, word = str(row["example"]), decision.strip().lower()
    given = shown.given.get(name, "")
    if word and word not in (KEEP, CHANGE, SKIP):
        raise InputError(f"{where}: {decision!r} for {name!r} is no decision; say keep, change or skip.")
    if word == SKIP and label:
        raise InputError(
            f"{where}: skip and the label {label!r} for {name!r} say two things. Write skip and no label, or "
            "the label alone."
        )
    if word == SKIP or (not word and not label):
        return Answer(name, "", given)
    if shown.blind and (word or not label):
        raise InputError(
            f"{where}: a blind review has a label for each row, or skip. Write for {name!r} the label that "
            "it should have into the column label, and nothing into decision."
        )
    chosen = label or _text(row["given"] if word == KEEP else row["suggested"])
    if shown.classes and chosen not in shown.classes:
        raise InputError(
            f"{where}: {chosen!r} for {name!r} is no label of this data. There are {some(shown.classes, 12)}."
        )
    if not shown.classes and not _is_number(chosen):
        raise InputError(f"{where}: {chosen!r} for {name!r} is no number, and this target is one.")
    _check_decision(shown, name, word, chosen, where)
    return Answer(name, chosen, given)


def _check_decision(shown: Sheet, name: str, word: str, chosen: str, where: str) -> None:
    """InputError where the decision says one thing of a row and its label another."""
    given = shown.given.get(name, "")
    same = _same(shown, chosen, given)
    if word == KEEP and not same:
        raise InputError(
            f"{where}: keep and the label {chosen!r} for {name!r} say two things: its label is {given!r}. "
            "Write keep and no label, or change and the label that it should have."
        )
    if word == CHANGE and same:
        raise InputError(
            f"{where}: change of {name!r} to {chosen!r} changes nothing, it is its label already. Write "
            "keep, or change and another label."
        )


def _check_columns(shown: Sheet, columns: list[str], file: str) -> None:
    lacking = [name for name in ("example",) if name not in columns]
    if lacking or not {"decision", "label"} & set(columns):
        raise InputError(
            f"{file} has no column {'example' if lacking else 'decision or label'}. A review has the columns "
            "example, decision (keep, change or skip) and label: holdfast review labels FINDING --export FILE"
        )
    if shown.blind and (told := [name for name in _SHOWN if name in columns]):
        raise InputError(
            f"{file} has a column {told[0]}, so whoever filled it in has seen labels, and the review is not "
            f"blind. Import it without --blind, or export a blind sheet: holdfast review labels "
            f"{shown.subject} --blind --export FILE"
        )


def _check_unchanged(asked: Mapping[str, object], row: Mapping[str, str], where: str) -> None:
    """InputError where a label that the sheet only shows was written over."""
    for column in _SHOWN:
        if column in row and column in asked and not _alike(row[column], _text(asked[column])):
            raise InputError(
                f"{where}: the {column} label of {asked['example']!r} reads {row[column]!r}, and the sheet "
                f"said {_text(asked[column])!r}. Write that back, and your own answer into decision or label."
            )


def _places(file: Path, rows: int) -> list[str]:
    """Where each row of a file stands: "line 3"; "row 2" in a file without lines, such as a workbook."""
    lines: list[int] = []
    suffix = file.suffix.lower()
    if suffix in (".csv", ".tsv", ".jsonl") and file.is_file():
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
            if suffix == ".jsonl":
                lines = [number for number, line in enumerate(text, start=1) if line.strip()]
            else:
                lines = _starts(text)[1:]
    if len(lines) != rows:
        return [f"row {number}" for number in range(1, rows + 1)]
    return [f"line {number}" for number in lines]


def _starts(text: Iterable[str]) -> list[int]:
    """The line at which each record of a CSV file starts: cells may hold line ends."""
    starts, reader, before = list[int](), csv.reader(text), 0
    for record in reader:
        if record:
            starts.append(before + 1)
        before = reader.line_num
    return starts


def _same(shown: Sheet, one: str, other: str) -> bool:
    """Whether two labels are one; where the target is a number, by value."""
    return one == other if shown.classes else _alike(one, other)


def _alike(one: str, other: str) -> bool:
    """Whether two cells are one as text, or as numbers, which a spreadsheet writes in its own way."""
    if not (_is_number(one) and _is_number(other)):
        return one == other
    return math.isclose(float(one), float(other), rel_tol=1e-9)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
