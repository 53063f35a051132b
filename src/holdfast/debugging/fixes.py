"""From a finding and the name of a fix to a change of the rows or of the plan, where the fix applies."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from holdfast.core.finding import FixName
from holdfast.core.labels import label_text
from holdfast.core.schema import Kind
from holdfast.core.wording import count
from holdfast.debugging.changes import (
    COPIES,
    Asked,
    Change,
    Making,
    class_weights,
    collect,
    decide,
    fair,
    in_slice,
    monotone,
    regularise,
    resample,
)
from holdfast.debugging.row_changes import deduplicate, drop_column, drop_rows, regroup, relabel, repair
from holdfast.errors import FixError

__all__ = ["Asked", "Change", "applicable", "change_for"]

_ABOUT_COPIES = ("twins", "conflicting labels")
_ABOUT_ROLES = ("near twins", "group split", "time order")
_ABOUT_DATA = (
    "twins", "conflicting labels", "constant column", "redundant column", "impossible dates", "near twins",
    "group split", "time order", "leak", "id-like",
)  # fmt: skip
_OF_DECISIONS = (FixName.RECALIBRATE, FixName.THRESHOLD)
_OF_TRAINING = (
    FixName.CLASS_WEIGHTS, FixName.OVERSAMPLE, FixName.UNDERSAMPLE, FixName.SMOTE, FixName.AUGMENT,
    FixName.CONTINUE, FixName.REGULARISE, FixName.FAIR, FixName.MONOTONE,
)  # fmt: skip
_FEWEST_BETWEEN = 10  # open rows of the rarest class, so that every fold trains on two of them
_FEWEST_FOCUSED = 100  # open rows of a slice, so that every fold has some to train and some to stop early on
_OF_CLASSES = (
    FixName.CLASS_WEIGHTS, FixName.OVERSAMPLE, FixName.UNDERSAMPLE, FixName.SMOTE, FixName.RECALIBRATE,
    FixName.THRESHOLD, FixName.FAIR,
)  # fmt: skip
_OF_TWO_CLASSES = (FixName.THRESHOLD, FixName.FAIR, FixName.MONOTONE)


def change_for(fix: FixName, asked: Asked) -> Change:
    """The change that a fix makes for a finding; FixError where it does not apply, with those that do."""
    unfit = _unfit(asked)
    if wrong := unfit.get(fix):
        able = [str(other) for other in FixName if not unfit.get(other)]
        raise FixError(
            f"{fix} does not answer {asked.finding.id} ({asked.finding.kind}): {wrong}. "
            f"These do: {', '.join(able)}."
        )
    return _CHANGES[fix](asked)


def applicable(asked: Asked) -> tuple[FixName, ...]:
    """The fixes that could answer a finding: those that it suggests first, then the others."""
    unfit = _unfit(asked)
    order = [*(one.fix for one in asked.finding.fixes), *FixName]
    return tuple(dict.fromkeys(fix for fix in order if not unfit.get(fix)))


def _unfit(asked: Asked) -> Mapping[FixName, str]:
    """Why fixes cannot answer a finding, "" or nothing where they can."""
    reasons = {**_of_place(asked), **_of_column(asked), **_beside(asked)}
    classes = asked.classes
    if not classes:
        reasons |= dict.fromkeys(_OF_CLASSES, "it is for classes, and this target is a number")
        return reasons
    if len(classes) > 2:
        reasons |= dict.fromkeys(_OF_TWO_CLASSES, f"it is for two classes, and the target has {len(classes)}")
    if (rarest := _rarest(asked)) < _FEWEST_BETWEEN:
        reasons[FixName.SMOTE] = (
            f"it makes rows between two of one class, and the rarest class has {count(rarest, 'open row')}"
        )
    return reasons


def _of_place(asked: Asked) -> dict[FixName, str]:
    """What needs rows to be pointed at, or a slice."""
    finding = asked.finding
    where, about_roles = finding.where, finding.kind in _ABOUT_ROLES
    sliced = "" if where.query else "it names no slice"
    inside = int(asked.rows().sum()) if where.query else 0
    few = f"its slice has {count(inside, 'open row')}, and {{}} are wanted"
    copies = finding.kind in _ABOUT_COPIES
    roles = "rows keep their roles for ever; start another project, and say by what rows belong together"
    return {
        FixName.RELABEL: "" if where.examples else "it points at no rows whose labels could be wrong",
        FixName.DROP_ROWS: "" if where.query or where.examples else "it points at no rows",
        FixName.DEDUPLICATE: "" if copies else "it is not about rows that are equal",
        FixName.REGROUP: roles if about_roles else "",
        FixName.AUGMENT: sliced or (few.format(2) if inside < 2 else ""),
        FixName.CONTINUE: sliced or (few.format(_FEWEST_FOCUSED) if inside < _FEWEST_FOCUSED else ""),
    }


def _of_column(asked: Asked) -> dict[FixName, str]:
    """What needs one column, of some kind."""
    finding, schema = asked.finding, asked.dataset.schema
    kind = next((column.kind for column in schema.features if column.name == asked.column), None)
    rows = finding.where.query or finding.where.examples
    grouped = asked.sensitive in schema and asked.sensitive != schema.target.name
    reasons = {
        FixName.REPAIR: "" if rows and kind else "it points at no cells",
        FixName.DROP_COLUMN: "" if kind else "it is not about one column that a model looks at",
        FixName.MONOTONE: "" if kind is Kind.NUMBER else "it is not about a column of numbers",
        FixName.FAIR: "" if grouped else "it is not about a sensitive column",
    }
    if finding.kind not in _ABOUT_ROLES:
        reasons[FixName.REGROUP] = "" if kind is Kind.CATEGORY else "it is not about a column of categories"
    return reasons


def _beside(asked: Asked) -> dict[FixName, str]:
    """What changes something else than a finding is about, and so could be proven without answering it."""
    named = {one.fix for one in asked.finding.fixes}
    reasons = dict.fromkeys(_OF_DECISIONS, "it only moves what a model decides, which this is not about")
    if asked.finding.kind in _ABOUT_DATA:
        reasons |= dict.fromkeys(_OF_TRAINING, "it leaves the data as they are, and this is about the data")
    return {fix: reason for fix, reason in reasons.items() if fix not in named}


def _rarest(asked: Asked) -> int:
    """Open rows of the rarest class."""
    target = label_text(asked.dataset.target).filter(pl.Series(values=asked.open)).drop_nulls()
    counts = target.value_counts()["count"].to_numpy()
    return int(counts.min()) if len(counts) == len(asked.classes) else 0


_CHANGES: Mapping[FixName, Making] = {
    FixName.RELABEL: relabel,
    FixName.DROP_ROWS: drop_rows,
    FixName.REPAIR: repair,
    FixName.DEDUPLICATE: deduplicate,
    FixName.DROP_COLUMN: drop_column,
    FixName.REGROUP: regroup,
    FixName.CLASS_WEIGHTS: class_weights,
    FixName.OVERSAMPLE: resample(FixName.OVERSAMPLE, "rows of the rarer classes repeated in training"),
    FixName.UNDERSAMPLE: resample(FixName.UNDERSAMPLE, "rows of the commoner classes left out of training"),
    FixName.SMOTE: resample(FixName.SMOTE, "synthetic rows of the rarer classes added in training"),
    FixName.AUGMENT: in_slice(FixName.AUGMENT, f"{COPIES:.0f} synthetic rows trained on for each"),
    FixName.CONTINUE: in_slice(FixName.CONTINUE, "trained on"),
    FixName.REGULARISE: regularise,
    FixName.RECALIBRATE: decide(FixName.RECALIBRATE, "the probabilities tempered anew"),
    FixName.THRESHOLD: decide(FixName.THRESHOLD, "the decision threshold chosen anew"),
    FixName.FAIR: fair,
    FixName.MONOTONE: monotone,
    FixName.COLLECT: collect,
}
