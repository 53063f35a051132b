"""What people said of labels, and of analyses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holdfast.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Answer:
    """One reviewer's word on one row: the label that it should have, "" where they passed it over.

    `given` is the label that it had.
    """

    example: str
    label: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class LabelReview:
    """What one reviewer said of some rows. `blind` says that they saw no label before.

    `subject` is the finding that points at the rows, or the run that a change of labels made,
    whose `sealed` rows are looked at.
    """

    subject: str
    answers: tuple[Answer, ...]
    blind: bool = False
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What all reviewers of some rows said together; `subject` as in LabelReview.

    `labels` has the agreed label of each row that somebody answered; rows on which as many
    say one thing as another are in `tied` and keep theirs, those that everybody passed over
    are in `skipped`. `agreement` is Krippendorff's alpha.
    """

    subject: str
    labels: Mapping[str, str]
    changed: int
    kept: int
    tied: tuple[str, ...]
    reviewers: Mapping[str, int]
    agreement: Estimate
    skipped: tuple[str, ...] = ()

    def waiting(self, examples: Iterable[str]) -> tuple[str, ...]:
        """Those of these rows that nobody has come to yet."""
        done = {*self.labels, *self.tied, *self.skipped}
        return tuple(example for example in examples if example not in done)


@dataclass(frozen=True, slots=True)
class Analysis:
    """An insight that was put up for review: what it is, its limits and its possible biases.

    `subject` is a finding, a proof, a release, a run, or a file, whose `hash` says which version was read.
    """

    subject: str
    valid: bool
    limits: str = ""
    biases: str = ""
    hash: str = ""
