"""Training rows that pull a learner towards equal error rates of groups (Agarwal et al. 2018).

fairlearn's exponentiated gradient finds, with a small tree, what a wrong answer has to cost in
each group and class for the groups to have equal true and false positive rates. Those prices are
weights of the rows; a row whose price has the other sign counts as one of the other class. Any
learner of ours then sees each row as often as it weighs.
"""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.labels import codes_of, in_order, label_text
from holdfast.core.schema import Kind
from holdfast.errors import FixError
from holdfast.training.synthetic import points

_GAP = 0.01  # the difference of rates that is left to the groups
_ROUNDS = 30
_DEPTH, _LEAF = 6, 50  # of the small tree
_SHARES = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 1.0)  # of the full price
# A quick booster is asked how much of it to pay.
_QUICK = {
    "objective": "binary", "num_iterations": 60, "learning_rate": 0.15, "num_leaves": 15, "num_threads": 1,
    "deterministic": True, "force_row_wise": True, "verbosity": -1,
}  # fmt: skip
_FEWEST = 20  # rows of each class: smaller groups are taken together
_QUARTERS = 4


def fair_rows(train: Dataset, free: np.ndarray, column: str, *, seed: int) -> tuple[np.ndarray, pl.Series]:
    """Which of the rows at `free` to train on, as often as each weighs, and the target of each.

    As many rows as there are, drawn evenly in their order. FixError where there are no two
    groups with rows of both classes.
    """
    labels = label_text(train.target).gather(free)
    classes = in_order(labels.unique().to_list())
    if len(classes) != 2:
        raise FixError(f"Rates are made equal for two classes, and the rows have {len(classes)}.")
    codes = codes_of(labels, classes)
    group = _groups(train, free, column, codes)
    known = np.flatnonzero(group >= 0)
    price = np.where(codes == 1, 1.0, -1.0)
    price[known] = _prices(points(train, free)[known], codes[known], group[known], seed)
    drawn = _drawn(np.abs(price), np.random.default_rng(seed))
    names = train.target.gather(free[[int(np.argmax(codes == k)) for k in (0, 1)]])
    target = names.gather((price > 0).astype(np.int64)[drawn])
    return free[drawn], target.alias(train.schema.target.name)


def _prices(X: np.ndarray, codes: np.ndarray, group: np.ndarray, seed: int) -> np.ndarray:
    """What a row gains by being taken for positive, float64 of shape (n,): +1 or -1 where all is fair."""
    from fairlearn.reductions import EqualizedOdds, ErrorRate, ExponentiatedGradient
    from pandas import Series
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_depth=_DEPTH, min_samples_leaf=_LEAF, random_state=seed)
    y, groups = Series(codes), Series(group)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how fairlearn uses pandas is not the reader's to mend
        search = ExponentiatedGradient(tree, EqualizedOdds(difference_bound=_GAP), max_iter=_ROUNDS)
        search.fit(X, y, sensitive_features=groups)
        cost, moment = ErrorRate(), EqualizedOdds(difference_bound=_GAP)
        for one in (cost, moment):
            one.load_data(X, y, sensitive_features=groups)
        # The multipliers of the best mix of trees: exact for it, where those of the gradient's
        # path are a mean over steps that overshoot. There are none where the first tree is fair.
        steps, own = search.lambda_vecs_LP_, cost.signed_weights().to_numpy(dtype=np.float64)
        if search.best_iter_ not in steps:
            return np.asarray(own)
        fair = moment.signed_weights(steps[search.best_iter_]).to_numpy(dtype=np.float64)
    # At the full price the trees are torn between two answers, which they mix by lot; one model
    # falls to one side. So the price is paid in part, as far as one model is best held together.
    gaps = [_gap_at(X, own + share * fair, codes, group, seed) for share in _SHARES]
    return np.asarray(own + _SHARES[int(np.argmin(gaps))] * fair)


def _gap_at(X: np.ndarray, price: np.ndarray, codes: np.ndarray, group: np.ndarray, seed: int) -> float:
    """The largest difference of true or false positive rates under these prices, out of two folds."""
    import lightgbm

    half, said = np.random.default_rng(seed).random(len(codes)) < 0.5, np.zeros(len(codes), dtype=bool)
    for held in (half, ~half):
        label, weight = price[~held] > 0, np.abs(price[~held])
        quick = lightgbm.train(
            _QUICK | {"seed": seed % 2**31}, lightgbm.Dataset(X[~held], label, weight=weight)
        )
        said[held] = np.asarray(quick.predict(X[held])) >= 0.5
    rates = [[said[(group == g) & (codes == k)].mean() for g in np.unique(group)] for k in (0, 1)]
    return float(max(max(rate) - min(rate) for rate in rates))


def _groups(train: Dataset, free: np.ndarray, column: str, codes: np.ndarray) -> np.ndarray:
    """The group of each row, int64 of shape (n,), -1 for none; numbers and dates are cut into quarters.

    Groups with few rows of a class are one; where that has too few as well its rows have none.
    """
    cells = train.table[column][free]
    if train.schema[column].kind in (Kind.NUMBER, Kind.DATE) and cells.n_unique() > _QUARTERS:
        ranks = cells.rank("min")
        cells = (ranks * _QUARTERS / (ranks.max() + 1)).floor()  # type: ignore[operator]
    rank = cells.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    few = np.bincount(rank[codes == 0], minlength=rank.max() + 1) < _FEWEST
    few |= np.bincount(rank[codes == 1], minlength=rank.max() + 1) < _FEWEST
    group = np.where(few[rank], rank.max() + 1, rank)
    rest = group == rank.max() + 1
    if min((rest & (codes == k)).sum() for k in (0, 1)) < _FEWEST:
        group[rest] = -1
    if len(np.unique(group[group >= 0])) < 2:
        raise FixError(
            f"{column} has no two groups with {_FEWEST} training rows of each class to be made equal."
        )
    return group


def _drawn(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions, int of shape (n,): each as often as its share of the weight, rounded down or up."""
    ends = np.floor(np.cumsum(weight) / weight.sum() * len(weight) + rng.random()).astype(np.int64)
    return np.repeat(np.arange(len(weight)), np.diff(ends, prepend=0))
