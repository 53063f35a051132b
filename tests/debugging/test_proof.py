"""Proofs held to their error rates: what is useless is not proven, what is real is, what harms is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from holdfast.comparison.paired import compare as paired
from holdfast.core.dataset import Dataset
from holdfast.core.estimate import Estimate
from holdfast.core.guard import Checked, Guard, GuardKind, GuardStatus
from holdfast.core.predictions import Predictions
from holdfast.core.proof import ClaimKind, ClaimStatus, ProofOutcome
from holdfast.core.schema import Column, Kind, Role, Schema
from holdfast.debugging.proof import Pair, Question, Trial, prove
from holdfast.promotion.guards import check_all
from holdfast.promotion.subject import LEVEL as GUARD_LEVEL
from holdfast.promotion.subject import Subject
from holdfast.stats.tails import critical

N = 2_000  # sealed rows
PARTS = 12  # slices of about 8 % of the rows
ATTEMPTS = 10
LEVEL = 0.05 / 20  # of a ledger that must last for 20 decisions
# A target whose rows differ by less than this many standard errors is at no valid test
# significant at LEVEL, which needs 2.8; what is below it need not be asked one by one.
SCREEN = 1.5


def compare(before, after, metric, level):
    return paired(before, after, metric=metric, level=level)


def most(rate, trials):
    """The bar for an error rate: two binomial standard errors above it."""
    return rate + 2 * np.sqrt(rate * (1 - rate) / trials)


def least(rate, trials):
    return rate - 2 * np.sqrt(rate * (1 - rate) / trials)


def ids(n, prefix=""):
    return pl.Series([f"{prefix}{i}" for i in range(n)])


def losing(loss, *, model, group=None, prefix=""):
    """A model of which only each row's loss is known."""
    return Predictions.of(example=ids(len(loss), prefix), loss=loss, group=group, model=model)


def pair_of(before, after, *, group=None, prefix=""):
    return Pair(
        losing(before, model="before", group=group, prefix=prefix),
        losing(after, model="after", group=group, prefix=prefix),
    )


def yes_or_no(probability, target, *, model, prefix=""):
    """A classifier with a probability of "1" for every row."""
    return Predictions.of(
        example=ids(len(target), prefix),
        target=pl.Series(target.astype(str)),
        probability=probability,
        classes=["0", "1"],
        positive="1",
        model=model,
    )


def trial_of(sealed, inside, *, seen=None, seen_inside=None, metric="loss", **parts):
    target = Question(
        "mean loss in the slice",
        "loss",
        None if seen is None else seen.where(seen_inside),
        sealed.where(inside),
    )
    fields = {"parts": {}, "guards": (), "level": LEVEL} | parts
    return Trial(target, Question(metric, metric, seen, sealed), **fields)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def standardised(moved, group=None):
    """The sum of differences over its spread under random signs, whole clusters at a time."""
    totals = moved if group is None else np.bincount(group, moved)
    return totals.sum() / np.sqrt((totals**2).sum())


# --- useless fixes -----------------------------------------------------------------------------


def reseeded(rng, n, kind, group):
    """Losses of a model and of ATTEMPTS reseeded ones, (1 + ATTEMPTS, n), equal in distribution."""
    difficulty = rng.lognormal(0, 1, n) if kind != "even" else rng.uniform(0.5, 1.5, n)
    shape = (1 + ATTEMPTS, n)
    noise = rng.standard_t(3, shape) if kind == "heavy" else rng.normal(size=shape)
    if group is not None:
        noise = (0.7 * noise + 0.7 * rng.normal(size=(shape[0], group.max() + 1))[:, group]).clip(-4, 4)
    return difficulty * np.exp(0.25 * noise.clip(-12, 12))


def series_of_useless_fixes(kind, projects, seed):
    """How many attempts of each project come out as proven, (projects,)."""
    rng = np.random.default_rng(seed)
    return np.array([useless_project(rng, kind) for _ in range(projects)])


def useless_project(rng, kind):
    group = np.arange(N) // 4 if kind == "clusters" else None
    part, open_part = (rng.integers(0, PARTS, N if group is None else N // 4) for _ in range(2))
    if group is not None:
        part, open_part = part[group], open_part[group]
    sealed, seen = reseeded(rng, N, kind, group), reseeded(rng, N, kind, group)
    proven = 0
    for k in range(1, 1 + ATTEMPTS):
        # The finding is the worst slice on open rows, and of those the one that seems mended best.
        loss = np.bincount(open_part, seen[0]) / np.bincount(open_part)
        gain = np.bincount(open_part, seen[0] - seen[k]) / np.bincount(open_part)
        worst = np.argsort(loss)[-4:]
        inside = part == worst[np.argmax(gain[worst])]
        moved = np.where(inside, sealed[0] - sealed[k], 0.0)
        if standardised(moved, group) < SCREEN:
            continue
        pair = pair_of(sealed[0], sealed[k], group=None if group is None else pl.Series(group.astype(str)))
        proven += prove(trial_of(pair, inside), compare)[0] is ProofOutcome.PROVEN
    return proven


@pytest.mark.parametrize("kind", ["even", "skewed", "heavy", "clusters"])
def test_ten_useless_fixes_are_hardly_ever_one_that_is_proven(kind):
    found = series_of_useless_fixes(kind, 150, seed=1)
    assert (found > 0).mean() <= most(0.05, len(found))
    assert found.sum() / (len(found) * ATTEMPTS) <= most(LEVEL, len(found) * ATTEMPTS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["even", "skewed", "heavy", "clusters"])
def test_ten_useless_fixes_are_hardly_ever_one_that_is_proven_in_many_projects(kind):
    found = series_of_useless_fixes(kind, 600, seed=2)
    assert (found > 0).mean() <= most(0.05, len(found))
    assert found.sum() / (len(found) * ATTEMPTS) <= most(LEVEL, len(found) * ATTEMPTS)


def folded_booster(features, target, sealed, seed):
    """LightGBM as a run fits it, in five folds: probabilities out of fold, and the folds' mean on others."""
    import lightgbm

    options = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.1, "min_data_in_leaf": 20,
               "bagging_fraction": 0.75, "bagging_freq": 1, "feature_fraction": 0.6,
               "verbose": -1, "num_threads": 1}  # fmt: skip
    fold = np.random.default_rng(0).integers(0, 5, len(target))
    seen, means = np.zeros(len(target)), []
    for k in range(5):
        held = fold == k
        rows = lightgbm.Dataset(features[~held], target[~held])
        watched = lightgbm.Dataset(features[held], target[held], reference=rows)
        stop = lightgbm.early_stopping(30, verbose=False)
        model = lightgbm.train(
            options | {"seed": 10 * seed + k}, rows, 150, valid_sets=[watched], callbacks=[stop]
        )
        seen[held] = model.predict(features[held])
        means.append(model.predict(sealed))
    return seen, np.mean(means, axis=0)


@cache
def series_of_reseeded_boosters(splits):
    """Attempts on the digits (even against odd) that come out as proven, by series."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    X, y = digits.data, digits.target % 2
    series = []
    for split in range(splits):
        order = np.random.default_rng(split).permutation(len(y))
        o, s = order[:800], order[800:]
        fitted = [folded_booster(X[o], y[o], X[s], seed) for seed in range(1 + ATTEMPTS)]
        seen, found = (np.clip(p, 1e-6, 1 - 1e-6) for p in zip(*fitted, strict=True))
        bright = np.greater_equal(X, np.quantile(X[o], 0.9, axis=0))
        pixels = np.flatnonzero((bright.mean(axis=0) > 0.05) & (bright.mean(axis=0) < 0.25))
        series += [
            proven_series(base, (seen, found), (y[o], y[s]), (bright[o], bright[s]), pixels)
            for base in range(1 + ATTEMPTS)
        ]
    return np.array(series)


def proven_series(base, found, target, bright, pixels):
    """Every other seed in turn as the fix of one of the base's three worst slices on open rows."""
    loss = [-np.log(np.where(y, p, 1 - p)) for y, p in zip(target, found, strict=True)]
    worst = sorted(pixels, key=lambda pixel: -loss[0][base][bright[0][:, pixel]].mean())
    proven = 0
    for attempt, k in enumerate(sorted(set(range(1 + ATTEMPTS)) - {base})):
        opened, inside = (rows[:, worst[attempt % 3]] for rows in bright)
        if standardised((loss[1][base] - loss[1][k])[inside]) < SCREEN:
            continue
        seen, sealed = (
            Pair(*(yes_or_no(p[m], y, model=f"seed {m}") for m in (base, k)))
            for p, y in zip(found, target, strict=True)
        )
        trial = trial_of(sealed, inside, seen=seen, seen_inside=opened)
        proven += prove(trial, compare)[0] is ProofOutcome.PROVEN
    return proven


def test_a_reseeded_booster_is_hardly_ever_proven_to_mend_its_worst_slices():
    series = series_of_reseeded_boosters(1)
    assert series.mean() / ATTEMPTS <= most(0.05, len(series) * ATTEMPTS)


@pytest.mark.slow
def test_a_reseeded_booster_is_hardly_ever_proven_to_mend_its_worst_slices_in_many_splits():
    """Fix by fix at most 5 %; not at the level of the test, see below."""
    series = series_of_reseeded_boosters(6)
    assert series.mean() / ATTEMPTS <= 0.05


@pytest.mark.slow
@pytest.mark.xfail(
    strict=True,
    reason="the test is of two fitted models, not of two recipes: seeds truly differ in a slice, by chance",
)
def test_ten_reseeded_boosters_are_hardly_ever_one_that_is_proven():
    """Ten seeds of one booster in a row: 12 % of series where it should be 5 %.

    Seeds that do better in a slice on one half of fresh rows do so on the other half as well
    (correlation 0.04 to 0.22), and their differences spread 1.6 times as much as rows say. To
    tell a recipe from a lucky seed takes several seeds of both.
    """
    series = series_of_reseeded_boosters(6)
    assert (series > 0).mean() <= most(0.05, len(series))


# --- real fixes --------------------------------------------------------------------------------

# What must be there for LEVEL to be reached with 90 % power.
ADEQUATE = critical(1 - 2 * LEVEL) + critical(0.8)


def other_parts(rng):
    """Parts that a fix of another slice leaves alone, as the bands of ten columns are."""
    return {f"column_{k} < 0": rng.random(N) < 0.6 for k in range(10)}


def real_losses(rng):
    """A regression whose loss in 8 % of the rows falls, and moves a little elsewhere."""
    inside = rng.random(N) < 0.08
    before = rng.gamma(2, 0.5, N)
    spread = 0.4
    gain = ADEQUATE * spread / np.sqrt(inside.sum())
    moved = np.where(inside, gain + spread * rng.normal(size=N), 0.05 * rng.normal(size=N))
    return pair_of(before, before - moved), inside, "loss"


def real_probabilities(rng):
    """A classifier that is wrong by a shift of the logits in 8 % of the rows, and then right."""
    inside = rng.random(N) < 0.08
    truth = rng.normal(0, 1.2, N)
    chance = sigmoid(truth)
    # The shift at which the mean gain in log loss is ADEQUATE standard errors of it.
    shifts = np.linspace(0.2, 3, 57)[:, np.newaxis]
    wrong = sigmoid(truth[inside] + shifts)
    if_yes, if_no = np.log(chance[inside] / wrong), np.log((1 - chance[inside]) / (1 - wrong))
    gain = chance[inside] * if_yes + (1 - chance[inside]) * if_no
    spread = np.sqrt((chance[inside] * if_yes**2 + (1 - chance[inside]) * if_no**2) - gain**2)
    z = gain.mean(axis=1) * np.sqrt(inside.sum()) / np.sqrt((spread**2).mean(axis=1) + gain.var(axis=1))
    shift = float(shifts[np.argmax(z >= ADEQUATE), 0])
    target = (rng.random(N) < chance).astype(int)
    jitter = 0.02 * rng.normal(size=N)
    before = yes_or_no(sigmoid(truth + shift * inside), target, model="before")
    return Pair(before, yes_or_no(sigmoid(truth + jitter), target, model="after")), inside, "log_loss"


def share_proven(made, trials, seed):
    rng = np.random.default_rng(seed)
    proven = 0
    for _ in range(trials):
        sealed, inside, metric = made(rng)
        trial = trial_of(sealed, inside, metric=metric, parts=other_parts(rng))
        proven += prove(trial, compare)[0] is ProofOutcome.PROVEN
    return proven / trials


@pytest.mark.parametrize("made", [real_losses, real_probabilities])
def test_a_real_fix_with_adequate_power_is_proven_four_times_in_five(made):
    assert share_proven(made, 40, seed=3) >= least(0.8, 40)


@pytest.mark.slow
@pytest.mark.parametrize("made", [real_losses, real_probabilities])
def test_a_real_fix_with_adequate_power_is_proven_four_times_in_five_of_many(made):
    assert share_proven(made, 200, seed=4) >= 0.8


# --- harmful fixes -----------------------------------------------------------------------------


def harmful(rng, n, errors, part):
    """Losses before and after a fix that lifts the mean, and slice 0 most, and harms slice 1.

    The harm is `errors` standard errors of its rows.
    """
    before = rng.gamma(2, 0.5, n)
    spread = 0.3
    harm = errors * spread / np.sqrt((part == 1).sum())
    moved = 0.1 + spread * rng.normal(size=n) + 0.4 * (part == 0)
    return before, before - np.where(part == 1, moved - 0.1 - harm, moved)


def guarded(part, before, after):
    """A guard on slice 1, held against the open rows."""
    table = pl.DataFrame({"part": pl.Series(part.astype(str)), "y": np.zeros(len(part))})
    columns = (Column("part", Kind.CATEGORY, Role.FEATURE), Column("y", Kind.NUMBER, Role.TARGET))
    rows = Dataset(table, Schema(columns), before.example, np.arange(len(part), dtype=np.uint64))
    guard = Guard("ones", GuardKind.NOT_WORSE, where="part = '1'", metric="loss", reference="before")
    subject = Subject(
        predictions=after,
        compare=lambda a, b, metric, margin: paired(a, b, metric=metric, margin=margin, level=GUARD_LEVEL),
        dataset=rows,
        references={"before": before},
    )
    return check_all((guard,), subject)


def test_a_fix_that_lifts_the_mean_and_hurts_a_guarded_slice_is_refused():
    rng = np.random.default_rng(5)
    trials, outcomes = 60, []
    for _ in range(trials):
        part, seen_part = (rng.integers(0, PARTS, N) for _ in range(2))
        # Harm that a one-sided test at 5 % sees 98 times in 100; too little for sealed rows alone.
        seen = pair_of(*harmful(rng, N, 1.645 + 2.054, seen_part), prefix="open")
        sealed = pair_of(*harmful(rng, N, 1.645 + 2.054, part))
        checked = guarded(seen_part, seen.before, seen.after)
        trial = trial_of(sealed, part == 0, seen=seen, seen_inside=seen_part == 0, guards=checked)
        outcome, claims, why = prove(trial, compare)
        if checked[0].status is GuardStatus.FAILED:
            assert outcome is ProofOutcome.HARMFUL
            assert "guard ones" in why
        outcomes.append(outcome)
        means = [one.open for one in claims if one.kind is not ClaimKind.GUARD and one.open.known]
        assert all(mean.value > 0 for mean in means)  # a mean would not tell
    assert np.mean([one is not ProofOutcome.PROVEN for one in outcomes]) >= least(0.95, trials)


def share_refused(trials, seed, errors):
    rng = np.random.default_rng(seed)
    refused = 0
    for _ in range(trials):
        part = rng.integers(0, PARTS, N)
        sealed = pair_of(*harmful(rng, N, errors, part))
        parts = {f"part = '{k}'": part == k for k in (0, 1, 2)} | other_parts(rng)
        refused += prove(trial_of(sealed, part == 0, parts=parts), compare)[0] is not ProofOutcome.PROVEN
    return refused / trials


def test_a_fix_that_lifts_the_mean_and_hurts_another_part_is_refused():
    # Holm over 13 parts asks for 2.67 standard errors.
    assert share_refused(40, 6, errors=2.67 + 2.054) >= least(0.95, 40)


def test_without_harm_the_same_fix_is_proven():
    rng = np.random.default_rng(7)
    part = rng.integers(0, PARTS, N)
    before, after = harmful(rng, N, 0.0, part)
    trial = trial_of(pair_of(before, after), part == 0, parts={"part = '1'": part == 1})
    outcome, claims, _ = prove(trial, compare)
    assert outcome is ProofOutcome.PROVEN
    assert all(claim.sealed is not None and claim.sealed.known for claim in claims)


@pytest.mark.parametrize(
    ("status", "power", "outcome"),
    [
        (GuardStatus.PASSED, 0.9, ProofOutcome.PROVEN),
        (GuardStatus.FAILED, None, ProofOutcome.HARMFUL),
        (GuardStatus.UNDECIDED, 0.9, ProofOutcome.NOT_PROVEN),  # it could have been shown
        (GuardStatus.UNDECIDED, 0.3, ProofOutcome.PROVEN),
        (GuardStatus.UNDECIDED, None, ProofOutcome.PROVEN),
    ],
)
def test_a_guard_stops_a_proof_when_it_fails_or_could_have_been_shown_and_is_not(status, power, outcome):
    rng = np.random.default_rng(8)
    part = rng.integers(0, PARTS, N)
    guard = Guard("ones", GuardKind.NOT_WORSE, metric="loss", reference="before", power=power)
    checked = Checked(guard, status, Estimate(-0.1, -0.2, 0.0, 0.9, N), "made up")
    trial = trial_of(pair_of(*harmful(rng, N, 0.0, part)), part == 0, guards=(checked,))
    assert prove(trial, compare)[0] is outcome


# --- what a refusal tells ----------------------------------------------------------------------


def test_a_refusal_is_the_same_whatever_the_sealed_rows_say():
    """One bit, or an adversary learns the sealed rows a part at a time."""
    rng = np.random.default_rng(9)
    part, seen_part = (rng.integers(0, 4, N) for _ in range(2))
    seen_before = rng.gamma(2, 0.5, N)
    seen = pair_of(seen_before, seen_before + 0.3 * rng.normal(size=N), prefix="open")
    told = set()
    for shift in (-0.2, -0.02, -0.005, 0.0, 0.005, 0.02, 0.2):  # from plain harm to plainly no target
        before = rng.gamma(2, 0.5, N) * (1 + abs(shift))
        moved = shift + rng.choice([0.02, 0.3]) * rng.normal(size=N)
        sealed = pair_of(before, before - np.where(part == 0, moved - moved[part == 0].mean(), moved))
        trial = trial_of(
            sealed, part == 0, seen=seen, seen_inside=seen_part == 0,
            parts={f"part = '{k}'": part == k for k in range(4)},
            open_parts={f"part = '{k}'": seen_part == k for k in range(4)},
        )  # fmt: skip
        outcome, claims, why = prove(trial, compare)
        assert outcome is ProofOutcome.NOT_PROVEN
        told.add((claims, why))
    assert len(told) == 1


def test_what_open_rows_show_to_be_worse_is_named_as_harmful():
    rng = np.random.default_rng(10)
    part, seen_part = (rng.integers(0, 4, N) for _ in range(2))
    made = [
        pair_of(before, before + 0.3 * (where == 2) + 0.1 * rng.normal(size=N), prefix=name)
        for where, name, before in (
            (seen_part, "open", rng.gamma(2, 0.5, N)),
            (part, "sealed", rng.gamma(2, 0.5, N)),
        )
    ]
    trial = trial_of(
        made[1], part == 0, seen=made[0], seen_inside=seen_part == 0,
        parts={f"part = '{k}'": part == k for k in range(4)},
        open_parts={f"part = '{k}'": seen_part == k for k in range(4)},
    )  # fmt: skip
    outcome, claims, why = prove(trial, compare)
    assert outcome is ProofOutcome.HARMFUL
    assert "on open rows" in why
    assert [c.name for c in claims if c.kind is ClaimKind.SLICE and c.status is ClaimStatus.HARMED] == [
        "part = '2'"
    ]
    assert all(claim.sealed is None for claim in claims)


def doubted(gain):
    """The target's claim, and why, where open rows show a gain so small among so much noise."""
    rng = np.random.default_rng(11)
    part, seen_part = (rng.integers(0, PARTS, N) for _ in range(2))
    before, (noise, other) = rng.gamma(2, 0.5, N), 0.5 * rng.normal(size=(2, N))
    noise[seen_part == 0] -= noise[seen_part == 0].mean() + gain
    seen, sealed = pair_of(before, before + noise, prefix="open"), pair_of(before, before + other)
    trial = trial_of(sealed, part == 0, seen=seen, seen_inside=seen_part == 0)
    _, (target, main, *_), why = prove(trial, compare)
    return target, main, why


def test_too_few_rows_are_told_by_what_open_rows_gain_and_spread():
    target, main, why = doubted(gain=0.02)
    needed = ((critical(1 - 2 * LEVEL) + critical(0.6)) * 0.5 / 0.02) ** 2  # 80 % power, by hand
    assert target.needed == pytest.approx(needed, rel=0.25)
    more = max(claim.needed - claim.rows for claim in (target, main) if claim.needed)
    assert f"{more:,} more would tell, were open rows right" in why


def test_no_number_of_rows_would_show_a_gain_that_open_rows_do_not_have():
    target, _, _ = doubted(gain=-0.02)
    assert target.needed is None


def test_a_cost_is_told_by_open_rows_and_decides_nothing():
    rng = np.random.default_rng(12)
    inside = np.arange(N) < 150
    before = rng.gamma(2, 0.5, N)
    better = pair_of(before, before - np.where(inside, 0.5, 0.001 * rng.normal(size=N)))
    trial = trial_of(better, inside)
    worse = pair_of(before, before + 0.1 * rng.random(N), prefix="open")
    outcome, claims, _ = prove(replace(trial, cost=Question("cost", "loss", worse, better)), compare)
    assert outcome is ProofOutcome.PROVEN
    (cost,) = [claim for claim in claims if claim.kind is ClaimKind.COST]
    assert (cost.status, cost.sealed) == (ClaimStatus.HARMED, None) and cost.open.high < 0


def test_a_proof_needs_the_main_metric_shown_to_be_no_worse():
    rng = np.random.default_rng(12)
    inside = np.arange(N) < 150
    before = rng.gamma(2, 0.5, N)
    noise = 2 * rng.normal(size=N)
    sure = pair_of(before, before - np.where(inside, 0.5, 0.001 * noise))
    unsure = pair_of(before, before - np.where(inside, 0.5, noise - noise[~inside].mean() - 0.04))
    assert prove(trial_of(sure, inside), compare)[0] is ProofOutcome.PROVEN
    assert prove(trial_of(unsure, inside), compare)[0] is ProofOutcome.NOT_PROVEN
