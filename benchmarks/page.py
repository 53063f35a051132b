"""README.md of this folder, from the results in `out/`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks import categories, debugging
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
_SPEED = "## How fast\n"
_QUALITY = """## How good after a minute

Every system gets the same training file and the same two cores, one after the other, and is scored on the same test
rows (a quarter of the table at random; adult_income's official ones). Ours is scored on what `holdfast predict best`
writes, the exported model as it is served, trained with `--sealed 0`. Log loss in nats, RMSE for the two tables of
numbers; lower is better, the best in bold. Seconds are of the whole process, start and prediction included.
Each row was measured while the machine did nothing else, between {first} and {last} UTC.
"""


_CATEGORIES = """## Categories: our encoding beside CatBoost's own

The `catboost` learner fitted twice on the same {folds} folds with {seeds} seeds each: as it is served, on the numbers of
the column recipe, and with the categories handed to CatBoost as they are; rows, stopping rows, hyperparameters and
seeds are equal. Out-of-fold log loss in nats or RMSE, lower is better; the difference is ours less CatBoost's own (below
0 ours is better) with its paired 95 % interval. Where CatBoost's own handling wins by
more than {margin:g} %, its own format may be worth shipping. It is not shipped: serving would then need the library
itself, and what `best` reaches without it on whole tables stands in the section above.
"""
_DEBUGGING = """## Finding, proving, releasing

Label errors and weak slices beside the libraries that look for them, on real tables with planted faults and on their
own; and how often fixes and candidates of known worth get through, in simulations.
"""
_UNMEASURED = """{title}

Not measured here yet: `python -m benchmarks` on a machine that does nothing else.
"""


def write() -> None:
    """Write the page: each section from the newest results, or as the page has it where there are none here."""
    kept = _sections(PAGE.read_text()) if PAGE.exists() else {}
    written = [section or kept.get(title, _UNMEASURED.format(title=title)) for title, section in _measured()]
    PAGE.write_text("\n".join([_HEAD, _machine(), *written]))


def _measured() -> list[tuple[str, str]]:
    """Every section by its title, in order; "" where there are no results in `out/`."""
    speed_figures, found = _figures(FIGURES), [_figures(file) for file in debugging.FILES]
    results = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    encoded = json.loads(categories.RESULTS.read_text()) if categories.RESULTS.exists() else None
    return [
        (_title(_SPEED), _SPEED + _table(speed_figures) if speed_figures else ""),
        (
            _title(_DEBUGGING),
            _DEBUGGING + _table([one for each in found for one in each]) if any(found) else "",
        ),
        (_title(_QUALITY), _quality([json.loads(line) for line in results]) if results else ""),
        (_title(_CATEGORIES), _categories(encoded) if encoded else ""),
    ]


def _sections(page: str) -> dict[str, str]:
    """The sections of a page by their titles."""
    parts = page.split("\n## ")[1:]
    return {f"## {part.partition(chr(10))[0]}": f"## {part}" for part in parts}


def _title(text: str) -> str:
    return text.partition("\n")[0]


def _figures(file: Path) -> list[dict[str, object]]:
    return json.loads(file.read_text()) if file.exists() else []


def _machine() -> str:
    packages = []
    for name in _PACKAGES:
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0))
    return f"Machine: {cores} cores, {platform.machine()}, Python {platform.python_version()}; {', '.join(packages)}.\n"


def _table(figures: Sequence[Mapping[str, object]]) -> str:
    """What was measured, what it is held to, and whether it is met."""
    met = {True: "yes", False: "**no**", None: ""}
    rows = [f"| {f['what']} | {f['ours']} | {f['against']} | {met[f['met']]} |" for f in figures]  # type: ignore[index]
    return "\n".join(["", "| what | measured | held to, or against | met |", "|---|---|---|---|", *rows, ""])


def _quality(results: Sequence[Mapping[str, object]]) -> str:
    newest = {(str(r["table"]), str(r["system"])): r for r in results}
    systems = [s for s in SYSTEMS if any(system == s.name for _, system in newest)]
    when = sorted(str(result["at"]) for result in newest.values())
    names = [system.name for system in systems]
    lines = [_QUALITY.format(first=when[0], last=when[-1])]
    lines += [f"| table | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    scored = []
    for table in TABLES:
        found = {name: newest.get((table.name, name), {}) for name in names}
        scores = {name: float(str(r["score"])) for name, r in found.items() if "score" in r}
        if scores:
            scored.append(scores)
            cells = [_cell(found[name], scores, name) for name in names]
            lines.append(f"| {table.name} | {' | '.join(cells)} |")
    ours = [system.name for system in systems if not system.environment]
    for name in ours:  # each of ours against the peers, not against our other budget
        rivals = [other for other in names if other == name or other not in ours]
        means = {one: mean(_rank(scores, rivals, one) for scores in scored) for one in rivals}
        shown = [f"{means[one]:.2f}" if one in means else "" for one in names]
        lines.append(f"| **mean rank with {name}** | {' | '.join(shown)} |")
    return "\n".join([*lines, ""])


def _categories(facts: Mapping[str, Any]) -> str:
    lines = [
        _CATEGORIES.format(**facts),
        "| table | rows | categories | ours | CatBoost's own | difference | fit seconds, ours / own | better |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in facts["tables"]:
        scores = (
            f"{one[name]:,.0f}" if one[name] > 100 else f"{one[name]:.4f}" for name in ("ours", "native")
        )
        difference = f"{one['percent']:+.2f} % [{one['low']:+.2f}, {one['high']:+.2f}]"
        seconds = f"{one['seconds_ours']:.0f} / {one['seconds_native']:.0f}"
        verdict = categories.verdict(one, facts["margin"])
        rows = f"{one['rows']:,}" + (f" of {one['of']:,}" if one["of"] > one["rows"] else "")
        cells = (one["table"], rows, one["categories"], *scores, difference, seconds, verdict)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def _rank(scores: Mapping[str, float], rivals: Sequence[str], name: str) -> float:
    """The place of one among its rivals, ties shared; a system without an answer shares the last place."""
    if name not in scores:
        return len(rivals)
    better = sum(scores.get(rival, inf) < scores[name] for rival in rivals)
    equal = sum(scores.get(rival, inf) == scores[name] for rival in rivals)
    return better + (equal + 1) / 2


def _cell(result: Mapping[str, object], scores: Mapping[str, float], name: str) -> str:
    if name not in scores:
        return "none"
    score = scores[name]
    text = f"{score:,.0f}" if score > 100 else f"{score:.4f}"
    text = f"**{text}**" if score == min(scores.values()) else text
    return f"{text} ({float(str(result['seconds'])):.0f} s)"
