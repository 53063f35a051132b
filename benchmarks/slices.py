"""How fast weak slices are found: the exact search on a large table, and beside DataDome's sliceline."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.speed import Figure, printed, timed

ADULT = Path(__file__).parents[2] / "shared" / "data" / "adult_income" / "train.csv.gz"
PEER = Path(__file__).parent / ".envs" / "sliceline" / "bin" / "python"
TOP, ALPHA, DEEPEST = 10, 0.95, 3


def large() -> Figure:
    """The search alone: 1,000,000 rows, 20 columns of two to ten levels, all triples that are large enough."""
    script = """
import resource, time
import numpy as np
from holdfast.debugging.lattice import Aim, top_slices
rng = np.random.default_rng(0)
n = 1_000_000
seconds = []
for levels in ([2], [10], [2, 3, 5, 10]):
    codes = np.stack([rng.integers(0, levels[k % len(levels)], n) for k in range(20)], axis=1).astype(np.int16)
    loss = rng.exponential(size=n) * np.where((codes[:, 3] == 1) & (codes[:, 4] == 0), 2.0, 1.0)
    started = time.perf_counter()
    top_slices(codes, loss, Aim(top=1000, support=n / 100, alpha=0.99))
    seconds.append(time.perf_counter() - started)
print(*seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)
"""
    *seconds, gigabytes = map(float, printed(script).split())
    two, ten, mixed = seconds
    return Figure(
        "the 1,000 best slices of up to 3 predicates, 1,000,000 rows x 20 columns, support 1 %",
        f"{mixed:.1f} s with 2 to 10 levels a column (only 2: {two:.1f} s, only 10: {ten:.1f} s), "
        f"one thread, {gigabytes:.2f} GB at most (inputs included)",
        "held to 15 s on two cores",
        max(seconds) < 15,
    )


def whole() -> Figure:
    """`slices` from a table in memory to findings: bins, search, merging, confirmation."""
    script = """
import resource, time
import numpy as np
import polars as pl
from holdfast.core.predictions import Predictions
from holdfast.data.read import read
from holdfast.debugging.slices import slices
rng = np.random.default_rng(0)
n = 1_000_000
table = {f"number_{k}": rng.normal(size=n).round(3) for k in range(10)}
table |= {f"count_{k}": rng.poisson(2, n) for k in range(4)}
table |= {f"word_{k}": rng.choice(["red", "green", "blue", "grey", "black"], n) for k in range(6)}
weak = (table["word_0"] == "red") & (table["number_0"] < -0.5)
probability = 1 / (1 + np.exp(-rng.normal(size=n)))
target = rng.random(n) < np.where(weak, 1 - probability, probability)
table["y"] = np.where(target, "yes", "no")
data = read(pl.DataFrame(table), target="y")
p = Predictions.of(example=data.example, target=data.target, probability=probability, positive="yes")
started = time.perf_counter()
found = slices(data, p)
seconds = time.perf_counter() - started
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, len(found))
"""
    seconds, gigabytes, found = map(float, printed(script).split())
    return Figure(
        "find.slices, 1,000,000 rows x 20 columns: bins, search, merging, confirmation",
        f"{seconds:.1f} s, {gigabytes:.2f} GB at most (inputs included); {found:.0f} planted slice found",
        "held to 15 s",
        seconds < 15 and found == 1,
    )


def adult() -> Figure | None:
    """Adult, side by side with sliceline: the same levels, losses, alpha, support and depth."""
    if not ADULT.exists():
        return None
    codes, loss = adult_levels()
    support = -(-len(loss) // 100)

    from holdfast.debugging.lattice import Aim, top_slices

    aim = Aim(top=TOP, support=support, alpha=ALPHA, deepest=DEEPEST)
    ours = timed(lambda: top_slices(codes, loss, aim))
    best = [one.score for one in top_slices(codes, loss, aim)]
    theirs = sliceline(codes, loss, support)
    against = "held to 1 s; sliceline is not installed (make bench-peers)"
    if theirs is not None:
        seconds, scores = theirs
        same = "the same scores" if np.allclose(scores[:TOP], best) else "other scores"
        against = f"sliceline with numba {seconds:.1f} s, {same}: {seconds / ours:,.0f} times as long"
    return Figure(
        f"the {TOP} best slices of Adult, {len(loss):,} rows x {codes.shape[1]} columns, 3 predicates",
        f"{ours:.2f} s",
        against,
        ours < 1 and (theirs is None or theirs[0] / ours >= 10),
    )


def adult_levels() -> tuple[np.ndarray, np.ndarray]:
    """Our bins of Adult, from 0 on, and the log loss of a logistic model out of fold."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.preprocessing import OneHotEncoder

    from holdfast.core.assemble import log_loss
    from holdfast.data.read import read
    from holdfast.debugging.predicates import predicates

    data = read(ADULT, target="class")
    binned = predicates(data, -(-len(data) // 100))
    # Rows without a predicate get a level of their own, which sliceline has no other word for.
    codes = binned.codes - binned.codes.min(axis=0)
    target = (data.target == data.target.max()).cast(pl.Int64).to_numpy()
    features = OneHotEncoder().fit_transform(codes)
    model = LogisticRegression(max_iter=1000)
    probability = cross_val_predict(model, features, target, cv=5, method="predict_proba")
    return codes, log_loss(target, probability)


def sliceline(codes: np.ndarray, loss: np.ndarray, support: int) -> tuple[float, list[float]] | None:
    """Seconds and best scores of DataDome's sliceline; None without its environment."""
    if not PEER.exists():
        return None
    script = Path(__file__).parent / "peers" / "run_sliceline.py"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.npz"
        np.savez(file, codes=codes, loss=loss)
        arguments = (str(value) for value in (file, TOP, support, ALPHA, DEEPEST))
        done = subprocess.run(
            [str(PEER), str(script), *arguments], check=True, capture_output=True, text=True
        )
    seconds, *scores = map(float, done.stdout.split())
    return seconds, scores


def measure() -> list[Figure]:
    """Measure everything here, in the order of the page."""
    return [figure for figure in (large(), whole(), adult()) if figure is not None]
