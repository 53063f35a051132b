"""CROWDLAB gives what cleanlab gives, and a majority is broken by the better annotators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cleanlab.multiannotator import get_label_quality_multiannotator

from holdfast.core.predictions import Predictions
from holdfast.debugging.annotators import consensus
from holdfast.errors import ColumnError, InputError, PredictionsError, RoleError
from holdfast.stats.agreement import krippendorff

CROWD = Path(__file__).parents[3] / "shared" / "data" / "crowd_labels_small"


def crowd(seed: int, examples: int = 150, annotators: int = 7, classes: int = 3):
    """Ratings in long form by annotators of all skills, a model's predictions, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, examples)
    skill = rng.uniform(0.4, 0.95, annotators)
    right = rng.random((examples, annotators)) < skill
    said = np.where(right, truth[:, np.newaxis], rng.integers(0, classes, (examples, annotators)))
    rated = rng.random((examples, annotators)) < 0.5
    rated[np.arange(examples), rng.integers(0, annotators, examples)] = True
    example, annotator = np.nonzero(rated)
    names = [f"e{i:03d}" for i in range(examples)]
    ratings = pl.DataFrame(
        {
            "example": [names[i] for i in example],
            "annotator": [f"a{j}" for j in annotator],
            "label": [f"c{k}" for k in said[example, annotator]],
        }
    )
    probability = rng.dirichlet(np.ones(classes), examples)
    probability[np.arange(examples), truth] += 1
    probability = (probability / 2).astype(np.float32)
    p = Predictions.of(example=names, probability=probability, classes=[f"c{k}" for k in range(classes)])
    return ratings, p, truth


@pytest.mark.parametrize("seed", range(8))
def test_consensus_with_a_model_is_cleanlabs(seed):
    ratings, p, _ = crowd(seed)
    wide = ratings.to_pandas().pivot(index="example", columns="annotator", values="label")
    coded = wide.map(lambda name: np.nan if pd.isna(name) else float(str(name)[1:]))
    theirs = get_label_quality_multiannotator(
        coded, p.probability.astype(np.float64), verbose=False, return_weights=True
    )
    ours = consensus(ratings, p)
    table, quality = ours.table.sort("example"), theirs["label_quality"]
    assert table["label"].to_list() == [f"c{k}" for k in quality["consensus_label"]]
    for name, column in (
        ("quality", "consensus_quality_score"),
        ("agreement", "annotator_agreement"),
        ("ratings", "num_annotations"),
    ):
        np.testing.assert_allclose(table[name].to_numpy(), quality[column].to_numpy(), rtol=1e-9)
    annotators, stats = ours.annotators.sort("annotator"), theirs["annotator_stats"].sort_index()
    np.testing.assert_allclose(annotators["quality"].to_numpy(), stats["annotator_quality"], rtol=1e-9)
    assert ours.model_weight == pytest.approx(theirs["model_weight"])
    assert (ours.annotators["quality"].diff().drop_nulls() >= 0).all()


def test_a_model_makes_the_consensus_better():
    shares = []
    for seed in range(20):
        ratings, p, truth = crowd(seed)
        found = [consensus(ratings), consensus(ratings, p)]
        shares.append([(_codes(one) == truth).mean() for one in found])
    alone, helped = np.mean(shares, axis=0)
    assert helped > alone + 0.02


def _codes(found):
    return np.array([int(name[1:]) for name in found.table.sort("example")["label"]])


def long(*rows):
    return pl.DataFrame(rows, schema=["example", "annotator", "label"], orient="row")


def test_a_tie_goes_to_the_better_annotator_then_to_the_commoner_then_to_the_first_label():
    agreed = [(f"e{i}", who, "x") for i in range(4) for who in ("ann", "bob")]
    slips = [
        (f"s{i}", who, label) for i in range(3) for who, label in (("ann", "x"), ("cy", "y"), ("bob", "x"))
    ]
    found = consensus(long(*agreed, *slips, ("tie", "ann", "y"), ("tie", "cy", "x")))
    assert found.table.filter(example="tie")["label"].to_list() == ["y"]  # ann agrees more than cy
    even = consensus(
        long(("p", "a", "y"), ("p", "b", "x"), ("q", "a", "y"), ("q", "b", "x"), ("r", "a", "x"))
    )
    assert even.table["label"].to_list() == ["x", "x", "x"]  # both agree as little; x is commoner
    first = consensus(long(("p", "a", "y"), ("p", "b", "x")))
    assert first.table["label"].to_list() == ["x"]


def test_a_tie_goes_to_the_label_that_the_model_finds_likelier():
    p = Predictions.of(example=["p", "q"], probability=[[0.4, 0.6], [0.7, 0.3]], classes=["x", "y"])
    found = consensus(long(("p", "a", "y"), ("p", "b", "x"), ("q", "a", "y"), ("q", "b", "x")), p)
    assert found.table["label"].to_list() == ["y", "x"]


def test_alpha_is_krippendorffs_by_example_annotator_and_label():
    ratings, _, _ = crowd(0)
    found = consensus(ratings)
    unit, label = (np.unique(ratings[name], return_inverse=True)[1] for name in ("example", "label"))
    alone = krippendorff(unit, label, rng=np.random.default_rng(0))
    assert found.alpha.value == pytest.approx(alone.alpha)
    assert found.alpha.low < found.alpha.value < found.alpha.high
    assert found.alpha.n == alone.units
    skilled = np.corrcoef(found.annotators["quality"], found.annotators["alpha"])[0, 1]
    assert skilled > 0.9
    assert found.labels["ratings"].sum() == ratings.height


def test_the_order_of_ratings_changes_nothing():
    ratings, p, _ = crowd(1)
    for given in (None, p):
        first, second = (
            consensus(ratings, given),
            consensus(ratings.sample(fraction=1, shuffle=True, seed=1), given),
        )
        left, right = (one.table.sort("example") for one in (first, second))
        assert left["label"].to_list() == right["label"].to_list()
        np.testing.assert_allclose(left["quality"], right["quality"])


def test_an_annotator_who_rated_alone_has_a_quality_and_no_agreement():
    ratings, p, _ = crowd(0)
    alone = pl.concat([ratings.filter(pl.col("example") != "e000"), long(("e000", "hermit", "c1"))])
    for found in (consensus(alone), consensus(alone, p)):
        hermit = found.annotators.filter(annotator="hermit").row(0, named=True)
        assert 0 <= hermit["quality"] <= 1
        assert np.isnan(hermit["agreement"]) and np.isnan(hermit["alpha"])


def test_numbers_as_labels_and_rows_without_one_are_read():
    ratings = pl.DataFrame({"example": [1, 1, 2, 2], "annotator": [7, 8, 7, 8], "label": [0, 0, 1, None]})
    assert consensus(ratings).table.rows() == [("1", "0", 1.0, 1.0, 2), ("2", "1", 1.0, 1.0, 1)]


def test_bad_ratings_are_refused_with_the_place():
    with pytest.raises(ColumnError, match="label"):
        consensus(pl.DataFrame({"example": ["a"], "annotator": ["x"], "lable": ["y"]}))
    with pytest.raises(InputError, match="'ann' rated example 'p' more than once"):
        consensus(long(("p", "ann", "x"), ("p", "ann", "y")))
    with pytest.raises(InputError, match="rated by two annotators"):
        consensus(long(("p", "ann", "x"), ("q", "bob", "y")))
    ratings = long(("p", "ann", "x"), ("p", "bob", "z"))
    p = Predictions.of(example=["p"], probability=[[0.4, 0.6]], classes=["x", "y"])
    with pytest.raises(PredictionsError, match="'z'"):
        consensus(ratings, p)
    other = Predictions.of(example=["q"], probability=[[0.4, 0.3, 0.3]], classes=["x", "y", "z"])
    with pytest.raises(PredictionsError, match="no prediction: 'p'"):
        consensus(ratings, other)
    sealed = Predictions.of(example=["p"], probability=[[0.4, 0.6]], classes=["x", "z"], split=["sealed"])
    with pytest.raises(RoleError):
        consensus(ratings, sealed)


@pytest.mark.skipif(not CROWD.is_dir(), reason="the public sets are not on this machine")
@pytest.mark.parametrize("name", ["dogs", "ducks"])
def test_on_real_crowds_the_consensus_is_as_right_as_a_majority_with_ties_at_random(name):
    ratings = pl.read_csv(CROWD / f"{name}_answer.csv").rename(
        {"question": "example", "worker": "annotator", "answer": "label"}
    )
    truth = pl.read_csv(CROWD / f"{name}_truth.csv").cast(pl.String)
    found = consensus(ratings)
    right = found.table.join(truth, left_on="example", right_on="question").select(
        pl.col("label") == pl.col("truth")
    )
    votes = ratings.cast(pl.String).group_by("example", "label").len()
    first = votes.filter(pl.col("len") == pl.col("len").max().over("example"))
    chance = (
        first.join(truth, left_on="example", right_on="question")
        .group_by("example")
        .agg((pl.col("label") == pl.col("truth")).mean().alias("right"))
    )
    assert right.to_series().mean() >= chance["right"].mean() - 1e-12
    assert found.alpha.low < found.alpha.value < found.alpha.high
