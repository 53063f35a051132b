"""`import holdfast` and the command line start without the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "altair", "catboost", "jinja2", "lightgbm", "matplotlib", "numpy", "onnx", "onnxruntime", "optuna",
    "pandas", "polars", "pyarrow", "scipy", "skl2onnx", "sklearn", "sqlalchemy", "torch", "vl_convert",
    "xgboost",
}  # fmt: skip
HELP = """
import sys
sys.argv = ["holdfast", "--help"]
from holdfast.cli.main import main
try:
    main()
except SystemExit:
    pass
"""


def loaded(code: str) -> set[str]:
    """The top-level modules that are there after running `code` in a fresh interpreter."""
    show = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded("import holdfast") & HEAVY


def test_the_help_loads_nothing_heavy():
    assert not loaded(HELP) & HEAVY


@pytest.mark.parametrize("name", ["Estimate", "Predictions", "Verdict", "Leaderboard"])
def test_values_need_no_training_stack(name):
    code = f"import holdfast; holdfast.{name}"
    assert not loaded(code) & (HEAVY - {"polars", "numpy", "pyarrow"})


def test_comparing_needs_no_training_stack():
    code = "import holdfast; holdfast.compare"
    stack = {
        "altair",
        "catboost",
        "lightgbm",
        "onnx",
        "optuna",
        "pandas",
        "skl2onnx",
        "sklearn",
        "torch",
        "xgboost",
    }
    assert not loaded(code) & stack
