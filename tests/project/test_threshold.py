"""The decision threshold: what is shown of it was decided on rows that did not choose it."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

import holdfast as hf
from holdfast.report import text


def test_the_score_is_of_decisions_whose_threshold_did_not_see_the_row():
    rng = np.random.default_rng(0)
    signal = rng.normal(size=1_500)
    left = rng.random(1_500) < 1 / (1 + np.exp(2.5 - 1.2 * signal))
    table = pl.DataFrame(
        {"signal": signal, "noise": rng.normal(size=1_500), "left": np.where(left, "yes", "no")}
    )
    run = hf.train(table, target="left", learners=["linear"], metric="f1", sealed=0.0)
    (said,) = [note for note in run.record.notes if note.startswith("threshold")]
    after = float(re.search(r"([0-9.]+) with it", said)[1])
    assert " kept" in said and "not kept" not in said
    tried = [note for note in run.record.notes if note.startswith("calibration")]
    assert len(tried) == 1 and re.search(r"kept: log loss 0\.\d+ before, 0\.\d+ after", tried[0])
    drawn = text.plain(text.decided(run.record))
    assert drawn.startswith(run.id) and f"{after:.4f} with it" in drawn
    assert abs(run.record.scores["f1"].value - after) < 1e-4
    # With the threshold that all rows chose together, the same rows would look better.
    predictions, threshold = run.predictions, run.predictions.header.threshold
    chosen = np.where(predictions.positive_probability >= threshold, "yes", "no")
    hindsight = hf.Predictions.of(
        example=predictions.example, target=predictions.table["target"], prediction=chosen, positive="yes"
    )
    assert hf.evaluate(hindsight, "f1").value > after
