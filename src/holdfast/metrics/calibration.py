"""How well predicted probabilities agree with observed frequencies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.core.curves import Reliability
from holdfast.core.estimate import Estimate
from holdfast.core.predictions import Predictions
from holdfast.errors import PredictionsError
from holdfast.metrics.setting import Setting
from holdfast.stats.bootstrap import blocks_of, bootstrap_sums
from holdfast.stats.folded import folded_normal_mean
from holdfast.stats.interval import Interval, wilson

_BINS = 15
_FEWEST_ROWS = 10  # in a bin, on average
_REPLICATES = 500
_BLOCKS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """Shares of the rows, mean prediction, observed frequency and effective rows of bins, each (..., b)."""

    share: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    rows: np.ndarray

    @staticmethod
    def of_sums(sums: np.ndarray) -> _Bins:
        """From sums (4, ..., b): weight, squared weight, weighted prediction, weighted outcome."""
        weight, squared, predicted, observed = sums
        filled = np.maximum(weight, np.finfo(np.float64).tiny)
        share = weight / weight.sum(axis=-1, keepdims=True)
        rows = np.maximum(filled**2 / np.maximum(squared, np.finfo(np.float64).tiny), 1.0)
        return _Bins(share, predicted / filled, observed / filled, rows)

    def error(self) -> np.ndarray:
        """The plain expected calibration error, shape (...)."""
        return np.asarray((self.share * np.abs(self.observed - self.predicted)).sum(axis=-1))

    def debiased(self) -> np.ndarray:
        """The error less what sampling adds when it is repeated, not below 0 (after Kumar et al. 2019).

        Drawing the observed frequencies once more adds about as much as was added before.
        """
        spread = np.sqrt(self.observed * (1 - self.observed) / self.rows)
        again = folded_normal_mean(self.observed - self.predicted, spread)
        return np.asarray(np.maximum(2 * self.error() - (self.share * again).sum(axis=-1), 0.0))


def reliability(
    p: Predictions, label: str | None = None, *, level: float = 0.95, seed: int = 0
) -> Reliability:
    """Predicted against observed frequency of one class (default: the positive one) in equal-mass bins.

    `error` is the debiased expected calibration error in [0, 1], lower is better, with a
    basic bootstrap interval; `reference` is what calibrated predictions with these
    scores would show on as many rows. Weights and groups are respected.
    """
    p, label = p.known, label if label is not None else p.header.positive
    if p.probability is None or label is None or not len(p):
        raise PredictionsError(
            "A reliability curve needs probabilities, a class and rows with a known target."
        )
    setting = Setting(level, seed)
    code = p.header.classes.index(label)
    score = p.probability[:, code].astype(np.float64)
    bin_of, size = _bins(score)
    weight = p.weights
    outcome = (p.target_codes == code).astype(np.float64)
    columns = (weight, weight**2, weight * score, weight * outcome)
    sums = np.stack([np.bincount(bin_of, weights=column, minlength=size) for column in columns])
    bins = _Bins.of_sums(sums)
    calibrated = _if_calibrated(bins, setting.rng())
    bounds = [wilson(y * n, n, level) for y, n in zip(bins.observed, bins.rows, strict=True)]
    return Reliability(
        label=label,
        predicted=bins.predicted,
        observed=bins.observed,
        observed_low=np.array([bound.low for bound in bounds]),
        observed_high=np.array([bound.high for bound in bounds]),
        count=np.bincount(bin_of, minlength=size),
        error=_error(bins, _by_block(bin_of, columns, size, p, setting), calibrated, p, setting),
        reference=float(calibrated.mean()),
    )


def _bins(score: np.ndarray) -> tuple[np.ndarray, int]:
    """Each row's bin, and how many there are; equal scores share one."""
    wanted = int(np.clip(len(score) // _FEWEST_ROWS, 1, _BINS))
    edges = np.unique(np.quantile(score, np.linspace(0, 1, wanted + 1)[1:-1]))
    found, bin_of = np.unique(np.searchsorted(edges, score, side="right"), return_inverse=True)
    return bin_of, len(found)


def _by_block(
    bin_of: np.ndarray, columns: tuple[np.ndarray, ...], size: int, p: Predictions, setting: Setting
) -> np.ndarray:
    """The bins' sums in each of up to 1,000 random blocks of rows (or groups), shape (4 b, blocks)."""
    block = blocks_of(len(p), setting.rng(), blocks=_BLOCKS, groups=p.group_codes)
    blocks = int(block.max()) + 1
    joint = bin_of * blocks + block
    return np.concatenate(
        [
            np.bincount(joint, weights=column, minlength=size * blocks).reshape(size, blocks)
            for column in columns
        ]
    )


def _error(
    bins: _Bins, by_block: np.ndarray, calibrated: np.ndarray, p: Predictions, setting: Setting
) -> Estimate:
    value = float(bins.debiased())
    drawn = bootstrap_sums(by_block, replicates=_REPLICATES, rng=setting.rng())
    again = _Bins.of_sums(np.moveaxis(drawn.reshape(4, -1, _REPLICATES), 1, 2))
    # In the bootstrap's world the truth is the plain error that was seen.
    off = again.debiased() - bins.error()
    tail = (1 - setting.level) / 2
    far, near = np.quantile(off, [1 - tail, tail])
    # 0 is a boundary, where the bootstrap fails: ask what no error at all would show.
    within = value <= np.quantile(calibrated, 1 - tail)
    low = 0.0 if within else float(np.clip(value - far, 0, value))
    interval = Interval(low, float(np.clip(value - near, value, 1)))
    return setting.estimate(value, interval, p, "debiased, basic bootstrap")


def _if_calibrated(bins: _Bins, rng: np.random.Generator) -> np.ndarray:
    """Debiased errors, shape (R,), of rows whose outcomes are drawn from the predictions themselves."""
    rows = np.maximum(bins.rows.round().astype(np.int64), 1)
    observed = rng.binomial(rows, np.clip(bins.predicted, 0, 1), size=(_REPLICATES, len(rows))) / rows
    return _Bins(bins.share, bins.predicted, observed, bins.rows).debiased()
