"""Findings, proofs and the gate: what `labels`, `slices` and `ratchet` measure, kept for the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks import labels, ratchet, slices
from benchmarks.speed import Figure

_OUT = Path(__file__).parent / "out"
_WORKS: Mapping[str, Callable[[], list[Figure]]] = {
    "labels": labels.measure,
    "slices": slices.measure,
    "ratchet": ratchet.measure,
}
FILES = tuple(_OUT / f"{name}.json" for name in _WORKS)


def measure() -> None:
    """Measure everything, in the order of the page, and keep each part as it is done."""
    _OUT.mkdir(parents=True, exist_ok=True)
    for file, work in zip(FILES, _WORKS.values(), strict=True):
        found = work()
        for figure in found:
            mark = {True: "ok  ", False: "MISS", None: "    "}[figure.met]
            print(f"{mark} {figure.what}: {figure.ours} | {figure.against}", flush=True)
        file.write_text(json.dumps([asdict(figure) for figure in found], indent=1))


if __name__ == "__main__":
    measure()
