"""How fast: each figure beside its peer's, measured in the same run.

Every function measures one thing and gives one Figure. Times are medians of several
runs in this process, or of whole processes where start-up counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

PYTHON = sys.executable
FIGURES = Path(__file__).parent / "out" / "speed.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, the figure, what it was held to or measured against."""

    what: str
    ours: str
    against: str
    met: bool | None = None


def timed(work: Callable[[], object], *, runs: int = 5) -> float:
    """Median wall seconds of a call, after one that is not counted."""
    work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def process(*arguments: str, runs: int = 7, cwd: Path | None = None) -> float:
    """Median wall seconds of a Python process with these arguments."""

    def call() -> None:
        subprocess.run([PYTHON, *arguments], check=True, capture_output=True, cwd=cwd)

    return timed(call, runs=runs)


def printed(script: str) -> str:
    """What a Python process of its own prints that runs this script."""
    return subprocess.run([PYTHON, "-c", script], check=True, capture_output=True, text=True).stdout


def bootstrap() -> Figure:
    """10,000 paired replicates of F1 for two models on 1,000,000 rows, against scipy's."""
    from scipy import stats
    from sklearn.metrics import f1_score

    from holdfast.comparison.paired import compare
    from holdfast.core.predictions import Predictions

    rng = np.random.default_rng(0)
    n = 1_000_000
    target = rng.random(n) < 0.3
    a, b = (np.where(rng.random(n) < 0.85, target, ~target) for _ in range(2))
    ours = timed(lambda: replicates_of_f1(target, a, b, 10_000))

    def difference(t: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
        return float(f1_score(t, y) - f1_score(t, x))

    few = 4
    started = time.perf_counter()
    stats.bootstrap(
        (target, a, b), difference, paired=True, vectorized=False, n_resamples=few, method="percentile"
    )
    theirs = (time.perf_counter() - started) / (few + 1) * 10_000
    ids = np.arange(n)
    first, second = (
        Predictions.of(
            example=ids, target=target.astype(int), prediction=p.astype(int), classes=[0, 1], model=m
        )
        for p, m in ((a, "a"), (b, "b"))
    )
    whole = timed(lambda: compare(first, second, metric="f1"), runs=3)
    return Figure(
        "10,000 paired bootstrap replicates of F1, two models, 1,000,000 rows",
        f"{ours * 1000:.0f} ms (the whole `compare`, with matching by id and permutation p: {whole:.2f} s)",
        f"scipy.stats.bootstrap {theirs / 60:.0f} min ({few} timed, scaled): {theirs / ours:,.0f} times as long",
        ours < 0.1 and theirs / ours > 1000,
    )


def replicates_of_f1(target: np.ndarray, a: np.ndarray, b: np.ndarray, replicates: int) -> np.ndarray:
    """Differences of F1 over resamples of rows, from bare arrays to the replicates."""
    from holdfast.stats.cells import bootstrap as resample
    from holdfast.stats.cells import cells_of

    cells = cells_of(target.astype(np.int64), a.astype(np.int64), b.astype(np.int64))
    truth = cells.codes[:, 0] == 1

    def difference(counts: np.ndarray) -> np.ndarray:
        values = []
        for k in (1, 2):
            said = cells.codes[:, k] == 1
            hit, wrong = counts[..., truth & said].sum(-1), counts[..., truth != said].sum(-1)
            values.append(2 * hit / (2 * hit + wrong))
        return np.asarray(values[1] - values[0])

    return resample(cells, difference, replicates=replicates, rng=np.random.default_rng(0))


def many_models() -> Figure:
    """`compare` of ten models on 1,000,000 rows: AUC by DeLong and F1, Holm over 45 pairs each."""
    script = """
import resource, time
import numpy as np
import polars as pl
from holdfast.core.predictions import Predictions
from holdfast.comparison.many import compare_all
rng = np.random.default_rng(0)
n = 1_000_000
target = (rng.random(n) < 0.3).astype(np.int64)
ids, labels = (pl.Series(values=values).cast(pl.String) for values in (np.arange(n), target))
models = []
for k in range(10):
    score = 1 / (1 + np.exp(-(1.2 * target - 0.8 + rng.normal(size=n) * (1 + 0.02 * k)))).astype(np.float32)
    name = f"m{k}"
    models.append(Predictions.of(example=ids, target=labels, probability=score, classes=[0, 1], model=name))
started = time.perf_counter()
auc = compare_all(models, metric="auc")
f1 = compare_all(models, metric="f1")
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)
"""
    seconds, gigabytes = map(float, printed(script).split())
    return Figure(
        "compare 10 models on 1,000,000 rows: AUC (DeLong) and F1, Holm over 45 pairs",
        f"{seconds:.1f} s, {gigabytes:.2f} GB at most (inputs included)",
        "held to 10 s and 1 GB",
        seconds < 10 and gigabytes < 1,
    )


def start_up() -> list[Figure]:
    """Help, import, and a comparison of two files, each a whole process."""
    bare = process("-c", "pass")
    help_seconds = process("-m", "holdfast", "--help")
    importing = process("-c", "import holdfast")
    folder = Path(tempfile.mkdtemp())
    rng = np.random.default_rng(0)
    target = rng.random(10_000) < 0.3
    for name in "ab":
        score = np.clip(0.3 * target + rng.random(10_000) * 0.7, 0, 1)
        pl.DataFrame(
            {
                "example": np.arange(10_000),
                "target": target,
                "probability_False": 1 - score,
                "probability_True": score,
            }
        ).write_parquet(folder / f"{name}.parquet")
    comparing = process("-m", "holdfast", "compare", str(folder / "a.parquet"), str(folder / "b.parquet"))
    started = f"an empty Python process takes {bare * 1000:.0f} ms"
    return [
        Figure(
            "holdfast --help",
            f"{help_seconds * 1000:.0f} ms",
            f"held to 250 ms; {started}",
            help_seconds < 0.25,
        ),
        Figure(
            "import holdfast", f"{importing * 1000:.0f} ms", f"held to 200 ms; {started}", importing < 0.2
        ),
        Figure(
            "holdfast compare a.parquet b.parquet, 10,000 rows each",
            f"{comparing * 1000:.0f} ms",
            f"held to 1,000 ms; {started}",
            comparing < 1.0,
        ),
    ]


def logging() -> list[Figure]:
    """A new project, and one record of a user's own loop, durable at the end."""
    script = """
import time, tempfile
import holdfast as hf
folder = tempfile.mkdtemp()
started = time.perf_counter()
hf.log({"loss": 1.0}, run="r", step=0, project=folder)
from holdfast.store.logs import close_log
from holdfast.store.store import open_store
store = open_store(folder)
assert not close_log(store)
created = time.perf_counter() - started
started = time.perf_counter()
n = 5000
for step in range(n):
    hf.log({"loss": 1.0 / (step + 1)}, run="s", step=step, project=folder)
assert not close_log(store)
print(created, (time.perf_counter() - started) / n)
"""
    created, each = map(float, printed(script).split())
    peer = mlflow()
    against = ("", "") if peer is None else tuple(f"; mlflow {seconds * 1e3:,.0f} ms" for seconds in peer)
    return [
        Figure(
            "a new project and its first record", f"{created:.2f} s", f"held to 1 s{against[0]}", created < 1
        ),
        Figure(
            "hf.log of one record, amortised over 5,000 and written through",
            f"{each * 1e6:.0f} us",
            f"held to 1 ms{against[1]}",
            each < 1e-3,
        ),
    ]


def mlflow() -> tuple[float, float] | None:
    """Seconds that mlflow takes for a new experiment and for one metric; None without its environment."""
    python = Path(__file__).parent / ".envs" / "mlflow" / "bin" / "python"
    if not python.exists():
        return None
    script = Path(__file__).parent / "peers" / "run_mlflow.py"
    done = subprocess.run([str(python), str(script)], check=True, capture_output=True, text=True)
    created, each = map(float, done.stdout.split()[-2:])
    return created, each


def one_row() -> Figure:
    """One row of raw cells through one exported booster, against the scikit-learn pipeline."""
    import lightgbm
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    import holdfast as hf

    rng = np.random.default_rng(0)
    n = 5_000
    table = {f"number_{k}": rng.normal(size=n).round(3) for k in range(12)}
    table |= {f"word_{k}": rng.choice(["red", "green", "blue", "grey"], n) for k in range(8)}
    table["answer"] = np.where(
        table["number_0"] + (table["word_0"] == "red") + rng.normal(size=n) > 0.5, "yes", "no"
    )
    frame = pl.DataFrame(table)
    run = hf.train(frame, target="answer", learners=["lightgbm"], sealed=0)
    fold = single_member(run)
    cells = {name: str(value) for name, value in frame.drop("answer").row(0, named=True).items()}
    ours = latency(lambda: fold.predict_rows([cells]))
    served = latency(lambda: run.model.predict_rows([cells]))
    rows = pd.DataFrame(table)
    words = [name for name in rows if name.startswith("word")]
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), remainder="passthrough"),
        lightgbm.LGBMClassifier(n_jobs=1, verbose=-1),
    ).fit(rows.drop(columns="answer"), rows["answer"])
    single = rows.drop(columns="answer").iloc[:1]
    theirs = latency(lambda: pipeline.predict_proba(single), runs=200)
    return Figure(
        "one row of 20 raw cells through one exported LightGBM, in process (p50)",
        f"{ours * 1e6:.0f} us (all {len(run.model.manifest.members)} folds as served: {served * 1e6:.0f} us)",
        f"scikit-learn pipeline {theirs * 1e3:.1f} ms: {theirs / ours:.0f} times as long",
        ours < 1e-4 and theirs / ours >= 50,
    )


def single_member(run: object):  # type: ignore[no-untyped-def]
    """One fold's model out of a run's: what one exported booster costs."""
    from dataclasses import replace

    from holdfast.models.tabular.served import TabularModel

    model = run.model  # type: ignore[attr-defined]
    member = replace(model.manifest.members[0], weight=1.0)
    return TabularModel(replace(model.manifest, members=(member,)), model.files)


def latency(call: Callable[[], object], *, runs: int = 2000) -> float:
    """Median seconds of one call."""
    for _ in range(50):
        call()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def reading(gigabytes: float = 1.0) -> Figure:
    """Read, infer, clean and hash a generated CSV."""
    folder = Path(tempfile.mkdtemp())
    file = folder / "large.csv"
    write_large(file, gigabytes)
    size = file.stat().st_size
    script = f"""
import resource, time
from holdfast.data.read import read
started = time.perf_counter()
data = read({str(file)!r}, target="left")
seconds = time.perf_counter() - started
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, len(data))
"""
    os.sync()  # writing the file is not to be paid for while it is read
    seconds, peak, rows = sorted(tuple(map(float, printed(script).split())) for _ in range(3))[1]
    file.unlink()
    speed = size / 1e6 / seconds
    return Figure(
        f"read, infer, clean and hash a CSV of {size / 1e9:.2f} GB ({rows:,.0f} rows)",
        f"{seconds:.1f} s (median of 3): {speed:.0f} MB/s, {peak:.2f} GB at most",
        "held to 100 MB/s and 3 GB",
        speed > 100 and peak < 3,
    )


def write_large(file: Path, gigabytes: float) -> None:
    """A CSV of about this size: numbers, words, dates, amounts, missing cells, an id."""
    rng = np.random.default_rng(0)
    rows = 250_000
    written = 0
    with file.open("wb") as out:
        while written < gigabytes * 1e9:
            frame = pl.DataFrame(
                {
                    "id": [f"c{written // 100:x}-{k:x}" for k in range(rows)],
                    **{f"number_{k}": rng.normal(size=rows).round(4) for k in range(10)},
                    **{f"count_{k}": rng.integers(0, 1000, rows) for k in range(4)},
                    **{
                        f"word_{k}": rng.choice(["north", "South", "east ", "west", ""], rows)
                        for k in range(4)
                    },
                    "amount": [f"${value:,.2f}" for value in rng.gamma(2, 900, rows)],
                    "day": np.datetime64("2020-01-01") + rng.integers(0, 1500, rows).astype("timedelta64[D]"),
                    "left": rng.choice(["yes", "no"], rows),
                }
            )
            data = frame.write_csv(include_header=written == 0).encode()
            out.write(data)
            written += len(data)


def measure() -> None:
    """Measure everything here, in the order of the page, and keep it."""
    found = []
    for work in (bootstrap, many_models, start_up, logging, one_row, reading):
        result = work()
        for figure in result if isinstance(result, list) else [result]:
            print(
                f"{'ok  ' if figure.met else 'MISS'} {figure.what}: {figure.ours} | {figure.against}",
                flush=True,
            )
            found.append(figure)
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps([asdict(figure) for figure in found], indent=1))


if __name__ == "__main__":
    measure()
