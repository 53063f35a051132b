"""Krippendorff's alpha in closed form is alpha by its definition, and its interval covers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.stats.agreement import disagreements, krippendorff

rated = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4)), min_size=2, max_size=40)
SCALES = ("nominal", "ordinal", "interval")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def arrays(rows):
    unit, value = map(np.array, zip(*rows, strict=True))
    return unit, value


def by_definition(unit, value, scale):
    """Every pair of ratings by itself, as in Krippendorff's text."""
    kept = np.array([np.sum(unit == u) > 1 for u in unit])
    unit, value = unit[kept], value[kept].astype(float)
    n = len(value)
    if not n:
        return math.nan

    def distance(a, b):
        if scale == "nominal":
            return float(a != b)
        if scale == "interval":
            return (a - b) ** 2
        low, high = min(a, b), max(a, b)
        between = sum((value >= low) & (value <= high))
        return (between - (sum(value == a) + sum(value == b)) / 2) ** 2 if a != b else 0.0

    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    observed = sum(
        distance(value[i], value[j]) / (np.sum(unit == unit[i]) - 1) for i, j in pairs if unit[i] == unit[j]
    )
    expected = sum(distance(value[i], value[j]) for i, j in pairs) / (n - 1)
    return 1 - observed / expected if expected else 1.0


@pytest.mark.parametrize("scale", SCALES)
@given(rows=rated)
def test_closed_forms_equal_the_definition(rows, scale):
    unit, value = arrays(rows)
    found = krippendorff(unit, value, scale, rng=rng())
    assert found.alpha == pytest.approx(by_definition(unit, value, scale), nan_ok=True, abs=1e-9)


def test_the_published_example_comes_out():
    """Krippendorff 2011, "Computing Krippendorff's alpha-reliability", part C: four observers, 12 units."""
    observers = (
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    )
    cells = [(u, int(v)) for line in observers for u, v in enumerate(line.split()) if v != "."]
    unit, value = arrays(cells)
    alphas = [krippendorff(unit, value, scale, rng=rng()).alpha for scale in SCALES]
    assert alphas == pytest.approx([0.743, 0.815, 0.849], abs=0.001)


@given(rated)
def test_names_of_labels_and_order_of_ratings_do_not_count(rows):
    unit, value = arrays(rows)
    turned = rng().permutation(len(unit))
    names = np.array(["d", "a", "e", "c", "b"])[value]
    first = krippendorff(unit, value, rng=rng()).alpha
    codes = np.unique(names, return_inverse=True)[1]
    assert krippendorff(unit[turned], codes[turned], rng=rng()).alpha == pytest.approx(first, nan_ok=True)


@given(rated)
def test_disagreements_of_all_ratings_make_alpha(rows):
    unit, value = arrays(rows)
    observed, expected = disagreements(unit, value)
    assume(np.nansum(expected) > 0)
    alpha = 1 - np.nanmean(observed) / np.nanmean(expected)
    assert alpha == pytest.approx(krippendorff(unit, value, rng=rng()).alpha, abs=1e-9)


def simulated(seed: int, units: int, noise: float):
    """Three ratings of each unit, each of which is at random with this chance."""
    draw = np.random.default_rng(seed)
    true = draw.integers(0, 4, units)
    value = np.where(draw.random((3, units)) < noise, draw.integers(0, 4, (3, units)), true)
    return np.tile(np.arange(units), 3), value.ravel()


@pytest.mark.parametrize("scale", SCALES)
def test_the_interval_covers_as_it_says(scale):
    truth = (1 - 0.3) ** 2  # two ratings are both of the truth, or as like as chance has it
    inside = 0
    for seed in range(200):
        interval = krippendorff(*simulated(seed, 80, 0.3), scale, rng=np.random.default_rng(seed)).interval
        inside += interval.low <= truth <= interval.high
    assert inside / 200 >= 0.95 - 2 * math.sqrt(0.95 * 0.05 / 200)


def test_many_units_are_drawn_in_blocks_with_as_wide_an_interval():
    unit, value = simulated(0, 20_000, 0.3)
    interval = krippendorff(unit, value, rng=rng()).interval
    spread = np.std([krippendorff(*simulated(seed, 20_000, 0.3), rng=rng()).alpha for seed in range(30)])
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * spread, rel=0.35)


@pytest.mark.parametrize("scale", SCALES)
def test_agreement_without_a_slip_leaves_room_for_one(scale):
    unit = np.repeat(np.arange(40), 2)
    found = krippendorff(unit, np.repeat(np.arange(40) % 3, 2), scale, rng=rng())
    assert found.alpha == 1.0
    assert 0.5 < found.interval.low < 0.95
    assert found.interval.high == 1.0


def test_no_interval_without_variety_or_with_few_units():
    unit = np.repeat(np.arange(40), 2)
    same = krippendorff(unit, np.zeros(80), rng=rng())
    few = krippendorff(unit[:18], unit[:18] % 2, rng=rng())
    assert (same.alpha, few.alpha) == (1.0, 1.0)
    assert math.isnan(same.interval.low) and math.isnan(few.interval.low)


def test_without_two_ratings_of_a_unit_there_is_no_alpha():
    for unit in (np.arange(5), np.zeros(0, dtype=np.int64)):
        found = krippendorff(unit, np.zeros(len(unit)), rng=rng())
        assert math.isnan(found.alpha) and (found.units, found.ratings) == (0, 0)
