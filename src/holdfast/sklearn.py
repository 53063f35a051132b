"""Holdfast as scikit-learn estimators.

    from holdfast.sklearn import Classifier

    model = Classifier().fit(X, y)                # one booster on all rows, in a second
    model = Classifier(budget=60).fit(X, y)       # the whole portfolio, as `hf.train` fits it

They take arrays, and pandas or polars tables with categories, dates, text and missing
cells as they are. `model_` is the fitted model as it is served (ONNX); all predictions
are its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags, Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, check_X_y, validate_data

from holdfast.core.labels import label_text
from holdfast.errors import HoldfastError
from holdfast.project.estimator import TabularModel, Wanted, fit_model, output_of, raw_table

__all__ = ["Classifier", "Regressor"]


class Classifier(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Classes of two or more, with probabilities.

    Parameters
    ----------
    learner : a learner's name, the one that is fitted when there is no budget. The
        default is one booster on all rows; any other is fitted in folds, as `hf.train`
        does.
    budget : seconds, or "60s", for the whole portfolio (in folds, mixed and calibrated), or None.
    metric : what a portfolio is ranked by, a metric's name; default log loss.
    loss : "log_loss" (the default), "balanced" or "focal".
    random_state : int, RandomState or None. The default booster draws nothing.

    Attributes
    ----------
    classes_ : the distinct labels, sorted, of shape (K,).
    model_ : the fitted model as it is served.
    n_features_in_ : the number of features seen in fit.
    feature_names_in_ : their names, where X had any, of shape (n_features_in_,).

    Weights mean copies: a row of weight 3 is as good as three equal rows, one of weight 0
    as good as none.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> Classifier().fit(X, y).score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        learner: str = "lightgbm",
        *,
        budget: float | str | None = None,
        metric: str | None = None,
        loss: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.learner = learner
        self.budget = budget
        self.metric = metric
        self.loss = loss
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X, (n, d), with labels y, (n,); ValueError says what cannot be learned from."""
        raw, y, weight = _checked(self, X, y, sample_weight)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only, {self.classes_[0]!r}: there is nothing to learn.")
        target = pl.Series(values=_names(self.classes_), dtype=pl.String).gather(codes)
        self.model_: TabularModel = _fitted(self, raw, target, weight)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, float64 of shape (n, K) in the order of `classes_`."""
        output = _output(self, X)
        order = [self.model_.manifest.classes.index(name) for name in _names(self.classes_)]
        return output[:, order]

    def predict(self, X: Any) -> np.ndarray:
        """The label of each row, shape (n,): the likeliest, or of two by the model's own threshold."""
        probability = self.predict_proba(X)
        codes = probability.argmax(axis=1)
        manifest = self.model_.manifest
        if manifest.positive is not None and manifest.threshold != 0.5:
            place = _names(self.classes_).index(manifest.positive)
            codes = np.where(probability[:, place] >= manifest.threshold, place, 1 - place)
        return np.asarray(self.classes_[codes])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy on rows X with labels y."""
        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        tags = _tags(super().__sklearn_tags__())
        tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        return tags


class Regressor(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Numbers.

    Parameters
    ----------
    learner : a learner's name, the one that is fitted when there is no budget. The
        default is one booster on all rows; any other is fitted in folds, as `hf.train`
        does.
    budget : seconds, or "60s", for the whole portfolio (in folds, and mixed), or None.
    metric : what a portfolio is ranked by, a metric's name; by default it follows from the loss.
    loss : "squared" (the default), "absolute", "huber", "quantile:0.9" (any in (0, 1)) or
        "poisson".
    random_state : int, RandomState or None. The default booster draws nothing.

    Attributes
    ----------
    model_ : the fitted model as it is served.
    n_features_in_ : the number of features seen in fit.
    feature_names_in_ : their names, where X had any, of shape (n_features_in_,).

    Weights mean copies: a row of weight 3 is as good as three equal rows, one of weight 0
    as good as none.

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> Regressor().fit(X, y).score(X, y) > 0.5
    True
    """

    def __init__(
        self,
        learner: str = "lightgbm",
        *,
        budget: float | str | None = None,
        metric: str | None = None,
        loss: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.learner = learner
        self.budget = budget
        self.metric = metric
        self.loss = loss
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X, (n, d), with values y, (n,); ValueError says what cannot be learned from."""
        raw, y, weight = _checked(self, X, y, sample_weight)
        self.model_: TabularModel = _fitted(
            self, raw, pl.Series(values=np.asarray(y, dtype=np.float64)), weight
        )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The value of each row, float64 of shape (n,)."""
        return _output(self, X)[:, 0]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2, at most 1, on rows X with values y."""
        return float(r2_score(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        tags = _tags(super().__sklearn_tags__())
        tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        return tags


_Estimator = Classifier | Regressor


def _tags(tags: Tags) -> Tags:
    tags.target_tags.required = True
    tags.input_tags.allow_nan = True
    tags.input_tags.categorical = True
    return tags


def _checked(
    estimator: _Estimator, X: Any, y: Any, sample_weight: Any
) -> tuple[pl.DataFrame, np.ndarray, np.ndarray | None]:
    """The rows that count: raw columns, targets (n,), and weights above 0 (n,) or None."""
    raw = _raw(estimator, X, reset=True)
    numeric = isinstance(estimator, Regressor)
    _, y = check_X_y(np.zeros((raw.height, 1)), y, y_numeric=numeric, estimator=estimator)
    if sample_weight is None:
        return raw, y, None
    weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weight.shape != (raw.height,):
        raise ValueError(f"sample_weight has shape {weight.shape}, not ({raw.height},): one number per row.")
    if (weight < 0).any() or not weight.any():
        raise ValueError("Sample weights must not be negative, and not all of them zero.")
    kept = weight > 0
    return raw.filter(kept), y[kept], weight[kept]


def _raw(estimator: _Estimator, X: Any, *, reset: bool) -> pl.DataFrame:
    """X as scikit-learn checks it, as raw columns under the names that the estimator knows."""
    is_table = hasattr(X, "__arrow_c_stream__") and len(X.shape) == 2
    if is_table:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    else:
        X = validate_data(estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
    names = getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(estimator.n_features_in_)])
    with _value_errors():
        raw = raw_table(X, list(names))
    numbers = (column for column in raw.iter_columns() if column.dtype.is_float())
    if is_table and any(column.is_infinite().any() for column in numbers):
        raise ValueError("X holds infinite numbers. Make them large ones, or missing.")
    return raw


def _fitted(
    estimator: _Estimator, raw: pl.DataFrame, target: pl.Series, weight: np.ndarray | None
) -> TabularModel:
    seed = int(check_random_state(estimator.random_state).randint(2**31 - 1))
    wanted = Wanted(estimator.learner, estimator.budget, estimator.metric, estimator.loss, seed)
    with _value_errors():
        return fit_model(raw, target, weight, wanted)


def _output(estimator: _Estimator, X: Any) -> np.ndarray:
    check_is_fitted(estimator)
    return output_of(estimator.model_, _raw(estimator, X, reset=False))


def _names(classes: np.ndarray) -> list[str]:
    """The model's text for each label: its own, or its number where two labels read alike."""
    names = label_text(classes).to_list()
    return names if len(set(names)) == len(names) else [str(code) for code in range(len(names))]


@contextmanager
def _value_errors() -> Iterator[None]:
    try:
        yield
    except HoldfastError as error:
        raise ValueError(str(error)) from error
