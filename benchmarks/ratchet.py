"""The ratchet held to its word: what a search gets past the gate, and what comes out as proven.

Every trial is a simulation in which the truth is known. The champion of a search knows the true
mean of every row, so that whatever is released in its place is worse. A useless fix is another
seed of the same noise; a real one mends a slice by what its test sees nine times in ten.

usage: python -m benchmarks.ratchet
"""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.speed import Figure
from holdfast.comparison.ledger import Ledger
from holdfast.comparison.paired import compare
from holdfast.core.predictions import Predictions
from holdfast.core.proof import ProofOutcome
from holdfast.core.verdict import Verdict
from holdfast.debugging.proof import Pair, Question, Trial, prove
from holdfast.promotion.gate import passes
from holdfast.stats.tails import critical

CANDIDATES, DECISIONS, ALPHA = 200, 20, 0.05
ROWS, OPEN_ROWS, COLUMNS = 1_500, 3_000, 15
ATTEMPTS, PARTS = 10, 12
STEP = 0.02  # of a candidate away from the truth
# In standard errors: what is less is significant at no level used here, and is not asked one by one.
SCREEN = 1.4
IDS = pl.Series([f"row-{i}" for i in range(ROWS)])


def bar(rate: float, trials: int) -> float:
    """A stated error rate and two binomial standard errors."""
    return float(rate + 2 * np.sqrt(rate * (1 - rate) / trials))


def losing(loss: np.ndarray, model: str) -> Predictions:
    """A model of which each row's loss is known."""
    return Predictions.of(example=IDS, loss=loss, model=model)


def opens(champion: np.ndarray, gain: np.ndarray, level: float) -> bool:
    """Whether the gate opens for a candidate whose rows lose `gain` less than the champion's."""
    if gain.mean() < SCREEN * gain.std() / np.sqrt(len(gain)):
        return False
    pair = losing(champion, "champion"), losing(champion - gain, "candidate")
    return bool(passes(compare(*pair, metric="loss", level=1 - 2 * level), carries_proof=False))


def unit(direction: np.ndarray) -> np.ndarray:
    return STEP * direction / np.linalg.norm(direction, axis=-1, keepdims=True)


class World:
    """Rows of a regression, of which the champion knows the true mean: features and what they do not tell."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.features, self.seen = (self.rng.normal(size=(n, COLUMNS)) for n in (ROWS, OPEN_ROWS))
        self.noise, self.seen_noise = (self.rng.standard_t(5, n) for n in (ROWS, OPEN_ROWS))

    def gain(self, direction: np.ndarray) -> np.ndarray:
        """The champion's squared error less that of a candidate, by sealed row."""
        step = self.features @ direction
        return 2 * step * self.noise - step**2

    def open_scores(self, directions: np.ndarray) -> np.ndarray:
        """Mean gain of candidates (m, d) on open rows, (m,)."""
        steps = directions @ self.seen.T
        return np.asarray((2 * steps * self.seen_noise - steps**2).mean(axis=1))

    def released(self, direction: np.ndarray, level: float) -> bool:
        return opens(self.noise**2, self.gain(direction), level)


def searched(seed: int, ledger: Ledger | None) -> bool:
    """Whether a search gets a worse model released: it climbs by open scores, and away from every no.

    Without a ledger each of its CANDIDATES is tested at ALPHA.
    """
    world, charged = World(seed), ledger
    rng = world.rng
    decisions = ledger.budget if ledger else CANDIDATES
    at = unit(rng.normal(size=COLUMNS))
    for _ in range(decisions):
        steps = unit(at + 0.7 * STEP * rng.normal(size=(CANDIDATES // decisions, COLUMNS)))
        best = steps[np.argmax(world.open_scores(steps))]
        charged = charged.charge(IDS) if charged else None
        if world.released(best, charged.level if charged else ALPHA):
            return True
        at = -best if rng.random() < 0.5 else unit(rng.normal(size=COLUMNS))
    return False


def assembled(seed: int, bits: bool) -> bool:
    """Whether 19 answers that show more than "no" make a worse model pass with the 20th.

    Shown are sealed means, or just whether each lies above 0 (`bits`); the model that is put to the
    gate is the sum of what was tried, each by what was shown of it.
    """
    world = World(seed)
    tried = unit(world.rng.normal(size=(DECISIONS - 1, COLUMNS)))
    shown = np.array([world.gain(one).mean() for one in tried])
    weights = np.sign(shown) if bits else shown
    return world.released(unit(weights @ tried), ALPHA / DECISIONS)


def gate(trials: int = 1_000, few: int = 100) -> list[Figure]:
    """A worse model released: with the ledger, without, and where answers showed numbers."""
    ledger = Ledger(DECISIONS, ALPHA)
    with_it = float(np.mean([searched(seed, ledger) for seed in range(trials)]))
    without = float(np.mean([searched(seed, None) for seed in range(few)]))
    numbers, signs = (float(np.mean([assembled(s, bits) for s in range(few)])) for bits in (False, True))
    return [
        Figure(
            f"a search of {CANDIDATES} candidates, none better than the champion, gets one released",
            f"{with_it:.1%} of {trials:,} searches, with a ledger of {DECISIONS} decisions",
            f"held to {ALPHA:.0%} (bar {bar(ALPHA, trials):.1%}); without the ledger, each tested at "
            f"{ALPHA:.0%}: {without:.0%} of {few}",
            with_it <= bar(ALPHA, trials) < without,
        ),
        Figure(
            "the same, by an adversary who puts a model together from 19 answers that showed sealed numbers",
            f"{numbers:.0%} of {few}; from 19 that showed only better or worse, {signs:.0%}",
            "not held to a bar: why a refusal says no more than no, and what --override and scores on "
            "sealed rows cost",
        ),
    ]


def judge(before: Predictions, after: Predictions, metric: str, level: float) -> Verdict:
    return compare(before, after, metric=metric, level=level)


def proven(before: np.ndarray, after: np.ndarray, inside: np.ndarray) -> bool:
    """Whether a fix of a slice comes out as proven."""
    moved = (before - after)[inside]
    if moved.sum() < SCREEN * np.sqrt((moved**2).sum()):
        return False
    pair = Pair(losing(before, "before"), losing(after, "after"))
    target = Question("mean loss in the slice", "loss", None, pair.where(inside))
    trial = Trial(target, Question("loss", "loss", None, pair), {}, (), ALPHA / DECISIONS)
    return prove(trial, judge)[0] is ProofOutcome.PROVEN


def useless(seed: int) -> int:
    """How many of ATTEMPTS reseeded models are proven, each to mend what is worst on open rows."""
    rng = np.random.default_rng(seed)
    difficulty = rng.lognormal(0, 1, (2, ROWS))
    losses = difficulty * np.exp(0.25 * rng.standard_t(3, (1 + ATTEMPTS, 2, ROWS)).clip(-12, 12))
    part, seen_part = rng.integers(0, PARTS, (2, ROWS))
    worst = np.argsort(np.bincount(seen_part, losses[0, 1]) / np.bincount(seen_part))
    return sum(proven(losses[0, 0], losses[k, 0], part == worst[-1 - k % 3]) for k in range(1, 1 + ATTEMPTS))


def real(seed: int) -> bool:
    """Whether a fix that mends 8 % of the rows, as far as 90 % power needs, is proven."""
    rng = np.random.default_rng(seed)
    inside, spread = rng.random(ROWS) < 0.08, 0.4
    mended = (critical(1 - 2 * ALPHA / DECISIONS) + critical(0.8)) * spread / np.sqrt(inside.sum())
    before = rng.gamma(2, 0.5, ROWS)
    moved = np.where(inside, mended + spread * rng.normal(size=ROWS), 0.05 * rng.normal(size=ROWS))
    return proven(before, before - moved, inside)


def proofs(projects: int = 600, fixes: int = 400) -> list[Figure]:
    """Useless fixes that are proven, and real ones."""
    found = np.array([useless(seed) for seed in range(projects)])
    share = float(np.mean([real(seed) for seed in range(fixes)]))
    series, each = float((found > 0).mean()), float(found.mean()) / ATTEMPTS
    return [
        Figure(
            f"{ATTEMPTS} useless fixes (other seeds) of a model's worst slices: any comes out as proven",
            f"{series:.1%} of {projects:,} projects, {each:.2%} of all fixes",
            f"held to {ALPHA:.0%} of projects (bar {bar(ALPHA, projects):.1%})",
            series <= bar(ALPHA, projects),
        ),
        Figure(
            "a real fix of 8 % of the rows, whose test has 90 % power, comes out as proven",
            f"{share:.0%} of {fixes}",
            "held to 80 %",
            share >= 0.8,
        ),
    ]


def measure() -> list[Figure]:
    """Measure everything here, in the order of the page."""
    return [*gate(), *proofs()]
