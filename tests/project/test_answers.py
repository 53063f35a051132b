"""A filled-in sheet is taken where it can be meant in one way; else the line is named, and what to write."""

from __future__ import annotations

import polars as pl
import pytest

from holdfast.errors import FileError, InputError
from holdfast.project.answers import answer_for, read_answers
from holdfast.project.review import Sheet

GIVEN = {"a": "yes", "b": "yes", "c": "no"}


def sheet(*, blind=False, numbers=False):
    given = {"a": 1.5, "b": 17.0, "c": 0.1} if numbers else GIVEN
    rows = pl.DataFrame({"example": list(given)})
    if not blind:
        suggested = [2.5, 18.0, 0.3] if numbers else ["no", "no", "yes"]
        rows = rows.with_columns(given=pl.Series(list(given.values())), suggested=pl.Series(suggested))
    texts = {name: str(label) for name, label in given.items()}
    return Sheet("label-errors-1234", rows, texts, () if numbers else ("no", "yes"), blind)


def read(tmp_path, text, shown=None, name="sheet.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return [(one.example, one.label) for one in read_answers(shown or sheet(), file)]


def test_what_can_be_meant_is_taken(tmp_path):
    text = "example,given,suggested,decision,label,cell\n"
    text += 'a,yes,no,keep,yes,"over\ntwo lines"\nb,yes,no,change,,x\nc,no,yes,,yes,x\n'
    assert read(tmp_path, text) == [("a", "yes"), ("b", "no"), ("c", "yes")]
    assert read(tmp_path, "example,decision,label\na,skip,\nb,,\n") == [("a", "")]  # b still waits


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("b,yes,no,keep,no,x", "keep and the label 'no' for 'b' say two things: its label is 'yes'"),
        ("b,yes,no,change,yes,x", "change of 'b' to 'yes' changes nothing"),
        ("b,yes,yes,change,,x", "the suggested label of 'b' reads 'yes', and the sheet said 'no'"),
        ("b,no,no,keep,,x", "the given label of 'b' reads 'no', and the sheet said 'yes'"),
        ("b,,no,keep,,x", "the given label of 'b' reads '', and the sheet said 'yes'"),
        ("b,yes,no,skip,no,x", "skip and the label 'no' for 'b' say two things"),
        ("b,yes,no,perhaps,,x", "'perhaps' for 'b' is no decision"),
        ("b,yes,no,,maybe,x", "'maybe' for 'b' is no label of this data"),
    ],
)
def test_what_says_two_things_or_was_written_over_is_refused_at_its_line(tmp_path, row, words):
    text = f'example,given,suggested,decision,label,cell\na,yes,no,keep,,"over\ntwo lines"\n{row}\n'
    with pytest.raises(InputError) as refused:
        read(tmp_path, text)
    assert f"{tmp_path / 'sheet.csv'}, line 4: {words}" in str(refused.value)
    assert (
        "rite" in str(refused.value) or "There are" in str(refused.value) or "say keep" in str(refused.value)
    )


def test_numbers_are_compared_by_value(tmp_path):
    text = "example,given,suggested,decision,label\na,1.50,2.5,keep,1.5\nb,17,18,change,\nc,0.1,0.3,,0.25\n"
    assert read(tmp_path, text, sheet(numbers=True)) == [("a", "1.5"), ("b", "18.0"), ("c", "0.25")]
    with pytest.raises(InputError, match="line 2: change of 'b' to '17' changes nothing"):
        read(tmp_path, "example,decision,label\nb,change,17\n", sheet(numbers=True))


def test_json_lines_are_named_by_their_line(tmp_path):
    whole = '{"example": "a", "decision": "keep", "label": ""}\n\n'
    assert read(tmp_path, whole, name="sheet.jsonl") == [("a", "yes")]
    wrong = whole + '{"example": "b", "decision": "keep", "label": "no"}\n'
    with pytest.raises(InputError, match=r"sheet\.jsonl, line 3: keep and the label 'no'"):
        read(tmp_path, wrong, name="sheet.jsonl")
    for broken in ('{"example": "b", "decision": ', "[1, 2]", "keep b"):
        with pytest.raises(FileError, match=r"sheet\.jsonl, line 3, is no JSON object"):
            read(tmp_path, whole + broken + "\n", name="sheet.jsonl")


def test_a_blind_review_has_labels_and_has_seen_none(tmp_path):
    assert read(tmp_path, "example,label\na,no\nb,\n", sheet(blind=True)) == [("a", "no")]  # b still waits
    with pytest.raises(InputError, match="the review is not"):
        read(tmp_path, "example,given,label\na,yes,no\n", sheet(blind=True))
    for word, label in (("keep", ""), ("change", "no"), ("keep", "no")):
        with pytest.raises(InputError, match="Write for 'a' the label that it should have") as refused:
            answer_for(sheet(blind=True), {"example": "a"}, word, label)
        assert "'yes'" not in str(refused.value)
