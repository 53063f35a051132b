"""What several annotators say together, and how far each can be trusted.

With a model's held-out probabilities by CROWDLAB (Goh, Tkachenko and Mueller 2022, as cleanlab
computes it): votes and model are averaged with weights for how much better than the commonest
class each agrees. Without a model by majority.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.core.estimate import Estimate
from holdfast.core.labels import codes_of, in_order, label_text
from holdfast.core.places import places_in
from holdfast.core.predictions import Predictions
from holdfast.errors import ColumnError, InputError, PredictionsError, some
from holdfast.stats.agreement import disagreements, krippendorff

_COLUMNS = ("example", "annotator", "label")
_LEAST = 1e-6  # the least weight, as cleanlab has it


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """One label for each example, and what it rests on. All qualities lie in [0, 1], low = bad.

    `table` has a row per example, in order of first rating: example, label, quality (how much
    the label can be trusted), agreement (the share of its ratings that say so), ratings.
    `annotators` has one per annotator, the worst first: annotator, quality, agreement (with the
    consensus, over examples that others rated too), alpha (with the others), ratings. `labels` has
    one per label: label, alpha, ratings. `alpha` is Krippendorff's, with a bootstrap interval over
    examples. `model_weight` is what the model counts for where one vote counts for up to 1.
    """

    table: pl.DataFrame
    annotators: pl.DataFrame
    labels: pl.DataFrame
    alpha: Estimate
    model_weight: float | None = None


def consensus(
    ratings: pl.DataFrame, predictions: Predictions | None = None, *, level: float = 0.95, seed: int = 0
) -> Consensus:
    """The consensus of ratings in long form: one row per rating with example, annotator and label.

    With predictions (with probabilities, of every rated example) by CROWDLAB. Without, by
    majority; the quality of a label is then its agreement and that of an annotator how often
    others agree with him. A tie goes to the label that the model finds likelier, else to
    that of the better annotators, then to the commoner label, then to the first. Rows
    without a label are left out. InputError for two ratings of one example by one
    annotator, or where no example was rated twice; ColumnError for a missing column;
    PredictionsError for examples or labels that the predictions lack.

    >>> who, said = ["ann", "bob", "cy", "ann", "bob"], ["cat", "cat", "dog", "dog", "dog"]
    >>> found = consensus(pl.DataFrame({"example": list("xxxyy"), "annotator": who, "label": said}))
    >>> found.table["label"].to_list(), found.table["quality"].round(2).to_list()
    (['cat', 'dog'], [0.67, 1.0])
    """
    votes = _votes(ratings, predictions)
    if votes.several.sum() == 0:
        raise InputError(
            "No example was rated by two annotators, so nothing is known of their agreement. "
            "Have some examples rated twice."
        )
    probability = None if predictions is None else _probability(votes, predictions)
    label = _majority(votes, probability)
    quality, trust, weight = _agreement(votes, label), votes.shared, None
    if probability is not None:
        posterior = _crowdlab(votes, probability, label).posterior
        best = posterior >= posterior.max(axis=1, keepdims=True)
        label = np.where(best.sum(axis=1) == 1, posterior.argmax(axis=1), label)
        found = _crowdlab(votes, probability, label)
        quality, weight = found.posterior[np.arange(len(label)), label], found.model
        trust = _trust(votes, found, label)
    return Consensus(
        table=_by_example(votes, label, quality),
        annotators=_by_annotator(votes, label, trust),
        labels=_by_label(votes),
        alpha=_overall(votes, level, seed),
        model_weight=weight,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """Ratings as codes (r,) of examples, annotators and labels, and counts of them.

    `count` is how often each example got each label, (E, K), `size` its sum. `shared` (A,) is how
    often the other raters of an example agree with each annotator.
    """

    example: np.ndarray
    annotator: np.ndarray
    label: np.ndarray
    examples: pl.Series
    annotators: pl.Series
    labels: tuple[str, ...]
    count: np.ndarray
    shared: np.ndarray

    @property
    def size(self) -> np.ndarray:
        return np.asarray(self.count.sum(axis=1))

    @property
    def several(self) -> np.ndarray:
        """Which examples were rated twice or more, (E,)."""
        return np.asarray(self.size > 1)


def _votes(ratings: pl.DataFrame, predictions: Predictions | None) -> _Votes:
    absent = [name for name in _COLUMNS if name not in ratings.columns]
    if absent:
        raise ColumnError.absent(absent[0], ratings.columns)
    table = ratings.select(label_text(ratings[name], name).alias(name) for name in _COLUMNS).drop_nulls()
    twice = table.filter(table.select("example", "annotator").is_duplicated())
    if twice.height:
        example, annotator, _ = twice.row(0)
        raise InputError(
            f"Annotator {annotator!r} rated example {example!r} more than once. Keep one rating of each."
        )
    labels = in_order(table["label"].to_list()) if predictions is None else predictions.header.classes
    example, examples = _coded(table["example"])
    annotator, annotators = _coded(table["annotator"])
    label = codes_of(table["label"], labels)
    if (label < 0).any():
        strange = table["label"].filter(pl.Series(values=label < 0)).unique(maintain_order=True)
        raise PredictionsError(f"No class of the predictions is called {some(strange.to_list())}: {labels}.")
    size = (len(examples), len(labels))
    count = np.bincount(example * size[1] + label, minlength=size[0] * size[1]).reshape(size)
    shared = _shared(example, annotator, label, count)
    return _Votes(example, annotator, label, examples, annotators, labels, count, shared)


def _coded(names: pl.Series) -> tuple[np.ndarray, pl.Series]:
    """Codes in order of first appearance, and the distinct names."""
    distinct = names.unique(maintain_order=True)
    return codes_of(names, distinct.to_list()), distinct


def _shared(example: np.ndarray, annotator: np.ndarray, label: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Of all other ratings of an annotator's examples the share that agrees; the mean of all where none."""
    annotators = int(annotator.max(initial=-1)) + 1
    alike = np.bincount(annotator, weights=count[example, label] - 1, minlength=annotators)
    others = np.bincount(annotator, weights=count[example].sum(axis=1) - 1, minlength=annotators)
    known = others > 0
    mean = float((alike[known] / others[known]).mean()) if known.any() else 0.0
    return np.where(known, alike / np.maximum(others, 1), mean)


def _probability(votes: _Votes, predictions: Predictions) -> np.ndarray:
    """The probabilities of the rated examples, float64 (E, K)."""
    p = predictions.require_open()
    if p.probability is None:
        raise PredictionsError(
            "A consensus with a model needs its probabilities; give none, or probability=."
        )
    rows = places_in(p.example, votes.examples)
    if (rows < 0).any():
        absent = votes.examples.filter(pl.Series(values=rows < 0)).to_list()
        raise PredictionsError(f"{len(absent):,} rated examples have no prediction: {some(absent)}.")
    return np.asarray(p.probability[rows], dtype=np.float64)


def _majority(votes: _Votes, probability: np.ndarray | None) -> np.ndarray:
    """The commonest label of each example, (E,); ties as `consensus` says."""
    trusted = _weighed(votes, votes.shared) / np.maximum(votes.count, 1)
    common = np.broadcast_to(votes.count.sum(axis=0), votes.count.shape)
    left = votes.count == votes.count.max(axis=1, keepdims=True)
    for rule in (trusted if probability is None else probability, trusted, common):
        best = np.where(left, rule, -1.0).max(axis=1, keepdims=True)
        left = left & (rule >= best)
    return np.asarray(left.argmax(axis=1))


def _weighed(votes: _Votes, weight: np.ndarray) -> np.ndarray:
    """The weights of the annotators behind each label of each example, (E, K)."""
    cells = votes.example * votes.count.shape[1] + votes.label
    summed = np.bincount(cells, weights=weight[votes.annotator], minlength=votes.count.size)
    return summed.reshape(votes.count.shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Crowdlab:
    """P(label | votes, model) of shape (E, K), and the weights of the model and of each annotator (A,)."""

    posterior: np.ndarray
    model: float
    trust: np.ndarray


def _crowdlab(votes: _Votes, probability: np.ndarray, label: np.ndarray) -> _Crowdlab:
    """Votes and model averaged, given a first consensus label (E,) to measure each against."""
    several, classes = votes.several, probability.shape[1]
    agreed = label[several]
    right = float(_agreement(votes, label)[several].mean())
    # what somebody who always names the commonest class gets wrong
    chance = max(float((agreed != np.bincount(agreed).argmax()).mean()), _LEAST)
    trust = np.maximum(1 - (1 - votes.shared) / chance, _LEAST)
    wrong = float((probability[several].argmax(axis=1) != agreed).mean())
    model = max(1 - wrong / chance, _LEAST) * float(np.sqrt(votes.size.mean()))
    behind = _weighed(votes, trust)
    total = behind.sum(axis=1, keepdims=True)
    other = (1 - right) / max(classes - 1, 1)
    posterior = (model * probability + right * behind + other * (total - behind)) / (model + total)
    return _Crowdlab(posterior, model, trust)


def _agreement(votes: _Votes, label: np.ndarray) -> np.ndarray:
    """The share of each example's ratings that give this label, (E,)."""
    return np.asarray(votes.count[np.arange(len(label)), label] / votes.size)


def _trust(votes: _Votes, found: _Crowdlab, label: np.ndarray) -> np.ndarray:
    """Each annotator's quality, (A,): the posteriors of his labels and his agreement, averaged."""
    annotators = len(votes.annotators)
    given = _mean_by(votes.annotator, found.posterior[votes.example, votes.label], annotators)
    agreed = _agreed(votes, label)
    share = found.model / (found.model + found.trust.sum() * votes.size.mean() / annotators)
    return np.where(np.isnan(agreed), given, share * given + (1 - share) * agreed)


def _agreed(votes: _Votes, label: np.ndarray) -> np.ndarray:
    """How often each annotator says what the consensus says where others rated too, (A,); nan for never."""
    says = (votes.label == label[votes.example]).astype(np.float64)
    says[~votes.several[votes.example]] = np.nan
    return _mean_by(votes.annotator, says, len(votes.annotators))


def _mean_by(code: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """The mean of the known values (r,) of each code, (size,); nan where there are none."""
    known = ~np.isnan(values)
    count = np.bincount(code[known], minlength=size)
    total = np.bincount(code[known], weights=values[known], minlength=size)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _alpha(votes: _Votes, code: np.ndarray, size: int) -> np.ndarray:
    """Krippendorff's alpha of each annotator or label, (size,); nan where nothing could differ."""
    observed, expected = disagreements(votes.example, votes.label)
    apart, chance = _mean_by(code, observed, size), _mean_by(code, expected, size)
    return np.where(chance > 0, 1 - apart / np.where(chance > 0, chance, 1.0), np.nan)


def _by_example(votes: _Votes, label: np.ndarray, quality: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "example": votes.examples,
            "label": pl.Series(values=list(votes.labels), dtype=pl.String).gather(label),
            "quality": quality,
            "agreement": _agreement(votes, label),
            "ratings": votes.size,
        }
    )


def _by_annotator(votes: _Votes, label: np.ndarray, trust: np.ndarray) -> pl.DataFrame:
    table = pl.DataFrame(
        {
            "annotator": votes.annotators,
            "quality": trust,
            "agreement": _agreed(votes, label),
            "alpha": _alpha(votes, votes.annotator, len(trust)),
            "ratings": np.bincount(votes.annotator, minlength=len(trust)),
        }
    )
    return table.sort("quality", "agreement", maintain_order=True)


def _by_label(votes: _Votes) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "label": pl.Series(values=list(votes.labels), dtype=pl.String),
            "alpha": _alpha(votes, votes.label, len(votes.labels)),
            "ratings": votes.count.sum(axis=0),
        }
    )


def _overall(votes: _Votes, level: float, seed: int) -> Estimate:
    found = krippendorff(votes.example, votes.label, level=level, rng=np.random.default_rng(seed))
    method = "Krippendorff's alpha (nominal), bootstrap over examples"
    return Estimate(found.alpha, found.interval.low, found.interval.high, level, found.units, method)
