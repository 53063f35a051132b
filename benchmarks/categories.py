"""Our encoding of categories against CatBoost's own, on real tables.

The `catboost` learner of the portfolio is fitted twice on the same folds: as the product does,
on the numbers of the column recipe, and on the same numbers with each category handed to
CatBoost as it is. Rows, rows to stop early on, hyperparameters and seeds are equal.

usage: python -m benchmarks.categories [--tables NAME,NAME]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.quality import OUT
from benchmarks.tables import ROOT, TABLES, Table, divided
from holdfast.comparison.paired import compare
from holdfast.core.dataset import Dataset
from holdfast.core.labels import codes_of, in_order, label_text
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Kind
from holdfast.data.read import read
from holdfast.data.split import split
from holdfast.metrics import resolve

# private, because nothing but the learner itself may set these; here they must not drift apart
from holdfast.models.tabular.cat_boost import CATBOOST, _parameters
from holdfast.models.tabular.encode import encode
from holdfast.models.tabular.learner import tabular_learner
from holdfast.models.tabular.matrix import Matrix, Setting
from holdfast.models.tabular.recipe import Recipe
from holdfast.models.tabular.recipe_fitting import fit_recipe
from holdfast.training.fold import fit_fold, watch
from holdfast.training.portfolio import default_loss

RESULTS = Path(__file__).parent / "out" / "categories.json"
MARGIN = 0.5  # percent by which CatBoost's own handling must win to be worth a format of its own
_FOLDS, _SEEDS = 5, 3
_MOST_ROWS = 15_000
_NAMES = ("telco_churn", "adult_income", "titanic", "insurance_charges", "california_housing")
_PERSONALITY = Table(
    "customer_personality",
    "customer_personality/marketing_campaign.csv.gz",
    "Response",
    dropped=("ID",),
    separator=";",
)
CATEGORICAL = (*(table for table in TABLES if table.name in _NAMES), _PERSONALITY)


@dataclass(frozen=True, slots=True)
class Rows:
    """A table ready to be fitted: its fold per row, int64 of shape (n,), and its classes, () for numbers."""

    data: Dataset
    fold: np.ndarray
    classes: tuple[str, ...]

    @property
    def loss(self) -> str:
        """What both fits minimise."""
        return default_loss(self.data.schema.task)

    @property
    def metric(self) -> str:
        """What both are scored by."""
        return "log_loss" if self.classes else "rmse"

    @property
    def categories(self) -> list[str]:
        """The names of the columns that are encoded in two ways."""
        return [column.name for column in self.data.schema.features if column.kind is Kind.CATEGORY]


@dataclass(frozen=True, slots=True)
class Result:
    """One table: both mean scores, and ours less CatBoost's own in percent of the latter with its interval.

    `levels` are the most of any category, `by_seed` the difference of each seed, in percent, and
    `of` how many rows the table has where only some were taken.
    """

    table: str
    rows: int
    of: int
    categories: int
    levels: int
    metric: str
    ours: float
    native: float
    percent: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    seconds_ours: float
    seconds_native: float


def measure(tables: str = "") -> None:
    """Measure every table and keep the results; of only those named, beside the others' last ones."""
    if not ROOT.is_dir():
        sys.exit(
            f"No data in {ROOT}; set HOLDFAST_BENCH_DATA to a folder that has telco_churn/ and the others."
        )
    kept = json.loads(RESULTS.read_text())["tables"] if tables and RESULTS.exists() else []
    found = {str(result["table"]): result for result in kept}
    for table in CATEGORICAL:
        if tables and table.name not in tables.split(","):
            continue
        result = asdict(measure_one(table))
        print(json.dumps(result), flush=True)
        found[table.name] = result
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    ordered = [found[table.name] for table in CATEGORICAL if table.name in found]
    facts = {"folds": _FOLDS, "seeds": _SEEDS, "margin": MARGIN, "tables": ordered}
    RESULTS.write_text(json.dumps(facts, indent=1))


def measure_one(table: Table) -> Result:
    """Fit both ways on the folds of one table with each seed, and compare them row by row."""
    train, _ = divided(table, OUT / "data")
    whole = read(train, target=table.target)
    rows = prepared(whole)
    outputs: dict[str, list[np.ndarray]] = {"native": [], "ours": []}
    seconds = dict.fromkeys(outputs, 0.0)
    for seed in range(_SEEDS):
        for name, fit in (("native", native_output), ("ours", our_output)):
            started = time.perf_counter()
            outputs[name].append(out_of_fold(rows, seed, fit))
            seconds[name] += time.perf_counter() - started
    native, ours = (predictions(rows, outputs[name], name) for name in outputs)
    metric = resolve(rows.metric, native)
    score, our_score = metric.value(native), metric.value(ours)
    by_seed = [[metric.value(predictions(rows, [one], name)) for one in outputs[name]] for name in outputs]
    better = compare(native, ours, metric=rows.metric).difference
    return Result(
        table=table.name,
        rows=len(rows.data),
        of=len(whole),
        categories=len(rows.categories),
        levels=max(rows.data.table[name].n_unique() for name in rows.categories),
        metric=rows.metric,
        ours=our_score,
        native=score,
        percent=100 * (our_score / score - 1),
        low=-100 * better.high / score,
        high=-100 * better.low / score,
        by_seed=tuple(100 * (b / a - 1) for a, b in zip(*by_seed, strict=True)),
        seconds_ours=seconds["ours"],
        seconds_native=seconds["native"],
    )


def prepared(data: Dataset) -> Rows:
    """The rows in the product's order, at most 15,000 of them at random, and their folds."""
    data = data.reordered(data.example.arg_sort().to_numpy())
    if len(data) > _MOST_ROWS:
        data = data.take(np.sort(np.random.default_rng(0).permutation(len(data))[:_MOST_ROWS]))
    fold = np.where(data.target.is_null().to_numpy(), -1, split(data, share=0, folds=_FOLDS).fold)
    numeric = data.schema.target.kind is Kind.NUMBER
    classes = () if numeric else in_order(label_text(data.target).drop_nulls().unique().to_list())
    return Rows(data, fold, tuple(classes))


def out_of_fold(rows: Rows, seed: int, fit: Callable[[Rows, int, int], np.ndarray]) -> np.ndarray:
    """Each open row's output by the fit that did not see its fold, float64 of shape (n, K) or (n, 1)."""
    output = np.zeros((len(rows.data), max(len(rows.classes), 1)))
    for held in range(_FOLDS):
        output[rows.fold == held] = fit(rows, held, seed * _FOLDS + held)
    return output


def our_output(rows: Rows, held: int, seed: int) -> np.ndarray:
    """What the product's model of this fold says of it."""
    learner = tabular_learner("catboost", loss=rows.loss, classes=rows.classes)
    return fit_fold(learner, rows.data, rows.fold, held, rows.classes, seed)[1]


def native_output(rows: Rows, held: int, seed: int) -> np.ndarray:
    """The same fit, but that categories reach CatBoost as words."""
    import catboost

    data, fold = rows.data, rows.fold
    train = data.take(np.flatnonzero((fold >= 0) & (fold != held)))
    found, _ = fit_recipe(train, seed=0)
    numbers = Recipe(found.numbers, found.dates, found.texts)
    stopping = watch(data, fold, (held + 1) % _FOLDS)
    parts = [data.take(mask) for mask in ((fold >= 0) & (fold != held) & ~stopping, stopping, fold == held)]
    fitted, watched, judged = (_pool(catboost, rows, part, numbers) for part in parts)
    options = CATBOOST.defaults[data.schema.task]
    setting = Setting(data.schema.task, max(len(rows.classes), 1), rows.loss, seed, None, lambda _: None)
    labels = np.asarray(fitted.get_label(), dtype=np.float64)
    parameters, _ = _parameters(Matrix(np.zeros((0, 0)), labels, None, ()), options, setting)
    model = catboost.CatBoost(parameters)
    model.fit(fitted, eval_set=watched, early_stopping_rounds=int(options["patience"]), use_best_model=True)
    if not rows.classes:
        return np.asarray(model.predict(judged)).reshape(-1, 1)
    return np.asarray(model.predict(judged, prediction_type="Probability"))


def _pool(catboost: object, rows: Rows, part: Dataset, numbers: Recipe) -> object:
    words = [part.table[name].fill_null("").to_list() for name in rows.categories]
    cells = np.array([[word.encode() for word in column] for column in words], dtype=object).T
    X = encode(numbers, part.table.to_dict()) if numbers.names else None
    y = codes_of(label_text(part.target), rows.classes) if rows.classes else part.target.to_numpy()
    features = catboost.FeaturesData(num_feature_data=X, cat_feature_data=cells)  # type: ignore[attr-defined]
    return catboost.Pool(features, y)  # type: ignore[attr-defined]


def predictions(rows: Rows, outputs: list[np.ndarray], model: str) -> Predictions:
    """Every seed's answer for every open row; the answers for one row are one unit, not several."""
    is_open = rows.fold >= 0
    ids = rows.data.example.filter(pl.Series(values=is_open))
    known: dict[str, object] = {
        "example": pl.concat([ids + f"/{seed}" for seed in range(len(outputs))]),
        "group": pl.concat([ids] * len(outputs)),
        "target": pl.concat([rows.data.target.filter(pl.Series(values=is_open))] * len(outputs)),
        "model": model,
    }
    output = np.concatenate([one[is_open] for one in outputs])
    if rows.classes:
        return Predictions.of(probability=output, classes=rows.classes, **known)  # type: ignore[arg-type]
    return Predictions.of(prediction=output[:, 0], **known)  # type: ignore[arg-type]


def verdict(result: Mapping[str, object], margin: float) -> str:
    """Who wins, in words: only where the interval says so, and by more than the margin or not."""
    percent, low, high = (float(str(result[name])) for name in ("percent", "low", "high"))
    if low <= 0 <= high:
        return "not told apart"
    if percent < 0:
        return "ours"
    return f"CatBoost's own, by more than {margin:g} %" if percent > margin else "CatBoost's own"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tables", default="", help="tables, comma separated")
    measure(parser.parse_args().tables)
