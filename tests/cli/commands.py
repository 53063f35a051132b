"""The command line as a person calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

QUICK = "constant,decision_tree,lightgbm_small"
WIDTH = "160"  # so that no sentence is broken over lines


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str


def holdfast(*words, cwd, **options):
    """`holdfast WORDS` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "holdfast", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "COLUMNS": WIDTH},
        **options,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def start(*words, cwd):
    """`holdfast WORDS`, which goes on while the test does."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "holdfast", *map(str, words)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": WIDTH},
    )
