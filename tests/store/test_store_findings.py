"""Findings are kept by run, and come back as what they were."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, Findings, FixName, Suggestion, Suspect, Where
from holdfast.errors import UnknownFindingError
from holdfast.store.findings import find_finding, load_findings, save_findings
from holdfast.store.store import Store, create


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with create(tmp_path) as store:
        yield store


SLICE = Finding(
    "slice",
    "newcomers are predicted badly",
    Where(query="contract = 'Month-to-month' and tenure < 6"),
    812,
    Estimate(0.21, 0.15, 0.28, n=812, method="Welch"),
    "mean log loss in the slice less outside of it, in nats; lower is better",
    share_of_loss=0.31,
    p=0.002,
    examples=("a", "größe"),
    facts={
        "rows": 812, "share": 0.5, "whole": 2.0, "level": "nan", "no number": math.nan, "all": -math.inf,
        "outside": Estimate(0.4, 0.39, 0.41, n=6_000), "absent": "absent",
    },
    fixes=(Suggestion(FixName.COLLECT, "few rows", "no training"),),
)  # fmt: skip
LABELS = Finding(
    "label errors",
    "rows whose label is doubtful",
    Where(examples=(Suspect("a", 0.01), Suspect("b", 0.125))),
    2,
    Estimate.absent("nobody looked", n=2),
    "",
)


def findings(*items: Finding, run: str = "lightgbm-1") -> Findings:
    not_run = (("probe", "there is no model"),)
    return Findings(items, run=run, dataset="d", rows=5_000, not_run=not_run, seconds=1.5)


def test_findings_come_back_as_they_were(store: Store) -> None:
    kept = findings(SLICE)
    save_findings(store, kept)
    back = load_findings(store, "lightgbm-1")
    assert back is not None
    facts = dict(back[0].facts)
    assert math.isnan(facts.pop("no number"))
    known = {name: fact for name, fact in SLICE.facts.items() if name != "no number"}
    assert facts == known
    assert {name: type(fact) for name, fact in facts.items()} == {
        name: type(fact) for name, fact in known.items()
    }
    without = replace(SLICE, facts={})
    assert replace(back, items=(replace(back[0], facts={}),)) == replace(kept, items=(without,))
    assert isinstance(back[0].fixes[0].fix, FixName)


def test_an_absent_effect_stays_absent(store: Store) -> None:
    save_findings(store, findings(LABELS))
    back = load_findings(store)
    assert back is not None
    assert not back[0].effect.known
    assert back[0].effect.reason == "nobody looked"
    assert back[0].where == LABELS.where
    assert (back[0].share_of_loss, back[0].p) == (None, None)


def test_a_later_look_takes_the_place_of_an_earlier_one(store: Store) -> None:
    assert load_findings(store) is None
    assert load_findings(store, "lightgbm-1") is None
    save_findings(store, findings(SLICE, LABELS))
    save_findings(store, findings(LABELS, run="ridge-1"))
    save_findings(store, findings(LABELS))
    assert [one.id for one in load_findings(store, "lightgbm-1")] == [LABELS.id]
    assert load_findings(store).run == "lightgbm-1"
    assert load_findings(store, "ridge-1").run == "ridge-1"


def test_a_finding_by_its_name(store: Store) -> None:
    save_findings(store, findings(SLICE, run="old"))
    save_findings(store, findings(replace(SLICE, size=1), LABELS, run="new"))
    found, run = find_finding(store, SLICE.id)
    assert (found.size, run) == (1, "new")
    found, run = find_finding(store, "lab")
    assert (found.id, run) == (LABELS.id, "new")
    save_findings(store, findings(LABELS, run="newest"))
    found, run = find_finding(store, "slice")
    assert (found.size, run) == (1, "new")


def test_a_name_that_no_finding_has(store: Store) -> None:
    with pytest.raises(UnknownFindingError, match="There are none yet"):
        find_finding(store, "slice-1")
    other = replace(SLICE, about="other")
    save_findings(store, findings(SLICE, other, LABELS))
    with pytest.raises(UnknownFindingError, match=f"Did you mean '{LABELS.id}'"):
        find_finding(store, LABELS.id.replace("errors", "error"))
    with pytest.raises(UnknownFindingError, match=f"'slice' could be '{SLICE.id}', '{other.id}'"):
        find_finding(store, "slice")
    with pytest.raises(UnknownFindingError):
        find_finding(store, "")
