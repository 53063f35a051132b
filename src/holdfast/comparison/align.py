"""The same examples in the same order, from predictions of any two or more systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from holdfast.core.labels import codes_of, spelled_like
from holdfast.core.predictions import Predictions
from holdfast.core.task import Task
from holdfast.core.wording import count
from holdfast.errors import PredictionsError, some

# Targets of one example may have been printed with fewer digits by one of the systems.
_SAME_NUMBER = 1e-6


def align(predictions: Sequence[Predictions], names: Sequence[str]) -> tuple[Predictions, ...]:
    """The predictions with equal examples, targets, classes, groups and weights, in the first's order.

    Rows whose target is unknown are left out. PredictionsError names some of the ids
    that one lacks, targets that differ, and classes that are not the same; RoleError
    refuses sealed rows. `names` are for the messages.
    """
    first = predictions[0].require_open()
    matched = [first]
    for p, name in zip(predictions[1:], names[1:], strict=True):
        matched.append(_same_examples(first, p.require_open(), (names[0], name)))
    _check_that_all_have_targets(matched, names)
    matched = _same_classes(matched, names)
    for p, name in zip(matched[1:], names[1:], strict=True):
        _check_targets(matched[0], p, (names[0], name))
    for column in ("group", "weight"):
        matched = _share(matched, names, column)
    matched = _judgeable(matched, names)
    if any(p.header.task is not Task.CLASSIFICATION for p in matched):
        return tuple(matched)
    return (matched[0], *(p.with_targets_of(matched[0]) for p in matched[1:]))


def names_of(predictions: Sequence[Predictions]) -> tuple[str, ...]:
    """The models' names, "model 1" and so on where one has none; two equal names are an error."""
    names = [p.header.model or f"model {k + 1}" for k, p in enumerate(predictions)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PredictionsError(
            f"Several of the predictions are called {some(twice)}. Give each its own name: p.named('NAME')",
            command=f"Several of the predictions are called {some(twice)}. Rename their files.",
        )
    return tuple(names)


def _same_examples(first: Predictions, p: Predictions, names: tuple[str, str]) -> Predictions:
    if p.example.equals(first.example):
        return p
    place = pl.DataFrame({"example": p.example, "row": np.arange(len(p))})
    found = pl.DataFrame({"example": first.example}).join(
        place, on="example", how="left", maintain_order="left"
    )
    absent = found.filter(pl.col("row").is_null())["example"]
    extra = len(p) - (len(found) - len(absent))
    if len(absent) or extra:
        raise _unmatched(first, p, names, absent, extra)
    return replace(p, table=p.table[found["row"].to_numpy()])


def _unmatched(
    first: Predictions, p: Predictions, names: tuple[str, str], absent: pl.Series, extra: int
) -> PredictionsError:
    parts = []
    if len(absent):
        parts.append(
            f"{names[1]!r} lacks {count(len(absent), 'example')} of {names[0]!r}: {some(absent.to_list())}"
        )
    if extra:
        left = p.example.filter(~p.example.is_in(first.example.implode())).to_list()
        parts.append(f"{names[0]!r} lacks {count(extra, 'example')} of {names[1]!r}: {some(left)}")
    shared = len(first) - len(absent)
    fault = f"Models are compared on the same examples, but {'; '.join(parts)}."
    if not shared:
        return PredictionsError(f"{fault} Are these ids of the same rows?")
    mend = f"To compare on the {shared:,} they share: a.where(a.example.is_in(b.example.implode()))"
    return PredictionsError(
        f"{fault} {mend}",
        command=f"{fault} To compare on the {shared:,} they share, leave the other rows out of the files.",
    )


def _check_that_all_have_targets(matched: list[Predictions], names: Sequence[str]) -> None:
    without = [
        name
        for p, name in zip(matched, names, strict=True)
        if p.header.task is not None and p.table["target"].null_count() == len(p)
    ]
    if 0 < len(without) < len(matched):
        raise PredictionsError(f"{some(without)} has no target, so it is not known to be of the same rows.")


def _same_classes(matched: list[Predictions], names: Sequence[str]) -> list[Predictions]:
    tasks = {p.header.task for p in matched}
    if tasks - {None} == {Task.CLASSIFICATION, Task.REGRESSION}:
        raise PredictionsError(
            f"Some of {some(names)} predict classes and some predict numbers; they have no metric in common."
        )
    if tasks != {Task.CLASSIFICATION}:
        return matched
    matched = _same_spelling(matched)
    classes = _classes_of_all(matched, names)
    positives = {p.header.positive for p in matched} - {None}
    if len(classes) == 2 and len(positives) > 1:
        fault = f"The positive class is {some(sorted(map(str, positives)))} in different predictions."
        raise PredictionsError(
            f"{fault} Say which: Predictions.of(..., positive=...)",
            command=f"{fault} Say which: --positive LABEL",
        )
    positive = next(iter(positives), None) if len(classes) == 2 else None
    return [_with_classes(p, classes, positive) for p in matched]


def _same_spelling(matched: list[Predictions]) -> list[Predictions]:
    """Truth values in one spelling: a True of one system is the 1 of another."""
    known = max((p.header.classes for p in matched), key=len)
    return [_respelled(p, known) for p in matched]


def _respelled(p: Predictions, known: Sequence[str]) -> Predictions:
    old = p.header.classes
    new = tuple(spelled_like(pl.Series(old, dtype=pl.String), known).to_list())
    if new == old or len(set(new)) < len(new):
        return p
    spelling = dict(zip(old, new, strict=True))
    positive = None if p.header.positive is None else spelling[p.header.positive]
    table = p.table.with_columns(pl.col("target", "prediction").cast(pl.String).replace(spelling))
    return Predictions(table, replace(p.header, classes=new, positive=positive))


def _classes_of_all(matched: list[Predictions], names: Sequence[str]) -> tuple[str, ...]:
    """The first's classes; labels alone may have seen fewer classes, so theirs are united."""
    everything = tuple(dict.fromkeys(label for p in matched for label in p.header.classes))
    for p, name in zip(matched, names, strict=True):
        if p.probability is not None and set(everything) != set(p.header.classes):
            fault = f"The probabilities of {name!r} are of {some(p.header.classes, 10)}, but "
            fault += f"the labels of all are {some(everything, 10)}. Spell labels alike in all of them, "
            fault += "and give probabilities for every class:"
            raise PredictionsError(f"{fault} classes=[...]", command=f"{fault} columns probability_<class>")
    first = matched[0].header.classes
    return first if set(first) == set(everything) else tuple(sorted(everything))


def _with_classes(p: Predictions, classes: tuple[str, ...], positive: str | None) -> Predictions:
    if (p.header.classes, p.header.positive) == (classes, positive):
        return p
    header = replace(p.header, classes=classes, positive=positive)
    if p.probability is None:
        return replace(p, header=header)
    columns = [p.header.classes.index(label) for label in classes]
    values = np.ascontiguousarray(p.probability[:, columns])
    column = pl.Series("probability", values, dtype=pl.Array(pl.Float32, len(classes)))
    return Predictions(p.table.with_columns(column), header)


def _check_targets(first: Predictions, p: Predictions, names: tuple[str, str]) -> None:
    if first.header.task is None or p.header.task is None:
        return
    if first.header.task is Task.CLASSIFICATION:
        differ = first.target_codes != codes_of(p.table["target"], p.header.classes)
    else:
        same = np.isclose(first.target_values, p.target_values, rtol=_SAME_NUMBER, atol=0, equal_nan=True)
        differ = ~same
    if differ.any():
        rows = np.flatnonzero(differ)
        ids = first.example.gather(rows[:3]).to_list()
        here = first.table["target"].gather(rows[:3]).to_list()
        there = p.table["target"].gather(rows[:3]).to_list()
        shown = "; ".join(f"{i!r} is {a!r} and {b!r}" for i, a, b in zip(ids, here, there, strict=True))
        raise PredictionsError(
            f"The targets of {names[0]!r} and {names[1]!r} differ on {count(len(rows), 'example')}: {shown}."
        )


def _share(matched: list[Predictions], names: Sequence[str], column: str) -> list[Predictions]:
    """Give every model the groups (or weights) that one of them has; two that differ are an error."""
    bearers = [k for k, p in enumerate(matched) if _bears(p, column)]
    if not bearers:
        return matched
    owner = matched[bearers[0]].table[column]
    for k in bearers[1:]:
        differ = (matched[k].table[column].ne_missing(owner)).to_numpy()
        if differ.any():
            ids = matched[0].example.gather(np.flatnonzero(differ)[:3]).to_list()
            raise PredictionsError(
                f"The {column}s of {names[bearers[0]]!r} and {names[k]!r} differ on "
                f"{count(int(differ.sum()), 'example')}: {some(ids)}."
            )
    return [
        p if k in bearers else replace(p, table=p.table.with_columns(owner)) for k, p in enumerate(matched)
    ]


def _bears(p: Predictions, column: str) -> bool:
    return (p.group_codes if column == "group" else p.weight) is not None


def _judgeable(matched: list[Predictions], names: Sequence[str]) -> list[Predictions]:
    known = np.ones(len(matched[0]), dtype=bool)
    for p in matched:
        known &= ~np.isnan(p.loss) if p.header.task is None else p.table["target"].is_not_null().to_numpy()
    if not known.any():
        raise PredictionsError("None of the examples has a known target (or loss), so nothing can be judged.")
    weight = matched[0].weight
    if weight is not None and not weight[known].any():
        raise PredictionsError("All weights are 0, so nothing can be judged.")
    for p, name in zip(matched, names, strict=True):
        silent = known & p.table["prediction"].is_null().to_numpy() & (p.header.task is not None)
        if silent.any():
            ids = p.example.gather(np.flatnonzero(silent)[:4]).to_list()
            raise PredictionsError(
                f"{name!r} predicts nothing for {count(int(silent.sum()), 'example')}: {some(ids)}."
            )
    return matched if known.all() else [p.where(known) for p in matched]
