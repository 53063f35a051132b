"""README.md of this folder, from the results in `out/`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import mean

from benchmarks.quality import RESULTS, SYSTEMS
from benchmarks.speed import FIGURES
from benchmarks.tables import TABLES

PAGE = Path(__file__).parent / "README.md"
_PACKAGES = (
    "holdfast",
    "numpy",
    "polars",
    "onnxruntime",
    "lightgbm",
    "catboost",
    "xgboost-cpu",
    "scikit-learn",
)
_HEAD = """# Benchmarks

Written by `make bench` (`python -m benchmarks`); every figure was printed by a program in this folder and can be
measured again. Peers run in environments of their own (`make bench-peers`); one that is absent is left out.
"""
_QUALITY = """## How good after a minute

Every system gets the same training file and the same two cores, one after the other, and is scored on the same test
rows (a quarter of the table at random; adult_income's official ones). Ours is scored on what `holdfast predict best`
writes, the exported model as it is served, trained with `--sealed 0`. Log loss in nats, RMSE for the two tables of
numbers; lower is better, the best in bold. Seconds are of the whole process, start and prediction included.
"""


_UNMEASURED = """## How good after a minute

Not measured here yet: `make bench-peers`, then `python -m benchmarks --quality` on a machine that does nothing else.
"""


def write() -> None:
    """Write the page from the newest result of each kind."""
    parts = [_HEAD, _machine()]
    if FIGURES.exists():
        parts.append(_speed(json.loads(FIGURES.read_text())))
    if RESULTS.exists():
        parts.append(_quality([json.loads(line) for line in RESULTS.read_text().splitlines()]))
    else:
        parts.append(_UNMEASURED)
    PAGE.write_text("\n".join(parts))


def _machine() -> str:
    packages = []
    for name in _PACKAGES:
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0))
    return f"Machine: {cores} cores, {platform.machine()}, Python {platform.python_version()}; {', '.join(packages)}.\n"


def _speed(figures: Sequence[Mapping[str, object]]) -> str:
    rows = [
        f"| {f['what']} | {f['ours']} | {f['against']} | {'yes' if f['met'] else '**no**'} |" for f in figures
    ]
    return "\n".join(
        ["## How fast\n", "| what | measured | held to, or against | met |", "|---|---|---|---|", *rows, ""]
    )


def _quality(results: Sequence[Mapping[str, object]]) -> str:
    newest = {(str(r["table"]), str(r["system"])): r for r in results}
    systems = [s.name for s in SYSTEMS if any(system == s.name for _, system in newest)]
    lines = [_QUALITY, f"| table | {' | '.join(systems)} |", "|---" * (len(systems) + 1) + "|"]
    ranks: dict[str, list[float]] = {name: [] for name in systems}
    for table in TABLES:
        found = {name: newest.get((table.name, name), {}) for name in systems}
        scores = {name: float(str(r["score"])) for name, r in found.items() if "score" in r}
        if not scores:
            continue
        for name in systems:
            # a system without an answer shares the last place
            ranks[name].append(_rank(scores, name) if name in scores else len(systems))
        cells = [_cell(found[name], scores, name) for name in systems]
        lines.append(f"| {table.name} | {' | '.join(cells)} |")
    means = [f"{mean(ranks[name]):.2f}" if ranks[name] else "" for name in systems]
    return "\n".join([*lines, f"| **mean rank** | {' | '.join(means)} |", ""])


def _rank(scores: Mapping[str, float], name: str) -> float:
    better = sum(score < scores[name] for score in scores.values())
    equal = sum(score == scores[name] for score in scores.values())
    return better + (equal + 1) / 2


def _cell(result: Mapping[str, object], scores: Mapping[str, float], name: str) -> str:
    if name not in scores:
        return "none"
    score = scores[name]
    text = f"{score:,.0f}" if score > 100 else f"{score:.4f}"
    text = f"**{text}**" if score == min(scores.values()) else text
    return f"{text} ({float(str(result['seconds'])):.0f} s)"
