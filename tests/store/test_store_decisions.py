"""The record of decisions on disk: two at once, killed in the middle, tampered with in any way."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.core.decision import Decision, DecisionKind
from holdfast.core.guard import Guard, GuardKind
from holdfast.errors import DecisionError, HoldfastError, InputError
from holdfast.store.decisions import append_decision, decisions
from holdfast.store.records import decode, encode
from holdfast.store.store import Store, create


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with create(tmp_path) as store:
        yield store


def approval(subject: str = "release-1", by: str = "Ann") -> Decision:
    return Decision(DecisionKind.APPROVAL, subject, by, "ist größer", {"auc": 1e-05, "parts": [1, None, "x"]})


def filled(store: Store, n: int = 4) -> tuple[Decision, ...]:
    return tuple(append_decision(store, approval(f"release-{i}")) for i in range(1, n + 1))


def sql(store: Store, *statements: str) -> None:
    connection = sqlite3.connect(store.root / ".holdfast" / "catalog.db")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_decisions_come_back_in_their_order(store: Store) -> None:
    assert decisions(store) == ()
    kept = filled(store)
    assert decisions(store) == kept
    assert [one.number for one in kept] == [1, 2, 3, 4]
    assert all(one.at for one in kept)
    assert sorted(one.at for one in kept) == [one.at for one in kept]


def test_a_guard_in_a_decision_can_be_made_again(store: Store) -> None:
    guard = Guard(
        "g", GuardKind.NOT_WORSE, "a < 1", "auc", margin=0.01, reference="r", origin="proof-1", power=0.9
    )
    body = json.loads(encode(guard, "guard.v1"))
    append_decision(store, Decision(DecisionKind.GUARD, "g", "Ann", body=body))
    (kept,) = decisions(store)
    assert kept.body == body
    assert decode(Guard, json.dumps(kept.body), "guard.v1") == guard


def test_what_may_not_be_decided_leaves_no_trace(store: Store) -> None:
    kept = filled(store, 2)
    shown: list[tuple[Decision, ...]] = []

    def never(earlier: tuple[Decision, ...]) -> None:
        shown.append(earlier)
        raise DecisionError("not now")

    with pytest.raises(DecisionError, match="not now"):
        append_decision(store, approval(), allow=never)
    with pytest.raises(InputError, match="no text"):
        append_decision(store, approval(by="\udcff"))
    assert shown == [kept]
    assert decisions(store) == kept
    assert append_decision(store, approval()).number == 3


def test_any_byte_of_any_record_that_is_changed_is_detected_and_named(store: Store) -> None:
    filled(store, 3)
    connection = sqlite3.connect(store.root / ".holdfast" / "catalog.db", isolation_level=None)
    rng, tried = random.Random(0), 0
    for number in (1, 2, 3):
        for column in ("record", "hash"):
            query = f"SELECT {column} FROM decisions WHERE number = {number}"
            (text,) = connection.execute(query).fetchone()
            update = f"UPDATE decisions SET {column} = ? WHERE number = {number}"
            for place in range(0, len(text), 3):
                other = chr(rng.choice([code for code in range(32, 127) if chr(code) != text[place]]))
                connection.execute(update, (text[:place] + other + text[place + 1 :],))
                with pytest.raises(DecisionError, match=rf"decision {number} was edited") as caught:
                    decisions(store)
                assert f"Decisions 1 to {number - 1} hold" in str(caught.value) or number < 3
                tried += 1
            connection.execute(update, (text,))
    connection.close()
    assert len(decisions(store)) == 3
    assert tried > 300


@pytest.mark.parametrize("other", ['"auc": 1E-05', '"auc": 1e-05, "auc": 1e-05', '"auc":  1e-05'])
def test_other_bytes_that_read_the_same_are_an_edit_too(other: str, store: Store) -> None:
    filled(store)
    sql(
        store,
        f"""UPDATE decisions SET record = replace(record, '"auc": 1e-05', '{other}') WHERE number = 2""",
    )
    with pytest.raises(DecisionError, match="decision 2 was edited and now reads approval of release-2"):
        decisions(store)


FORGED = "replace(record, 'release-4', 'mine')"


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DELETE FROM decisions WHERE number = 4"], r"decision 4 was cut off its end\. Decisions 1 to 3"),
        (["DELETE FROM decisions WHERE number > 2"], r"decisions 3 to 4 were cut off its end"),
        (["DELETE FROM decisions"], r"decisions 1 to 4 were cut off its end\. No decision is taken"),
        (["DELETE FROM decisions WHERE number = 2"], "where decision 2 should stand there is decision 3"),
        (["DELETE FROM decisions WHERE number = 1"], "where decision 1 should stand there is decision 2"),
        (
            [
                "UPDATE decisions SET number = 9 WHERE number = 2",
                "UPDATE decisions SET number = 2 WHERE number = 3",
                "UPDATE decisions SET number = 3 WHERE number = 9",
            ],
            r"decision 2 was edited and now reads approval of release-3 by Ann\. Decision 1 holds",
        ),
        (["DELETE FROM about WHERE name = 'newest decision'"], "ends with decision 4"),
        (["UPDATE about SET value = '3 beef' WHERE name = 'newest decision'"], "not the end that was noted"),
        (["UPDATE about SET value = 'x' WHERE name = 'newest decision'"], "not the end that was noted"),
        (
            ["DELETE FROM decisions WHERE number = 2", "UPDATE decisions SET hash = 'x' WHERE number = 4"],
            "where decision 2 should stand there is decision 3",
        ),
        (
            [f"INSERT INTO decisions SELECT 5, {FORGED}, hash FROM decisions WHERE number = 4"],
            "decision 5 was edited and now reads approval of mine",
        ),
    ],
)  # fmt: skip
def test_what_was_done_to_the_record_is_named(statements: list[str], said: str, store: Store) -> None:
    filled(store)
    sql(store, *statements)
    with pytest.raises(DecisionError, match=said):
        decisions(store)
    with pytest.raises(DecisionError, match="No decision is taken on a changed record"):
        append_decision(store, approval("release-5"))


def test_a_decision_that_was_added_by_other_means_is_named(store: Store) -> None:
    """Somebody who knows the format forges one; the end that was noted is another."""
    filled(store, 3)
    with sqlite3.connect(store.root / ".holdfast" / "catalog.db") as connection:
        (noted,) = connection.execute("SELECT value FROM about WHERE name = 'newest decision'").fetchone()
    connection.close()
    append_decision(store, approval("forged"))
    sql(store, f"UPDATE about SET value = '{noted}' WHERE name = 'newest decision'")
    with pytest.raises(DecisionError, match=r"ends with decision 4 .*forged.*not the end that was noted"):
        decisions(store)


APPROVER = """
import sys
from pathlib import Path
from holdfast.core.decision import Decision, DecisionKind
from holdfast.errors import DecisionError
from holdfast.store.decisions import append_decision
from holdfast.store.store import open_store

store, name = open_store(sys.argv[1]), sys.argv[2]

def once(earlier):
    by = next((one.by for one in earlier if one.subject == "release-1"), None)
    if by:
        raise DecisionError(f"release-1 was approved by {by}")

print("ready", flush=True)
sys.stdin.readline()
try:
    kept = append_decision(store, Decision(DecisionKind.APPROVAL, "release-1", name), allow=once)
    print("approved", kept.number)
except DecisionError as error:
    print(error)
"""


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_who_approve_at_once_one_succeeds(attempt: int, tmp_path: Path) -> None:
    create(tmp_path).close()
    names = ("Ann", "Bob", "Cem")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", APPROVER, str(tmp_path), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in names
    ]  # fmt: skip
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].strip() for process in running]
    with create(tmp_path) as store:
        (kept,) = decisions(store)
    winner = names.index(kept.by)
    assert said[winner] == "approved 1"
    assert {said[k] for k in range(3) if k != winner} == {f"release-1 was approved by {kept.by}"}


WRITER = """
import sys
from holdfast.core.decision import Decision, DecisionKind
from holdfast.store.decisions import append_decision
from holdfast.store.store import open_store
store = open_store(sys.argv[1])
while True:
    print(append_decision(store, Decision(DecisionKind.PROOF, "p", "Ann", "x" * 1000)).number, flush=True)
"""


@pytest.mark.parametrize("seed", range(4))
def test_killed_in_the_middle_the_chain_holds_and_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    create(tmp_path).close()
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "1\n"
    time.sleep(random.Random(seed).uniform(0.05, 0.3))
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=30)
    acknowledged = max([1, *(int(number) for number in re.findall(r"(\d+)\n", rest))])
    with create(tmp_path) as store:
        kept = decisions(store)
        assert len(kept) in (acknowledged, acknowledged + 1)
        assert append_decision(store, approval()).number == len(kept) + 1


def test_every_complaint_is_ours(store: Store) -> None:
    filled(store, 1)
    for text in ("", "[]", "null", "{}", '{"format": "decision.v2"}', "\x00"):
        connection = sqlite3.connect(store.root / ".holdfast" / "catalog.db")
        with connection:
            connection.execute("UPDATE decisions SET record = ?", (text,))
        connection.close()
        with pytest.raises(HoldfastError, match="decision 1 was edited"):
            decisions(store)
