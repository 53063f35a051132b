"""What the terminal says of findings, reviews, proofs and releases: whole ids, and no two lines at odds."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from holdfast.core.estimate import Estimate
from holdfast.core.explanation import Contribution, Explanation
from holdfast.core.finding import Finding, FixName, Looked, Suspect, Where
from holdfast.core.proof import Claim, ClaimKind, ClaimStatus, Proof, ProofOutcome
from holdfast.core.release import History, Refused
from holdfast.core.review import Reviewed
from holdfast.report import text

SURE = Estimate(0.3, 0.2, 0.4, n=90)


def finding(**more):
    return replace(Finding("fragile", "With typos", Where(column="city"), 90, SURE, "mean loss"), **more)


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("letters", [10, 32, 70])
def test_an_id_is_never_cut_whatever_else_must_give_way(letters, width):
    ids = [f"{number}{'a' * (letters - 1)}" for number in range(3)]
    cells = {"target": "Yes", "first, then": "No 0.57, then No 0.99", "loss": "0.847"}
    rows = tuple({"example": name, **cells, "city": "Llanfairpwllgwyngyll" * 2} for name in ids)
    drawn = text.plain(text.finding(Looked(finding(), "run-1", rows)), width=width)
    assert all(name in drawn for name in ids)
    shown = [line for line in drawn.splitlines() if line.startswith("0a")]
    assert len(shown) == 1 and "…" not in shown[0].split()[0]


def test_single_rows_are_called_so_and_names_that_need_it_are_explained():
    suspects = tuple(Suspect(f"r{k}", 0.1) for k in range(4))
    facts = {"confident contradictions": 2, "wrong labels, roughly": SURE, "auc in the slice": SURE}
    one = finding(kind="label errors", where=Where(examples=suspects), facts=facts)
    drawn = text.plain(text.finding(Looked(one, "run-1")), width=140)
    assert "single rows, by their ids; 4 of them are listed" in drawn
    assert "2  of the listed rows, to look at first; not all of them are wrong" in drawn
    assert "which does not say which they are" in drawn
    assert "AUC in the slice" in drawn


@pytest.mark.parametrize(
    ("agreement", "said"),
    [
        (Estimate(1.0, math.nan, math.nan, n=1), "undecided: 1.000 on 1 row that several people answered"),
        (Estimate(0.8, 0.6, 0.9, n=40), "0.80 [0.60, 0.90] on 40 rows that several people answered"),
        (Estimate.absent("one reviewer only", n=3), "unknown: one reviewer only"),
    ],
)
def test_agreement_says_what_it_rests_on(agreement, said):
    found = Reviewed("label-errors-1", {"a": "yes"}, 1, 0, ("b",), {"Ann": 1, "Bob": 2}, agreement)
    drawn = text.plain(text.reviewed(found), width=140)
    assert said in drawn
    assert "Ann (1 row), Bob (2 rows)" in drawn
    assert "1 row, where no label has the most votes" in drawn


def test_a_history_of_refusals_alone_says_no_two_things():
    refused = tuple(Refused(f"run-{k}", f"2026-05-0{k}T10:00:00+00:00", "Ann") for k in (1, 2))
    drawn = text.plain(text.history(History((), refused, (), 2, "c0ffee" * 5)))
    assert "Nothing has passed the gate yet" in drawn and "Nothing was put to the gate" not in drawn
    assert "2 candidates turned away." in drawn
    assert "run-2" in drawn and "2026-05-02" in drawn


def harmful(parts, named):
    unknown = Estimate.absent("not asked")
    claims = [
        Claim(ClaimKind.SLICE, f"city = '{k}'", ClaimStatus.HARMED, unknown, None, 0.0, 9)
        for k in range(parts)
    ]
    target = Claim(ClaimKind.TARGET, "mean loss", ClaimStatus.UNDECIDED, unknown, None, 0.0, 9)
    why = f"shown to be worse on open rows: {'; '.join(f'slice {one.name}' for one in claims[:named])}"
    return Proof(
        "proof-1", "fragile-1", FixName.AUGMENT, "a", "b", ProofOutcome.HARMFUL, (target, *claims), 0.0025,
        why, remaining=1,
    )  # fmt: skip


@pytest.mark.parametrize(("parts", "ending"), [(8, "city = '2'; and 5 more"), (3, "city = '2'")])
def test_what_a_fix_harmed_is_named_or_counted(parts, ending):
    drawn = text.plain(text.proof(harmful(parts, 3)), width=160)
    assert next(line for line in drawn.splitlines() if line.startswith("harmful")).endswith(ending)
    assert "the sealed rows may give 1 more answer\n" in drawn


def test_log_odds_are_told_as_probabilities_too():
    base, low, high = (1 / (1 + math.exp(-odds)) for odds in (-1.0, -1.2, -0.8))
    found = Explanation(
        "r1", "log-odds of 'yes'", Estimate(-1.0, -1.2, -0.8, n=9), 0.0, (Contribution("age", "41", SURE),),
        probability=0.5, base_probability=Estimate(base, low, high, n=9),
    )  # fmt: skip
    drawn = text.plain(text.explanation(found))
    assert "a probability of 0.269 [0.231, 0.310]" in drawn and "a probability of 0.5000" in drawn
    plain = replace(found, of="the prediction", probability=None, base_probability=None)
    assert "probability" not in text.plain(text.explanation(plain))
