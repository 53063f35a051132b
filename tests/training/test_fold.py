"""What a fold is fitted on, stopped on and judged on are three different things."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import holdfast as hf
from holdfast.core.learner import Curve
from holdfast.models.tabular.learner import available, portfolio, tabular_learner
from holdfast.training.fold import FoldFit, fit_fold, watch


def table(n, seed=0, **more):
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) // 2 % 2, "no", "yes")
    columns = {"x": rng.normal(size=n), "c": rng.choice(list("abcdefgh"), n), "y": y}
    return hf.read(pl.DataFrame(columns | more), target="y", group="owner" if "owner" in more else None)


class Watched:
    """A learner that notes what it is given."""

    name = "watched"

    def fit(self, train, validation, *, budget, seed, progress):
        self.train, self.validation = train, validation
        return tabular_learner("constant", loss="log_loss", classes=("no", "yes")).fit(
            train, validation, budget=budget, seed=seed, progress=progress
        )


@pytest.mark.parametrize("folds", [2, 3, 5])
def test_the_held_fold_is_seen_by_nothing_that_is_fitted(folds):
    data, learner = table(200), Watched()
    fold = np.arange(200) % folds
    for held in range(folds):
        _, output, _ = fit_fold(learner, data, fold, held, ("no", "yes"), seed=0)
        judged = set(data.example.filter(pl.Series(values=fold == held)))
        seen, stops = set(learner.train.example), set(learner.validation.example)
        assert seen == set(data.example) - judged and output.shape == (len(judged), 2)
        assert stops < seen and 0.2 * len(judged) < len(stops) < 0.8 * len(judged)


def test_a_group_is_not_divided_between_fitting_and_stopping():
    owner = np.repeat(np.arange(60), 5)
    data = table(300, owner=owner)
    fold = owner % 3
    for which in range(3):
        mask = watch(data, fold, which)
        shares = pl.DataFrame({"owner": owner, "mask": mask}).group_by("owner").agg(pl.col("mask").n_unique())
        assert shares["mask"].max() == 1
        assert mask.any() and (fold[mask] == which).all()


def test_large_folds_give_a_smaller_share():
    n = 40_000
    data = table(n, unique=np.arange(n))
    shares = [watch(data, np.arange(n) % folds, 0).mean() * folds for folds in (2, 40)]
    assert shares == pytest.approx([0.2, 0.5], abs=0.08)


@pytest.mark.parametrize("name", [name for name in portfolio() if available(name)])
@pytest.mark.parametrize("n", [4, 9])
def test_tiny_tables_are_fitted_by_every_learner(name, n):
    data = table(n, owner=np.zeros(n, dtype=int))  # one group: it cannot be parted whole
    learner = tabular_learner(name, loss="log_loss", classes=("no", "yes"))
    fold = np.arange(n) % 2
    for held in range(2):
        _, output, _ = fit_fold(learner, data, fold, held, ("no", "yes"), seed=1)
        assert output.shape == ((fold == held).sum(), 2)
        np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-5)


def test_a_fold_is_the_same_after_it_was_stored():
    data = table(60)
    learner = tabular_learner("decision_tree", loss="log_loss", classes=("no", "yes"))
    files, output, curve = fit_fold(learner, data, np.arange(60) % 3, 1, ("no", "yes"), seed=0)
    fit = FoldFit(files, output, curve, seconds=1.5, cpu_seconds=0.5)
    again = FoldFit.decode(fit.encode())
    assert dict(again.files) == dict(files) and again.curve == curve
    np.testing.assert_array_equal(again.output, output)
    assert (again.seconds, again.cpu_seconds) == (1.5, 0.5)
    assert isinstance(again.curve, Curve)
