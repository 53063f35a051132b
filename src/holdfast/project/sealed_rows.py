"""The sealed rows that judge: those with a known target, by the labels that reviewers gave them."""

from __future__ import annotations

from dataclasses import replace

from holdfast.core.dataset import Dataset
from holdfast.core.decision import DecisionKind
from holdfast.core.judged import corrected
from holdfast.core.split import Split
from holdfast.errors import RoleError
from holdfast.project.chain import of_kind
from holdfast.project.handle import Project
from holdfast.project.said import reviewed


def sealed_rows(project: Project, dataset: Dataset, split: Split, *, apart: str = "") -> Dataset:
    """The sealed rows of a dataset that may be scored; RoleError when there are none.

    A label that reviewers corrected, blind, for judging a change of labels counts from then
    on, for every model alike. The review of the run `apart` does not: it is what judges that run.
    """
    rows = dataset.take(split.sealed & dataset.target.is_not_null().to_numpy())
    if not len(rows):
        raise RoleError(
            "There are no sealed rows that could answer. Train with --sealed 0.2, or add new rows."
        )
    labels = _reviewed(project, apart)
    if not labels:
        return rows
    target = corrected(rows.example, rows.target, labels).alias(rows.schema.target.name)
    return replace(rows, table=rows.table.with_columns(target))


def _reviewed(project: Project, apart: str) -> dict[str, str]:
    """The labels that were given to sealed rows: what a review of a run, not of a finding, is about."""
    subjects = {
        one.subject for one in of_kind(project, DecisionKind.LABELS_REVIEWED) if one.body.get("sealed")
    } - {apart}
    labels: dict[str, str] = {}
    for subject in sorted(subjects):
        found = reviewed(project, subject)
        labels |= dict(found.labels) if found else {}
    return labels
