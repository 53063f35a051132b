"""What all reviewers of some labels said together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import polars as pl

from holdfast.core.decision import DecisionKind
from holdfast.core.estimate import Estimate
from holdfast.core.review import LabelReview, Reviewed
from holdfast.project.chain import REVIEW, of_kind, value_of
from holdfast.project.handle import Project
from holdfast.stats.agreement import krippendorff


def reviewed(project: Project, subject: str) -> Reviewed | None:
    """What all reviewers of a finding's or run's rows said; a later word replaces an earlier one's."""
    said, given = _answers(project, subject)
    if not said:
        return None
    votes: dict[str, Counter[str]] = {}
    for answers in said.values():
        for example, label in answers.items():
            if label:
                votes.setdefault(example, Counter())[label] += 1
    agreed = {name: _winner(counts) for name, counts in votes.items()}
    labels = {name: label for name, label in agreed.items() if label is not None}
    changed = sum(given[name] != label for name, label in labels.items())
    return Reviewed(
        subject,
        labels,
        changed,
        len(labels) - changed,
        tuple(name for name, label in agreed.items() if label is None),
        {name: sum(bool(label) for label in answers.values()) for name, answers in said.items()},
        _agreement(said),
        tuple(name for name in given if name not in votes),
    )


def answered(project: Project, subject: str, reviewer: str) -> frozenset[str]:
    """The rows that this reviewer has answered or passed over, by example id."""
    return frozenset(_answers(project, subject)[0].get(reviewer.strip(), {}))


def _answers(project: Project, subject: str) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Each reviewer's label of each row, "" where passed over; and the labels that the rows had."""
    said: dict[str, dict[str, str]] = {}
    given: dict[str, str] = {}
    for one in of_kind(project, DecisionKind.LABELS_REVIEWED):
        if one.subject == subject:
            review = value_of(LabelReview, one, REVIEW)
            given.update({each.example: each.given for each in review.answers})
            said.setdefault(one.by, {}).update({each.example: each.label for each in review.answers})
    return said, given


def _winner(counts: Counter[str]) -> str | None:
    first, *rest = counts.most_common(2)
    return None if rest and rest[0][1] == first[1] else first[0]


def _agreement(said: Mapping[str, Mapping[str, str]]) -> Estimate:
    rated = [(name, label) for answers in said.values() for name, label in answers.items() if label]
    if len(said) < 2 or not rated:
        return Estimate.absent("one reviewer only", n=len(rated))
    units, labels = (pl.Series(values=list(one)) for one in zip(*rated, strict=True))
    found = krippendorff(
        units.rank("dense").to_numpy().astype(np.int64) - 1,
        labels.rank("dense").to_numpy().astype(np.int64) - 1,
        rng=np.random.default_rng(0),
    )
    if np.isnan(found.alpha):
        return Estimate.absent("no row has two reviewers", n=len(rated))
    return Estimate(
        found.alpha,
        found.interval.low,
        found.interval.high,
        0.95,
        found.units,
        "Krippendorff's alpha, bootstrap",
    )
