"""The chain of decisions: whatever is changed in it, somebody notices and says where."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction

import pytest

from holdfast.core.decision import Decision, DecisionKind, chained, verify
from holdfast.core.guard import Guard, GuardKind
from holdfast.errors import DecisionError, InputError


@pytest.fixture
def chain() -> list[Decision]:
    made: list[Decision] = []
    for number in range(1, 6):
        one = Decision(DecisionKind.APPROVAL, f"release-{number}", "Ann", "better", {"auc": 0.8}, at="2025")
        made.append(chained(one, made[-1] if made else None))
    return made


def test_an_untouched_chain_holds(chain: list[Decision]) -> None:
    verify(chain)
    verify(chain[:3])
    verify([])
    assert [one.number for one in chain] == [1, 2, 3, 4, 5]
    assert [one.previous for one in chain] == ["", *(one.hash for one in chain[:-1])]


OTHER = {
    "kind": DecisionKind.REJECTION, "subject": "release-9", "by": "Bob", "why": "", "body": {"auc": 0.9},
    "at": "2026", "number": 7, "previous": "0" * 32, "hash": "0" * 32,
}  # fmt: skip


@pytest.mark.parametrize("name", [one.name for one in fields(Decision)])
def test_any_field_that_is_edited_is_named(name: str, chain: list[Decision]) -> None:
    chain[2] = replace(chain[2], **{name: OTHER[name]})
    with pytest.raises(
        DecisionError, match=r"decision 3 was edited and now reads .*\. Decisions 1 to 2 hold\..*restore"
    ):
        verify(chain)


def test_an_edit_with_a_new_hash_no_longer_fits_the_next(chain: list[Decision]) -> None:
    chain[2] = chained(replace(chain[2], by="Bob"), chain[1])
    verify(chain[:3])
    with pytest.raises(DecisionError, match=r"decision 4 .* does not follow decision 3"):
        verify(chain)


def test_one_taken_out_of_the_middle(chain: list[Decision]) -> None:
    del chain[2]
    with pytest.raises(DecisionError, match="where decision 3 should stand there is decision 4"):
        verify(chain)


def test_one_taken_from_the_beginning(chain: list[Decision]) -> None:
    with pytest.raises(DecisionError, match="where decision 1 should stand"):
        verify(chain[1:])


def test_two_in_another_order(chain: list[Decision]) -> None:
    chain[1], chain[2] = chain[2], chain[1]
    with pytest.raises(DecisionError, match="where decision 2 should stand there is decision 3"):
        verify(chain)


def test_a_body_comes_back_as_plain_data() -> None:
    guard = Guard("g", GuardKind.SIZE, at_most=2.0)
    one = chained(
        Decision(DecisionKind.GUARD, "g", "Ann", body={"guard": guard, "at": (1, float("inf"))}), None
    )
    assert one.body["at"] == [1, "Infinity"]
    assert one.body["guard"]["kind"] == "size"
    verify([one])


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(TypeError, match="Fraction has no canonical form"):
        chained(Decision(DecisionKind.PROOF, "p", "Ann", body={"x": Fraction(1, 3)}), None)
    with pytest.raises(InputError, match="bytes that are no text"):
        chained(Decision(DecisionKind.PROOF, "p", "Ann", why="\udcff"), None)
