"""Predictions judged by other targets than those that they came with."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from holdfast.core.predictions import Predictions


def judged_by(p: Predictions, target: pl.Series) -> Predictions:
    """The same predictions with these targets, of shape (n,) in their order, and the losses that follow."""
    return Predictions.of(
        example=p.example,
        target=target,
        prediction=p.table["prediction"],
        probability=p.probability,
        classes=p.header.classes or None,
        positive=p.header.positive,
        group=p.table["group"],
        weight=p.weight,
        split=p.table["split"],
        fold=p.table["fold"],
        threshold=p.header.threshold,
        model=p.header.model,
    )


def corrected(example: pl.Series, target: pl.Series, labels: Mapping[str, str]) -> pl.Series:
    """The targets of these examples, with the label in place that one was given by its id."""
    said = pl.DataFrame({"example": list(labels), "said": list(labels.values())})
    asked = example.alias("example").to_frame()
    found = asked.join(said, on="example", how="left", maintain_order="left")["said"]
    return target.zip_with(found.is_null(), found.cast(target.dtype))
