"""Models that hang on chance are found; those that do not are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_probe import clicks, dataset_of, forest, logistic, probe_of, ridge, tree

from holdfast.core.predictions import Predictions
from holdfast.debugging.losses import moved, three
from holdfast.debugging.unstable import unstable


def found_in(dataset, make):
    probe = probe_of(dataset, make)
    return unstable(dataset, probe.predictions(), probe), probe


def test_a_tree_that_learns_by_heart_changes_with_its_seed():
    dataset = dataset_of(clicks(800, 0))
    found, probe = found_in(dataset, tree)
    (seeds,) = [one for one in found if one.about == "seeds"]
    assert seeds.kind == "unstable"
    assert seeds.effect.low > 0.1
    assert seeds.p < 1e-6
    assert seeds.effect.value == pytest.approx(seeds.size / 800)
    assert len(seeds.where.examples) == seeds.size
    assert all(0 <= one.score <= 1 for one in seeds.where.examples)
    assert seeds.facts["loss that averaging seeds would save"].low > 0
    assert len(probe.fits) == 2


def test_the_listed_rows_are_those_whose_class_differs_between_two_trainings():
    dataset = dataset_of(clicks(400, 1))
    found, probe = found_in(dataset, forest)
    first, second = (probe.refitted(dataset, seed=k) for k in (1, 2))
    differ = (first.table["prediction"] != second.table["prediction"]).to_numpy()
    (seeds,) = [one for one in found if one.about == "seeds"]
    assert {one.example for one in seeds.where.examples} == set(dataset.example.filter(differ).to_list())
    told = [remark.split(", then ") for remark in seeds.remarks.values()]
    assert len(told) == 10
    assert all(before.split()[0] != after.split()[0] for before, after in told)
    scores = [one.score for one in seeds.where.examples]
    assert scores == sorted(scores)


def test_a_share_of_sampled_rows_says_so():
    dataset = dataset_of(clicks(800, 0))
    probe = replace(probe_of(dataset, tree), affordable=300)
    (seeds,) = [one for one in unstable(dataset, probe.predictions(), probe) if one.about == "seeds"]
    assert "of 300 sampled rows another class" in seeds.title
    assert seeds.facts["rows fitted again"] == 300


def test_the_weights_of_rows_count_in_what_a_title_says():
    dataset = dataset_of(clicks(1000, 4))
    bare = losses(dataset, np.random.default_rng(5), raised=(3,))
    fold = np.arange(1000) % 5
    heavy = np.where(bare.loss > np.median(bare.loss), 9.0, 1.0)
    judged = Predictions.of(
        example=dataset.example,
        target=dataset.target,
        probability=np.where((dataset.target == "yes").to_numpy(), 0.6, 0.4),
        loss=bare.loss,
        fold=fold,
        weight=heavy,
    )
    (found,) = of_folds(unstable(dataset, judged, probe_of(dataset, logistic)))
    rest = np.average(judged.loss[fold != 3], weights=heavy[fold != 3])
    assert f"theirs {three(rest)}" in found.title


def test_a_weighted_number_moves_by_the_weighted_error():
    truth, near, far = np.zeros(4), np.array([0.1, 0.1, 0.1, 4.0]), np.array([0.4, 0.1, 0.1, 4.0])
    before, after = (Predictions.of(example=list("abcd"), target=truth, prediction=p) for p in (near, far))
    light = Predictions.of(example=list("abcd"), target=truth, prediction=near, weight=[1, 1, 1, 0.001])
    assert not moved(before, after, before).any()
    assert moved(before, after, light).tolist() == [True, False, False, False]


def test_a_model_without_chance_is_stable():
    found, _ = found_in(dataset_of(clicks(800, 2)), logistic)
    assert found == ()


def test_numbers_that_jump_between_seeds_are_found_and_ridge_does_not_jump():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((500, 3))
    dataset = dataset_of(
        {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": x.sum(axis=1) + rng.standard_normal(500)}
    )

    class Jumpy:
        def __init__(self, seed):
            self.rng = np.random.default_rng(seed)

        def fit(self, cells, target):
            return self

        def predict(self, cells):
            return cells.sum(axis=1) + self.rng.standard_normal(len(cells))

    found, _ = found_in(dataset, Jumpy)
    assert found[0].effect.low > 0.3
    assert found_in(dataset, ridge)[0] == ()


def losses(dataset, rng, raised=()):
    """Losses of a foreign system by fold; those of the raised folds are twice as large."""
    fold = np.arange(len(dataset)) % 5
    loss = rng.exponential(1.0, len(dataset)) * np.where(np.isin(fold, raised), 2.0, 1.0)
    target = dataset.target
    p = np.where((target == "yes").to_numpy(), 0.6, 0.4)
    return Predictions.of(example=dataset.example, target=target, probability=p, loss=loss, fold=fold)


def of_folds(found):
    return [one for one in found if one.about == "folds"]


def test_a_fold_that_is_worse_than_the_others_is_found():
    dataset = dataset_of(clicks(1000, 4))
    probe = probe_of(dataset, logistic)
    (found,) = of_folds(unstable(dataset, losses(dataset, np.random.default_rng(5), raised=(3,)), probe))
    assert found.title.startswith("Fold 3 is worse")
    assert found.size == 200
    assert found.effect.low > 0.3
    assert found.facts["fold 3"].value > 1.5


def test_folds_that_differ_by_chance_are_reported_in_at_most_one_of_twenty():
    dataset = dataset_of(clicks(500, 6))
    probe = probe_of(dataset, logistic)
    stable = probe.refitted(dataset)

    class Same:
        name, learner, affordable = "same", "same", 20_000

        def refitted(self, rows, *, share=1.0, seed=0):
            return stable

    trials, rng = 100, np.random.default_rng(7)
    reported = sum(bool(of_folds(unstable(dataset, losses(dataset, rng), Same()))) for _ in range(trials))
    assert reported <= trials * 0.05 + 2 * np.sqrt(trials * 0.05 * 0.95)
