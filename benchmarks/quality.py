"""How good a model is after a minute: ours, AutoGluon, FLAML and LightGBM on real tables.

Every system gets the same training file, the same two cores and the same budget, one
after the other on an otherwise idle machine, and is scored on the same test file by log
loss or RMSE. What ours is scored on is what `holdfast predict best` writes: the exported
model as it is served. Peers live in environments of their own (`make bench-peers`) and
are left out where those are absent.

usage: python -m benchmarks.quality [--only NAME,NAME] [--tables NAME,NAME]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.tables import ROOT, TABLES, Table, divided

HERE = Path(__file__).parent
OUT = HERE / "out" / "quality"
RESULTS = OUT / "results.jsonl"
ENVIRONMENTS = HERE / ".envs"


@dataclass(frozen=True, slots=True)
class System:
    """One contender: how it is called, and the environment it needs ("" is ours)."""

    name: str
    environment: str
    budget: int
    extra: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The interpreter of its environment (LightGBM shares FLAML's)."""
        if not self.environment:
            return Path(sys.executable)
        return ENVIRONMENTS / self.environment.replace("lightgbm", "flaml") / "bin" / "python"

    @property
    def present(self) -> bool:
        """Whether its environment has been made."""
        return self.python.exists()


SYSTEMS = (
    System("holdfast 60 s", "", 60),
    System("holdfast 20 s", "", 20),
    System("AutoGluon medium 60 s", "autogluon", 60, ("medium_quality",)),
    System("AutoGluon good 60 s", "autogluon", 60, ("good_quality",)),
    System("FLAML 60 s", "flaml", 60),
    System("LightGBM defaults", "lightgbm", 0),
)


def measure_all(only: str = "", tables: str = "") -> None:
    """Measure every system on every table, one after the other, and keep each result."""
    if not ROOT.is_dir():
        sys.exit(
            f"No data in {ROOT}; set HOLDFAST_BENCH_DATA to a folder that has telco_churn/ and the others."
        )
    OUT.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        if tables and table.name not in tables.split(","):
            continue
        for system in SYSTEMS:
            if only and not any(part in system.name for part in only.split(",")):
                continue
            if not system.present:
                continue
            result = measure(system, table)
            print(json.dumps(result), flush=True)
            with RESULTS.open("a") as file:
                file.write(json.dumps(result) + "\n")


def measure(system: System, table: Table) -> dict[str, object]:
    """One system on one table: its score and its seconds, or why there is none."""
    train, test = divided(table, OUT / "data")
    output = Path(tempfile.mkdtemp()) / "predictions.csv"
    started = time.perf_counter()
    done = run(system, table, (train, test, output))
    seconds = time.perf_counter() - started
    facts: dict[str, object] = {"table": table.name, "system": system.name, "seconds": round(seconds, 1)}
    facts["at"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    if output.exists():
        facts["score"] = score(table, test, output)
    else:
        facts["error"] = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no predictions"]
    shutil.rmtree(output.parent)
    return facts


def run(system: System, table: Table, files: tuple[Path, Path, Path]) -> subprocess.CompletedProcess[str]:
    """Call a system as its user would, in a process of its own."""
    train, test, output = files
    if system.environment:
        budget = [str(system.budget)] if system.budget else []
        script = HERE / "peers" / f"run_{system.environment}.py"
        command = [system.python, script, train, test, table.target, *budget, *system.extra, output]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    project = output.parent / "project"
    call = [sys.executable, "-m", "holdfast"]
    fit = [*call, "train", train, "--target", table.target, "--budget", f"{system.budget}s", "--sealed", "0"]
    done = subprocess.run([*map(str, fit), "-p", str(project)], capture_output=True, text=True, check=False)
    if done.returncode:
        return done
    predict = [*call, "predict", "best", test, "-o", output, "-p", project]
    return subprocess.run([str(word) for word in predict], capture_output=True, text=True, check=False)


def score(table: Table, test: Path, output: Path) -> float:
    """Log loss in nats (probabilities clipped at 1e-7), or RMSE; lower is better."""
    predicted = pl.read_csv(output)
    if table.numeric:
        truth = pl.read_csv(test)[table.target].to_numpy()
        return float(np.sqrt(np.mean((predicted["prediction"].to_numpy() - truth) ** 2)))
    truth = pl.read_csv(test, schema_overrides={table.target: pl.String})[table.target]
    names = [
        name.removeprefix("probability_") for name in predicted.columns if name.startswith("probability_")
    ]
    matrix = predicted.select(f"probability_{name}" for name in names).to_numpy()
    codes = truth.replace_strict({name: k for k, name in enumerate(names)}, default=-1).to_numpy()
    own = np.where(codes >= 0, matrix[np.arange(len(codes)), codes], 0.0)
    return float(-np.log(np.clip(own, 1e-7, 1)).mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--only", default="", help="systems whose name contains one of these, comma separated"
    )
    parser.add_argument("--tables", default="", help="tables, comma separated")
    asked = parser.parse_args()
    measure_all(asked.only, asked.tables)
